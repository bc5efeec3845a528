"""Citations between works: edges, the neighbourhood, paths, related works, and where they stand."""
