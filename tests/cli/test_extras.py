"""Where only a part of the package is installed: every command works, or says in one sentence what it needs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from lenslab.cli.extras import extra_for

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

WITHOUT = """
import importlib.abc, io, json, sys
from contextlib import redirect_stderr, redirect_stdout

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

absent = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Absent())
from lenslab.cli import main

def typed(command):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main.run(command)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"
    return code, f"{out.getvalue()}{err.getvalue()}"

def commands(app, words=()):
    for command in app.registered_commands:
        yield [*words, command.name or command.callback.__name__]
    for group in app.registered_groups:
        yield from commands(group.typer_instance, (*words, group.name))

every = list(commands(main.app))
print(json.dumps({
    "help": [[each, *typed([*each, "--help"])] for each in every],
    "typed": [[each, *typed(each)] for each in json.loads(sys.argv[2])],
}))
"""
TYPED = [
    ["networks"],
    ["sites", "small"],
    ["ablate", "small", "--images", "digits", "--limit", "20", "--sites", "relu3", "--no-attributes"],
    ["ablate", "small", "--images", "digits", "--limit", "20", "--on", "ray"],
    ["study", "list"],
    ["study", "run", "1806.02891", "--images", "digits", "--limit", "20"],
    ["units-for", "8", "--run", "nowhere"],
    ["paper", "show", "1806.02891"],
    ["paper", "search", "units"],
    ["serve", "--port", "70000"],
]


def distributions(extra: str) -> set[str]:
    """What an extra brings, those that it includes too, without what those need themselves."""
    found = set()
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"].get(extra, [])]:
        own = re.fullmatch(r"lenslab\[([\w,]+)\]", line)
        if own:
            found |= set().union(*map(distributions, own[1].split(",")))
        else:
            found.add(re.match(r"[\w.-]+", line)[0].lower().replace("_", "-"))
    return found


def needed(names: set[str]) -> set[str]:
    """Add what distributions need themselves."""
    found: set[str] = set()
    waiting = {*names}
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            stated = requires(name) or []
        except PackageNotFoundError:
            continue
        for line in stated:
            if "extra ==" not in line:
                waiting |= {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")} - found
    return found


EVERY = distributions("all") | distributions("vision") | distributions("pretrained") | distributions("ray")


def modules(names: set[str]) -> list[str]:
    brought = packages_distributions()
    return sorted(module for module, by in brought.items() if {each.lower().replace("_", "-") for each in by} & names)


@pytest.mark.parametrize(
    "extra", ["", *(pytest.param(extra, marks=pytest.mark.thorough) for extra in ("read", "ablate", "site"))]
)
def test_every_command_works_or_names_the_extra_that_it_needs(extra: str, tmp_path: Path) -> None:
    absent = modules(needed(EVERY) - needed(distributions(extra)))
    assert ("torch" in absent) == (extra != "ablate")
    command = [sys.executable, "-c", WITHOUT, json.dumps(absent), json.dumps(TYPED)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    check(json.loads(done.stdout))


def check(said: dict[str, list[tuple[list[str], int | None, str]]]) -> None:
    """Every command helps, and those that are typed work or name the extra that they need."""
    assert len(said["help"]) > 20
    for each, code, words in said["help"]:
        assert code == 0, (each, words)
    for each, code, words in said["typed"]:
        assert code in (0, 2), (each, words)
        assert "No module named" not in words, (each, words)
        if "this command needs" in words:
            assert re.search(r"install it with: pip install 'lenslab\[\w+\]'$", words.strip()), (each, words)


def test_every_module_that_is_imported_and_not_always_there_has_an_extra() -> None:
    absent = modules(needed(EVERY) - needed(distributions("")))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    imported = {name for source in sources for name in re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE)}
    assert {"torch", "django", "scipy"} < imported & {*absent}
    assert [module for module in imported & {*absent} if extra_for(module) is None] == []
