"""The engines by name."""

from __future__ import annotations

from typing import TypeAlias

from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.plain_engine import PlainEngine

Engine: TypeAlias = ExactEngine | PlainEngine
"""What silences units on a batch and gives the same integers, whichever it is."""

ENGINES: dict[str, type[ExactEngine] | type[PlainEngine]] = {"exact": ExactEngine, "plain": PlainEngine}
"""The engines by name."""
