"""Labels and help of the fields, measures and parts of a run, translated when they are shown."""

from playground.text import N_, _
from ui.sections.finetune.labels import PART_CHOICES, PART_HELPS, PART_LABELS


def field_label(name: str) -> str:
    """A field's label; a field without one is shown by its own name."""
    return _(LABELS[name]) if name in LABELS else _from_name(name)


def field_help(name: str) -> str | None:
    """What a field does, in a sentence; None if its label says it all."""
    return _(HELPS[name]) if name in HELPS else None


def choice_label(choice: str) -> str:
    """A choice as it reads on the page."""
    return _(CHOICES[choice]) if choice in CHOICES else _from_name(choice)


def measure_label(name: str) -> str:
    """A measure's label, with its unit."""
    return _(MEASURES[name]) if name in MEASURES else _from_name(name)


def part_label(name: str) -> str:
    """A part of the model, in a breakdown of its parameters or compute."""
    return _(PARTS[name]) if name in PARTS else _from_name(name)


def _from_name(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def task_title(name: str) -> str:
    """A task's name on the page."""
    return _(TASK_TITLES[name]) if name in TASK_TITLES else _from_name(name)


LABELS = {
    **PART_LABELS,
    "sources": N_("Files"),
    "vocabulary": N_("Vocabulary"),
    "vocabulary_size": N_("Vocabulary size"),
    "held_out": N_("Validation fraction"),
    "repeats": N_("Fraction of repeated passages"),
    "unwrap": N_("Join the lines of a paragraph"),
    "text": N_("Your text"),
    "csv": N_("Your CSV"),
    "copying_first": N_("Copy task: warm-up steps"),
    "copying_rows": N_("Copy task: rows"),
    "copying_beside": N_("Copy task: mix"),
    "context": N_("Context (tokens)"),
    "width": N_("d_model"),
    "layers": N_("Layers"),
    "n_heads": N_("Heads"),
    "key_value_heads": N_("KV heads (GQA)"),
    "hidden": N_("MLP width"),
    "feed_forward": N_("MLP"),
    "norm": N_("Norm"),
    "norm_position": N_("Pre-norm / post-norm"),
    "positions": N_("Position encoding"),
    "tied": N_("Tie embedding and unembedding"),
    "residual": N_("Residual connections"),
    "bias": N_("Attention biases"),
    "dropout": N_("Dropout"),
    "scaled_embedding": N_("Scale embedding by √d_model"),
    "embedding_norm": N_("Embedding norm"),
    "steps": N_("Steps"),
    "batch": N_("Batch size"),
    "accumulation": N_("Gradient accumulation steps"),
    "optimizer": N_("Optimiser"),
    "learning_rate": N_("Peak learning rate"),
    "final_learning_rate": N_("Final learning rate"),
    "warm_up": N_("Warm-up steps"),
    "schedule": N_("Schedule"),
    "betas": N_("Betas"),
    "weight_decay": N_("Weight decay"),
    "clip": N_("Gradient clipping (norm)"),
    "seed": N_("Seed"),
    "precision": N_("Precision"),
    "device": N_("Device"),
    "evaluate_every": N_("Evaluation interval (steps)"),
    "evaluate_rows": N_("Evaluation examples"),
    "checkpoint_every": N_("Checkpoint interval (steps)"),
    "frames": N_("Attention frames"),
    "exponent": N_("Zipf exponent"),
    "names": N_("Names"),
    "modulus": N_("Modulus p"),
    "mask_share": N_("Masking rate"),
    "row_length": N_("Row length (tokens)"),
    "digits": N_("Digits"),
    "answer_order": N_("Digit order of the answer"),
    "class_weight": N_("Next-sentence loss weight"),
    "operation": N_("Operation"),
    "shortest": N_("Minimum length"),
    "longest": N_("Maximum length"),
    "symbols": N_("Symbols"),
    "length": N_("Row length"),
    "counted": N_("Tokens that count in the loss"),
    "train_share": N_("Training fraction"),
    "split": N_("Seed of the split"),
    "world": N_("Seed of the word frequencies"),
    "languages": N_("Target languages"),
    "kind": N_("What is classified"),
    "text_column": N_("Column of the texts"),
    "label_column": N_("Column of the labels"),
    "passage": N_("Passage length (characters)"),
}
HELPS = {
    **PART_HELPS,
    "sources": N_("Paths of .txt files or .zip archives of them, with commas between."),
    "vocabulary": N_("How text is split into tokens: byte pairs, words, or characters."),
    "held_out": N_("Never trained on; the validation loss is measured on it."),
    "repeats": N_("Training rows in which a passage occurs twice: induction heads form on them."),
    "copying_first": N_("The first steps train on random tokens in blocks that repeat, before any text."),
    "copying_rows": N_("Rows in a batch of the copy task."),
    "copying_beside": N_("Rows of the copy task beside the text in every later step."),
    "width": N_("The width of the residual stream."),
    "key_value_heads": N_("Fewer than heads: several query heads share one key and value head."),
    "hidden": N_("Empty: 4 × d_model."),
    "row_length": N_("Rows shorter than the context are faster. Empty: the context."),
    "class_weight": N_("The weight of the next-sentence loss beside the masked-token loss."),
    "norm_position": N_("Pre-norm: GPT-2 and Llama. Post-norm: “Attention is all you need” and BERT."),
    "residual": N_("Without, what a layer writes takes the stream's place."),
    "norm": N_("None leaves all norms out."),
    "feed_forward": N_("None makes an attention-only transformer."),
    "batch": N_("Rows in a batch."),
    "warm_up": N_("The learning rate rises linearly over these steps."),
    "accumulation": N_("The gradients of so many batches are averaged before the optimiser steps."),
    "weight_decay": N_("Each step shrinks the matrices by this times the learning rate."),
    "clip": N_("A longer gradient is scaled to this norm."),
    "seed": N_("The same settings and seed give the same weights on one CPU thread, bit for bit."),
    "evaluate_rows": N_("Rows of held-out data in each evaluation."),
    "frames": N_("How often the probe's attention is kept for the timeline; more often at the beginning."),
    "exponent": N_("0: all words are equally frequent. 1: as in English, a few words are very frequent."),
    "precision": N_("bfloat16 is for a GPU; on a CPU it is slower."),
}
CHOICES = {
    **PART_CHOICES,
    "bpe": N_("Byte pairs (BPE)"),
    "words": N_("Words"),
    "characters": N_("Characters"),
    "rms": "RMSNorm",
    "layer": "LayerNorm",
    "pre": N_("Pre-norm"),
    "post": N_("Post-norm"),
    "swiglu": "SwiGLU",
    "gelu": "GELU",
    "relu": "ReLU",
    "none": N_("None"),
    "rotary": N_("Rotary (RoPE)"),
    "learned": N_("Learned"),
    "sinusoidal": N_("Sinusoidal"),
    "adamw": "AdamW",
    "sgd": "SGD",
    "muon": "Muon",
    "cosine": N_("Cosine"),
    "linear": N_("Linear"),
    "constant": N_("Constant"),
    "stable-decay": N_("Warmup–stable–decay (WSD)"),
    "auto": N_("Automatic"),
    "prose": N_("Where prose was wrapped"),
    "cpu": "CPU",
    "cuda": "CUDA",
    "mps": "MPS",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "copy": N_("Copy"),
    "reverse": N_("Reverse"),
    "sort": N_("Sort"),
    "all": N_("All"),
    "repeats": N_("Repeats only"),
    "kinds": N_("Kinds of sentences"),
    "languages": N_("Languages"),
    "csv": N_("A table (CSV)"),
    "french": N_("French"),
    "chinese": N_("Chinese"),
    "as-written": N_("As written"),
    "units-first": N_("Units first"),
}
MEASURES = {
    "held_out_loss": N_("Validation loss (nats)"),
    "train_loss": N_("Training loss (nats)"),
    "bits_per_byte": N_("Bits per byte"),
    "loss_floor": N_("Entropy of the source (nats)"),
    "excess": N_("Loss above the entropy (nats)"),
    "exact_match": N_("Exact match"),
    "token_accuracy": N_("Token accuracy"),
    "alignment_error_rate": N_("Alignment error rate"),
    "induction_score": N_("Best induction score"),
    "first_loss": N_("Loss 1st copy"),
    "repeat_loss": N_("Loss 2nd copy"),
    "accuracy": N_("Accuracy"),
    "repeat_accuracy": N_("Accuracy on 2nd copy"),
    "train_accuracy": N_("Training accuracy"),
    "test_accuracy": N_("Test accuracy"),
    "masked_accuracy": N_("Masked-token accuracy"),
    "next_sentence_accuracy": N_("Next-sentence accuracy"),
    "macro_f1": N_("Macro F1"),
    "bleu": N_("BLEU"),
}
PARTS = {
    "cross_attention": N_("Cross-attention"),
    "attention": N_("Attention"),
    "projections": N_("Attention projections"),
    "feed_forward": N_("MLP"),
    "position": N_("Position embedding"),
    "segment": N_("Segment embedding"),
    "embedding": N_("Embedding"),
    "head": N_("Unembedding"),
    "classifier": N_("Classifier"),
    "norms": N_("Norms"),
}
TASK_TITLES = {
    "text": N_("Text"),
    "tales": N_("Synthetic stories"),
    "masked": N_("Masked LM"),
    "classification": N_("Classification"),
    "translation": N_("Translation"),
    "induction": N_("Induction"),
    "rewriting": N_("Rewriting digits"),
    "addition": N_("Addition"),
    "modular": N_("Modular addition"),
}
