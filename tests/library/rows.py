"""The 113 rows that came with the package, as records."""

import json
from importlib.resources import files

from lenslab.papers.work import Work

DOCUMENT = json.loads((files("lenslab.library") / "data" / "1806.02891.json").read_text("utf-8"))
ROWS = [Work(row["title"], tuple(row["authors"]), row["year"]) for row in DOCUMENT["citations"]["works"]]


def row(beginning):
    """The one row whose title begins so."""
    (found,) = [work for work in ROWS if work.title.startswith(beginning)]
    return found
