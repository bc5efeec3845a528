"""Bibliographies and networks as files: a reader and a writer for each format."""
