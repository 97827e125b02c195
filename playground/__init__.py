"""Transformer Playground without the page: load a transformer, run a text through it, ask what happened.

from playground import catalogue, load, trace
model = load("books-decoder")                # or a hub id, or a folder
t = trace(model, "The cat sat on the mat")
t.attention(layer=3, head=1)                 # numpy float32 [query, key]

attention.py           the seam: how queries meet keys, in every model
transformer.py         our transformer, to be read in one sitting
transformer_config.py  its shape, checked
layers.py              embeddings, positions, feed-forward layers, classifier
norms.py               RMS norm
generation.py          greedy decoding
special_tokens.py      START, END, PAD, MASK and UNKNOWN of our own vocabularies
models/                what can be loaded and how
architecture/          a model as boxes, weights and connections; what a length costs
lens/                  run a text through a model and ask
tokens/                how a text is cut, where tokens lie, what sentences share
tasks/                 what a transformer can be trained on
training/              the trainer (an iterator) and its run folders
jobs/                  trainings in processes of their own, queued
sweeps/                many trainings over a grid
scaling/               scaling laws: fits, intervals, compute-optimal allocation
emergence/             abilities that appear during training
evaluation/            measures of texts and labels, with intervals
finetuning/            what fine-tuning did to a model, before and after
charts/                plain data in, plotly Figure out
bertviz/               BertViz's functions with its arguments
show.py                pictures for notebooks
viewer/                pictures that are drawn in a browser
command/               the commands of `python -m playground`
errors.py              the error whose sentence is for the person at the screen
settings.py            what a server allows
folders.py             the cache and the training runs on this machine
glossary.py            the terms on the screen: meaning, formula, source
glossary_entry.py      what a term is told with
measure_terms.py       the terms of the page Evaluate
token_terms.py         the terms of the page Tokens
training_terms.py      the terms of training, scaling and emergence
text.py                sentences in the reader's language
once.py                answers that stay the same while a page runs
progress.py            the callback of long work
units.py               times and amounts in the unit that a person would use
provenance.py          model, source and versions behind a number
share_link.py          a link to share, the code of a frame, a QR code
snippets.py            Python that computes what a page shows
attention_export.py    an attention map as CSV, NPZ and Python
csv_table.py           the one CSV writer, safe in spreadsheets
delimited.py           delimiters, line ends and stray quotation marks of tables as people bring them
decoding.py            bytes of uploads to text
legacy_names.py        old spellings of stored and linked names
"""

from typing import Any

__all__ = ["catalogue", "load", "trace"]


def __getattr__(name: str) -> Any:
    """Import the heavy parts only when somebody asks for them: `import playground` takes no time."""
    if name in ("catalogue", "load"):
        import playground.models

        return getattr(playground.models, name)
    if name == "trace":
        from playground.lens import trace

        return trace
    raise AttributeError(f"module 'playground' has no attribute {name!r}")
