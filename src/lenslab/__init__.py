"""Read a paper, and run it again: paper pages whose claims you can test on your own network."""

__version__ = "0.1.0"
