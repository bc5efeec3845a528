import subprocess
import sys

import pytest


def modules_after(statement):
    listing = f"{statement}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


EVERY_MODULE = (
    "import importlib, pkgutil, lenslab.papers as room; "
    "[importlib.import_module('lenslab.papers.' + found.name) for found in pkgutil.iter_modules(room.__path__)]"
)


def test_papers_needs_neither_torch_nor_django():
    assert not {"torch", "django"} & modules_after(EVERY_MODULE)


@pytest.mark.parametrize("module", ["arxiv_id", "latex", "categories", "licenses", "bibtex", "citations", "paper"])
def test_what_needs_no_numbers_loads_none(module):
    assert not {"sklearn", "numpy"} & modules_after(f"import lenslab.papers.{module}")
