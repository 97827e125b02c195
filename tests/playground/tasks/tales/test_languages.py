"""One scene in three languages: sentences and alignments written out by hand, and what holds for all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.tasks.tales.languages import FUNCTION_WORDS, alignment_links, render_sentence
from playground.tasks.tales.scenes import COMMANDS, QUESTIONS, Phrase, Scene, SceneKind, Scenes
from playground.tasks.tales.words import ADJECTIVES, ANIMALS, LANDMARKS, NAMES, PLACES, THINGS, VERBS
from playground.tasks.tales.world import make_world, uniforms

NAME = {name.word: name for name in NAMES}
NOUN = {noun.singular: noun for noun in (*ANIMALS, *LANDMARKS, *PLACES, *THINGS)}
ADJECTIVE = {adjective.word: adjective for adjective in ADJECTIVES}
VERB = {verb.plural: verb for verb in VERBS}


def scene(kind: SceneKind, **changes) -> Scene:
    given = {
        "person": NAME["Anna"],
        "is_named": True,
        "other": NAME["Ben"],
        "place": NOUN["forest"],
        "thing": Phrase(noun=NOUN["ball"], adjective=ADJECTIVE["red"]),
        "animal": Phrase(noun=NOUN["dog"], plural=True, adjective=ADJECTIVE["small"]),
        "verb": VERB["run"],
        "preposition": "near",
        "landmark": Phrase(noun=NOUN["tree"]),
    }
    return Scene(kind=kind, **{**given, **changes})


def text(scene: Scene, language: str) -> str:
    return " ".join(word for word, _ in render_sentence(scene, language))


ONE_BEAR = {"animal": Phrase(noun=NOUN["bear"])}
BY_TREES = {"preposition": "by", "landmark": Phrase(noun=NOUN["tree"], plural=True)}


@pytest.mark.parametrize(
    ("given", "english", "french", "chinese"),
    [
        (scene("lives"), "Anna lives in the forest .", "Anna habite dans la forêt .", "安娜 住 在 森林 里 。"),
        (
            scene("acts", verb=VERB["sing"], is_named=False, place=NOUN["school"]),
            "She sings in the school .",
            "Elle chante dans l' école .",
            "她 在 学校 里 唱歌 。",
        ),
        (scene("has"), "Anna has a red ball .", "Anna a une balle rouge .", "安娜 有 一 个 红色 的 球 。"),
        (
            scene("gives"),
            "Anna gives the red ball to Ben .",
            "Anna donne la balle rouge à Ben .",
            "安娜 把 那 个 红色 的 球 给 本恩 。",
        ),
        (scene("goes"), "Anna goes to the forest .", "Anna va à la forêt .", "安娜 去 森林 。"),
        (
            scene("goes", person=NAME["Ben"], is_named=False, place=NOUN["market"]),
            "He goes to the market .",
            "Il va au marché .",
            "他 去 市场 。",
        ),
        (
            scene("comes", place=NOUN["garden"]),
            "Anna comes from the garden .",
            "Anna vient du jardin .",
            "安娜 从 花园 来 。",
        ),
        (scene("sees", **ONE_BEAR), "Anna sees the bear .", "Anna voit l' ours .", "安娜 看见 那 头 熊 。"),
        (
            scene("nature"),
            "The small dogs near the tree run .",
            "Les petits chiens près de l' arbre courent .",
            "树 附近 的 那些 小 的 狗 在 跑步 。",
        ),
        (
            scene("nature", **ONE_BEAR, **BY_TREES),
            "The bear by the trees runs .",
            "L' ours à côté des arbres court .",
            "树 旁边 的 那 头 熊 在 跑步 。",
        ),
        (
            scene("who", thing=Phrase(noun=NOUN["key"], adjective=ADJECTIVE["white"])),
            "Who has the white key ?",
            "Qui a la clé blanche ?",
            "谁 有 那 把 白色 的 钥匙 ？",
        ),
        (scene("where"), "Where is Anna ?", "Où est Anna ?", "安娜 在 哪里 ？"),
        (
            scene("animals"),
            "Where are the small dogs ?",
            "Où sont les petits chiens ?",
            "那些 小 的 狗 在 哪里 ？",
        ),
        (scene("look"), "Look at the small dogs !", "Regarde les petits chiens !", "看 那些 小 的 狗 ！"),
        (
            scene("come", place=NOUN["village"]),
            "Come to the village , Anna !",
            "Viens au village , Anna !",
            "安娜 ， 来 村子 ！",
        ),
        (
            scene("give", thing=Phrase(noun=NOUN["flower"], adjective=ADJECTIVE["big"])),
            "Give the big flower to Ben !",
            "Donne la grande fleur à Ben !",
            "把 那 朵 大 的 花 给 本恩 ！",
        ),
    ],
)
def test_sentences_by_hand(given, english, french, chinese):
    assert text(given, "english") == english
    assert text(given, "french") == french
    assert text(given, "chinese") == chinese


def test_an_alignment_with_french_by_hand():
    """Les petits chiens près des arbres courent: "des" is surely of "near", possibly of the second "the"."""
    described = scene("nature", landmark=Phrase(noun=NOUN["tree"], plural=True))
    source, target = render_sentence(described, "english"), render_sentence(described, "french")
    assert text(described, "french") == "Les petits chiens près des arbres courent ."
    sure, possible = alignment_links(source, target)
    assert sure == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 5), (6, 6), (7, 7)]
    assert set(possible) - set(sure) == {(4, 4)}


def test_an_adjective_crosses_its_noun_in_french():
    described = scene("has")
    sure, possible = alignment_links(render_sentence(described, "english"), render_sentence(described, "french"))
    assert sure == possible == [(0, 0), (1, 1), (2, 2), (3, 4), (4, 3), (5, 5)]


def test_an_alignment_with_chinese_by_hand():
    """安娜 把 那 个 红色 的 球 给 本恩 。: 个 is of "ball", 的 of "red", 给 of "to" and possibly of "gives"."""
    described = scene("gives")
    sure, possible = alignment_links(render_sentence(described, "english"), render_sentence(described, "chinese"))
    assert sure == [(0, 0), (1, 1), (2, 2), (3, 4), (4, 3), (5, 3), (6, 4), (7, 5), (8, 6), (9, 7)]
    assert set(possible) - set(sure) == {(7, 1)}


@settings(max_examples=300)
@given(st.integers(0, 10**6))
def test_every_word_has_a_sure_link_in_range_and_every_sentence_its_sign(seed):
    sampled = Scenes(make_world(names=40, exponent=0.5, seed=seed % 3)).sample(uniforms(np.random.default_rng(seed)))
    source = render_sentence(sampled, "english")
    keys = [key for _, stands_for in source for key in stands_for]
    assert len(keys) == len(set(keys)) == len(source)
    assert sampled.person is not sampled.other
    for language in ("french", "chinese"):
        target = render_sentence(sampled, language)
        sure, possible = alignment_links(source, target)
        assert [place for place, _ in sure] == list(range(len(target)))
        assert all(0 <= word < len(source) for _, word in possible)
        assert set(sure) <= set(possible)
    sign = "?" if sampled.kind in QUESTIONS else "!" if sampled.kind in COMMANDS else "."
    assert source[-1][0] == sign


def test_the_tables_agree_with_themselves():
    """Names and words are told apart by their spelling; a and an never clash; French elides before these vowels."""
    for part in (NAMES, ANIMALS, LANDMARKS, PLACES, THINGS, ADJECTIVES, VERBS):
        assert len(set(part)) == len(part)
    assert all(adjective.word[0] not in "aeiou" for adjective in ADJECTIVES)
    assert all(noun.singular[0] not in "aeiou" for noun in THINGS)
    assert {noun.gender for noun in NOUN.values()} == {name.gender for name in NAMES} == {"f", "m"}
    assert all(noun.french_singular[0] != "h" for noun in NOUN.values())
    assert len(FUNCTION_WORDS.split()) == len(set(FUNCTION_WORDS.split()))
