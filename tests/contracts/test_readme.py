"""The README says what happens: its Python prints what it shows, its commands exist, its links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from lenslab.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_python_prints_what_is_shown() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().split() == shown.split()


COMMANDS = sorted(set(re.findall(r"^    lenslab ((?:paper |study )?[a-z]+)", README, re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_named_exists_with_its_options(
    command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = command.split()
    assert main.run([*words, "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capfd.readouterr().out))
    used = {
        option
        for line in re.findall(rf"^    lenslab {command}(.*)$", README, re.MULTILINE)
        for option in re.findall(r"--[a-z-]+", line)
    }
    assert used <= known


@pytest.mark.parametrize("verb", re.findall(r"^    make ([a-z]+)", README, re.MULTILINE))
def test_every_make_verb_that_is_named_exists(verb: str) -> None:
    assert re.search(rf"^{verb}:.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not target.startswith("http") and not (page.parent / target).exists()]
    assert missing == []
