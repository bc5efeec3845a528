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
from lenslab.units import Ablation, ablate
from lenslab.units.engine.outcome import DecidedPairs, SiteOutcome
from lenslab.units.images import ImageBlock
from lenslab.units.sweep import shard_tables
from lenslab.units.sweep.schedule import Block
from lenslab.units.sweep.shards import CANDIDATES, Shards
from lenslab.units.sweep.sweep import Progress
from tests.units import toys
from tests.units.dividing import divide

REQUEST = {"network": "toy"}


def swept(
    directory: Path, *, candidates: int = 0, batch_size: int = 8, progress: Progress | None = None
) -> tuple[Shards, list[Block]]:
    question = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(40), batch_size=batch_size, top=3)
    shards = Shards(Draft.open(directory, kind="run", request=REQUEST))
    sweep = question.sweep(question.plans, None, torch.device("cpu"), candidates)
    return shards, sweep.run(shards, progress)


def collected(found: tuple[Shards, list[Block]], kind: str, site: str | None = None) -> pd.DataFrame:
    shards, blocks = found
    return shards.collected(kind, blocks, site).to_pandas()


def written(shards: Shards, start: int, stop: int, groups: tuple[tuple[str, ...], ...], whole: int) -> None:
    block = Block(start, stop, groups)
    shards.write("images", block, None, pa.table({"image": range(start, stop)}))
    for number, names in enumerate(groups[:whole]):
        shards.write("activations", block, number, pa.table({name: range(start, stop) for name in ("image", *names)}))


@pytest.mark.parametrize(
    ("made", "images"),
    [
        ([], 0),
        ([(0, 5)], 5),
        ([(0, 5), (5, 15)], 15),
        ([(0, 5), (10, 15)], 5),
        ([(5, 10)], 0),
        ([(0, 5), (5, 15), (20, 25)], 15),
    ],
)
def test_a_sweep_goes_on_behind_the_last_whole_block_without_a_gap(
    tmp_path: Path, made: list[tuple[int, int]], images: int
) -> None:
    shards = Shards(Draft.open(tmp_path, kind="run", request=REQUEST))
    for start, stop in made:
        written(shards, start, stop, (("a",), ("b", "c")), whole=2)
    assert sum(block.stop - block.start for block in shards.whole(["a", "b", "c"])) == images
    assert shards.whole(["a", "b"]) == []
    assert shards.whole(["a", "b", "c"], ["profile"]) == []


def test_a_block_of_which_one_group_is_missing_is_not_whole_and_the_others_are_kept(tmp_path: Path) -> None:
    shards = Shards(Draft.open(tmp_path, kind="run", request=REQUEST))
    written(shards, 0, 5, (("a",), ("b", "c")), whole=1)
    assert shards.whole(["a", "b", "c"]) == []
    assert shards.missing(Block(0, 5, (("a",), ("b", "c")))) == [1]
    assert shards.missing(Block(0, 5, (("a", "b"), ("c",)))) == [0, 1]
    assert shards.missing(Block(0, 6, (("a",), ("b", "c")))) == [0, 1]


def test_a_short_sweep_leaves_one_shard_and_a_long_one_a_shard_per_batch_and_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, blocks = swept(tmp_path / "short")
    assert len(blocks) == len(shards.draft.shards("flips-*")) == 1
    divide(monkeypatch)
    shards, blocks = swept(tmp_path / "long")
    assert (len(blocks), len(shards.draft.shards("flips-*"))) == (5, 15)


def test_shards_put_together_are_what_one_shard_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = swept(tmp_path / "one")
    divide(monkeypatch)
    many = swept(tmp_path / "many")
    keys = ["site", "unit", "image"]
    flips = [collected(found, "flips").sort_values(keys).to_numpy().tolist() for found in (one, many)]
    assert len(flips[0]) > 20
    assert flips[0] == flips[1]
    top = [collected(found, "top_flips").sort_values(keys).to_numpy().tolist() for found in (one, many)]
    assert len(top[0]) > 20
    assert top[0] == top[1]
    pd.testing.assert_frame_equal(*(collected(found, "images") for found in (one, many)))
    paths = [collected(found, "paths").groupby(["site", "path"])["pairs"].sum() for found in (one, many)]
    pd.testing.assert_series_equal(*paths)
    assert paths[0].sum() == 40 * 18
    for site in paths[0].index.levels[0]:
        sums = [shards.sums(blocks, site, 6, 10) for shards, blocks in (one, many)]
        np.testing.assert_allclose(sums[0].total, sums[1].total, rtol=1e-12, atol=1e-12)
        assert (sums[0].squares > 0).any()


def test_activations_stand_side_by_side_in_the_order_of_the_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    shards, blocks = swept(tmp_path)
    names = [name for group in blocks[0].groups for name in group]
    together = pa.concat_tables(shards.activations(blocks, names))
    assert together.column_names == ["image", *names]
    assert together.column("image").to_pylist() == list(range(40))
    assert together.column(names[0]).type.list_size == 6


