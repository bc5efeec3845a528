"""Executors and precisions: what runs a part of a network decides no integer."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from lenslab.units import Ablation, UnitsError, ablate, load
from lenslab.units.engine import execution, site_plan
from lenslab.units.engine.audit import Audit, audit, drawn, margin_errors
from lenslab.units.engine.batch import batch_of, batches
from lenslab.units.engine.cuda_graph_part import CudaGraphPart
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.execution import (
    CUDA_GRAPH,
    EAGER,
    OPENVINO,
    EagerPart,
    Execution,
    execution_of,
    precision_of,
    prepared,
)
from lenslab.units.engine.float64_recheck import Float64Recheck
from lenslab.units.errors import VerificationError
from tests.units import toys

needs_openvino = pytest.mark.skipif(not execution.installed(), reason="OpenVINO (extra fast) is not installed")
EXECUTORS = [EAGER, pytest.param(OPENVINO, marks=needs_openvino)]
NETWORKS = {kind.__name__: kind for kind in (toys.Residual, toys.Branches, toys.Shared)}
COLUMNS = ["site", "unit", "image", "before", "after", "draw"]


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks are so small that nothing would be gained in bfloat16."""
    monkeypatch.setattr(site_plan, "_ROUGH_COST", 0)


def pair_of_runs(kind: str, count: int = 150, **options: Any) -> tuple[Any, Any]:
    network, images = toys.network(toys.trained(NETWORKS[kind]())), toys.digits(count)
    plain = ablate(network, images, attributes=False, engine="plain", **kept(options))
    return plain, ablate(network, images, attributes=False, batch_size=64, **options)


def kept(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ("executor", "arithmetic", "verify")}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("arithmetic", ["float32", "mixed"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_the_integers_are_those_of_the_plain_engine(kind: str, arithmetic: str, executor: str) -> None:
    plain, run = pair_of_runs(kind, executor=executor, arithmetic=arithmetic, top=3)
    assert len(plain.flips) > 50
    pd.testing.assert_frame_equal(run.flips[COLUMNS], plain.flips[COLUMNS])
    tables = [each.record.table("top_flips") for each in (run, plain)]
    pd.testing.assert_frame_equal(*tables)
    assert run.record.document["arithmetic"] == arithmetic
    assert run.record.document["executor"] == executor


@needs_openvino
@pytest.mark.parametrize("options", [{"replacement": "mean"}, {"basis": "haar"}, {"replacement": "resample"}])
def test_openvino_serves_every_intervention(options: dict[str, Any]) -> None:
    plain, run = pair_of_runs("Residual", 60, executor=OPENVINO, **options)
    pd.testing.assert_frame_equal(run.flips[COLUMNS], plain.flips[COLUMNS])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_bfloat16_decides_most_pairs_and_leaves_continuous_figures_out(executor: str) -> None:
    network, asked = load("small", weights="digits"), {"attributes": False, "limit": 200}
    plain = ablate(network, "digits", engine="plain", **asked)
    run = ablate(network, "digits", executor=executor, arithmetic="mixed", **asked)
    pd.testing.assert_frame_equal(run.flips[COLUMNS], plain.flips[COLUMNS])
    counts = pd.DataFrame(run.record.document["paths"]).sum(axis=1)
    assert counts["bfloat16"] > 0.5 * counts.drop(["inactive", "linear tail"], errors="ignore").sum()
    assert "loss_rise" in plain.units
    assert "loss_rise" not in run.units
    audits = run.record.document["audits"].values()
    assert all(each["failed"] == 0 and each["audited"] >= 96 for each in audits)
    assert any(each["widest_band"] >= 2 * each["largest_error"] > 0 for each in audits)


def test_executor_and_arithmetic_stand_in_the_key_where_they_are_used() -> None:
    network, images = toys.network(toys.trained(toys.Residual())), toys.digits(10)
    base, mixed = (Ablation.of(network, images, executor=EAGER, arithmetic=each) for each in ("float32", "mixed"))
    assert base.key != mixed.key
    assert "executor" not in base.request
    assert Ablation.of(network, images).key == base.key, "so little is not worth compiling"


def test_only_what_costs_much_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "installed", lambda: True)
    assert [execution_of("auto", cost).executor for cost in (1e9, 1e12)] == [EAGER, OPENVINO]
    monkeypatch.setattr(execution, "installed", lambda: False)
    assert execution_of("auto", 1e12).executor == EAGER


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "fastest"}, "no executor named 'fastest'; there are auto, eager, openvino"),
        ({"executor": "openvino"}, r"OpenVINO is not installed; pip install 'lenslab\[fast\]'"),
        ({"arithmetic": "float8"}, "no arithmetic named 'float8'; there are auto, float32, mixed"),
        ({"arithmetic": "mixed", "engine": "plain"}, "the plain engine is torch in float32 throughout"),
    ],
)
def test_what_cannot_be_had_is_refused(options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "installed", lambda: False)
    with pytest.raises(UnitsError, match=message):
        Ablation.of(toys.by_hand(), toys.digits(4), **options)


