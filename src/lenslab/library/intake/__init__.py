"""How works come into the library: from sources and files, matched, merged, and resolved field by field."""
