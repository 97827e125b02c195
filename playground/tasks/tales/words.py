"""The words of the small world, in English, French and Chinese.

Each line of a table is one word with the forms that its sentences need: French gender and plural, the Chinese
measure word. No English adjective begins with a vowel, so that "a" is the only article.
"""

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A person's name."""

    word: str
    """In English and French."""
    gender: str
    """"f" or "m"."""
    chinese: str


@dataclass(frozen=True)
class Noun:
    """A noun in three languages."""

    singular: str
    plural: str
    french_singular: str
    french_plural: str
    gender: str
    """In French: "f" or "m"."""
    chinese: str
    measure: str
    """The Chinese measure word."""


@dataclass(frozen=True)
class Adjective:
    """An adjective in three languages."""

    word: str
    """In English."""
    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    french_position: str
    """"before" or "after" its French noun."""
    chinese: str

    @property
    def forms(self) -> tuple[str, ...]:
        """The four French forms."""
        return self.masculine, self.feminine, self.masculine_plural, self.feminine_plural


@dataclass(frozen=True)
class Verb:
    """A verb in three languages: third person singular and plural; the Chinese verb has one form."""

    singular: str
    plural: str
    french_singular: str
    french_plural: str
    chinese: str


def _lines(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


NAMES = [
    Name(*line)
    for line in _lines("""
Anna f 安娜
Ben m 本恩
Clara f 克拉拉
David m 大卫
Emma f 艾玛
Felix m 菲利克斯
Flora f 弗洛拉
Hugo m 雨果
Hanna f 汉娜
Ivan m 伊万
Ida f 艾达
Jack m 杰克
Julia f 朱莉娅
Leo m 利奥
Laura f 劳拉
Luca m 卢卡
Lena f 莉娜
Max m 马克斯
Lucy f 露西
Noah m 诺亚
Maria f 玛丽亚
Oscar m 奥斯卡
Marta f 玛尔塔
Paul m 保罗
Mina f 米娜
Peter m 彼得
Nora f 诺拉
Robin m 罗宾
Olga f 奥尔加
Simon m 西蒙
Rosa f 罗莎
Theo m 西奥
Sara f 萨拉
Tom m 汤姆
Sofia f 索菲亚
Adam m 亚当
Vera f 薇拉
Carl m 卡尔
Eva f 伊娃
Emil m 埃米尔
""")
]

ANIMALS = [
    Noun(*line)
    for line in _lines("""
dog dogs chien chiens m 狗 只
cat cats chat chats m 猫 只
bird birds oiseau oiseaux m 鸟 只
horse horses cheval chevaux m 马 匹
cow cows vache vaches f 牛 头
fox foxes renard renards m 狐狸 只
hen hens poule poules f 母鸡 只
bear bears ours ours m 熊 头
mouse mice souris souris f 老鼠 只
wolf wolves loup loups m 狼 只
duck ducks canard canards m 鸭子 只
goat goats chèvre chèvres f 山羊 只
frog frogs grenouille grenouilles f 青蛙 只
pig pigs cochon cochons m 猪 头
rabbit rabbits lapin lapins m 兔子 只
snake snakes serpent serpents m 蛇 条
""")
]

LANDMARKS = [
    Noun(*line)
    for line in _lines("""
tree trees arbre arbres m 树 棵
house houses maison maisons f 房子 座
bridge bridges pont ponts m 桥 座
river rivers rivière rivières f 河 条
hill hills colline collines f 山丘 座
wall walls mur murs m 墙 面
road roads route routes f 路 条
rock rocks rocher rochers m 岩石 块
field fields champ champs m 田野 片
fountain fountains fontaine fontaines f 喷泉 座
bench benches banc bancs m 长椅 把
gate gates portail portails m 大门 扇
""")
]

PLACES = [
    Noun(*line)
    for line in _lines("""
forest forests forêt forêts f 森林 片
village villages village villages m 村子 个
garden gardens jardin jardins m 花园 座
school schools école écoles f 学校 所
castle castles château châteaux m 城堡 座
market markets marché marchés m 市场 个
church churches église églises f 教堂 座
valley valleys vallée vallées f 山谷 个
tower towers tour tours f 高塔 座
harbour harbours port ports m 港口 个
cave caves grotte grottes f 山洞 个
inn inns auberge auberges f 客栈 家
mill mills moulin moulins m 磨坊 座
kitchen kitchens cuisine cuisines f 厨房 间
stable stables écurie écuries f 马厩 个
library libraries bibliothèque bibliothèques f 图书馆 座
theatre theatres théâtre théâtres m 剧院 座
barn barns grange granges f 谷仓 座
""")
]

THINGS = [
    Noun(*line)
    for line in _lines("""
ball balls balle balles f 球 个
hat hats chapeau chapeaux m 帽子 顶
book books livre livres m 书 本
lamp lamps lampe lampes f 灯 盏
key keys clé clés f 钥匙 把
coat coats manteau manteaux m 大衣 件
cup cups tasse tasses f 杯子 个
drum drums tambour tambours m 鼓 面
flower flowers fleur fleurs f 花 朵
boat boats bateau bateaux m 小船 条
letter letters lettre lettres f 信 封
ring rings bague bagues f 戒指 枚
knife knives couteau couteaux m 刀 把
chair chairs chaise chaises f 椅子 把
watch watches montre montres f 手表 块
violin violins violon violons m 小提琴 把
basket baskets panier paniers m 篮子 个
coin coins pièce pièces f 硬币 枚
""")
]

ADJECTIVES = [
    Adjective(*line)
    for line in _lines("""
red rouge rouge rouges rouges after 红色
small petit petite petits petites before 小
blue bleu bleue bleus bleues after 蓝色
big grand grande grands grandes before 大
green vert verte verts vertes after 绿色
white blanc blanche blancs blanches after 白色
black noir noire noirs noires after 黑色
pretty joli jolie jolis jolies before 漂亮
brown brun brune bruns brunes after 棕色
grey gris grise gris grises after 灰色
yellow jaune jaune jaunes jaunes after 黄色
clean propre propre propres propres after 干净
dirty sale sale sales sales after 脏
strange étrange étrange étranges étranges after 奇怪
""")
]

VERBS = [
    Verb(*line)
    for line in _lines("""
sleeps sleep dort dorment 睡觉
runs run court courent 跑步
sings sing chante chantent 唱歌
waits wait attend attendent 等待
dances dance danse dansent 跳舞
plays play joue jouent 玩耍
smiles smile sourit sourient 微笑
works work travaille travaillent 工作
eats eat mange mangent 吃饭
jumps jump saute sautent 跳跃
swims swim nage nagent 游泳
drinks drink boit boivent 喝水
""")
]

BEGINNINGS = ("Be", "Da", "Fi", "Go", "Ka", "Lu", "Mo", "Ri", "Su", "Ve")
LARGEST_NAMES = 500


def names(count: int) -> list[Name]:
    """The first `count` people: NAMES, then invented ones of three syllables, such as Belana and Belano."""
    endings = [consonant + vowel for consonant in "nlrvst" for vowel in "ao"]
    syllables = itertools.product(BEGINNINGS, ("la", "ro", "mi", "ne"), endings)
    invented = (Name("".join(word), "f" if word[-1].endswith("a") else "m", "") for word in syllables)
    return list(itertools.islice(itertools.chain(NAMES, invented), count))
