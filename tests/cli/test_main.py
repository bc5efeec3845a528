"""The command's exit codes: what a script that calls it can rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from lenslab import __version__
from lenslab.cli import console, main
from lenslab.cli.console import points
from lenslab.cli.network_options import numbers, size_of
from lenslab.http.errors import HttpError
from lenslab.library.errors import LibraryError
from lenslab.papers.errors import PapersError
from lenslab.records import RecordsError
from lenslab.studies.errors import StudiesError
from lenslab.units.errors import UnitsError, VerificationError


def raising(error: BaseException) -> Callable[..., object]:
    def command(*_arguments: object, **_options: object) -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (LibraryError("no work [1]"), 2, "lenslab: no work [1]"),
        (PapersError("no paper"), 2, "lenslab: no paper"),
        (HttpError("no answer"), 2, "lenslab: no answer"),
        (RecordsError("no record"), 2, "lenslab: no record"),
        (StudiesError("no study"), 2, "lenslab: no study"),
        (UnitsError("no site"), 2, "lenslab: no site"),
        (VerificationError("they differ"), 1, "lenslab: they differ"),
        (PermissionError(13, "Permission denied", "/there"), 2, "lenslab: Permission denied: /there"),
        (OSError("no such disk"), 2, "lenslab: no such disk"),
        (ModuleNotFoundError("no torch", name="torch.nn"), 2, "needs torch.nn; install it with: pip install"),
        (KeyboardInterrupt(), 130, "the same command goes on from there"),
    ],
)
def test_every_refusal_is_one_message_and_its_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    monkeypatch.setattr(main, "app", raising(error))
    assert main.run([]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("module", "extra"),
    [("torch", "ablate"), ("scipy.stats", "read"), ("altair", "read"), ("django", "site"), ("sklearn", "ablate")],
)
def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], module: str, extra: str
) -> None:
    monkeypatch.setattr(main, "app", raising(ModuleNotFoundError("missing", name=module)))
    assert main.run([]) == 2
    assert f"pip install 'lenslab[{extra}]'" in capfd.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), ModuleNotFoundError("ours", name="lenslab.nothing")])
def test_an_error_of_our_own_is_not_dressed_up_as_a_refusal(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(main, "app", raising(error))
    with pytest.raises(type(error), match="ours"):
        main.run([])


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["networks", "--version"])
def test_whoever_stops_reading_gets_no_complaint(command: str, unbuffered: str) -> None:
    code = f"from lenslab.cli.main import main; main([{command!r}])"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert writer.stdout is not None
    writer.stdout.close()
    _, err = writer.communicate(timeout=60)
    assert err == b""


def test_the_process_leaves_with_the_code_of_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["--version"], 0), (["networks", "--no-such-option"], 2)):
        with pytest.raises(SystemExit) as left:
            main.main(arguments)
        assert left.value.code == code
    out, err = capfd.readouterr()
    assert out == f"lenslab {__version__}\n"
    assert "no-such-option" in err


@pytest.mark.parametrize("text", ["big", "8x8x8", "8.5", "", "-3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is not a size such as 32 or 224x224"):
        size_of(text)


def test_sizes_are_height_and_width_and_numbers_keep_their_order() -> None:
    assert [size_of(text) for text in ("32", "224x192", "224X192", "5,7")] == [(32, 32), (224, 192), (224, 192), (5, 7)]
    assert numbers("--mean", "0.485, 0.456 0.406") == (0.485, 0.456, 0.406)
    assert (size_of(None), numbers("--sd", None)) == (None, None)


def test_fractions_are_shown_in_points() -> None:
    assert [points(0.1674), points(-0.05), points(0.05, signed=True), points(-0.05, signed=True)] == [
        *("16.74", "-5.00", "+5.00", "-5.00")
    ]


def test_where_nobody_watches_progress_is_a_line_from_time_to_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.progress("silencing") as progress:
        for done in (10, 25, 30, 50):
            progress(done, 100)
    assert capsys.readouterr().err.splitlines() == [
        "silencing: 25 %, about 1 min 33 s left",
        "silencing: 50 %, about 1 min 2 s left",
    ]
