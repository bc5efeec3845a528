"""Looking inside a network: its sites, and programs that run it whole, cut and resumed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from lenslab.units.engine.float64_program import Float64Program
from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.hook_program import HookProgram, sites_of
from lenslab.units.engine.linear_tail import LinearTail, linear_tail
from lenslab.units.engine.low_rank_update import UpdateCost, update_cost
from lenslab.units.engine.near_ties import close
from lenslab.units.engine.program import Program
from lenslab.units.engine.sites import Site, select
from lenslab.units.errors import TrainingModeError, UnsupportedNetworkError, some_of
from lenslab.units.networks.module_kinds import is_bare, refuse_kinds
from lenslab.units.networks.network import Network

_NOT_ITS_CLASS = (
    "the network itself carries forward hooks, or a forward that is not its class's, which torch.fx leaves out"
)
_OTHER_ANSWER = (
    "its graph gives another answer than the network itself, as where an operation in place changes a value that has "
    "two names"
)


@dataclass(frozen=True)
class Trace:
    """What was seen inside a network.

    Attributes:
        module: A private copy of the network; the caller's own is never run, hooked or changed.
        sites: Every value whose units can be silenced, by name, in the order of execution.
        unsupported: Why the values of other layers are no sites, by their names.
        classes: Number of logits.
        graph: The graph of operations; ``None`` where torch.fx could not trace the network and hooks are used.
        obstacle: Why it could not, as torch says; empty where it could.
        costs: Multiply-accumulates per image from each site on, by its name, and of the whole network under ``""``;
            empty without a graph.
        tails: The linear tail behind a site, by its name, where there is one.
        updates: What it costs where only the change of the first dense layers behind a site is computed, by its name,
            where such layers follow.
    """

    module: nn.Module
    sites: dict[str, Site]
    unsupported: dict[str, str]
    classes: int
    graph: Graph | None
    obstacle: str
    costs: dict[str, int]
    tails: dict[str, LinearTail]
    updates: dict[str, UpdateCost]
    _make: Callable[[torch.device, torch.dtype, bool], Program]

    def program(self, device: torch.device, *, precision: torch.dtype = torch.float32, fast: bool = False) -> Program:
        """Make a program that runs the network.

        Args:
            device: Where to run.
            precision: ``torch.float32``, or ``torch.float64`` for the last word.
            fast: Fold batch norms and put channels last, which changes the last bits and nothing else.
        """
        made = self._make(device, precision, fast)
        return Float64Program(made) if precision is torch.float64 else made

    def select(self, patterns: Sequence[str] | str | None = None) -> tuple[Site, ...]:
        """Choose sites by shell globs over their names; by default the value that each convolution hands on.

        Raises:
            UnknownSiteError: A pattern matches no site.
        """
        chosen = [patterns] if isinstance(patterns, str) else patterns
        return select(self.sites.values(), chosen, self.unsupported)


def trace(network: Network | nn.Module, input_shape: tuple[int, ...] | None = None) -> Trace:
    """Look inside a network.

    torch.fx traces the usual classifiers and sees every operation. Where it cannot, forward hooks see what the modules
    without submodules put out.

    Args:
        network: A network, or a classifier in evaluation mode: images ``[n, *input_shape]`` to logits
            ``[n, classes]``. It is copied.
        input_shape: The shape of one input, for instance ``(3, 32, 32)``; by default the network's own.

    Returns:
        The sites and the means to run them.

    Raises:
        TrainingModeError: The network or one of its submodules is in training mode.
        UnsupportedNetworkError: It has no values (meta device), cannot be copied or run on such an input, or does not
            give logits.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 2)).eval()
        >>> traced = trace(network, (1, 6, 6))
        >>> [(site.name, site.units) for site in traced.sites.values() if site.default], traced.classes
        ([('1', 4)], 2)
    """
    if isinstance(network, Network):
        module, input_shape = network.module, input_shape or network.input_shape
    elif isinstance(network, nn.Module) and input_shape is not None:
        module = network
    else:
        raise UnsupportedNetworkError(
            f"a network is what units.load gives, or a module together with the shape of one input, not {network!r:.80}"
        )
    refuse_kinds(module, "the network")
    _refuse_training(module)
    try:
        private = copy.deepcopy(module)
    except Exception as error:
        raise UnsupportedNetworkError(f"the network cannot be copied: {error!r}") from error
    parameter = next(private.parameters(), None)
    random = torch.Generator().manual_seed(0)
    probe = torch.rand(3, *input_shape, generator=random).to(
        torch.device("cpu") if parameter is None else parameter.device
    )
    with torch.inference_mode():
        logits = _logits(private, probe)
        own = _answer(module, probe)
        if private is module or (not close(own, logits) and close(own, _answer(module, probe))):
            raise UnsupportedNetworkError(
                "a copy of the network (copy.deepcopy) is the network itself, or answers otherwise than it; leave its "
                "__deepcopy__ away, or let it copy everything"
            )
        private.requires_grad_(False)
        classes = int(logits.shape[1])
        if not is_bare(private):
            return _hooked(private, probe, classes, obstacle=_NOT_ITS_CLASS)
        try:
            graph = Graph(private, probe)
            same = close(graph.module(probe.clone()), logits)
        except Exception as error:  # torch.fx and a network's own code raise anything at all here
            # What a network keeps while it is traced are no numbers.
            private = copy.deepcopy(module).requires_grad_(False)
            return _hooked(private, probe, classes, obstacle=str(error).strip() or repr(error))
        _refuse_memory(private)
        if not same:
            return _hooked(private, probe, classes, obstacle=_OTHER_ANSWER)
    return _traced(private, graph, classes)


def _traced(module: nn.Module, graph: Graph, classes: int) -> Trace:
    found = graph.sites()
    nodes = {name: node for name, (_, node) in found.items()}
    reaching = {name for name, node in nodes.items() if graph.result in graph.downstream[node]}
    tails = {name: linear_tail(graph, nodes[name]) for name in reaching}
    updates = {name: update_cost(graph, nodes[name]) for name in reaching}
    unseen = dict.fromkeys(nodes.keys() - reaching, "the logits do not depend on it")
    costs = {name: graph.cost(graph.downstream[nodes[name]]) for name in reaching}
    return Trace(
        module=module,
        sites={name: site for name, (site, _) in found.items() if name in reaching},
        unsupported={name: why for name, why in {**graph.unsupported(), **unseen}.items() if name not in reaching},
        classes=classes,
        graph=graph,
        obstacle="",
        costs={**costs, "": graph.cost(set(graph.nodes))},
        tails={name: tail for name, tail in tails.items() if tail},
        updates={name: cost for name, cost in updates.items() if cost is not None},
        _make=lambda device, precision, fast: FxProgram(graph, nodes, device=device, precision=precision, fast=fast),
    )


def _hooked(module: nn.Module, probe: Tensor, classes: int, *, obstacle: str) -> Trace:
    found, unsupported = sites_of(module, probe)
    calls = {name: call for name, (_, call) in found.items()}
    return Trace(
        module=module,
        sites={name: site for name, (site, _) in found.items()},
        unsupported=unsupported,
        classes=classes,
        graph=None,
        obstacle=obstacle,
        costs={},
        tails={},
        updates={},
        _make=lambda device, precision, _: HookProgram(module, calls, device=device, precision=precision),
    )


def _refuse_memory(module: nn.Module) -> None:
    """Refuse a network that keeps what it computed of a batch, as a trace of it shows."""
    kept = [
        f"{path}.{name}".lstrip(".")
        for path, part in module.named_modules()
        for name, value in (*vars(part).items(), *part._buffers.items())
        if isinstance(value, fx.Proxy)
    ]
    if kept:
        raise UnsupportedNetworkError(
            f"the network keeps what it computes of one batch for the next ({some_of(kept, 3)}): its answers hang on "
            "what it saw before; leave that away in evaluation mode"
        )


def _refuse_training(module: nn.Module) -> None:
    training = [path or "the network itself" for path, layer in module.named_modules() if layer.training]
    if training:
        raise TrainingModeError(
            f"in training mode: {some_of(training, 3)}. "
            "Dropout and batch norm would make the answers depend on chance and on the batch; call .eval() first"
        )


def _logits(module: nn.Module, probe: Tensor) -> Tensor:
    logits, alone = (_answer(module, images) for images in (probe, probe[:1]))
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != len(probe) or logits.shape[1] < 2:
        kind = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise UnsupportedNetworkError(
            f"the network answers {len(probe)} images with {kind}; lenslab needs logits of shape [images, classes] "
            "with two classes or more. Wrap the network so that it gives them"
        )
    if alone.shape != (1, logits.shape[1]):
        raise UnsupportedNetworkError(
            f"the network answers one image alone with shape {tuple(alone.shape)}: it squeezes the batch's dimension "
            "away. Name the dimensions that it squeezes, as in .flatten(1)"
        )
    return logits


def _answer(module: nn.Module, images: Tensor) -> Any:
    try:
        return module(images.clone())
    except Exception as error:
        shape = tuple(images.shape[1:])
        raise UnsupportedNetworkError(f"the network does not run on images of shape {shape}: {error}") from error
