"""Attributes of units, which need no silencing: the formulas, over arrays."""
