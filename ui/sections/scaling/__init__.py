"""Sections of the scaling page.

data.py               choose, upload and map the data
runs_table.py         counts, warnings, and every run as a row
study.py              the current data set
fit.py                choose and fit a law, bootstrap it, headline it
sections.py           the sections of a fit: the law, its diagnostics, the compute-optimal allocation
loss_curves.py        loss over N, D or C with laws, published ones too, and extrapolation
marked.py             the run that the address marks, and the door to it
isoflop.py            isoFLOP profiles
allocation.py         training curves, loss surface, compute-optimal frontier
overtraining.py       loss over compute at several ratios of tokens to parameters
exponents.py          the compute-optimal exponent by every method, and whether they agree
diagnostics.py        residuals, held-out runs, intervals, restarts
method_comparison.py  why papers disagree
planner.py            a budget planned
budget.py             the planner's budget, in FLOP, hours or money
sweep_form.py         the configuration of a new sweep
sweep_progress.py     a sweep started, watched and stopped
dial.py               a depth chosen, what the law makes of it, the series started
landing.py            where the runs of a series landed beside their prediction
published.py          what others published: runs, models, sizes, a law of tasks
famous_models.py      famous models beside a law's frontier, and their sizes over the years
published_runs.py     Hoffmann's runs, fitted in the ways in which the papers differ
downstream.py         our checkpoints' errors at a task over their losses
zipf.py               exponents by Zipf exponent, beside the quantization model's
live_fit.py           the fit of a running sweep
figure.py             a figure and its exports
"""