def test_pairs_that_cost_next_to_nothing_are_decided_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = toys.network(toys.trained(toys.Residual())), toys.digits(4)
    for least, arithmetic in ((0, "mixed"), (10**9, "float32")):
        monkeypatch.setattr(site_plan, "_ROUGH_COST", least)
        assert Ablation.of(network, images, arithmetic="mixed").arithmetic == arithmetic


@needs_openvino
def test_the_plain_engine_and_devices_that_are_no_processors_are_torch_alone() -> None:
    network, images = toys.network(toys.trained(toys.Residual())), toys.digits(4)
    with pytest.raises(UnitsError, match="the plain engine is torch"):
        Ablation.of(network, images, engine="plain", executor=OPENVINO)
    with pytest.raises(UnitsError, match="OpenVINO runs on processors, not on cuda:1"):
        Ablation.of(network, images, executor=OPENVINO).on_device("cuda:1")


@needs_openvino
def test_elsewhere_than_on_a_processor_the_key_and_the_record_say_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "_WORTH_COMPILING", 0)
    question = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(4))
    assert (question.executor, question.on_device("cpu").executor) == (OPENVINO, OPENVINO)
    elsewhere = question.on_device("mps")
    assert elsewhere.executor == EAGER
    assert elsewhere.key != question.key


def test_auto_is_mixed_where_bfloat16_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for fast, precision in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(execution, "bfloat16_is_fast", lambda _device, fast=fast: fast)
        assert precision_of("auto") is precision


@needs_openvino
def test_values_in_place_and_fewer_rows_come_out_of_openvino_as_out_of_torch() -> None:
    class Overwriting(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            kept = (x + 1).clone()
            return torch.relu_(x - y).mean(dim=(2, 3)), kept

    module = fx.symbolic_trace(Overwriting())
    x, y = torch.randn(2, 4, 3, 5, 5).unbind()
    part = prepared(module, [x, y], Execution(OPENVINO))
    for rows in (4, 1, 3):
        found, expected = part([x[:rows], y[:rows]]), module(x[:rows].clone(), y[:rows].clone())
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)


