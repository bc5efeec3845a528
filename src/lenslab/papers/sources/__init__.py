"""Where descriptions of works come from: arXiv, Semantic Scholar and OpenAlex."""
