"""The page Tokens: every section on real models, its edges, and links that bring a picture back."""

import ast
import contextlib
import io
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tokenizers import Tokenizer, normalizers

from tests.e2e.components.test_payload import decode
from tests.helpers.page_script import address, charts, run_page, words
from tests.helpers.pretrained_folders import own_cache, save_model
from ui.components import token_view
from ui.state.address import unpack
from ui.state.parameters import SENTENCES

__all__ = ["own_cache", "save_model"]


def page(**parameters: str):
    app = run_page("tokens", **parameters)
    assert not app.exception, app.exception
    return app


def chips(app, key: int = 0) -> list[str]:
    """The tokens of a picture."""
    return [item["text"] for item in chip_items(app, key)]


def chip_items(app, key: int = 0) -> list[dict[str, object]]:
    """What a picture of tokens was sent."""
    sent = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "playground_tokens"]
    return decode(sent[key].bytes)[0]["items"]


def printed_with(app, call: str) -> str:
    """What the page's program with this call prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(next(block.value for block in app.code if call in block.value), {})
    return printed.getvalue()


def names(chart) -> list[str]:
    return [trace.get("name", "") for trace in chart["figure"]["data"]]


def test_the_text_as_tokens_and_the_merges_of_the_chosen_one():
    app = page(text="an unbelievable cat", query="2")
    assert chips(app) == ["<|start|>", "an", " un", "b", "el", "ie", "v", "able", " cat"]
    said = words(app)
    assert "19 characters are 19 bytes in UTF-8 and 8 of 4,096 tokens" in said
    assert "Verified: 3 of 3 pre-tokens" in said
    assert "“Ġunbelievable” begins as 13 symbols; 7 merges, then 6 tokens." in said
    (chart,) = charts(app)
    assert chart["figure"]["data"][1]["text"][:4] == ["␣", "u", "n", "b"]
    assert "text: 'an unbelievable cat'" in chart["provenance"]


def test_a_click_on_a_token_opens_its_steps(monkeypatch):
    app = page(text="an unbelievable cat")
    assert app.query_params.get("query") is None
    assert "Token 2: “␣un”" in words(app)  # the first word of several tokens
    clicks = iter([{"picked": 0}])
    draw = token_view._component
    monkeypatch.setattr(token_view, "_component", lambda **drawn: (draw(**drawn), next(clicks, None))[1])
    app.run()
    assert not app.exception
    assert address(app)["query"] == "0"
    assert "The template adds this token" in words(app)
    assert [item["chosen"] for item in chip_items(app)] == [True, *[False] * 8]


@pytest.mark.parametrize(
    ("model", "text", "sentence"),
    [
        ("tales-translator", "Anna gives the ball", "looked up in a vocabulary of 648"),
        ("induction", "KqZf", "looked up in a vocabulary of 66"),
        ("books-encoder", "the <|mask|> sat", "characters are"),
    ],
)
def test_vocabularies_of_words_characters_and_masks(model, text, sentence):
    assert sentence in words(page(model=model, text=text, query="2"))


def test_a_typed_special_token_is_found_before_the_algorithm_begins():
    assert "added to the vocabulary as a whole" in words(page(model="books-encoder", text="a <|mask|> b", query="3"))


@pytest.mark.parametrize("text", ["", "a", "👋🏽", "你好，世界", "\x00\x07\t\u202e", "<b>*x*</b> $1$ :smile: [l](//x)"])
def test_hard_texts(text):
    app = page(text=text or " ", query="1")
    assert "of 4,096 tokens" in words(app)


def test_an_empty_text_without_a_template_is_told(save_model):
    assert "The text has no tokens yet" in words(page(model=str(save_model("gpt2")), text=" "))


def test_twenty_thousand_characters_are_counted_and_the_first_are_drawn():
    app = page(text="the cat sat. " * 1_600, query="40000")
    assert len(chips(app)) == 2_048
    said = words(app)
    assert "20,800 characters" in said
    assert "The first 2,048 tokens are drawn" in said


def test_the_target_of_a_translation_has_tokens_of_its_own():
    app = page(model="tales-translator", text="Anna gives the zebra", target="Anna donne", query="4")
    assert chips(app, 1) == ["<|start|>", "Anna", "donne"]
    said = words(app)
    assert "One token is unknown" in said
    assert "5 bytes: 7a 65 62 72 61 · unknown" in said
    assert "typed" not in said


def test_bytes_that_were_typed_stand_beside_those_of_a_normalised_piece(save_model):
    folder = save_model("gpt2")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save(str(folder / "tokenizer.json"))
    assert "typed: 3 bytes: 54 48 45 · piece: 3 bytes: 74 68 65" in words(
        page(model=str(folder), text="THE", query="0")
    )
    assert "in the vocabulary: the · 3 bytes: 74 68 65" in words(page(model=str(folder), text="the", query="0"))


def test_two_tokenizers_side_by_side():
    app = page(section="models", text="the rug", other_model="induction")
    assert chips(app, 0) == ["<|start|>", "the", " r", "ug"]
    assert chips(app, 1) == ["<|start|>", *"the", "<|unknown|>", *"rug"]
    assert "They share 2 of 5 cuts" in words(app)


def test_languages_and_a_sentence_of_ones_own():
    app = page(section="languages", sentence="A cat.", with_other="yes", other_model="induction")
    (chart,) = charts(app)
    assert names(chart) == ["books-decoder", "induction"]
    assert len(chart["figure"]["data"][0]["y"]) == 21
    assert chart["figure"]["data"][0]["y"][-1] == "your sentence"
    assert chart["figure"]["data"][1]["x"][14] is None  # Chinese, in a vocabulary of letters
    assert "163 in Hindi" in words(app)


def test_the_embedding_space():
    app = page(section="embedding", text="the uncle sat", query="2")
    nearest, projection, of_all, others = charts(app)
    assert nearest["figure"]["data"][0]["y"][0].startswith("␣")
    assert names(projection) == ["vocabulary", "the text's tokens"]
    assert of_all["figure"]["data"][0]["y"][0] == "␣uncle"
    assert others["figure"]["data"][0]["y"][0] == "␣aunt"
    said = words(app)
    assert "one matrix (tied)" in said
    assert "a token of the question itself" in said


@pytest.mark.parametrize("ties", [False, True])
def test_the_program_prints_the_neighbours_in_each_matrix_that_is_shown(save_model, ties):
    folder = save_model("llama", tie_word_embeddings=ties)
    app = page(section="embedding", model=str(folder), text="the cat sat", query="2")
    drawn = [chart["figure"]["data"][0] for chart in charts(app)[: 1 if ties else 2]]
    printed = printed_with(app, "nearest_tokens").splitlines()
    assert [line.split()[0] for line in printed] == (["input"] if ties else ["input", "output"])
    for line, bars in zip(printed, drawn, strict=True):
        cosines = [cosine for _text, cosine in ast.literal_eval(line.split(maxsplit=1)[1])]
        assert cosines == pytest.approx(bars["x"], abs=1e-6)
        assert cosines[0] < 0.99  # the token itself is left out


def test_sums_that_cannot_be_read_are_told_and_a_vocabulary_without_examples():
    assert "no single token" in words(page(section="embedding", sum="antidisestablishment + a"))
    assert "none of the usual examples" in words(page(section="embedding", model="induction", text="KqZf"))


def test_a_model_without_an_output_matrix(save_model):
    folder = save_model("bert", architectures=["BertModel"])
    _drop_head(folder)
    said = words(page(section="embedding", model=str(folder), text="the cat"))
    assert "This model has no output matrix" in said


def _drop_head(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))


def test_a_tokenizer_that_fails_is_told(monkeypatch):
    def fail(*_arguments):
        raise IndexError("no such piece")

    monkeypatch.setattr("playground.tokens.tokenization.pretokens", fail)
    assert "The tokenizer of books-decoder fails on this text: no such piece" in words(page(text="a broken cat"))


def test_a_word_in_three_texts():
    app = page(section="meaning", model="books-encoder")
    (chart,) = charts(app)
    assert names(chart) == ["texts 1 and 2", "texts 1 and 3", "texts 2 and 3", "other tokens, mean"]
    assert "“bank” in texts " in words(app)
    assert "does not hold the word" in words(page(section="meaning", word="zebra"))


def test_of_many_pairs_of_texts_it_is_said_how_many_are_drawn():
    texts = "\n".join(f"the bank of {n}" for n in range(4))
    app = page(section="meaning", model="books-encoder", senses=texts)
    assert "Curves of the first" not in words(app)
    app = page(section="meaning", model="books-encoder", senses=texts + "\na bank")
    (chart,) = charts(app)
    assert len(names(chart)) == 6 + 1
    assert "Curves of the first 6 of 10 pairs of texts; the CSV has all." in words(app)


def test_sentences_are_ranked_and_words_add_up():
    app = page(
        section="sentences",
        model="books-encoder",
        question="the cat sat",
        sentences="a dog lay\nthe cat sat",
        compared="0",
    )
    ranking, matrix = charts(app)
    assert ranking["figure"]["data"][0]["y"] == ["2 the cat sat", "1 a dog lay"]
    assert ranking["figure"]["data"][0]["x"][0] == pytest.approx(1.0, abs=1e-5)
    assert matrix["figure"]["data"][0]["z"][0][2] == pytest.approx(1.0, abs=1e-5)
    assert [text.strip() for text in chips(app)] == ["<|start|>", "a", "dog", "lay", "<|end|>"]
    said = words(app)
    assert "was not trained to compare sentences" in said
    assert f"add up to the cosine, {ranking['figure']['data'][0]['x'][1]:.4f}" in said
    assert "Type a search text" in words(page(section="sentences", sentences="\n \n"))


LONG = ["the cat sat " + "on the mat " * 90 + str(number) for number in range(60)]


@pytest.mark.parametrize(
    ("lines", "taken", "said"),
    [
        (["the cat", "", "a dog"], 2, ""),
        (LONG, 39, "The file has 60 lines; the first 39 are taken"),
        (["the cat"] * 203, 200, "The file has 203 lines; the first 200 are taken"),
        (["the cat " * 6_000], 0, "first line has more than 40,000 characters"),
    ],
)
def test_a_file_is_taken_in_whole_lines_and_what_is_left_out_is_said(lines, taken, said):
    app = page(section="sentences", model="books-encoder", question="the cat sat", sentences="a dog lay")
    content = "\n".join(lines).encode()
    app.file_uploader(key="sentences_file").upload("lines.txt", content, "text/plain").run()
    assert not app.exception
    expected = [line for line in lines if line][:taken] or ["a dog lay"]
    assert read_again(app) == expected
    told = "\n".join(element.value for element in [*app.warning, *app.error])
    assert said in told
    assert ("The file" in told) == bool(said)
    # The ranking is of the file's lines at once.
    ranked = next(frame.value for frame in app.dataframe if "rank" in frame.value)
    assert sorted(ranked["text"]) == sorted(expected)


def read_again(app) -> list[str]:
    """The lines that the address holds."""
    return unpack(address(app)["sentences"], "", SENTENCES.limit).splitlines()


def test_a_published_recipe_is_named(save_model):
    folder = save_model("bert")
    (folder / "modules.json").write_text("[]")
    said = words(page(section="sentences", model=str(folder), question="the cat", sentences="the dog\nthe tree"))
    assert "the recipe that" in said
    assert "was not trained" not in said


def test_what_was_chosen_stands_in_the_address():
    app = page(section="meaning", model="books-encoder")
    next(field for field in app.text_input if field.label == "Word").set_value("the").run()
    assert app.query_params["word"] in ("the", ["the"])
    assert "“the” in texts " in words(app)
    app.segmented_control[0].set_value("embedding").run()
    assert not app.exception
    assert app.query_params["section"] in ("embedding", ["embedding"])


def linked(app) -> dict[str, str]:
    """The address that each door leads to, by its label."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def test_a_text_leads_to_the_pages_that_look_at_it():
    doors = linked(page(text="an unbelievable cat", query="2"))
    assert {"Look at its attention", "Inside the model", "What it predicts", "Take it apart"} <= doors.keys()
    assert "text=an+unbelievable+cat" in doors["Take it apart"]
    assert "query=2" in doors["Look at its attention"]


@pytest.mark.parametrize(
    ("section", "first", "second"),
    [
        ("meaning", "She sat on the bank of the river.", "She went to the bank to take out a loan."),
        ("sentences", "How can I learn to cook?", None),
    ],
)
def test_two_texts_lead_to_a_comparison_of_their_attention(section, first, second):
    door = parse_qs(linked(page(section=section))["Compare their attention"])
    assert door["mode"] == ["texts"]
    assert door["text"] == [first]
    assert second is None or door["other_text"] == [second]
    app = run_page("attention", **{name: values[0] for name, values in door.items()})
    assert not app.exception
    assert not app.error