class Uncommon(nn.Module):
    """With an operation that OpenVINO does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.special.i0e(self.second(F.relu(self.first(x)))).amax((2, 3)))


@needs_openvino
def test_what_openvino_cannot_compile_is_run_by_torch() -> None:
    from lenslab.units.engine.openvino_part import OpenVinoPart

    network = toys.network(toys.trained(Uncommon()))
    with pytest.warns(RuntimeWarning, match="torch runs a part of the network that openvino cannot"):
        found = ablate(network, toys.digits(40), attributes=False, executor="openvino")
    plain = ablate(network, toys.digits(40), attributes=False, engine="plain")
    pd.testing.assert_frame_equal(found.flips, plain.flips)
    with pytest.raises(Exception, match="i0e"):
        OpenVinoPart(fx.symbolic_trace(Uncommon()), [torch.zeros(2, 1, 8, 8)], torch.float32)


@needs_openvino
def test_a_batch_may_have_more_images_than_the_one_before() -> None:
    network, images = toys.network(toys.trained(toys.Residual())), toys.digits(30)
    question = Ablation.of(network, images, executor=OPENVINO)
    engine = question.engine_for(question.plans, torch.device("cpu"))
    for count in (7, 20, 3):
        (block,) = images.limited(count).blocks(count)
        with torch.inference_mode():
            outcome = engine.run(batch_of(toys.PLAIN(block.pixels), block.labels, block.numbers))
            decided = [sum(len(piece.rows) for piece in site.decided) for site in outcome.sites]
        assert decided == [count * plan.count for plan in question.plans]


@needs_openvino
def test_openvino_is_loaded_without_its_telemetry() -> None:
    code = (
        "import sys; from lenslab.units.engine.openvino_part import openvino; ov = openvino(); "
        "from openvino.tools.ovc.telemetry_utils import tm; "
        "assert 'openvino_telemetry' not in sys.modules; print(tm.__name__)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "stub" in printed


# The audit.


def test_errors_count_where_margins_decide() -> None:
    high = torch.tensor([[4.0, 1.0, *[0.0] * 7, -9.0]])
    shifted, far, near = high + 0.5, high.clone(), high.clone()
    far[0, -1] += 3
    near[0, 1] += 0.25
    labels = torch.tensor([0])
    errors = [float(margin_errors(low, high, labels)) for low in (shifted, far, near)]
    assert errors == pytest.approx([0.0, 0.0, 0.25 / 9])
    assert float(margin_errors(far, high, torch.tensor([9]))) == pytest.approx(3 / 6), "of the true class it counts"


def test_a_band_that_does_not_hold_on_the_other_half_is_not_used() -> None:
    high = torch.tensor([[1.0, 0.0]]).repeat(64, 1)
    low = high.clone()
    low[1::2, 1] = 0.1  # only the half that the band is held against
    found = audit(low, high, torch.zeros(64).long(), floor=1e-4)
    assert not found.passed
    assert found.failed == 32


def test_where_most_pairs_would_be_decided_again_or_are_not_finite_the_audit_fails() -> None:
    high = torch.tensor([[1.0, 0.99]]).repeat(64, 1)
    labels = torch.zeros(64).long()
    assert not audit(high + torch.tensor([0.0, 0.005]), high, labels, floor=1e-4).passed
    assert not audit(torch.full_like(high, torch.nan), high, labels, floor=1e-4).passed
    assert audit(high + 1e-6, high, labels, floor=1e-4).passed


def test_few_pairs_are_not_audited_but_run_in_float32() -> None:
    assert drawn(767, seed=0) is None
    places = drawn(768, seed=0)
    assert places is not None
    assert len(places.unique()) == 96


# Broken on purpose.


def test_a_compiled_part_that_is_wrong_is_seen_on_the_first_batch_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(execution.EagerPart):
        def __call__(self, values: Any) -> Any:
            return [each.roll(1, dims=1) for each in super().__call__(values)]

    monkeypatch.setattr(execution, "installed", lambda: True)
    real = execution.prepared

    def broken(module: Any, examples: Any, how: Execution) -> Any:
        return Wrong(module, torch.float32) if how.executor == OPENVINO else real(module, examples, how)

    monkeypatch.setattr("lenslab.units.engine.prepared_parts.prepared", broken)
    plain, run = pair_of_runs("Residual", 60, executor=OPENVINO)
    pd.testing.assert_frame_equal(run.flips[COLUMNS], plain.flips[COLUMNS])


def halved_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lenslab.units.engine.exact_engine.audit", lambda low, *_: Audit(len(low), error=0.0, band=0.0, failed=0)
    )


def no_recheck(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Float64Recheck.roughly

    def all_sure(self: Float64Recheck, *arguments: Any, **options: Any) -> Any:
        return right(self, *arguments, **{**options, "band": -1.0})

    monkeypatch.setattr(Float64Recheck, "roughly", all_sure)


class Close(nn.Module):
    """Half of its classes are nearly the others' twins, so that bfloat16 cannot tell them apart."""

    def __init__(self) -> None:
        super().__init__()
        self.features = toys.trained(toys.Branches())

    def forward(self, x: Tensor) -> Tensor:
        logits = self.features(x)
        return torch.cat([logits, logits + 0.02 * torch.tanh(3 * logits.flip(1))], dim=1)


@pytest.mark.parametrize("breaks", [halved_band, no_recheck])
def test_forgetting_the_band_is_seen_by_the_check_of_pairs(monkeypatch: pytest.MonkeyPatch, breaks: Any) -> None:
    network, images = toys.network(Close().eval(), classes=20), toys.digits(400)
    asked = {"attributes": False, "executor": EAGER, "arithmetic": "mixed"}
    right, plain = ablate(network, images, **asked), ablate(network, images, attributes=False, engine="plain")
    pd.testing.assert_frame_equal(right.flips[COLUMNS], plain.flips[COLUMNS])
    monkeypatch.setattr("lenslab.units.engine.audit._MOST_AGAIN", 1.0)
    breaks(monkeypatch)
    with pytest.raises(VerificationError, match="differ from the plain way"):
        ablate(network, images, verify=4000, **asked)


def test_the_engine_audits_every_batch() -> None:
    network, images = toys.network(toys.trained(toys.Branches())), toys.digits(500)
    question = Ablation.of(network, images, arithmetic="mixed", batch_size=250)
    engine = question.engine_for(question.plans, torch.device("cpu"))
    assert isinstance(engine, ExactEngine)
    run = question.run()
    assert {each["batches"] for each in run.record.document["audits"].values()} == {2}