def test_flips_name_the_image_its_label_and_both_predictions(tmp_path: Path) -> None:
    found = swept(tmp_path)
    flips, images = collected(found, "flips"), collected(found, "images")
    assert images["image"].tolist() == list(range(40))
    assert images["label"].tolist() == toys.digits(40).labels.tolist()
    assert (flips["before"] != flips["after"]).all()
    assert flips["label"].tolist() == images["label"][flips["image"]].tolist()
    assert flips["before"].tolist() == images["prediction"][flips["image"]].tolist()
    assert flips["image"].max() > 32
    assert (flips["draw"] == 0).all()


def test_progress_never_goes_back_and_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    swept(tmp_path, progress=lambda done, total: seen.append((done, total)))
    done = [step for step, _ in seen]
    assert done[0] == 0
    assert done == sorted(done)
    assert seen[-1][0] == pytest.approx(seen[-1][1])
    assert len({*done}) == 1 + 5 * 3


def test_candidates_are_drawn_from_every_batch_and_are_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lenslab.units.sweep.sweep._CANDIDATES", 4)
    first, second = (collected(swept(tmp_path / name, candidates=6), "candidates") for name in "ab")
    pd.testing.assert_frame_equal(first, second)
    assert first.groupby("path").size().to_dict() == {"inactive": 6, "low-rank update": 6, "suffix": 6}
    assert first["image"].max() >= 8
    few = collected(swept(tmp_path / "few"), "candidates")
    assert few.groupby("path").size().to_dict() == {"inactive": 4, "low-rank update": 4, "suffix": 4}, (
        "some are kept for a later check"
    )


def test_pairs_with_small_margins_are_drawn_more_often() -> None:
    count = 2000
    margin = torch.full((count,), 2.0)
    margin[::2] = 0.01
    rows = torch.arange(count)
    outcome = SiteOutcome("relu", np.zeros((count, 1), np.float32))
    outcome.decided.append(DecidedPairs("suffix", rows, torch.zeros_like(rows), rows % 7, margin))
    images = ImageBlock(100, np.arange(100, 100 + count), (), np.zeros(count, np.int64), np.zeros(count, bool))
    drawn = shard_tables._candidates(outcome, images, 2, 200, np.random.default_rng(0)).to_pandas()
    assert len(drawn) == 200
    assert (drawn["image"] % 2 == 0).mean() > 0.8
    assert drawn["image"].min() >= 100
    assert drawn["after"].tolist() == ((drawn["image"] - 100) % 7).tolist()
    assert drawn["priority"].is_monotonic_decreasing
    assert (drawn["draw"] == 2).all()


def test_the_strongest_candidates_of_each_path_are_kept() -> None:
    priority = [0.1, 0.9, 0.5, 0.2, 0.3]
    columns = ["a"] * 5, ["x", "x", "x", "y", "y"], [0] * 5, range(5), [0] * 5, [0] * 5, priority
    table = pa.table(dict(zip(CANDIDATES.names, columns, strict=True)), schema=CANDIDATES)
    kept = shard_tables.strongest(table, 2).to_pandas()
    assert sorted(kept["image"]) == [1, 2, 3, 4]


def test_a_shard_that_was_cut_short_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, write = toys.network(toys.trained(toys.Residual())), records.Draft.write_table
    divide(monkeypatch)

    def die(draft: records.Draft, name: str, table: object) -> Path:
        if name.startswith("shards/activations-000000008-000000016-0002"):
            raise KeyboardInterrupt
        return write(draft, name, table)

    with monkeypatch.context() as patch:
        patch.setattr(records.Draft, "write_table", die)
        with pytest.raises(KeyboardInterrupt):
            ablate(made, toys.digits(40), batch_size=8, out=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "shards").glob("activations-*")}
    assert len(kept) == 4
    resumed = ablate(made, toys.digits(40), batch_size=8, out=tmp_path)
    pd.testing.assert_frame_equal(resumed.flips, ablate(made, toys.digits(40), batch_size=8).flips)


def test_a_sweep_that_goes_on_with_other_batches_keeps_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = toys.network(toys.trained(toys.Residual()))
    divide(monkeypatch)

    def stop(done: float, total: float) -> None:
        if done >= 0.7 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(made, toys.digits(40), batch_size=8, out=tmp_path, progress=stop)
    seen: list[float] = []
    resumed = ablate(
        made, toys.digits(40), batch_size=5, out=tmp_path, progress=lambda done, total: seen.append(done / total)
    )
    assert seen[1] == pytest.approx(0.6)  # three of five batches were whole
    pd.testing.assert_frame_equal(resumed.flips, ablate(made, toys.digits(40)).flips)


def test_a_sweep_that_goes_on_takes_the_paths_of_one_that_was_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, images = toys.dark_beginning()
    divide(monkeypatch)

    def stop(done: float, total: float) -> None:
        if done >= 0.3 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(made, images, batch_size=8, out=tmp_path, progress=stop)
    resumed, whole = ablate(made, images, batch_size=8, out=tmp_path), ablate(made, images, batch_size=8)
    assert "low-rank update" not in whole.record.document["paths"]["1"]
    assert resumed.record.document["paths"] == whole.record.document["paths"]
