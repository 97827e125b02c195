"""Registry of query parameters: what may stand in an address, of which type, within which bounds.

Each entry is the key itself, so that a widget of Streamlit's can bind to it. Where the default or the choices
depend on what a page shows (a model's first example, its layers), the entry has none and the page passes them.
"""

REGISTRY: "list[Parameter]" = []
"""Every query parameter. Two entries share a key where two pages use one word for axes of their own: `over`."""


class Parameter(str):
    """A query parameter. bound: a widget of Streamlit's reads and writes it, with its own default and bounds."""

    bound: bool

    def __new__(cls, key: str, *_values: object, **_details: object) -> "Parameter":
        """A string that is the key."""
        return super().__new__(cls, key)

    def __init__(self, key: str, *, bound: bool = False) -> None:
        self.bound = bound
        REGISTRY.append(self)


class Text(Parameter):
    """A text of at most `limit` characters, compressed where it is long; lists and JSON stand in one too."""

    def __init__(self, key: str, *, limit: int = 40_000, bound: bool = False) -> None:
        super().__init__(key, bound=bound)
        self.limit = limit


class Choice(Parameter):
    """One of some values in a spelling that no language changes; without `values`, of those that the page offers."""

    def __init__(self, key: str, *values: str, bound: bool = False) -> None:
        super().__init__(key, bound=bound)
        self.values = values


class Several(Choice):
    """Some values, with commas; a dash for none."""


class Integer(Parameter):
    """A whole number from 0 to `most`."""

    def __init__(self, key: str, *, default: int = 0, most: int = 99_999, bound: bool = False) -> None:
        super().__init__(key, bound=bound)
        self.default, self.most = default, most


class Real(Parameter):
    """A finite number from `least` to `most`."""

    def __init__(
        self, key: str, *, default: float = 0.0, least: float = 0.0, most: float = 1e9, bound: bool = False
    ) -> None:
        super().__init__(key, bound=bound)
        self.default, self.least, self.most = default, least, most


class Switch(Parameter):
    """On or off: `yes` and `no`, or `true` and `false` where a widget is bound to it."""

    def __init__(self, key: str, *, default: bool = False, bound: bool = False) -> None:
        super().__init__(key, bound=bound)
        self.default = default


class Integers(Parameter):
    """Whole numbers with dots between them: a head, token ids, positions."""


class Composite(Parameter):
    """Several values in one word, taken apart by the module of `ui.state` that reads it."""


LANGUAGE = Choice("lang", "en", "qps")
SECTION = Choice("section")

# A model and its texts.
MODEL, OTHER_MODEL = Text("model", limit=200), Text("other_model", limit=200)
REVISION = Text("revision", limit=100)
DEVICE = Choice("device", "auto", "cpu", "cuda", "mps")
DTYPE = Choice("dtype", "auto", "float32", "bfloat16", "float16")
TEXT, OTHER_TEXT = Text("text"), Text("other_text")
PAIR, TARGET = Text("pair", limit=4_000), Text("target", limit=4_000)
TRUNCATED = Composite("cut")

# Attention. A second view stands under the same keys behind `other_`.
MODE = Choice("mode", "one", "texts", "models", "bertviz")
KIND = Choice("kind", "encoder", "decoder", "cross")
HIDE_SPECIAL = Switch("hide_special", bound=True)
EXCLUDE_FIRST = Switch("set_aside", bound=True)
LINK_HEADS = Switch("same_head", default=True, bound=True)
BERTVIZ_VIEW = Choice("bertviz", "head", "model", "neuron")
COMBINE, OTHER_COMBINE = Choice("combine"), Choice("other_combine")
SCALE, OTHER_SCALE = Choice("scale"), Choice("other_scale")
RANGE, OTHER_RANGE = Choice("range"), Choice("other_range")
PALETTE, OTHER_PALETTE = Choice("palette"), Choice("other_palette")
VIEW, OTHER_VIEW = Choice("view"), Choice("other_view")
FILTER, OTHER_FILTER = Text("filter", limit=200), Text("other_filter", limit=200)
SEVERAL = Text("several", limit=20_000)
PAIRS, OTHER_PAIRS = Choice("pairs"), Choice("other_pairs")
HEAD, OTHER_HEAD = Integers("head"), Integers("other_head")
PIN, OTHER_PIN = Composite("pin"), Composite("other_pin")
CHOSEN, OTHER_CHOSEN = Composite("chosen"), Composite("other_chosen")
UNITS, OTHER_UNITS = Choice("units", "tokens", "words"), Choice("other_units", "tokens", "words")
GATHER, OTHER_GATHER = Choice("gather", "auto", "sum", "mean"), Choice("other_gather", "auto", "sum", "mean")

