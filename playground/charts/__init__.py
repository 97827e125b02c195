"""Charts: plain data in, a plotly Figure out. Only this package imports plotly.

layout.py     axes, frame and horizontal levels that all charts share
palette.py    colours by meaning, light and dark
series.py     a curve over steps, smoothed and decimated
heatmap.py    a table as colours, with names and a colour bar
bars.py       named horizontal bars
architecture.py  time and memory of a pass over its length
ablate.py     interaction effects; heads ranked against chance
emergence.py  metrics and progress measures of checkpoints
evaluate.py   scores with intervals, differences, confusion matrix, calibration, strides
finetune.py   the change of weights, heads and states; accuracy over labels and ranks
generate.py   distributions, surprisal, logit lens, trees of tokens
inside.py     vectors as rows of cells, maps, curves by distance
tokens.py     merges, segmentations, languages, the embedding space
train.py      curves of runs, attention over training
scaling/      laws, loss surfaces and plans
"""
