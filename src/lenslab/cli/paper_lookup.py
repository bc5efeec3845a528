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
    """Find the work of that name, in the library that is open from here on.

    Raises:
        UnknownPaperError: There is none.
    """
    open_library()
    from lenslab.library.works import find_work

    return find_work(identifier)


def open_library() -> None:
    """Make the library ready, so that its modules can be imported."""
    from lenslab.library import ready

    ready()
