"""Formulas of the loss: value, gradient, starting points and bounds of each.

form.py               the protocol, and the arithmetic that the formulas share
power_sum.py          an offset and powers: Kaplan's single laws, Chinchilla's law
kaplan_joint.py       Kaplan's law of parameters and tokens together
equal_exponents.py   Gadre's law of compute and tokens per parameter: one exponent for N and D
broken_power.py       a power law with one break
data_constrained.py   Chinchilla's law with repeated data
"""
