"""The special tokens of our own vocabularies, and their ids in vocabularies that have all five."""

START, END, PAD, MASK, UNKNOWN = "<|start|>", "<|end|>", "<|pad|>", "<|mask|>", "<|unknown|>"
SPECIALS = (START, END, PAD, MASK, UNKNOWN)
START_ID, END_ID, PAD_ID, MASK_ID, UNKNOWN_ID = range(5)
