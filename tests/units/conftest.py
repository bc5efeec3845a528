"""What holds for every test of the measuring half."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from lenslab.units import run_writer

OVER_UNITS = ("correlations_table", "reliability_table", "predictions_table", "coefficients_table")


@pytest.fixture(scope="module", autouse=True)
def without_statistics_over_units() -> Iterator[None]:
    """Leave empty what a run says of a site's units together: most of a small run's time, and tested in tests/runs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OVER_UNITS:
            patch.setattr(run_writer, name, lambda *_, **__: pd.DataFrame())
        yield
