"""Sweeps: train a grid of sizes, token budgets and seeds into a folder, and collect what the runs reach.

grid.py          the configuration, and the cells that it describes
forks.py         where a shorter run leaves a longer one
learning_rates.py the best learning rate of each size, from a search
folder.py        a sweep as a folder of runs
scheduler.py     start cells as slots free up; retry those that fail
executors.py     train cells in this process or in worker processes
ray_executor.py  train cells on a Ray cluster
progress.py      how a sweep is doing: progress.json, and everything that a page shows
results.py       points.csv and curves.csv
costs.py         time and price, estimated before a sweep starts and while it runs
sweep.py         start, resume, stop and delete a sweep
collect.py       the results of finished sweeps, joined, without their runs
dial.py          a depth decides everything else, and its loss is predicted
card.py          the card of a collected sweep
flop_counting.py parameters and compute, counted as each paper does
"""
