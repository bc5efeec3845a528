"""The statistics of flips: drops, intervals, tests, attributes and how they go together. No torch."""
