"""Where work runs.

turns.py      forward passes on one machine take turns, first come first served
executor.py   training runs: a queue, slots, and worker processes (process.py) that are started ahead; folders.py
worker.py     what such a process does
limits.py     what a run may use
"""
