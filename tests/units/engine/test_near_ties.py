"""What logits decide, and when float32 is not sure."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from lenslab.units.engine.near_ties import NEAR_TIE, decide, decide_float64


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_the_band_of_near_ties_is_a_share_of_the_largest_logit_whatever_its_sign(scale: float) -> None:
    rows = torch.tensor(
        [
            [-8.0, 1.0 - 7.8 * NEAR_TIE, 1.0],  # within the band of 8
            [-8.0, 1.0 - 8.2 * NEAR_TIE, 1.0],
            [-8.0, -1.0 - 7.8 * NEAR_TIE, -1.0],
            [-8.0, -1.0 - 8.2 * NEAR_TIE, -1.0],
            [0.0, 0.0, 0.0],
        ]
    )
    decision = decide(rows * scale)
    assert decision.near_tie.tolist() == [True, False, True, False, True]
    assert decision.classes[:4].tolist() == [2, 2, 2, 2]
    assert decision.margin[:4].tolist() == pytest.approx([f * NEAR_TIE / 8 for f in (7.8, 8.2, 7.8, 8.2)], rel=1e-2)


def test_one_logit_that_is_not_finite_spoils_its_row_only() -> None:
    rows = torch.tensor([[1.0, 2.0], [float("nan"), 2.0], [1.0, float("inf")], [-float("inf"), 1.0]])
    assert decide(rows).finite.tolist() == [True, False, False, False]


def test_the_last_word_gives_ties_to_the_lowest_label_and_sees_through_rounding() -> None:
    rows = torch.tensor(
        [[0.0, 3.0, 3.0], [3.0 - 1e-12, 3.0, 1.0], [3.0 - 1e-6, 3.0, 1.0], [-3.0, -5.0, -3.0 + 1e-12]],
        dtype=torch.float64,
    )
    assert decide_float64(rows).tolist() == [1, 0, 1, 0]


SET = """
import torch, warnings
from lenslab.units.engine.full_float32 import full_precision, precisions
warnings.simplefilter("error")
{setting}
before = precisions()
try:
    with full_precision():
        assert len(set(precisions())) == 1, precisions()
        raise RuntimeError
except RuntimeError:
    assert precisions() == before
"""


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "torch.backends.cudnn.allow_tf32 = False",
        "torch.backends.cuda.matmul.allow_tf32 = True",
        "torch.set_float32_matmul_precision('medium')",
        "torch.backends.cuda.matmul.fp32_precision = 'tf32'",
        "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
        "torch.backends.fp32_precision = 'tf32'",
    ],
)
def test_full_precision_gives_back_what_was_set_even_after_an_exception(setting: str) -> None:
    """In a process of its own: torch allows no mixture of its old settings and its new ones."""
    subprocess.run([sys.executable, "-c", SET.format(setting=setting)], check=True)
