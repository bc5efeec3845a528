"""float64 throughout: also where a network casts on its way."""

from __future__ import annotations

import pytest
import torch

from lenslab.units.engine.float64_program import Float64Mode


@pytest.mark.parametrize(
    "cast",
    [
        lambda x: x.float(),
        lambda x: x.to(torch.float32),
        lambda x: x.to(dtype=torch.float32),
        lambda x: x.type(torch.float32),
        lambda x: torch.softmax(x, dim=0, dtype=torch.float32),
    ],
)
def test_a_cast_to_float32_keeps_float64_inside_and_casts_outside(cast: object) -> None:
    x = torch.tensor([0.1, 0.2], dtype=torch.float64)
    with Float64Mode():
        inside = cast(x)  # type: ignore[operator]
    assert inside.dtype == torch.float64
    assert cast(x).dtype == torch.float32  # type: ignore[operator]


def test_other_types_are_left_alone() -> None:
    x = torch.tensor([0.1, 0.2], dtype=torch.float64)
    with Float64Mode():
        assert x.to(torch.int64).dtype == torch.int64
        assert x.half().dtype == torch.float16
