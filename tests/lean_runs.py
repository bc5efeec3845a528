"""Lean runs: without what a run says of all units of a site, most of a small run's time and tested in tests/runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

OVER_UNITS = ("correlations_table", "reliability_table", "predictions_table", "coefficients_table")


@contextmanager
def lean_runs() -> Iterator[None]:
    """Leave these tables empty."""
    import pandas as pd

    from lenslab.units import run_writer

    with pytest.MonkeyPatch.context() as patch:
        for name in OVER_UNITS:
            patch.setattr(run_writer, name, lambda *_, **__: pd.DataFrame())
        yield


@pytest.fixture(scope="module")
def lean() -> Iterator[None]:
    """For the tests of a module, named in its ``pytestmark``."""
    with lean_runs():
        yield
