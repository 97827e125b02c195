"""Run forward passes and trainings on this machine, a few at a time.

queue.py     a FIFO queue for forward passes
executor.py  the executor of training runs: queue, slots, prestarted workers
run_folders.py create run folders; statuses of runs whose worker is gone
process.py   a worker process, seen from its parent
worker.py    the program of that process
limits.py    limits on a run's size, memory, time and disk space
retention.py what becomes of runs that nobody continues
range_test.py the learning-rate range test in a process of its own
malloc.py    what glibc does with freed memory: trainings keep it, servers give it back
"""