class RecordedGraph:
    """Runs again what ran in its recording, as a GPU would."""

    def replay(self) -> None:
        for output, again in zip(self.outputs, self.run(), strict=True):
            output.copy_(again)


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[RecordedGraph]:
    """Stands in for the parts of torch.cuda that record graphs; a graph is told what it runs by its part."""
    made: list[RecordedGraph] = []

    def graph() -> RecordedGraph:
        made.append(RecordedGraph())
        return made[-1]

    stream = MagicMock()
    for name, stand_in in {
        "CUDAGraph": graph,
        "graph": lambda _graph, stream: nullcontext(stream),
        "device": lambda _: nullcontext(),
        "stream": lambda _: nullcontext(),
        "Stream": lambda: stream,
        "current_stream": lambda: stream,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    begun = CudaGraphPart.__init__

    def told(self: CudaGraphPart, *arguments: Any) -> None:
        begun(self, *arguments)
        self._graph.run, self._graph.outputs = self._run, self._outputs  # type: ignore[attr-defined]

    monkeypatch.setattr(CudaGraphPart, "__init__", told)
    return made


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_recorded_part_copies_values_in_and_results_out(graphs: list[Any], precision: torch.dtype) -> None:
    module = fx.symbolic_trace(nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(12, 4)))
    some, others = torch.randn(2, 5, 2, 2, 2)
    with torch.inference_mode():
        part = prepared(module, [some], Execution(CUDA_GRAPH, precision))
        (first,), (fewer,) = part([others]), part([some[:2]])
        tolerance = {"rtol": 1e-5, "atol": 1e-6} if precision is torch.float32 else {"rtol": 0.05, "atol": 0.05}
        torch.testing.assert_close(first, module(others), **tolerance)
        torch.testing.assert_close(fewer, module(some[:2]), **tolerance)
        assert (len(graphs), first.dtype) == (1, torch.float32)


@pytest.mark.usefixtures("graphs")
@pytest.mark.parametrize("replays", [True, False])
def test_a_graph_that_reads_nothing_again_is_left(monkeypatch: pytest.MonkeyPatch, replays: bool) -> None:
    if not replays:
        monkeypatch.setattr(RecordedGraph, "replay", lambda _: None)
    network, images = toys.network(toys.trained(toys.Residual())), toys.digits(60)
    asked = Ablation.of(network, images, attributes=False)
    plans = [plan.on_device("cuda", execution.AUTO, 10**12) for plan in asked.plans]
    engine = asked.engine_for(plans, torch.device("cpu"))
    assert isinstance(engine, ExactEngine)
    ((_, batch),) = batches(images, network.preprocessing, 60, torch.device("cpu"))
    flipped = {}
    with torch.inference_mode():
        outcome = engine.run(batch)
        for site in outcome.sites:
            changed = [piece.after != outcome.reference.predictions[piece.rows] for piece in site.decided]
            flipped[site.site] = int(torch.cat(changed).sum())
    assert (EAGER in {plan.execution.executor for plan in engine._plans}) is not replays
    assert flipped == ablate(network, images, attributes=False).flips.groupby("site").size().to_dict()


def test_what_cannot_be_recorded_is_run_by_torch() -> None:
    module = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3)))
    with pytest.warns(RuntimeWarning, match="torch runs a part of the network that cuda graph cannot"):
        assert isinstance(prepared(module, [torch.zeros(4, 2)], Execution(CUDA_GRAPH)), EagerPart)


def test_on_a_gpu_what_has_much_to_do_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Ablation.of("small", "digits", limit=20, attributes=False)
    assert asked.on_device("cuda").executor == EAGER
    monkeypatch.setattr(execution, "_WORTH_COMPILING", 0)
    there = asked.on_device("cuda:1")
    assert (there.executor, there.clean) == (CUDA_GRAPH, execution.PLAIN)
    assert there.request["executor"] == CUDA_GRAPH
    assert asked.on_device("mps").executor == EAGER
    monkeypatch.setattr(execution, "bfloat16_is_fast", lambda device: device == "cuda:1")
    monkeypatch.setattr(site_plan, "_ROUGH_COST", 0)
    either = Ablation.of("small", "digits", limit=20, attributes=False, arithmetic="auto")
    assert [either.on_device(device).arithmetic for device in ("cpu", "cuda:0", "cuda:1")] == [
        "float32",
        "float32",
        "mixed",
    ]
    assert Ablation.of("small", "digits", limit=20, executor=EAGER).on_device("cuda").executor == EAGER