# Inside the model.
QUERY, DIMENSION = Integer("query"), Integer("dimension")
DERIVATIONS = Text("numbers", limit=600)
STEP = Choice(
    "step",
    "embedding",
    "norm",
    "projection",
    "rotation",
    "scores",
    "scaling",
    "mask",
    "softmax",
    "mix",
    "gate",
    "output",
    "residual",
    "feed_forward_norm",
    "router",
    "up",
    "activation",
    "down",
    "feed_forward_residual",
    "neurons",
    "stream",
    "final_norm",
    "output_head",
    "logit",
    "probabilities",
    "all",
)
NEURON = Integers("neuron")
NEURON_SEARCH = Text("neuron_search", limit=60)
NEURON_VIEW = Choice("neuron_view", "text", "logits", "way", "column")
TRACED_TOKEN = Integer("token", most=9_999_999)
LENGTH_COST = Switch("length_cost")
BY_HAND = Choice("by_hand", "attention", "root", "residuals")
ROOT_OF = Choice("root_of", "random", "model")
ROOT_KEYS = Choice("root_keys", "8", "24", "64", "256")
TOY_EXAMPLE = Choice("hand_example", "own", "introductions")
TOY_TEXT = Text("words", limit=300, bound=True)
TOY_VECTORS = Text("vectors", limit=20_000)
TOY_SCALED, TOY_CAUSAL = Switch("scaled", default=True, bound=True), Switch("causal", bound=True)
TOY_TEMPERATURE = Real("hand_temperature", default=1.0, least=0.1, most=5.0, bound=True)
TOY_HEADS = Choice("hand_heads")
SCHEME = Choice("scheme")
LENGTH = Integer("length", default=128, most=512)
WIDTH = Integer("width", default=64, most=512)
HEADS = Integer("heads", default=8, most=64)

# Predict and generate.
GENERATE = Choice("generate", "next", "write", "fill", "translate", "chat", "surprisal", "lens", "classify")
TEMPERATURE = Real("temperature", default=1.0, bound=True)
TOP_K = Integer("top_k", bound=True)
TOP_P = Real("top_p", default=1.0, most=1.0, bound=True)
MIN_P = Real("min_p", most=1.0, bound=True)
LOOK_UP = Text("look_up", limit=60, bound=True)
SEED, NEW_TOKENS = Integer("seed", bound=True), Integer("new_tokens", default=20, bound=True)
BRANCH, BRANCHES, MASKED = Integers("branch"), Composite("branches"), Integers("masked")
INSPECTED = Integer("looked")
BEAMS = Integer("beams", default=4, bound=True)
LENGTH_PENALTY = Real("length_penalty", default=1.0, bound=True)
COLOUR_BY = Choice("colour", "surprisal", "probability", "entropy")
UNIT = Choice("unit", "nats", "bits")
LENS_FIRST = Integer("lens_first")
EXPLAINED = Integers("explained")
SPAN = Integer("span", most=99)
ROW_COLUMN, ROW_PAIR_COLUMN = Text("column", limit=200), Text("pair_column", limit=200)
ROWS_UPLOAD = Text("rows_upload", limit=40)
CHAT = Text("chat", limit=20_000)
ANSWER = Text("answer", limit=60)

