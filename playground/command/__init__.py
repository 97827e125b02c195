"""The commands of `python -m playground`, one file each; training's is playground/command/train.py.

fetching.py   models, fetch
tracing.py    trace
scaling.py    fit
"""
