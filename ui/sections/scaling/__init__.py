"""The scaling page: whose points, which law, its curves and intervals, published laws, a plan, a sweep.

study.py      the points at hand, and where they come from
source.py     choose among shipped sweeps, one's own sweeps and one's own table
table.py      bring a table: paste, upload, map columns, see what was kept out
fitting.py    fits and intervals, computed once
headline.py   how well a law foretells, and what it says
pictures.py   the pictures by name;  curves.py, compute.py, valleys.py, doubts.py  what they are drawn from
disagree.py   why papers disagree
planner.py    a budget to a plan
live.py       a small sweep, watched
shown.py      a picture, its numbers and its code to take home
"""
