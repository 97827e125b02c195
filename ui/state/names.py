"""Every session key and query parameter by name."""

MODEL, REVISION, DEVICE, DTYPE = "model", "revision", "device", "dtype"
MODE, KIND, HIDE_SPECIAL, SET_ASIDE = "mode", "kind", "hide_special", "set_aside"
OTHER_MODEL, SAME_HEAD = "other_model", "same_head"
BERTVIZ_VIEW, BERTVIZ_LAYER = "bertviz", "bertviz_layer"
TEXT, PAIR, TARGET, OTHER_TEXT, CUT = "text", "pair", "target", "other_text", "cut"

PRESET, CHANGES, RUN, RUNS = "preset", "changes", "run", "runs"
LOG_AXES, LOG_STEPS, LOG_LOSS = "log_axes", "steps", "loss"
SECTION, FILM = "section", "film"

GENERATE, BRANCH, LOOKED, MASKED = "generate", "branch", "looked", "masked"
TEMPERATURE, TOP_K, TOP_P, MIN_P, SEED, NEW_TOKENS = "temperature", "top_k", "top_p", "min_p", "seed", "new_tokens"
BEAMS, LENGTH_PENALTY, COLOUR_BY = "beams", "length_penalty", "colour"

BY, JUDGE, PARTS, POSITION, ANSWER = "by", "judge", "parts", "position", "answer"

NUMBERS = "numbers"
INSIDE, QUERY, DIMENSION, SCALED, CAUSAL, HAND_TEMPERATURE, WORDS, VECTORS = (
    "inside",
    "query",
    "dimension",
    "scaled",
    "causal",
    "hand_temperature",
    "words",
    "vectors",
)
SCHEME, LENGTH, WIDTH, HEADS = "scheme", "length", "width", "heads"
