"""The commands of `python -m playground`, one file each; training's is playground/training/command.py.

fetching.py   models, fetch
tracing.py    trace
scaling.py    fit
"""
