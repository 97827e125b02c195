"""The formulas of the laws, one file each; form.py says what a formula has to know.

power_sum.py          an offset and powers, as in Kaplan's single laws and Chinchilla's
kaplan_joint.py       Kaplan's law of parameters and data together
broken_power.py       a power law with a bend
data_constrained.py   Chinchilla's law with repeated data
"""
