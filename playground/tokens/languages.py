"""One sentence in twenty languages, written for this page, and how many tokens a tokenizer needs for each.

What a sentence costs depends on what the vocabulary was learned from: Petrov et al. 2023, Language Model Tokenizers
Introduce Unfairness Between Languages.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.text import N_
from playground.tokens.tokenization import Tokenization, tokenize

if TYPE_CHECKING:
    from playground.models import LoadedModel

SENTENCES = {
    N_("English"): "The little bird sings in the garden every morning, and the children listen to it.",
    N_("German"): "Der kleine Vogel singt jeden Morgen im Garten, und die Kinder hören ihm zu.",
    N_("French"): "Le petit oiseau chante chaque matin dans le jardin, et les enfants l'écoutent.",
    N_("Spanish"): "El pajarito canta cada mañana en el jardín, y los niños lo escuchan.",
    N_("Portuguese"): "O passarinho canta todas as manhãs no jardim, e as crianças o escutam.",
    N_("Italian"): "L'uccellino canta ogni mattina nel giardino, e i bambini lo ascoltano.",
    N_("Polish"): "Mały ptak śpiewa co rano w ogrodzie, a dzieci go słuchają.",
    N_("Russian"): "Маленькая птица каждое утро поёт в саду, и дети её слушают.",
    N_("Greek"): "Το μικρό πουλί τραγουδά κάθε πρωί στον κήπο και τα παιδιά το ακούνε.",
    N_("Turkish"): "Küçük kuş her sabah bahçede şarkı söylüyor ve çocuklar onu dinliyor.",
    N_("Arabic"): "يغرد الطائر الصغير في الحديقة كل صباح، ويستمع إليه الأطفال.",
    N_("Hebrew"): "הציפור הקטנה שרה בגינה בכל בוקר, והילדים מקשיבים לה.",
    N_("Hindi"): "छोटी चिड़िया हर सुबह बगीचे में गाती है, और बच्चे उसे सुनते हैं।",
    N_("Bengali"): "ছোট পাখিটি প্রতিদিন সকালে বাগানে গান গায়, আর শিশুরা তা শোনে।",
    N_("Chinese"): "小鸟每天早上在花园里唱歌，孩子们听着。",
    N_("Japanese"): "小鳥は毎朝庭で歌い、子どもたちはそれを聞いています。",
    N_("Korean"): "작은 새가 매일 아침 정원에서 노래하고, 아이들이 그 노래를 듣습니다.",
    N_("Vietnamese"): "Chú chim nhỏ hót trong vườn mỗi buổi sáng, và bọn trẻ lắng nghe.",
    N_("Thai"): "นกน้อยร้องเพลงในสวนทุกเช้า และเด็กๆ ก็ฟังมัน",
    N_("Swahili"): "Ndege mdogo huimba bustanini kila asubuhi, na watoto humsikiliza.",
}
"""By language: the same sentence."""
TYPED = N_("your sentence")


@dataclass(frozen=True, kw_only=True)
class LanguageCost:
    """What a tokenizer makes of one sentence."""

    language: str
    """A name to be translated where it is shown."""
    sentence: str
    bytes: int
    """In UTF-8."""
    tokens: int
    """Without what the template adds."""
    unread: int
    """Characters, other than spaces, that no token of the vocabulary stands for."""

    @property
    def characters(self) -> int:
        """Code points."""
        return len(self.sentence)

    @property
    def tokens_per_character(self) -> float:
        """How many tokens a character costs."""
        return self.tokens / self.characters

    @property
    def is_read(self) -> bool:
        """Whether the vocabulary covers every character, so that the count can be compared."""
        return not self.unread


def language_costs(model: "LoadedModel", typed: str = "") -> tuple[LanguageCost, ...]:
    """The costs of the sentence in twenty languages, and of a typed one. Raises UserError where the tokenizer fails."""
    sentences = {**SENTENCES, **({TYPED: typed} if typed else {})}
    return tuple(_cost(language, tokenize(model, sentence, replay=False)) for language, sentence in sentences.items())


def _cost(language: str, cut: Tokenization) -> LanguageCost:
    return LanguageCost(
        language=language,
        sentence=cut.text,
        bytes=len(cut.text.encode()),
        tokens=len(cut.content),
        unread=unread_characters(cut),
    )


def unread_characters(cut: Tokenization) -> int:
    """How many characters, other than spaces, stand behind no token but an unknown one, or behind none at all."""
    if cut.algorithm is None:
        return cut.unknown
    read = {position for token in cut.content if not token.is_unknown for position in range(token.start, token.end)}
    return sum(not letter.isspace() and position not in read for position, letter in enumerate(cut.text))
