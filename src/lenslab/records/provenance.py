"""Where a figure came from: hashes of what went in, versions of what computed it, the machine, the time."""

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

RECORDED_PACKAGES = ("lenslab", "torch", "numpy", "scipy", "pandas", "openvino", "pyarrow", "scikit-learn")


def sha256_of_file(path: str | Path) -> str:
    """Hash a file's bytes, read in pieces.

    Returns:
        The SHA-256 as 64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> sha256_of_file(__file__) == sha256_of_file(__file__)
        True
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_json(value: Any) -> str:
    """Hash a JSON value, regardless of the order of its keys.

    Args:
        value: Anything that ``json.dumps`` takes; NaN and infinities are refused.

    Returns:
        The SHA-256 as 64 hexadecimal digits.

    Raises:
        ValueError: A number is not finite.
        TypeError: A value has no JSON form.

    Example:
        >>> sha256_of_json({"a": 1, "b": 2}) == sha256_of_json({"b": 2, "a": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Name the version of Python and of every installed package that decides a number.

    Returns:
        Names to versions; a package that is not installed is left out.

    Example:
        >>> sorted(versions())[0]
        'lenslab'
    """
    found = {"python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """Describe the machine without naming it: system, processor family, how many processors may be used.

    Example:
        >>> sorted(machine())
        ['architecture', 'processors', 'system']
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return {"system": platform.system(), "architecture": platform.machine(), "processors": usable}


def timestamp() -> str:
    """Tell the time, in UTC and ISO 8601, to the second.

    Example:
        >>> timestamp().endswith("+00:00")
        True
    """
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
