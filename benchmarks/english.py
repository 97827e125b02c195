"""English text of an exact number of tokens, another one for every trial."""

from itertools import accumulate

from tokenizers import Tokenizer

from playground.lens.capture.tokens import encode

PROSE = """
The ferry left the island at seven, and by then the whole harbour knew that the clockmaker had gone with it. He had
carried one suitcase and a long case wrapped in a blanket, and he had not looked back at the square, where the clock
on the town hall had stopped at ten past four. Nobody could remember the clock standing still before. The baker, who
opened her shop by it, said that she had risen at the usual hour only because her dog wanted to go out, and that the
bread would be late because of a clockmaker.

The mayor called a meeting. There were eleven chairs and forty people, so most of them stood along the wall and talked
about the tides. The schoolteacher proposed that somebody should climb the tower and look. The mayor answered that the
tower was locked, and that the clockmaker had the key, and that this was, as far as he could see, the whole of the
difficulty. Then the fisherman's daughter, who was nine years old and had come in behind her father, said that the
window on the north side did not close. She knew this because the pigeons went in and out of it all day.

It took them until noon to find a ladder that was long enough. The girl went up first, since she was the lightest, and
her father held the ladder with both hands and did not say a word. From the top she could see the ferry, which was
already small, and the smoke of the mainland behind it. She put one leg over the sill and was gone. For a long time
there was nothing but the noise of the pigeons. The people in the square looked up, and those who had hats took them
off so that they could look up better.

Inside it was dark and warm, and it smelled of oil. The wheels stood still, one behind the other, the largest as wide
as a cart and the smallest no larger than a coin. On the floor beside the great weight lay a letter, and on the letter
lay a key. The girl could read, but the hand was difficult, and she had to carry the letter to the window before she
understood it. It said that the clock was not broken. It said that a clock which has run for sixty years without a
rest deserves one day on which nobody asks it anything, and that whoever found the key might start it again whenever
the town was ready to be late for something.

She sat down on the sill with her feet outside and read the letter aloud. When she had finished, the square was quiet.
Then the baker laughed, and the schoolteacher laughed, and after a while even the mayor, who had an appointment with
the bank at one. They did not start the clock that day. The children were sent home from school when they were hungry,
the shops closed when there was nobody left to buy, and in the evening the boats came in by the light and not by the
hour. People who had lived in the same street for years found out that they could hear the sea from their kitchens.

The next morning the girl climbed the ladder again. She turned the key as the letter had told her, seven times to the
left, and gave the pendulum a push with her hand. It swung, and the smallest wheel moved, and then the next, and at
last the largest, so slowly that she had to look away and look back to be certain. The bell struck once. Down in the
square the baker set her own watch by it, although both of them knew that neither the watch nor the bell could say
what time it really was.

In the second week of autumn a parcel came with the ferry. It held a book about wheels and springs, a set of small
screwdrivers, and a note without a name which said that a town with a tower needs somebody who is not afraid of
pigeons. The fisherman put the parcel on the table and went out to mend his nets. His daughter opened the book at the
first page, found the chapter on the pendulum, and began to read. She read until the lamp went out, and then she lay
awake and listened to the clock, counting the seconds between one stroke and the next, and it seemed to her that she
could hear every wheel turning in the dark.

Years later, when visitors asked why the clock on the island is stopped for one day in every spring, they were told
that it has to be cleaned. That is true as far as it goes. The wheels are brushed and oiled, the rope is looked over
inch by inch, and the letter, which hangs in a frame beside the door, is dusted. But the work takes no more than an
hour, and the rest of the day belongs to nobody, and the people who live there would not give it up for anything.

There are two other clocks on the island. One stands in the school, and is five minutes fast, so that the children
learn to hurry. The other belongs to the fisherman's brother, who keeps the inn by the landing stage, and it has no
hands at all. When a guest complains, he says that the hands were never the difficult part. A guest who wants to leave
will hear the ferry, and a guest who wants to stay should not be told how late it is. Nobody has ever argued with him
for long, because the soup is good and the windows look to the west.

The clockmaker was seen once more. A sailor met him in a port far to the south, where he was sitting in the sun in
front of a small shop with an empty window. He asked whether the bell still struck, and the sailor said that it did,
and that a girl was keeping it. The old man nodded as if he had been told the price of fish. Then he asked whether she
had counted the turns of the key, and when he heard that there had been seven, he went inside without a word, took the
blanket from the long case in the corner, and put a clock in the window at last.
""".strip()


def english(tokenizer: Tokenizer, tokens: int, variant: int = 0) -> str:
    """English text of exactly this many tokens, special ones included; each variant begins at another word.

    Raises ValueError where the prose is too short or no cut gives that number.
    """
    words = PROSE.split()
    start = (variant * 37) % len(words)
    text = " ".join(words[start:] + words[:start])
    ends = [end - 1 for end in accumulate(len(word) + 1 for word in text.split())]
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(encode(tokenizer, text[: ends[middle]])) >= tokens else (middle + 1, high)
    longest = ends[low]
    cuts = (text[:end] for end in range(longest, max(0, longest - 60), -1))
    for cut in cuts:
        if len(encode(tokenizer, cut)) == tokens:
            return cut
    raise ValueError(f"No part of the prose has exactly {tokens} tokens.")


def tokenizer_of(folder: str) -> Tokenizer:
    """The tokenizer of a model's folder, free of truncation and padding."""
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
