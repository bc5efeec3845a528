"""The statistics of flips: drops, intervals, tests, and how they go together with attributes. No torch."""
