"""Masks: what is written is done again, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from lenslab.units import Mask, Network, silenced
from lenslab.units.errors import MaskError
from tests.units import toys


def inputs() -> torch.Tensor:
    (block,) = toys.digits(12).blocks(12)
    return toys.PLAIN(block.pixels)


@pytest.mark.parametrize("replacement", ["zero", "mean", "mean-map", "filter", -0.3])
def test_a_mask_that_was_written_and_read_silences_what_it_was_made_from(
    tmp_path: Path, replacement: str | float
) -> None:
    made = toys.network(toys.trained(toys.Residual()))
    options = {"replacement": replacement, "reference": toys.digits(30)}
    units = {"relu:2": [5, 1], "relu:3": [2, 3]}
    expected = silenced(made, units, **options)
    written = Mask.of(made, units, **options)
    written.write(tmp_path / "mask.json")
    assert Mask.read(tmp_path / "mask.json") == written
    with torch.inference_mode():
        again = Mask.read(tmp_path / "mask.json").applied_to(made)(inputs())
        assert torch.equal(again, expected(inputs()))
        assert not torch.allclose(again, made.module(inputs()))


def test_a_mask_of_one_site_is_small_and_readable(tmp_path: Path) -> None:
    Mask.of(toys.by_hand(), "1", [2, 0]).write(tmp_path / "mask.json")
    document = json.loads((tmp_path / "mask.json").read_text())
    assert document["sites"] == [{"name": "1", "units": 4, "silent": [0, 2], "fill": 0.0}]
    assert document["network"] == "toy"
    assert len(document["architecture_sha256"]) == len(document["weights_sha256"]) == 64


def test_a_mask_for_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    Mask.of(toys.network(toys.trained(toys.Residual())), "bn1", [0]).write(tmp_path / "mask.json")
    other = Network("another", toys.trained(toys.Branches()), toys.PLAIN, 10)
    with pytest.raises(MaskError, match=r"made for the architecture of toy .* and another is another one"):
        Mask.read(tmp_path / "mask.json").applied_to(other)


def test_other_weights_are_taken_unless_the_same_are_asked_for(tmp_path: Path) -> None:
    one, other = (toys.network(toys.trained(toys.Branches(), seed=seed)) for seed in (0, 1))
    Mask.of(one, "silu", [3]).write(tmp_path / "mask.json")
    with torch.inference_mode():
        assert torch.equal(
            Mask.read(tmp_path / "mask.json").applied_to(other)(inputs()), silenced(other, "silu", [3])(inputs())
        )
    assert isinstance(Mask.read(tmp_path / "mask.json").applied_to(one, same_weights=True), nn.Module)
    with pytest.raises(MaskError, match="made for other weights of toy"):
        Mask.read(tmp_path / "mask.json").applied_to(other, same_weights=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "is not a mask"), ("[1]", "is not a mask"), ("\x80", "is not a mask"), ('{"lenslab_mask": 9}', "format 9")],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mask.json").write_text(text, encoding="latin-1")
    with pytest.raises(MaskError, match=message):
        Mask.read(tmp_path / "mask.json")
    with pytest.raises(MaskError, match=r"none\.json cannot be read"):
        Mask.read(tmp_path / "none.json")


def test_a_mask_that_was_tampered_with_does_not_fit(tmp_path: Path) -> None:
    Mask.of(toys.by_hand(), "1", [2]).write(tmp_path / "mask.json")
    document = json.loads((tmp_path / "mask.json").read_text())
    for change in ({"silent": [9]}, {"name": "nowhere"}, {"fill": [1.0, 2.0]}):
        changed = {**document, "sites": [{**document["sites"][0], **change}]}
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        with pytest.raises(MaskError, match="does not fit toy"):
            Mask.read(tmp_path / "changed.json").applied_to(toys.by_hand())
