"""The statistics of flips: drops, intervals, tests, and their correlations with attributes."""
