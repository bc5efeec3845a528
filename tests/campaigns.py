"""How far a test goes: what ``make quick`` and ``make test`` take of it, and what is kept for ``make thorough``.

A test marked ``thorough`` runs there alone, one marked ``slow`` is left out of ``make quick``. Of a test marked
``crossed``, ``make test`` takes every value of every parameter at least once, and ``make thorough`` every combination.
Hypothesis generates ``MORE`` times as many cases there. ``make quick`` takes the first and the last case of each test,
and one of ``FEWER`` that are generated. ``--record`` keeps the outcome.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

MORE, FEWER = 10, 10


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lenslab")
    group.addoption("--quick", action="store_true", help="leave out what is slow, and most cases")
    group.addoption("--thorough", action="store_true", help="run the campaigns too, with many generated cases")
    group.addoption("--record", metavar="NAME", help="write the campaigns' outcome to benchmarks/records/NAME.json")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record") and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(Outcome(config.getoption("record")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    quick, thorough = config.getoption("quick"), config.getoption("thorough")
    left_out: set[pytest.Item] = set()
    if not thorough:
        left_out |= {item for item in items if item.get_closest_marker("thorough")}
        tests = defaultdict(list)
        for item in items:
            tests[item.nodeid.partition("[")[0]].append(item)
        for cases in tests.values():
            if quick:
                left_out |= {*cases[1:-1]}
            elif cases[0].get_closest_marker("crossed"):
                left_out |= {*cases} - {*every_value_once(cases)}
    if quick:
        left_out |= {item for item in items if {"slow", "browser"} & {mark.name for mark in item.iter_markers()}}
    if quick or thorough:
        for test in {getattr(item.obj, "__func__", item.obj) for item in items if isinstance(item, pytest.Function)}:
            if hasattr(test, "hypothesis"):
                generate(test, MORE if thorough else 1 / FEWER)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def every_value_once(cases: list[Any]) -> Iterator[pytest.Item]:
    """Choose cases, each the first with most values that none before it has, until all values were there."""
    values = {case: {(name, id(value)) for name, value in case.callspec.params.items()} for case in cases}
    missing = set().union(*values.values())
    while missing:
        chosen = max(cases, key=lambda case: len(values[case] & missing))
        missing -= values[chosen]
        yield chosen


def generate(test: Any, factor: float) -> None:
    """Let Hypothesis generate so many times the cases that a test asks for."""
    asked = test._hypothesis_internal_use_settings
    test._hypothesis_internal_use_settings = settings(asked, max_examples=max(1, round(asked.max_examples * factor)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "teardown":
        for count in re.findall(r"(\d+) passing", getattr(item, "hypothesis_statistics", "")):
            report.user_properties.append(("generated", int(count)))
    return report


class Outcome:
    """What became of each campaign, and of all tests together."""

    def __init__(self, name: str) -> None:
        self.name, self.began = name, time.monotonic()
        self.tests: Counter[str] = Counter()
        self.campaigns: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        counts = Counter({report.outcome: 1} if report.when == "call" or not report.passed else {})
        self.tests += counts
        if {"thorough", "crossed", "hypothesis"} & {*report.keywords}:
            counts["seconds"] += report.duration
            if report.when == "teardown":
                counts["generated"] += sum(count for name, count in report.user_properties if name == "generated")
            self.campaigns[report.nodeid.partition("[")[0]] += counts

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        from benchmarks.reporting import write

        ended = {"exit_status": int(exitstatus), "seconds": round(time.monotonic() - self.began), "tests": self.tests}
        campaigns = {name: {**counts, "seconds": round(counts["seconds"])} for name, counts in self.campaigns.items()}
        write(self.name, {**ended, "campaigns": dict(sorted(campaigns.items()))})
