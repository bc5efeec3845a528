"""How papers are named on the command line, and found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

if TYPE_CHECKING:
    from lenslab.library.models import Work

Identifier = Annotated[
    str,
    Argument(metavar="ID", help="An arXiv id in any form, a DOI, or a key of the library, for instance 1806.02891."),
]
AsJson = Annotated[bool, Option("--json", help="Print one JSON document instead.")]


def find(identifier: str) -> Work:
    """Find the work of that name; from here on Django is set up, so that the library's modules can be imported.

    Raises:
        UnknownPaperError: There is none.
    """
    from lenslab.library import ready

    ready()
    from lenslab.library.works import find_work

    return find_work(identifier)
