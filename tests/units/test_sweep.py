"""The sweep: which shards it keeps, where it goes on, which pairs it puts aside for checking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from lenslab import records
from lenslab.records import Draft
from lenslab.units import ablate, ask, sweep
from lenslab.units.engine.outcome import Decided, SiteOutcome
from tests.units import toys

REQUEST = {"network": "toy"}


def swept(
    directory: Path, *, candidates: int = 6, batch_size: int = 8, progress: sweep.Progress | None = None
) -> Draft:
    question = ask(toys.network(toys.trained(toys.Residual())), toys.digits(40))
    draft = Draft.open(directory, kind="run", request=REQUEST)
    sweep.sweep(
        question.trace,
        question.plans,
        question.images,
        question.network.preprocessing,
        draft,
        engine="exact",
        batch_size=batch_size,
        device=torch.device("cpu"),
        candidates=candidates,
        seed=0,
        progress=progress,
    )
    return draft


@pytest.mark.parametrize(
    ("shards", "images"),
    [
        ([], 0),
        ([(0, 5)], 5),
        ([(0, 5), (5, 15)], 15),
        ([(0, 5), (10, 15)], 5),
        ([(5, 10)], 0),
        ([(0, 5), (5, 15), (20, 25)], 15),
    ],
)
def test_a_sweep_goes_on_behind_the_last_shard_without_a_gap(
    tmp_path: Path, shards: list[tuple[int, int]], images: int
) -> None:
    draft = Draft.open(tmp_path, kind="run", request=REQUEST)
    for start, stop in shards:
        draft.write_table(f"shards/images-{start:09d}-{stop:09d}", pd.DataFrame({"image": range(start, stop)}))
    assert sweep.finished(draft) == images


def test_a_fast_sweep_leaves_one_shard_and_a_slow_one_a_shard_per_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(swept(tmp_path / "fast").shards("images-*")) == 1
    monkeypatch.setattr(sweep, "SHARD_SECONDS", 0.0)
    assert len(swept(tmp_path / "slow").shards("images-*")) == 5


def test_shards_put_together_are_what_one_shard_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = swept(tmp_path / "one")
    monkeypatch.setattr(sweep, "SHARD_SECONDS", 0.0)
    many = swept(tmp_path / "many")
    keys = ["site", "unit", "image"]
    flips = [sweep.collected(draft, "flips").to_pandas().sort_values(keys).to_numpy() for draft in (one, many)]
    assert len(flips[0]) > 20
    assert flips[0].tolist() == flips[1].tolist()
    assert sweep.collected(one, "images").equals(sweep.collected(many, "images"))
    paths = [
        sweep.collected(draft, "paths").to_pandas().groupby(["site", "path"])["pairs"].sum() for draft in (one, many)
    ]
    pd.testing.assert_series_equal(*paths)
    assert paths[0].sum() == 40 * 18


def test_flips_name_the_image_its_label_and_both_predictions(tmp_path: Path) -> None:
    draft = swept(tmp_path)
    flips, images = (sweep.collected(draft, kind).to_pandas() for kind in ("flips", "images"))
    assert images["image"].tolist() == list(range(40))
    assert images["label"].tolist() == toys.digits(40).labels.tolist()
    assert (flips["before"] != flips["after"]).all()
    assert flips["label"].tolist() == images["label"][flips["image"]].tolist()
    assert flips["before"].tolist() == images["prediction"][flips["image"]].tolist()
    assert flips["image"].max() > 32


def test_progress_never_goes_back_and_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    swept(tmp_path, progress=lambda done, total: seen.append((done, total)))
    done = [step for step, _ in seen]
    assert done[0] == 0
    assert done == sorted(done)
    assert seen[-1][0] == pytest.approx(seen[-1][1])
    assert len(seen) == 1 + 5 * 3


def test_candidates_are_drawn_from_every_batch_and_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = (sweep.collected(swept(tmp_path / name), "candidates") for name in "ab")
    assert first.equals(second)
    drawn = first.to_pandas()
    assert drawn.groupby("path").size().to_dict() == {"inactive": 6, "suffix": 6}
    assert drawn["image"].max() >= 8
    assert sweep.collected(swept(tmp_path / "none", candidates=0), "candidates").num_rows == 0


def test_pairs_with_small_margins_are_drawn_more_often() -> None:
    count = 2000
    margin = torch.full((count,), 2.0)
    margin[::2] = 0.01
    rows = torch.arange(count)
    outcome = SiteOutcome("relu", np.zeros((count, 1), np.float32))
    outcome.decided.append(Decided("suffix", rows, torch.zeros_like(rows), rows % 7, margin))
    drawn = sweep._candidates(outcome, 100, 200, np.random.default_rng(0)).to_pandas()
    assert len(drawn) == 200
    assert (drawn["image"] % 2 == 0).mean() > 0.8
    assert drawn["image"].min() >= 100
    assert drawn["after"].tolist() == ((drawn["image"] - 100) % 7).tolist()
    assert drawn["priority"].is_monotonic_decreasing


def test_the_strongest_candidates_of_each_path_are_kept() -> None:
    priority = [0.1, 0.9, 0.5, 0.2, 0.3]
    columns = ["a"] * 5, ["x", "x", "x", "y", "y"], [0] * 5, range(5), [0] * 5, priority
    table = pa.table(dict(zip(sweep.CANDIDATES.names, columns, strict=True)), schema=sweep.CANDIDATES)
    kept = sweep.strongest(table, 2).to_pandas()
    assert sorted(kept["image"]) == [1, 2, 3, 4]


def test_a_shard_that_was_cut_short_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, write = toys.network(toys.trained(toys.Residual())), records.Draft.write_table

    def die(draft: records.Draft, name: str, table: object) -> Path:
        if name.startswith("shards/images-000000008"):
            raise KeyboardInterrupt
        return write(draft, name, table)

    with monkeypatch.context() as patch:
        patch.setattr(sweep, "SHARD_SECONDS", 0.0)
        patch.setattr(records.Draft, "write_table", die)
        with pytest.raises(KeyboardInterrupt):
            ablate(made, toys.digits(40), batch_size=8, out=tmp_path)
    resumed = ablate(made, toys.digits(40), batch_size=8, out=tmp_path)  # one shard for the rest: 8 to 40
    pd.testing.assert_frame_equal(resumed.flips, ablate(made, toys.digits(40), batch_size=8).flips)
