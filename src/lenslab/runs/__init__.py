"""What does a finished run say? Its intervention, sites, tables, statistics and comparisons, without the network."""
