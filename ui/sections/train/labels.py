"""What the fields of a run's records, its measures and its states are called on the page."""

from functools import cache

from playground.text import _


def field_label(name: str) -> str:
    """A field's name for a person; a field that has none yet is shown by its own name."""
    return _labels().get(name, name.replace("_", " ").capitalize())


def field_help(name: str) -> str | None:
    """What a field does, in a sentence, where its name does not say it all."""
    return _helps().get(name)


def choice_word(choice: str) -> str:
    """A choice as it reads on the page."""
    words = _choices().get(choice)
    return words or choice.replace("_", " ").replace("-", " ").capitalize()


def measure_label(name: str) -> str:
    """A measure's name for a person, with its unit."""
    return _measures().get(name, name.replace("_", " ").capitalize())


@cache
def _labels() -> dict[str, str]:
    return {
        "sources": _("Files"),
        "vocabulary": _("Vocabulary"),
        "vocabulary_size": _("Most tokens"),
        "held_out": _("Share held out"),
        "repeats": _("Share of rows with a passage twice"),
        "unwrap": _("Join the lines of a paragraph"),
        "text": _("Your text"),
        "csv": _("Your CSV"),
        "context": _("Context (tokens)"),
        "width": _("Width"),
        "layers": _("Layers"),
        "n_heads": _("Heads"),
        "key_value_heads": _("Key and value heads"),
        "hidden": _("Hidden width"),
        "feed_forward": _("Feed-forward layer"),
        "norm": _("Norm"),
        "norm_position": _("Norm before or after"),
        "positions": _("Positions"),
        "tied": _("Tie embedding and output"),
        "bias": _("Biases in the attention"),
        "dropout": _("Dropout"),
        "scaled_embedding": _("Scale the embedding by √width"),
        "steps": _("Steps"),
        "batch": _("Rows in a batch"),
        "accumulation": _("Batches in a step"),
        "optimizer": _("Optimiser"),
        "learning_rate": _("Highest learning rate"),
        "final_learning_rate": _("Last learning rate"),
        "warm_up": _("Warm-up (steps)"),
        "schedule": _("Schedule"),
        "betas": _("Betas"),
        "weight_decay": _("Weight decay"),
        "clip": _("Clip the gradient's norm at"),
        "seed": _("Seed"),
        "precision": _("Precision"),
        "device": _("Device"),
        "evaluate_every": _("Evaluate every (steps)"),
        "evaluate_rows": _("Rows in an evaluation"),
        "checkpoint_every": _("Snapshot every (steps)"),
        "frames": _("Pictures of the attention"),
        "exponent": _("Zipf exponent"),
        "modulus": _("Modulus p"),
        "mask_share": _("Share of masked words"),
        "row_length": _("Longest row (tokens)"),
        "digits": _("Digits of a number"),
        "answer_order": _("Order of the answer's digits"),
        "class_weight": _("Weight of the pair's answer"),
    }


@cache
def _helps() -> dict[str, str]:
    return {
        "sources": _("Paths of .txt files or .zip archives of them, with commas between."),
        "vocabulary": _("How text becomes tokens: bytes in pairs, words, or single characters."),
        "held_out": _("This part is never trained on; the held-out loss is measured on it."),
        "key_value_heads": _("Fewer than heads: several query heads share one key and value head."),
        "hidden": _("The inner width of the feed-forward layer. Empty: four widths."),
        "row_length": _("Shorter rows than the context are quicker. Empty: the context."),
        "class_weight": _("What a nat of surprise at the second text counts beside one at the words."),
        "norm_position": _("Before: as GPT-2 and Llama. After: as in “Attention is all you need” and BERT."),
        "feed_forward": _("None makes an attention-only transformer."),
        "warm_up": _("The learning rate rises in a straight line over these steps."),
        "accumulation": _("The gradients of so many batches are added up before the optimiser moves."),
        "weight_decay": _("Each step shrinks the matrices by this share of the learning rate."),
        "clip": _("A longer gradient is shortened to this norm."),
        "seed": _("The same settings and seed give the same weights on one CPU thread, bit for bit."),
        "frames": _("How often the probe's attention is kept for the film; more often at the beginning."),
        "exponent": _("0: all words are equally frequent. 1: as in English, a few words are very frequent."),
        "precision": _("bfloat16 is for a GPU; on a CPU it is slower."),
    }


