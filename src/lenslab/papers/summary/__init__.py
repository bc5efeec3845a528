"""A paper in short: two sentences and seven facets, each held against the abstract."""
