"""The forecast: a trial's times, carried over to the whole run."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from lenslab.units import Ablation, forecast
from lenslab.units.question import Question
from tests.units import toys


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every piece of work takes one second."""
    ticks = itertools.count()
    monkeypatch.setattr(forecast.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(forecast, "TRIAL_SECONDS", 1e9)
    monkeypatch.setattr(forecast, "_has_idle_processors", lambda: False)


def question(images: int, **options: object) -> Question:
    return Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(images), batch_size=8, **options)


@pytest.mark.usefixtures("ticking")
def test_twice_the_images_take_twice_the_time() -> None:
    once, twice = (forecast.forecast(question(images)).sweep_seconds for images in (40, 80))
    assert once > 5 * 3, "five batches, three sites"
    assert twice == pytest.approx(2 * once)


@pytest.mark.usefixtures("ticking")
def test_every_draw_takes_as_long_as_the_first() -> None:
    one, three = (
        forecast.forecast(question(40, replacement="resample", draws=draws)).sweep_seconds for draws in (1, 3)
    )
    batches = 5
    beside = batches * 2  # reading the images and the clean pass come once
    assert three - beside == pytest.approx(3 * (one - beside))


@pytest.mark.usefixtures("ticking")
def test_decoding_beside_the_work_takes_no_time_where_a_processor_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = forecast.forecast(question(40)).sweep_seconds
    monkeypatch.setattr(forecast, "_has_idle_processors", lambda: True)
    assert forecast.forecast(question(40)).sweep_seconds == pytest.approx(busy - 4), "all but the first of five batches"


def test_a_process_that_takes_the_processor_once_does_not_spoil_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, calls, decide = itertools.count(), itertools.count(), forecast._decided
    stalled: list[float] = []

    def stalling(*arguments: object) -> object:
        if next(calls) % 5 == 3:  # the second of the three laps of each site
            stalled.append(100.0)
        return decide(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(forecast, "TRIAL_SECONDS", 1e9)
    monkeypatch.setattr(forecast, "_SITE_SECONDS", 2.0)
    monkeypatch.setattr(forecast.time, "perf_counter", lambda: float(next(ticks)) + sum(stalled))
    calm = forecast.forecast(question(40)).site_seconds
    monkeypatch.setattr(forecast, "_decided", stalling)
    assert forecast.forecast(question(40)).site_seconds == pytest.approx(calm)
    assert len(stalled) == 3


def test_it_says_what_each_site_takes() -> None:
    found = forecast.forecast(question(40))
    assert {*found.site_seconds} == {plan.site.name for plan in question(40).plans}
    assert 0 < sum(found.site_seconds.values()) <= found.sweep_seconds


@pytest.mark.usefixtures("ticking")
def test_without_attributes_their_pass_takes_no_time() -> None:
    assert forecast.forecast(question(40)).attribute_seconds > 0
    assert forecast.forecast(question(40, attributes=False)).attribute_seconds == 0


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "plain"},
        {"replacement": "mean-map"},
        {"replacement": "0.5"},
        {"replacement": "filter"},
        {"basis": "haar"},
        {"basis": "energy"},
        {"groups": {"relu:1": [[0], [0, 1, 2]]}},
        {"top": 3},
    ],
)
def test_every_way_to_silence_can_be_tried(options: dict[str, object]) -> None:
    found = forecast.forecast(question(20, **options))
    assert 0 < found.trial_seconds < 60
    assert 0 < found.seconds < 60
    assert found.peak_bytes > 50e6


def test_a_network_without_a_graph_can_be_tried() -> None:
    made = toys.network(toys.trained(toys.Untraceable()))
    assert forecast.forecast(Ablation.of(made, toys.digits(20))).sweep_seconds > 0


def test_a_trial_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = question(20)
    state, key = torch.random.get_rng_state(), asked.key
    forecast.forecast(asked)
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(torch.random.get_rng_state(), state)
    assert asked.key == key


def test_sites_beyond_the_trials_time_run_at_the_rate_of_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = question(40)
    monkeypatch.setattr(forecast, "TRIAL_SECONDS", 0.0)
    tried: list[str] = []
    decide = forecast._tried

    def noting(runner: object, batch: object, plan: object) -> tuple[int, float]:
        tried.append(plan.site.name)  # type: ignore[attr-defined]
        return decide(runner, batch, plan)  # type: ignore[arg-type]

    monkeypatch.setattr(forecast, "_tried", noting)
    assert forecast.forecast(asked).sweep_seconds > 0
    assert len(tried) == 1
