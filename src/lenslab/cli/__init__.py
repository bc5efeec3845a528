"""The command line: everything that lenslab does, typed."""