# Take it apart.
POSITION = Choice("patch_position")
ABLATION = Choice("by", "mean", "zero", "resampled")
METRIC = Choice("judge", "divergence", "loss", "logit")
COMPONENTS = Text("parts", limit=4_000)
TOLERANCE = Choice("limit", "0.01", "0.03", "0.1", "0.3", "1", "3")
FIND_MINIMAL = Choice("smallest", "no", "yes")
CIRCUIT_ORDER = Choice("look_order", "largest", "natural")
CLEAN, CORRUPTED = Text("clean", limit=4_000), Text("corrupted", limit=4_000)
PATCH_TARGET, PATCH_PAIR = Text("patch_target", limit=4_000), Text("patch_pair", limit=4_000)
CORRECT_ANSWER, COUNTERFACTUAL_ANSWER = Text("patch_answer", limit=60), Text("other", limit=60)
PATCH, PATCH_KIND, PATCH_LAYER = Choice("patch"), Choice("patch_kind"), Choice("patch_layer")
METHOD = Choice("method", "rollout", "flow", "gradients")
FLOW_KIND = Choice("flow_kind", "decoder", "encoder")
BASELINE = Choice("baseline", "filler", "mean", "zero")
SEARCH_KIND, PATTERN = Choice("search_kind", "decoder", "cross", "encoder"), Choice("pattern")
PAINTED = Text("painted", limit=4_000)

# Tokens.
MATRIX = Choice("matrix", "input", "output")
VECTOR_SUM = Text("sum", limit=200)
LANGUAGE_SENTENCE = Text("sentence", limit=1_000)
WITH_OTHER = Switch("with_other")
WORD = Text("word", limit=60)
SENSES = Text("senses", limit=4_000)
SENTENCE_QUERY = Text("question", limit=2_000)
SENTENCES = Text("sentences", limit=40_000)
COMPARED_LINE = Integer("compared", most=199)

# Evaluate.
LINES_FROM, EVALUATED_ROWS = Choice("lines_from"), Integer("rows", default=100, most=500)
HYPOTHESES, SECOND_SYSTEM = Text("hypotheses"), Text("second_system")
REFERENCES, REFERENCES_2 = Text("references"), Text("references_2")
REFERENCES_3, REFERENCES_4 = Text("references_3"), Text("references_4")
EVALUATED_LINE, NGRAM_ORDER = Integer("line", default=1, most=200_000), Choice("ngram", "1", "2", "3", "4")
BLEU_TOKENIZER, EFFECTIVE_ORDER = Choice("cut_by", "13a", "zh", "char", "intl", "none"), Switch("effective_order")
LOWERCASE = Switch("lowercase")
ROUGE_KIND = Choice("rouge", "rouge1", "rouge2", "rougeL", "rougeLsum")
STEMMED, BY_SENTENCE = Switch("stemmed"), Switch("by_sentence")
ERROR_UNIT = Choice("error_unit", "words", "characters")
PREDICTED_BY = Choice("predicted_by")
TABLE, MAPPING = Text("table"), Text("mapping", limit=4_000)
TABLE_UPLOAD, TEXT_UPLOAD = Text("table_upload", limit=40), Text("text_upload", limit=40)
POSITIVE, SLICED_BY = Text("positive", limit=200), Text("sliced_by", limit=200)
THRESHOLD = Real("threshold", default=0.5, least=-1e9)
COMPARED_MODELS = Text("other_models", limit=800)
PERPLEXITY_TEXT, COLOURED_MODEL = Choice("text_from"), Choice("coloured")
WINDOW, WITH_STRIDES = Choice("window"), Switch("strides")

# Glossary.
GLOSSARY = Text("term", limit=60)

# Train.
PRESET = Choice("preset")
CHANGES = Text("changes", limit=200_000)
RUN, RUNS = Composite("run"), Composite("runs")
UNFOLDED = Composite("unfolded")
FILM = Composite("film")

# Fine-tune. Data and settings of a new fine-tuning stand under one key, as changes to the defaults.
FINETUNE_VIEW = Choice("show", "effects", "new", "run", "labels", "ranks", "files")
FINETUNING = Text("finetuning", limit=200_000)
EFFECT = Choice("effect", "scores", "weights", "heads", "states", "forgetting", "samples")
BASE_MODEL, TUNED_MODEL = Text("before", limit=200), Text("after", limit=200)
WEIGHT = Text("weight", limit=300)
VECTORS = Switch("drift_vectors")
GENERAL = Text("general", limit=20_000)
PROMPTS = Text("prompts", limit=8_000)
RANK_RUNS, LABEL_RUNS = Text("rank_runs", limit=4_000), Text("label_runs", limit=8_000)
RANKS_CHOSEN, LABELS_CHOSEN = Several("ranks"), Several("label_counts")
LABEL_SEEDS = Integer("label_seeds", default=1, most=5)

