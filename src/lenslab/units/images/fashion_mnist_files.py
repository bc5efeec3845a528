"""The files of Fashion-MNIST, fetched from their home or from Debian's package of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lenslab.http.client import HttpClient
from lenslab.http.errors import HttpError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service
from lenslab.records import sha256_of_file
from lenslab.units.errors import ImagesUnavailableError

HOME = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
"""Where the authors of Fashion-MNIST keep it. Plain HTTP is enough: every file is checked by its SHA-256."""

PACKAGE = "dataset-fashion-mnist"
"""Debian's package with the same four files."""


def fetch(
    files: Mapping[str, str], directory: Path, *, home: str = HOME, timeout: float = 5.0, package_timeout: float = 180.0
) -> None:
    """See to it that the files are in the directory, each with the SHA-256 that it must have.

    Files that are there are left alone. Others are tried from their home, then from Debian's package, which needs
    ``apt-get`` and ``dpkg-deb`` but no root: the package lists and the archive live in a temporary directory.
    A file appears under its name complete and checked, or not at all.

    Example:
        >>> fetch({}, Path("."))  # nothing to do
    """
    missing = dict(files)
    for name, sha256 in files.items():
        if (directory / name).is_file():
            if sha256_of_file(directory / name) != sha256:
                raise ImagesUnavailableError(
                    f"{directory / name} is not the published file (its SHA-256 differs); remove it and try again"
                )
            del missing[name]
    if not missing:
        return
    attempts: tuple[tuple[str, Callable[[Mapping[str, str], Path], None]], ...] = (
        (home, lambda wanted, place: _from_home(wanted, place, home, timeout)),
        (f"Debian's package {PACKAGE}", lambda wanted, place: _from_package(wanted, place, package_timeout)),
    )
    failures = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=directory) as temporary:
            for origin, attempt in attempts:
                try:
                    attempt(missing, Path(temporary))
                except (HttpError, OSError, subprocess.SubprocessError, _AttemptError) as error:
                    failures.append(f"{origin}: {_reason(error)}")
                    continue
                for name in missing:
                    (Path(temporary) / name).replace(directory / name)
                return
    except OSError as error:
        raise ImagesUnavailableError(f"{directory} cannot be written: {error}") from error
    raise ImagesUnavailableError(
        f"Fashion-MNIST is not in {directory} and could not be fetched. Tried "
        + "; ".join(failures)
        + f". Put {', '.join(missing)} there, or name another directory with LENSLAB_DATA, or use --images digits"
    )


class _AttemptError(Exception):
    """One way to get the files did not work; the next is tried."""


def _from_home(files: Mapping[str, str], place: Path, home: str, timeout: float) -> None:
    rate = Rate("Fashion-MNIST", 0.0)
    service = Service(name="the server", url=home, rate=rate, pause=0.1, silence=timeout, seconds=3600.0, advice="")
    with HttpClient(attempts=1) as client:
        for name, sha256 in files.items():
            (place / name).write_bytes(client.get(service, f"/{name}", {}, bytes, subject=name, cached=False))
            _check(place / name, sha256)


def _from_package(files: Mapping[str, str], place: Path, timeout: float) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise _AttemptError(f"there is no {program} on this machine")
    work = place / "package"
    for part in ("lists/partial", "cache/archives/partial"):
        (work / part).mkdir(parents=True)
    private = ["-o", f"Dir::State::Lists={work / 'lists'}", "-o", f"Dir::Cache={work / 'cache'}"]
    # Without this, apt run by root tries to hand the download to a user who may not enter the directory, and warns.
    private += ["-o", "APT::Sandbox::User="]
    _run(["apt-get", "-q", *private, "update"], work, timeout)
    _run(["apt-get", "-q", *private, "download", PACKAGE], work, timeout)
    archives = sorted(work.glob("*.deb"))
    if not archives:
        raise _AttemptError("apt-get downloaded nothing")
    _run(["dpkg-deb", "-x", str(archives[0]), str(work / "content")], work, timeout)
    for name, sha256 in files.items():
        found = work / "content" / "usr" / "share" / "datasets" / "fashion-mnist" / name
        if not found.is_file():
            raise _AttemptError(f"the package has no {name}")
        _check(found, sha256)
        found.replace(place / name)


def _run(command: list[str], directory: Path, timeout: float) -> None:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.startswith("E:")]
        raise _AttemptError(lines[-1] if lines else f"{command[0]} ended with code {done.returncode}")


def _check(path: Path, sha256: str) -> None:
    if sha256_of_file(path) != sha256:
        raise _AttemptError(f"{path.name} arrived with another SHA-256 than the published file")


def _reason(error: BaseException) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"{error.cmd[0]} took more than {error.timeout:.0f} seconds"
    return str(error) or type(error).__name__
