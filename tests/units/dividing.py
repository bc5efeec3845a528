"""Runs that are divided as long ones are."""

from __future__ import annotations

import pytest

from lenslab.units.sweep import schedule


def divide(monkeypatch: pytest.MonkeyPatch, *, budget: float = 0.0) -> None:
    """Give pieces of work a smaller budget: with 0, every site of every batch becomes a shard."""
    monkeypatch.setattr(schedule, "BUDGET", budget)
    monkeypatch.setattr(schedule, "_OVERHEAD", 0)
