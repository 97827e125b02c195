"""Passages about everything, written for this project: general text that none of its tasks trains on."""

GENERAL_TEXTS = (
    "The bus was late again, so the three of us stood under the small roof and talked about where we would go if we "
    "could leave tomorrow. Nobody named a city. We all wanted the sea.",
    "To repair a bicycle tyre you need little: two levers, a pump, some patience. Take the wheel off first. Then push "
    "the bead over the rim, pull the tube out, and listen for the hole.",
    "A glacier moves. You cannot see it while you stand there, but a stone that was laid on the ice in spring lies "
    "several metres lower in autumn, and in a hundred years it has reached the valley.",
    "My grandmother kept her recipes in a tin box. Most of them are not recipes at all. They say: as much flour as it "
    "takes, bake until done, do not open the door.",
    "The court found that the letter had been sent in time. It did not matter that it arrived a week later, because "
    "the contract spoke of sending and not of receiving.",
    "Bread rises because yeast eats sugar and breathes out gas. The dough is elastic and holds the bubbles. In the "
    "oven they grow once more before the heat makes the walls stiff.",
    "She read the first page twice and then put the book away. It was not badly written. It was about a winter in a "
    "house like hers, and she had had enough of that.",
    "Since the new bridge was opened, the ferry runs only on Sundays. Those who take it are not in a hurry. They bring "
    "bread for the gulls and look at the bridge.",
    "A prime number has exactly two divisors. There is no largest one: multiply all that you know, add one, and what "
    "divides the result is not on your list.",
    "The team lost its first four games and won the next nine. Asked what had changed, the coach said that nothing had "
    "changed; they had only stopped talking about it.",
    "Rain is expected in the west from noon, with strong wind on the coast. In the east it stays dry and mild. During "
    "the night the sky clears, and there may be fog in the valleys.",
    "We had walked for two hours when the path simply ended. In front of us lay a field of yellow flowers, and behind "
    "it, very small, the church that the map had promised.",
    "A good interface asks for one thing at a time. It says what will happen before it happens, and it lets you take "
    "back what you have done. Everything else is taste.",
    "The orchestra tunes to the oboe because its pitch is hard to change. So the instrument that cannot adapt decides "
    "for all the others, which is not unusual in life.",
    "In the market the fish is sold by noon. What is left goes to the cats, who know the hour better than the sellers "
    "and sit in a row along the wall.",
    "Two people who measure the same table seldom get the same number. The difference is no mistake. It tells you how "
    "far you may trust the next measurement.",
)
