"""A probe sees shapes, and every change in place of memory that is read again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import fx

from lenslab.units.engine.shape_probe import AliasError, _overlap, probed

SLICES = st.builds(slice, st.integers(0, 5), st.integers(1, 6), st.integers(1, 3))


@given(SLICES, SLICES, st.booleans())
def test_two_slices_overlap_where_a_change_of_one_shows_in_the_other(one: slice, other: slice, turn: bool) -> None:
    memory = torch.zeros(6, 6)
    first, second = memory[:, one], (memory.T if turn else memory)[:, other]
    expected = False
    if first.numel() and second.numel():
        first.fill_(1)
        expected = bool(second.any())
    assert _overlap(first, second) is expected


def test_what_is_made_anew_overlaps_nothing() -> None:
    x = torch.ones(3)
    assert not _overlap(x, x.clone())
    assert _overlap(x, x.view(torch.int32)), "other types are compared by the memory they lie in"


def watched(function: object) -> dict[str, tuple[tuple[int, ...], list[str]]]:
    traced = fx.symbolic_trace(function)  # type: ignore[arg-type]
    return {
        node.name: (tuple(seen.shape), [each.name for each in seen.changes])
        for node, seen in probed(traced, torch.ones(2, 4)).items()
    }


def test_a_change_in_place_is_seen_with_its_value() -> None:
    assert watched(lambda x: (x * 2)[:, 1:].neg_()) == {
        "x": ((2, 4), []),
        "mul": ((2, 4), []),
        "getitem": ((2, 3), []),
        "neg_": ((2, 3), ["getitem"]),
    }


def test_a_change_is_refused_where_any_other_name_is_read_afterwards_and_only_there() -> None:
    def reads_the_rest(x: torch.Tensor) -> torch.Tensor:
        left, right = x[:, :2], x[:, 2:]
        return left.neg_() + right

    def reads_the_whole(x: torch.Tensor) -> torch.Tensor:
        left = x[:, :2]
        return left.neg_() + x[:, 2:]

    def reads_a_list(x: torch.Tensor) -> torch.Tensor:
        pieces = x.split(2, dim=1)
        changed = pieces[0].neg_()
        return changed + pieces[0]

    assert watched(reads_the_rest)["neg_"][1] == ["getitem"]
    for function, read in ((reads_the_whole, "x"), (reads_a_list, "split")):
        with pytest.raises(AliasError, match=f"neg_ changes {read} in place, which is read again afterwards"):
            watched(function)


def test_the_probe_is_left_as_it_is() -> None:
    probe = torch.ones(2, 4)
    probed(fx.symbolic_trace(lambda x: x.neg_()), probe)
    assert bool((probe == 1).all())
