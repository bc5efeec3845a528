"""One run of a graph on a few images: the shape of every value, and who changes whose memory.

A graph of operations is the whole truth about a network only while every value stays what its operation made of it. An
operation in place changes its input, and with it every value that shares the memory: views, slices, the other name of
the same value. Where such a value is read again, a cut in the graph would read the wrong one without a word, so the
graph is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree


class AliasError(Exception):
    """A graph is not the whole truth: an operation in place changes a value that is needed as it was."""


@dataclass(frozen=True)
class ProbedValue:
    """What a probe showed of one node; ``changes`` are those of its inputs whose values it changes in place."""

    shape: torch.Size
    dtype: torch.dtype
    changes: tuple[fx.Node, ...]


def probed(module: fx.GraphModule, probe: Tensor, *, channels_last: bool = False) -> dict[fx.Node, ProbedValue]:
    """Run a graph on a batch of inputs, which is left as it is, and watch every node whose value is a tensor.

    With ``channels_last``, four-dimensional inputs lie as in the fast programs, where other values share memory.

    Example:
        >>> class Fragile(torch.nn.Module):
        ...     def forward(self, x):
        ...         x[:, :1].neg_()
        ...         return x
        >>> probed(fx.symbolic_trace(Fragile()), torch.ones(2, 3))
        Traceback (most recent call last):
        ...
        lenslab.units.engine.shape_probe.AliasError: neg_ changes x in place, which is read again afterwards
    """
    watcher = _Watcher(module, channels_last=channels_last)
    layout = torch.channels_last if channels_last and probe.dim() == 4 else torch.preserve_format
    with torch.inference_mode(False), torch.no_grad():  # inference mode counts no versions
        watcher.run(probe.clone(memory_format=layout))
    if watcher.conflict:
        raise AliasError(watcher.conflict)
    return watcher.seen


class _Watcher(fx.Interpreter):
    """Notes every tensor; its environment holds, at any time, exactly the values that are still to be read."""

    def __init__(self, module: fx.GraphModule, *, channels_last: bool) -> None:
        super().__init__(module)
        self._channels_last = channels_last
        self.seen: dict[fx.Node, ProbedValue] = {}
        self.conflict = ""

    def run_node(self, n: fx.Node) -> Any:
        before = [(node, tensor, tensor._version) for node in n.all_input_nodes for tensor in self._tensors(node)]
        value = super().run_node(n)
        changed = [(node, tensor) for node, tensor, version in before if tensor._version != version]
        for _, written in changed:
            self.conflict = self.conflict or self._conflict(written, n)
        if isinstance(value, Tensor) and n.op != "output":
            self.seen[n] = ProbedValue(value.shape, value.dtype, tuple(node for node, _ in changed))
        return value

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Reshape where a network asks for a view of a layout that it was not written for, as the fast programs do."""
        return super().call_method("reshape" if self._channels_last and target == "view" else target, args, kwargs)

    def _conflict(self, written: Tensor, writer: fx.Node) -> str:
        later = set(_from(writer.next))
        for node in self.env:
            read_again = not later.isdisjoint(node.users)
            if read_again and any(_overlap(written, tensor) for tensor in self._tensors(node)):
                return f"{writer.name} changes {node.name} in place, which is read again afterwards"
        return ""

    def _tensors(self, node: fx.Node) -> list[Tensor]:
        """List the tensors in a node's value, without those made in inference mode, which count no changes."""
        leaves = pytree.tree_leaves(self.env[node])
        return [leaf for leaf in leaves if isinstance(leaf, Tensor) and not leaf.is_inference()]


def _from(node: fx.Node) -> Iterator[fx.Node]:
    while node.op != "root":
        yield node
        node = node.next


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have a number in common, in memory.

    Example:
        >>> x = torch.zeros(2, 4)
        >>> _overlap(x[:, :2], x[:, 2:]), _overlap(x[:, :2], x.T)
        (False, True)
    """
    storage = one.untyped_storage()
    if storage.data_ptr() != other.untyped_storage().data_ptr() or not storage.nbytes():
        return False
    if one.dtype != other.dtype:
        return True
    numbers = torch.zeros(storage.nbytes() // one.element_size(), dtype=torch.bool, device=one.device)
    numbers.as_strided(one.shape, one.stride(), one.storage_offset()).fill_(True)
    return bool(numbers.as_strided(other.shape, other.stride(), other.storage_offset()).any())