@cache
def _choices() -> dict[str, str]:
    return {
        "bpe": _("Byte pairs"),
        "rms": _("RMS norm"),
        "layer": _("Layer norm"),
        "swiglu": "SwiGLU",
        "gelu": "GELU",
        "relu": "ReLU",
        "adamw": "AdamW",
        "sgd": "SGD",
        "muon": "Muon",
        "cpu": "CPU",
        "cuda": "CUDA",
        "mps": "MPS",
        "float32": "float32",
        "bfloat16": "bfloat16",
        "stable-decay": _("Stable, then decay"),
    }


@cache
def _measures() -> dict[str, str]:
    return {
        "held_out_loss": _("Held-out loss (nats)"),
        "bits_per_byte": _("Bits per byte"),
        "loss_floor": _("Lowest possible loss (nats)"),
        "exact_match": _("Exact match"),
        "token_accuracy": _("Tokens right"),
        "alignment_error_rate": _("Alignment error rate"),
        "induction_score": _("Induction score of the best head"),
        "repeat_accuracy": _("Accuracy on the repeat"),
        "train_accuracy": _("Training accuracy"),
        "test_accuracy": _("Test accuracy"),
        "masked_accuracy": _("Masked words right"),
        "next_sentence_accuracy": _("Next sentence right"),
        "macro_f1": _("Macro F1"),
    }


def preset_title(name: str) -> str:
    """The preset's name for a person."""
    return _titles().get(name, (name, ""))[0]


def preset_words(name: str) -> str:
    """What one will see, in a sentence or two."""
    return _titles().get(name, (name, ""))[1]


@cache
def _titles() -> dict[str, tuple[str, str]]:
    return {
        "induction": (
            _("Induction heads appear"),
            _(
                "A block of random symbols is repeated. Around step 250 two heads in two layers find out how to copy "
                "what came next last time: the loss falls off a cliff and a stripe appears in the film."
            ),
        ),
        "reverse": (
            _("Reverse digits"),
            _("An encoder-decoder reverses eight digits. Its cross-attention turns into an anti-diagonal."),
        ),
        "addition": (
            _("Add numbers of three digits"),
            _(
                "A digit is a token, and a sum is right when all four of its digits are. Compare the two measures: "
                "digits get right one by one, sums all at once."
            ),
        ),
        "grokking": (
            _("Grokking: addition modulo 53"),
            _(
                "By step 100 every pair it was shown is known by heart, and the others are not. Much later it finds "
                "the rule: the spectrum of its embedding shows a few frequencies."
            ),
        ),
        "documentation": (
            _("English: Python's documentation"),
            _("A decoder reads the documentation of the Python that runs this app, and begins to write like it."),
        ),
        "own-text": (
            _("Your own text"),
            _("Paste a text under “Task”; a decoder learns it, character by character."),
        ),
        "tales": (
            _("Tales with a known floor"),
            _("Endless small stories whose lowest possible loss is known. Turn the Zipf dial and watch the gap."),
        ),
        "translation": (
            _("Translate tales into French and Chinese"),
            _("Word order differs, and the gold alignment is known: hold the cross-attention against it."),
        ),
        "masked": (
            _("Masked words, as BERT"),
            _("An encoder fills in missing words, and says whether the second sentence follows the first."),
        ),
        "classification": (
            _("Sort sentences by kind"),
            _("An encoder tells statements, questions and commands apart."),
        ),
    }