# Scaling.
SOURCE = Choice("source")
COUNT = Choice("count", "all", "without")
LAW, FIGURE, OVER = Choice("law"), Choice("picture"), Choice("over", "params", "tokens", "flops")
RESAMPLES = Choice("drawings", "200", "1000", "4000")
FIX_FLOOR, EXTRAPOLATE = Switch("hold", default=True), Switch("cone", default=True)
PUBLISHED = Several("published")
POINT = Text("point", limit=200)
POINTS, COLUMNS = Text("points", limit=2_000_000), Text("columns", limit=4_000)
POINTS_UPLOAD = Text("points_upload", limit=40)
COUNT_LAST_LAYER, SHORT_WARM_UP = Switch("rung_head"), Switch("rung_warm-up")
DECAY, TUNED = Switch("rung_decay"), Switch("rung_tuned")
WITHOUT_HIGHEST, REFIT_INTERVALS = Switch("without_highest", default=True), Switch("refit_intervals")
WEIGHING = Choice("weighing", "scaled", "sum", "mean")
BEGINNING = Choice("beginning", "grid", "middle", "printed")
TASK_TABLE = Choice("task_table", "addition", "translation", "induction")
SHARE_RIGHT = Choice("share_right")
FAMOUS_LAW = Choice("famous_law", "besiroglu", "hoffmann-3", "kaplan", "gadre", "own")
HUBER_DELTA = Choice("huber_delta", "0.001", "0.0001", "0.01", "0.1")
BUDGET = Choice("budget", "flops", "hours", "money")
BUDGET_FLOPS = Real("budget_flops", default=1e21, least=1e9, most=1e32)
BUDGET_HOURS = Real("budget_hours", default=24.0, least=0.01, most=1e7)
BUDGET_MONEY = Real("budget_money", default=10_000.0, least=0.01, most=1e13)
CURRENCY = Choice("currency", "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR")
ACCELERATOR = Choice("accelerator")
ACCELERATORS = Real("accelerators", default=8, least=1, most=1e6)
UTILISATION = Real("utilisation", default=0.4, least=0.01, most=1.0)
PRICE = Real("price", default=2.0, most=1e4)
OVERHEAD = Real("overhead", default=1.5, least=1.0, most=10.0)
PLANNED, PLAN = Choice("planned", "params", "tokens"), Choice("plan")
SERVED = Real("served", default=1e12, most=1e20)
UNIQUE = Real("unique", default=1e11, least=1e3, most=1e18)
SWEEP, SWEEPS = Composite("sweep"), Composite("sweeps")
DIAL = Integer("dial", default=4, most=8)
SWEEP_GRID = Choice("sweep_design", "grid", "isoflop")
SWEEP_TASK = Choice("sweep_task", "tales", "text")
SWEEP_SIZES, SWEEP_TOKENS, SWEEP_FLOPS = Several("sweep_sizes"), Several("sweep_tokens"), Several("sweep_flops")
SWEEP_SEEDS = Integer("sweep_seeds", default=1, most=5)
SWEEP_VOCABULARY = Choice("sweep_vocabulary", "characters", "bpe")
SWEEP_TEXT, SWEEP_UPLOAD = Text("sweep_text", limit=2_000), Text("sweep_upload", limit=40)
SWEEP_PRICE = Real("sweep_price", most=1e4)

# Emergence.
ABILITY_MEASURE, ABILITY_OVER = Choice("measure"), Choice("over", "size", "training")
ABILITY_SIZE, ABILITY_CELL = Choice("size"), Choice("cell")
LINEAR_SIZES, LOG_ABILITY_STEPS = Switch("linear_sizes", bound=True), Switch("log_steps", bound=True)
LOG_VALUES, WITH_CONTROL = Switch("log_values", bound=True), Switch("control", bound=True)
PROGRESS_MEASURE = Choice("hidden")
