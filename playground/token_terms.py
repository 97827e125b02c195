"""The glossary's terms of the page Tokens."""

from playground.glossary_entry import GlossaryEntry
from playground.text import N_

TOKEN_TERMS: tuple[GlossaryEntry, ...] = (
    GlossaryEntry(
        forms=(N_("token"), N_("tokens")),
        meaning=N_("A piece of text that a vocabulary has a number for: a word, part of one, a character or a byte."),
        source="Webster and Kit 1992, Tokenization as the Initial Phase in NLP",
    ),
    GlossaryEntry(
        forms=(N_("pre-token"), N_("pre-tokens"), N_("pre-tokenizer")),
        meaning=N_("A stretch of text that is cut into tokens by itself, as a rule a word with the space before it."),
        source="Mielke et al. 2021, Between Words and Characters",
    ),
    GlossaryEntry(
        forms=("BPE", N_("byte-pair encoding")),
        meaning=N_(
            "Merges the pair of neighbours that was most frequent in the training text, then the next, and so on."
        ),
        source="Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units",
    ),
    GlossaryEntry(
        forms=("WordPiece",),
        meaning=N_("Takes the longest piece of the vocabulary that fits, from the left, until the word is used up."),
        source="Schuster and Nakajima 2012; Devlin et al. 2019",
    ),
    GlossaryEntry(
        forms=(N_("unigram model"),),
        meaning=N_("Gives each piece a probability and takes the segmentation whose pieces multiply to the largest."),
        formula="argmax Σ ln p(pieceᵢ)",
        source="Kudo 2018, Subword Regularization",
    ),
    GlossaryEntry(
        forms=(N_("cosine"), N_("cosine similarity")),
        meaning=N_("How much two vectors point the same way, whatever their lengths: 1 the same, 0 at right angles."),
        formula="cos(a, b) = a · b / (|a| |b|)",
        source="Salton et al. 1975, A Vector Space Model for Automatic Indexing",
    ),
    GlossaryEntry(
        forms=(N_("principal components"), N_("principal component")),
        meaning=N_("The directions along which vectors differ most; the first two draw many dimensions in a plane."),
        source="Pearson 1901, On Lines and Planes of Closest Fit",
    ),
    GlossaryEntry(
        forms=(N_("mean pooling"),),
        meaning=N_("A text's vector: the mean of its tokens' last states, special tokens included, without padding."),
        formula="s = Σᵢ hᵢ / n",
        source="Reimers and Gurevych 2019, Sentence-BERT, section 3",
    ),
)
