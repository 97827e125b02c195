"""Charts of the scaling page.

loss.py      loss over N, D or C with laws and bands; residuals
intervals.py values with their intervals
downstream.py a task's error over the loss
famous.py    famous models: tokens over parameters, sizes over the years, labels that fit
compute.py   training curves and their envelope, isoFLOP profiles, the loss surface, the compute-optimal frontier
plans.py     inference-aware and data-constrained optima
"""
