"""``python -m lenslab``: the command line, where its script is not on the path."""

from lenslab.cli.main import main

if __name__ == "__main__":
    main()
