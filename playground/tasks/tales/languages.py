"""A scene in English, French and Chinese, word by word, each word with the keys of its meaning.

Keys are ordered, the surest first: two words of different languages are aligned if they share one. For example:

    The small dogs near the trees run.  Les petits chiens près des arbres courent.  树 附近 的 那些 小 的 狗 在 跑步 。

"des" has the keys of "near" and "the", "的" that of "small".
"""

from collections.abc import Callable
from typing import Literal

from playground.tasks.tales.scenes import COMMANDS, QUESTIONS, Phrase, Scene, SceneKind
from playground.tasks.tales.words import Adjective, Noun

Language = Literal["english", "french", "chinese"]
Word = tuple[str, tuple[str, ...]]
"""A word, and the keys of its meaning."""
VOWELS = "aeiouéèêâô"
PREPOSITIONS_FRENCH = {"near": ("près", "de"), "by": ("à", "côté", "de"), "behind": ("derrière",)}
PREPOSITIONS_CHINESE = {"near": "附近", "by": "旁边", "behind": "后面"}
CONTRACTIONS = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}
FUNCTION_WORDS = """english french chinese : . , ? !
The the a lives in has gives to goes comes from sees near by behind Who Where is are Look at Come Give She He
Le le La la L' l' Les les un une habite dans donne à va vient de voit près côté derrière au aux du des
Qui Où est sont Regarde Viens Donne Elle Il
住 在 里 有 一 把 给 去 从 来 看见 附近 旁边 后面 那 那些 的 谁 哪里 看 她 他 。 ， ？ ！"""


def render_sentence(scene: Scene, language: Language) -> list[Word]:
    """The sentence of a scene in a language, with its final sign."""
    words = LANGUAGES[language](scene)
    sign = "?" if scene.kind in QUESTIONS else "!" if scene.kind in COMMANDS else "."
    full = {"?": "？", "!": "！", ".": "。"}[sign] if language == "chinese" else sign
    first, keys = words[0]
    return [(first[0].upper() + first[1:], keys), *words[1:], (full, ("end",))]


