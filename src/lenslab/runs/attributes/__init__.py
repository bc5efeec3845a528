"""What can be said of a unit without silencing it: the formulas, over arrays."""
