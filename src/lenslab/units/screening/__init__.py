"""Screening: every unit's drop with an interval, from exact decisions of a small share of the pairs."""
