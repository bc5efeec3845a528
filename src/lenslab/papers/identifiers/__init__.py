"""What names a paper: arXiv ids, DOIs, citation keys, and links to them in running text."""
