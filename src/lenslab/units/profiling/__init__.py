"""Profiling: what can be measured of a unit without silencing it."""
