"""The connection to a cluster: the one that an address names, or one of this machine that lasts as long as the run."""

from __future__ import annotations

import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lenslab.units.errors import ClusterError

HERE = "local"
"""Ray's word for a cluster that is started on this machine."""

_CLIENT_PORT = 10001
"""Where ``ray://`` is answered, unless an address says otherwise."""

_PATIENCE = 5.0
"""Seconds after which nothing answers."""

_ADDRESS = re.compile(r"(ray://)?(\[[^\]]+\]|[^\[\]:/\s]+)(?::(\d+))?")

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # as later versions do; unset, a warning asks for it
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what a raylet says of a lost worker would stand among our answers
}
"""What Ray reads when it is imported, and when it starts something."""


def address_of(on: str) -> str:
    """Read where a run is to be made, and give the address in Ray's words.

    Args:
        on: ``"ray"`` for the cluster that ``RAY_ADDRESS`` names or, without it, one of this machine that is started
            for the run; else ``HOST:PORT``, or ``ray://HOST`` from outside the cluster.

    Raises:
        ClusterError: It is no address.
        ModuleNotFoundError: Ray is not installed.

    Example:
        >>> address_of("10.0.0.7")
        Traceback (most recent call last):
        lenslab.units.errors.ClusterError: no cluster '10.0.0.7'; say ray, HOST:PORT or ray://HOST
    """
    found = _ADDRESS.fullmatch(on) if isinstance(on, str) else None
    if on != "ray" and not (found and (found[1] or found[3])):
        raise ClusterError(f"no cluster {on!r:.80}; say ray, HOST:PORT or ray://HOST")
    with _environment(_QUIET):
        import ray  # noqa: F401  # whether it is installed is seen before anything is begun
    address = (os.environ.get("RAY_ADDRESS") or HERE) if on == "ray" else on
    client = _ADDRESS.fullmatch(address)
    return f"{address}:{_CLIENT_PORT}" if client and client[1] and not client[3] else address


@contextmanager
def connected(address: str, *, processors: int) -> Iterator[None]:
    """Connect to a cluster and leave it again; one that was started for it ends.

    Where the caller is connected already, that is the cluster, and the connection stays.

    Args:
        address: In Ray's words, see `address_of`.
        processors: How many a cluster of this machine has.

    Raises:
        ClusterError: Nothing answers there, or it is of another version.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    _refuse_silence(address)
    own = {"num_cpus": processors, "include_dashboard": False} if address == HERE else {}
    try:
        with _environment(_QUIET), warnings.catch_warnings(action="ignore"):
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ClusterError(
            f"the cluster at {address} cannot be joined: {reason}; HOST:PORT is for a machine of the cluster, "
            "ray://HOST for any other, and where the cluster asks for a token, set RAY_AUTH_MODE=token"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _refuse_silence(address: str) -> None:
    """Refuse an address where nothing answers, which Ray itself takes minutes to find."""
    found = _ADDRESS.fullmatch(address)
    if not found or not found[3]:
        return  # a word of Ray's
    host, port = found[2].strip("[]"), int(found[3])
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError as error:
        raise ClusterError(
            f"nothing answers at {address} ({error.strerror or error}); see that the cluster runs (ray status), that "
            "the port is open, and that it is that of ray start, or with ray:// that of Ray Client"
        ) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment that are not set, for a while."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
