"""Where work runs.

turns.py   forward passes on one machine take turns, first come first served
"""
