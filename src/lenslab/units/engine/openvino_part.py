"""A part of a network that OpenVINO has compiled for the processor at hand (extra ``fast``)."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, fx

from lenslab.units.engine.rows import filled

_TELEMETRY = "openvino_telemetry"
_TRACED = 2
"""So many rows are run to see what a part does, which does not depend on how many there are."""

_MODELS: WeakKeyDictionary[fx.GraphModule, dict[Any, Any]] = WeakKeyDictionary()
_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}


class OpenVinoPart:
    """Runs a part of a network, compiled for as many rows as its examples have.

    Fewer rows are filled up with the last one. Values are handed over with their channels last, as the engine keeps
    them, and come back so.
    """

    def __init__(self, module: fx.GraphModule, examples: Sequence[Tensor], precision: torch.dtype) -> None:
        self._rows = len(examples[0])
        model = _converted(module, examples)
        self._maps = [_is_map(output) for output in model.outputs]
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }
        self._request = _core().compile_model(model, "CPU", settings).create_infer_request()

    def __call__(self, values: Sequence[Tensor]) -> Sequence[Tensor]:
        """Run it."""
        rows = len(values[0])
        whole = values if rows == self._rows else [filled(value, self._rows) for value in values]
        found = self._request.infer([_handed_over(value) for value in whole], share_inputs=True)
        results = [torch.from_numpy(found[place])[:rows] for place in range(len(self._maps))]
        return [
            result.permute(0, 3, 1, 2) if is_map else result for result, is_map in zip(results, self._maps, strict=True)
        ]


def openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report every import and conversion."""
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    absent = _TELEMETRY not in sys.modules
    if absent:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # so it is taken as not installed
    try:
        import openvino as ov
    finally:
        if absent:
            del sys.modules[_TELEMETRY]
    return ov


@cache
def _core() -> Any:
    return openvino().Core()


def _converted(module: fx.GraphModule, examples: Sequence[Tensor]) -> Any:
    """Convert a part, once for all precisions and numbers of rows, since that takes longer than compiling."""
    rows = len(examples[0])
    shapes = [[-1 if len(value) == rows else len(value), *value.shape[1:]] for value in examples]
    known = _MODELS.setdefault(module, {})
    key = str(shapes)
    if key not in known:
        ov = openvino()
        few = [value[:_TRACED] if len(value) == rows else value for value in examples]
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # torch.jit's own, which OpenVINO reads
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                module, tuple(value.clone() for value in few), check_trace=False
            )
            known[key] = ov.convert_model(traced, example_input=tuple(few), input=shapes)
    model = known[key].clone()
    model.reshape({place: list(value.shape) for place, value in enumerate(examples)})
    return _channels_last(openvino(), model)


def _channels_last(ov: Any, model: Any) -> Any:
    """Let a model take and give its maps with the channels last."""
    processor = ov.preprocess.PrePostProcessor(model)
    for ends, processed in ((model.inputs, processor.input), (model.outputs, processor.output)):
        for place, end in enumerate(ends):
            if _is_map(end):
                processed(place).tensor().set_layout(ov.Layout("NHWC"))
                processed(place).model().set_layout(ov.Layout("NCHW"))
    return processor.build()


def _is_map(end: Any) -> bool:
    return bool(end.get_partial_shape().rank.get_length() == 4)


def _handed_over(value: Tensor) -> Any:
    if value.dim() == 4:
        value = value.permute(0, 2, 3, 1)
    return value.contiguous().numpy()
