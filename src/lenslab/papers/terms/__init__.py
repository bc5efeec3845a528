"""Key terms, and how often terms stand elsewhere."""
