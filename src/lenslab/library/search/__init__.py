"""Search in the library: the query language, an index on each database, highlights."""
