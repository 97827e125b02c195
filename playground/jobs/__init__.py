"""Where work runs.

queue.py     forward passes wait in a queue, a few at a time
executor.py  training runs: a queue, slots, and workers that are started ahead
folders.py   the run folders that the executor makes, and the statuses of lost runs
process.py   a worker process as its parent sees it
worker.py    the program of that process
limits.py    what a run may use
malloc.py    keep freed memory between the steps of a training
"""
