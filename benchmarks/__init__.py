"""Benchmarks: each prints a table and writes a record that the README's figures come from."""
