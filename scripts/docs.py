"""Write the reference pages: one for every public module, from its docstrings.

    python -m scripts.docs [DIRECTORY]

The pages need no network when they are written, and none when they are read.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

PACKAGES = ("lenslab.units", "lenslab.runs", "lenslab.records", "lenslab.report", "lenslab.studies", "lenslab.papers")
"""What a researcher imports; the command line and the website are used, not imported."""

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


def modules() -> list[str]:
    """Name every module of the packages that is there, those that begin with an underscore left out."""
    named: list[str] = []
    for name in PACKAGES:
        if importlib.util.find_spec(name) is None:
            continue
        package = importlib.import_module(name)
        below = (each.name for each in pkgutil.walk_packages(package.__path__, f"{name}."))
        named += [name, *(each for each in below if not any(part.startswith("_") for part in each.split(".")))]
    return named


def write(directory: Path, names: list[str]) -> None:
    """Write the pages of some modules into a directory."""
    import pdoc
    import pdoc.extract
    import pdoc.render

    # A package without a list of names brings its modules along, one with a list keeps them to itself.
    asked, walked = list[str](), set[str]()
    for name in names:
        module = importlib.import_module(name)
        for each in getattr(module, "__all__", ()):  # some come when they are asked for, which pdoc does not do
            setattr(module, each, getattr(module, each))
        if name not in walked:
            asked.append(name)
            walked |= set(pdoc.extract.walk_specs([name]))
    pdoc.render.configure(docformat="google", math=False, mermaid=False)
    pdoc.pdoc(*asked, output_directory=directory)


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE
    every = modules()
    write(where, every)
    print(f"{len(every)} pages in {where}, begin with {where / 'index.html'}")