def alignment_links(source: list[Word], target: list[Word]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Gold pairs (target word, source word): by the first key of each target word, the sure ones; all possible ones.

    Sure and possible links as in Och and Ney (2003), section 5.
    """
    keys = {key: index for index, (_, own) in enumerate(source) for key in own}
    ranked = [(index, keys[key], rank) for index, (_, own) in enumerate(target) for rank, key in enumerate(own)]
    return [link[:2] for link in ranked if link[2] == 0], [link[:2] for link in ranked]


# English


def _english(scene: Scene) -> list[Word]:
    return _ENGLISH[scene.kind](scene)


def _words(text: str, key: str) -> list[Word]:
    return [(word, (key,)) for word in text.split()]


def _english_phrase(phrase: Phrase, key: str, article: str = "the") -> list[Word]:
    noun = phrase.noun.plural if phrase.plural else phrase.noun.singular
    adjective = _words(phrase.adjective.word, f"{key} adjective") if phrase.adjective else []
    return [*_words(article, f"{key} article"), *adjective, *_words(noun, key)]


def _english_place(scene: Scene) -> list[Word]:
    return _english_phrase(Phrase(noun=scene.place), "place")


def _person(scene: Scene, she: str, he: str) -> list[Word]:
    pronoun = she if scene.person.gender == "f" else he
    return _words(scene.person.word if scene.is_named else pronoun, "person")


def _english_nature(scene: Scene) -> list[Word]:
    verb = scene.verb.plural if scene.animal.plural else scene.verb.singular
    beside = (
        [*_words(scene.preposition, "beside"), *_english_phrase(scene.landmark, "landmark")] if scene.landmark else []
    )
    return [*_english_phrase(scene.animal, "animal"), *beside, *_words(verb, "verb")]


def _english_person_does(scene: Scene, verb: str, *rest: Word) -> list[Word]:
    return [*_person(scene, "She", "He"), *_words(verb, "verb"), *rest]


_ENGLISH: dict[SceneKind, Callable[[Scene], list[Word]]] = {
    "lives": lambda s: _english_person_does(s, "lives", *_words("in", "in"), *_english_place(s)),
    "acts": lambda s: _english_person_does(s, s.verb.singular, *_words("in", "in"), *_english_place(s)),
    "has": lambda s: _english_person_does(s, "has", *_english_phrase(s.thing, "thing", "a")),
    "gives": lambda s: _english_person_does(
        s, "gives", *_english_phrase(s.thing, "thing"), *_words("to", "to"), *_words(s.other.word, "other")
    ),
    "goes": lambda s: _english_person_does(s, "goes", *_words("to", "to"), *_english_place(s)),
    "comes": lambda s: _english_person_does(s, "comes", *_words("from", "from"), *_english_place(s)),
    "sees": lambda s: _english_person_does(s, "sees", *_english_phrase(s.animal, "animal")),
    "nature": _english_nature,
    "who": lambda s: [*_words("Who", "person"), *_words("has", "verb"), *_english_phrase(s.thing, "thing")],
    "where": lambda s: [*_words("Where", "where"), *_words("is", "verb"), *_words(s.person.word, "person")],
    "animals": lambda s: [
        *_words("Where", "where"),
        *_words("are" if s.animal.plural else "is", "verb"),
        *_english_phrase(s.animal, "animal"),
    ],
    "look": lambda s: [*_words("Look", "verb"), *_words("at", "at"), *_english_phrase(s.animal, "animal")],
    "come": lambda s: [
        *_words("Come", "verb"),
        *_words("to", "to"),
        *_english_place(s),
        *_words(",", "comma"),
        *_words(s.person.word, "person"),
    ],
    "give": lambda s: [
        *_words("Give", "verb"),
        *_english_phrase(s.thing, "thing"),
        *_words("to", "to"),
        *_words(s.other.word, "other"),
    ],
}


# French


def _french(scene: Scene) -> list[Word]:
    return _FRENCH[scene.kind](scene)


def french_form(adjective: Adjective, noun: Noun, plural: bool) -> str:
    """The adjective in agreement with its noun's gender and number."""
    if noun.gender == "f":
        return adjective.feminine_plural if plural else adjective.feminine
    return adjective.masculine_plural if plural else adjective.masculine


def _french_phrase(phrase: Phrase, key: str, before: str = "", before_key: str = "") -> list[Word]:
    """ "la balle rouge", after "à" or "de" contracted with it: "au petit chien", "de l'arbre"."""
    noun = phrase.noun.french_plural if phrase.plural else phrase.noun.french_singular
    core = _words(noun, key)
    if phrase.adjective:
        adjective = _words(french_form(phrase.adjective, phrase.noun, phrase.plural), f"{key} adjective")
        core = [*adjective, *core] if phrase.adjective.french_position == "before" else [*core, *adjective]
    article = _french_article(phrase, core[0][0])
    if (before, article) in CONTRACTIONS:
        return [(CONTRACTIONS[before, article], (before_key, f"{key} article")), *core]
    return [*_words(before, before_key), *_words(article, f"{key} article"), *core]


def _french_article(phrase: Phrase, following: str) -> str:
    if phrase.plural:
        return "les"
    if following[0] in VOWELS:
        return "l'"
    return "la" if phrase.noun.gender == "f" else "le"


def _french_indefinite(phrase: Phrase, key: str) -> list[Word]:
    """ "une balle rouge"."""
    article = "une" if phrase.noun.gender == "f" else "un"
    definite = _french_phrase(phrase, key)
    return [(article, definite[0][1]), *definite[1:]]


def _french_place(scene: Scene, before: str = "", before_key: str = "") -> list[Word]:
    return _french_phrase(Phrase(noun=scene.place), "place", before, before_key)


def _french_nature(scene: Scene) -> list[Word]:
    verb = scene.verb.french_plural if scene.animal.plural else scene.verb.french_singular
    beside: list[Word] = []
    if scene.landmark:
        *start, last = PREPOSITIONS_FRENCH[scene.preposition]
        beside = [*_words(" ".join(start), "beside"), *_french_phrase(scene.landmark, "landmark", last, "beside")]
    return [*_french_phrase(scene.animal, "animal"), *beside, *_words(verb, "verb")]


def _french_person_does(scene: Scene, verb: str, *rest: Word) -> list[Word]:
    return [*_person(scene, "Elle", "Il"), *_words(verb, "verb"), *rest]


_FRENCH: dict[SceneKind, Callable[[Scene], list[Word]]] = {
    "lives": lambda s: _french_person_does(s, "habite", *_words("dans", "in"), *_french_place(s)),
    "acts": lambda s: _french_person_does(s, s.verb.french_singular, *_words("dans", "in"), *_french_place(s)),
    "has": lambda s: _french_person_does(s, "a", *_french_indefinite(s.thing, "thing")),
    "gives": lambda s: _french_person_does(
        s, "donne", *_french_phrase(s.thing, "thing"), *_words("à", "to"), *_words(s.other.word, "other")
    ),
    "goes": lambda s: _french_person_does(s, "va", *_french_place(s, "à", "to")),
    "comes": lambda s: _french_person_does(s, "vient", *_french_place(s, "de", "from")),
    "sees": lambda s: _french_person_does(s, "voit", *_french_phrase(s.animal, "animal")),
    "nature": _french_nature,
    "who": lambda s: [*_words("Qui", "person"), *_words("a", "verb"), *_french_phrase(s.thing, "thing")],
    "where": lambda s: [*_words("Où", "where"), *_words("est", "verb"), *_words(s.person.word, "person")],
    "animals": lambda s: [
        *_words("Où", "where"),
        *_words("sont" if s.animal.plural else "est", "verb"),
        *_french_phrase(s.animal, "animal"),
    ],
    "look": lambda s: [("Regarde", ("verb", "at")), *_french_phrase(s.animal, "animal")],
    "come": lambda s: [
        *_words("Viens", "verb"),
        *_french_place(s, "à", "to"),
        *_words(",", "comma"),
        *_words(s.person.word, "person"),
    ],
    "give": lambda s: [
        *_words("Donne", "verb"),
        *_french_phrase(s.thing, "thing"),
        *_words("à", "to"),
        *_words(s.other.word, "other"),
    ],
}


# Chinese


def _chinese(scene: Scene) -> list[Word]:
    return _CHINESE[scene.kind](scene)


def _chinese_phrase(phrase: Phrase, key: str, determiner: str = "那") -> list[Word]:
    """ "那 个 红色 的 球": the measure word is the noun's; "那些" has none."""
    adjective = _words(f"{phrase.adjective.chinese} 的", f"{key} adjective") if phrase.adjective else []
    noun = _words(phrase.noun.chinese, key)
    if phrase.plural:
        return [("那些", (f"{key} article", key)), *adjective, *noun]
    return [*_words(determiner, f"{key} article"), *_words(phrase.noun.measure, key), *adjective, *noun]


def _chinese_place(scene: Scene) -> list[Word]:
    return _words(scene.place.chinese, "place")


def _chinese_person(scene: Scene) -> list[Word]:
    if scene.is_named:
        return _words(scene.person.chinese, "person")
    return _words("她" if scene.person.gender == "f" else "他", "person")


def _chinese_give(scene: Scene) -> list[Word]:
    """ "把 那 个 球 给 本恩": the object precedes the verb."""
    return [
        *_words("把", "verb"),
        *_chinese_phrase(scene.thing, "thing"),
        ("给", ("to", "verb")),
        *_words(scene.other.chinese, "other"),
    ]


def _chinese_nature(scene: Scene) -> list[Word]:
    """ "树 附近 的 那些 狗 在 跑步": the location precedes the noun, and only 那些 marks the plural."""
    beside: list[Word] = []
    if scene.landmark:
        near = f"{PREPOSITIONS_CHINESE[scene.preposition]} 的"
        beside = [*_words(scene.landmark.noun.chinese, "landmark"), *_words(near, "beside")]
    return [*beside, *_chinese_phrase(scene.animal, "animal"), *_words(f"在 {scene.verb.chinese}", "verb")]


def _chinese_person_does(scene: Scene, *rest: Word) -> list[Word]:
    return [*_chinese_person(scene), *rest]


_CHINESE: dict[SceneKind, Callable[[Scene], list[Word]]] = {
    "lives": lambda s: _chinese_person_does(
        s, *_words("住", "verb"), *_words("在", "in"), *_chinese_place(s), *_words("里", "in")
    ),
    "acts": lambda s: _chinese_person_does(
        s, *_words("在", "in"), *_chinese_place(s), *_words("里", "in"), *_words(s.verb.chinese, "verb")
    ),
    "has": lambda s: _chinese_person_does(s, *_words("有", "verb"), *_chinese_phrase(s.thing, "thing", "一")),
    "gives": lambda s: _chinese_person_does(s, *_chinese_give(s)),
    "goes": lambda s: _chinese_person_does(s, ("去", ("verb", "to")), *_chinese_place(s)),
    "comes": lambda s: _chinese_person_does(s, *_words("从", "from"), *_chinese_place(s), *_words("来", "verb")),
    "sees": lambda s: _chinese_person_does(s, *_words("看见", "verb"), *_chinese_phrase(s.animal, "animal")),
    "nature": _chinese_nature,
    "who": lambda s: [*_words("谁", "person"), *_words("有", "verb"), *_chinese_phrase(s.thing, "thing")],
    "where": lambda s: [*_words(s.person.chinese, "person"), *_words("在", "verb"), *_words("哪里", "where")],
    "animals": lambda s: [*_chinese_phrase(s.animal, "animal"), *_words("在", "verb"), *_words("哪里", "where")],
    "look": lambda s: [("看", ("verb", "at")), *_chinese_phrase(s.animal, "animal")],
    "come": lambda s: [
        *_words(s.person.chinese, "person"),
        *_words("，", "comma"),
        ("来", ("verb", "to")),
        *_chinese_place(s),
    ],
    "give": _chinese_give,
}
LANGUAGES: dict[Language, Callable[[Scene], list[Word]]] = {
    "english": _english,
    "french": _french,
    "chinese": _chinese,
}
