"""What a silenced unit becomes, and networks with some units silent for good."""
