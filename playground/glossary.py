"""The terms that stand on the screen: what each means, its formula, and where it comes from."""

from playground.glossary_entry import GlossaryEntry
from playground.measure_terms import MEASURE_TERMS
from playground.text import N_
from playground.token_terms import TOKEN_TERMS
from playground.training_terms import TRAINING_TERMS

VASWANI = "Vaswani et al. 2017, Attention Is All You Need"
ELHAGE = "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits"
OLSSON = "Olsson et al. 2022, In-context Learning and Induction Heads"
SHANNON = "Shannon 1948, A Mathematical Theory of Communication"

TERMS: tuple[GlossaryEntry, ...] = (
    GlossaryEntry(
        forms=(N_("query"), N_("queries")),
        meaning=N_("The vector with which a token asks: its product with every key decides where the token looks."),
        formula="q = W_Q x̂",
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("key"), N_("keys")),
        other_senses=(
            N_("arrow key"),
            N_("arrow keys"),
        ),
        meaning=N_("The vector by which a token is found: compared with the query of whoever looks."),
        formula="k = W_K x̂",
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("value vector"), N_("values")),
        other_senses=(
            N_("absolute values"),
            N_("visible values"),
            N_("singular values"),
            N_("logarithmic values"),
            N_("initial values"),
            N_("higher values"),
            N_("last values"),
            N_("model's values"),
        ),
        meaning=N_(
            "The vector that a token hands over; a head's output is the mean of the values, weighted by attention."
        ),
        formula="v = W_V x̂",
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("attention weight"), N_("attention weights")),
        meaning=N_("How much a query takes from a key: a softmax over the scores, so that each row sums to 1."),
        formula="aᵢⱼ = softmaxⱼ(qᵢ · kⱼ / √d)",
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("attention head"), N_("head"), N_("heads")),
        other_senses=(
            N_("output head"),
            N_("classification head"),
            N_("trained head"),
            N_("head only"),
            N_("embeddings and head"),
            N_("with head"),
            N_("with the head"),
            N_("below this head"),
            N_("this head was"),
            N_("head was never trained"),
            N_("head's weights"),
            N_("head's own layers"),
        ),
        meaning=N_(
            "One set of queries, keys and values in a layer, with an attention of its own; layers have several."
        ),
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("softmax"),),
        meaning=N_("Turns any numbers into positive ones that sum to 1; differences become ratios."),
        formula="softmax(s)ⱼ = exp(sⱼ) / Σₖ exp(sₖ)",
        source="Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs",
    ),
    GlossaryEntry(
        forms=(N_("causal mask"),),
        meaning=N_("Hides later tokens: their scores become minus infinity, their weights 0."),
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("attention sink"),),
        meaning=N_("A token, mostly the first, that takes the weight of heads that have nothing to look for."),
        source="Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks",
    ),
    GlossaryEntry(
        forms=(N_("previous token"), N_("previous-token head")),
        meaning=N_(
            "Score of a head: its mean weight on the token before the query. Near 1 it is a previous-token head."
        ),
        source=ELHAGE,
        score="previous",
    ),
    GlossaryEntry(
        forms=(N_("first token"),),
        meaning=N_("Score of a head: its mean weight on the first token of the text."),
        source="Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks",
        score="first",
    ),
    GlossaryEntry(
        forms=(N_("duplicate token"),),
        meaning=N_("Score of a head: its mean weight on earlier copies of the query's own token."),
        source="Wang et al. 2022, Interpretability in the Wild",
        score="duplicate",
    ),
    GlossaryEntry(
        forms=(N_("induction score"), N_("induction head"), N_("induction heads")),
        meaning=N_(
            "Mean weight on the tokens that followed earlier copies of the query's token: “A B … A” looks at B."
        ),
        source=OLSSON,
        score="induction",
    ),
    GlossaryEntry(
        forms=(N_("local score"),),
        meaning=N_("Score of a head: its mean weight within four tokens of the query."),
        source="Clark et al. 2019, What Does BERT Look At?",
        score="local",
    ),
    GlossaryEntry(
        forms=(N_("mean distance"),),
        meaning=N_("Score of a head: how many tokens away it looks, on average over its weights."),
        source="Clark et al. 2019, What Does BERT Look At?",
        score="distance",
    ),
    GlossaryEntry(
        forms=(N_("residual stream"),),
        meaning=N_("The vector of a token that every layer reads and adds to: the sum of all that was written so far."),
        source=ELHAGE,
    ),
    GlossaryEntry(
        forms=("MLP", N_("feed-forward layer")),
        meaning=N_(
            "The layer that works on each token alone: up to a wider vector, an activation function, and down again."
        ),
        formula="MLP(x) = W₂ σ(W₁ x)",
        source=VASWANI,
    ),
    GlossaryEntry(
        forms=(N_("layer norm"), N_("RMS norm"), N_("final norm")),
        meaning=N_("Brings a vector to one size before a layer reads it; RMS norm leaves out the mean."),
        formula="x̂ = w ⊙ (x − mean x) / √(var x + ε)",
        source="Ba et al. 2016; Zhang and Sennrich 2019",
    ),
    GlossaryEntry(
        forms=(N_("logit"), N_("logits")),
        meaning=N_("The number that a model gives a token before the softmax; one more logit is e times the odds."),
        formula="ℓ = u · x̂",
        source="Berkson 1944, Application of the Logistic Function to Bio-Assay",
    ),
    GlossaryEntry(
        forms=(N_("logit lens"),),
        meaning=N_(
            "What a model would predict without the remaining layers: final norm and output matrix at each layer."
        ),
        source="nostalgebraist 2020, interpreting GPT: the logit lens",
    ),
    GlossaryEntry(
        forms=(N_("direct logit attribution"),),
        meaning=N_(
            "Splits a logit into what each head and MLP wrote towards it; with the final norm held, the parts add up."
        ),
        source=ELHAGE,
    ),
    GlossaryEntry(
        forms=(N_("ablation"), N_("ablated")),
        meaning=N_(
            "Replacing a component's output (by zero, its mean, or that of another text) to see what depends on it."
        ),
        source="Chan et al. 2022, Causal Scrubbing; Zhang and Nanda 2023",
    ),
    GlossaryEntry(
        forms=(N_("activation patching"),),
        meaning=N_("Copying an activation of a clean prompt into a corrupted one, to see where the answer comes back."),
        source="Meng et al. 2022, Locating and Editing Factual Associations in GPT",
    ),
    GlossaryEntry(
        forms=(N_("logit difference"),),
        meaning=N_("The logit of the correct answer less that of the counterfactual one: above 0 the model is right."),
        source="Wang et al. 2022, Interpretability in the Wild",
    ),
    GlossaryEntry(
        forms=(N_("attention rollout"),),
        meaning=N_(
            "Multiplies the attention of all layers, half of it kept in place, to trace tokens back to the input."
        ),
        source="Abnar and Zuidema 2020, Quantifying Attention Flow in Transformers",
    ),
    GlossaryEntry(
        forms=(N_("integrated gradients"),),
        meaning=N_(
            "Sums gradients on the way from a baseline to the input; the parts add up to the change of the output."
        ),
        formula="(xᵢ − x′ᵢ) ∫₀¹ ∂f/∂xᵢ (x′ + t(x − x′)) dt",
        source="Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks",
    ),
    GlossaryEntry(
        forms=(N_("KL divergence"),),
        meaning=N_("How many nats one loses by believing q where p is true; 0 only where both are equal."),
        formula="KL(p ‖ q) = Σ p ln(p / q)",
        source="Kullback and Leibler 1951, On Information and Sufficiency",
    ),
    GlossaryEntry(
        forms=(N_("Jensen-Shannon divergence"),),
        meaning=N_(
            "The mean KL divergence of two distributions from their average: between 0 and ln 2, and symmetric."
        ),
        source="Lin 1991, Divergence Measures Based on the Shannon Entropy",
    ),
    GlossaryEntry(
        forms=(N_("entropy"),),
        meaning=N_("The expected surprisal of a distribution: 0 where one outcome is sure, ln n where n are equal."),
        formula="H(p) = −Σ p ln p",
        source=SHANNON,
        score="entropy",
    ),
    GlossaryEntry(
        forms=(N_("nat"), N_("nats")),
        meaning=N_("Unit of information with the natural logarithm; 1 nat is 1.4427 bits."),
        source=SHANNON,
    ),
    GlossaryEntry(
        forms=(N_("surprisal"),),
        meaning=N_("How unexpected a token is: minus the logarithm of its probability."),
        formula="−ln p(token | context)",
        source=SHANNON,
    ),
    GlossaryEntry(
        forms=(N_("cross-entropy"), N_("loss")),
        meaning=N_("The mean surprisal of the true tokens under the model: what training makes smaller."),
        formula="−(1/n) Σ ln p(tᵢ | t₁ … tᵢ₋₁)",
        source=SHANNON,
    ),
    GlossaryEntry(
        forms=(N_("perplexity"),),
        meaning=N_("e to the mean surprisal: between so many equally likely tokens the model hesitates."),
        formula="exp(cross-entropy)",
        source="Jelinek et al. 1977, Perplexity: a Measure of the Difficulty of Speech Recognition Tasks",
    ),
    GlossaryEntry(
        forms=(N_("pseudo-perplexity"),),
        meaning=N_("Perplexity of a masked model: each token is masked in turn and predicted from both sides."),
        source="Salazar et al. 2020, Masked Language Model Scoring",
    ),
    *MEASURE_TERMS,
    GlossaryEntry(
        forms=(N_("temperature"),),
        meaning=N_("Divides the logits before the softmax: below 1 the distribution is sharper, above 1 flatter."),
        source="Ackley et al. 1985, A Learning Algorithm for Boltzmann Machines",
    ),
    GlossaryEntry(
        forms=(N_("top-p"), N_("nucleus sampling")),
        meaning=N_("Keeps the most probable tokens that together reach the probability p, and samples among them."),
        source="Holtzman et al. 2020, The Curious Case of Neural Text Degeneration",
    ),
    GlossaryEntry(
        forms=(N_("beam search"), N_("beams")),
        meaning=N_("Keeps the few best partial texts at each step instead of one."),
        source="Lowerre 1976, The HARPY Speech Recognition System",
    ),
    GlossaryEntry(
        forms=(N_("embedding"), N_("embeddings")),
        meaning=N_("The vector that stands for a token before the first layer: a row of the embedding matrix."),
        source="Bengio et al. 2003, A Neural Probabilistic Language Model",
    ),
    *TOKEN_TERMS,
    GlossaryEntry(
        forms=("RoPE", N_("rotary positions")),
        meaning=N_("Turns queries and keys by an angle that grows with the position, so that scores see distances."),
        source="Su et al. 2021, RoFormer",
    ),
    *TRAINING_TERMS,
)
"""By subject: attention, heads, the model, experiments, information, measures, generation, training, scaling."""
