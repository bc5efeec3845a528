"""``lenslab serve``: it says what it shows, answers, refuses a taken port in one message, and stops at Ctrl-C."""

from __future__ import annotations

import gc
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lenslab.cli.serve import ServeError, listen, warm_up
from tests.web.conftest import library

__all__ = ["library"]

START = "import sys; from lenslab.cli.serve import serve; serve(sys.argv[1], int(sys.argv[2]))"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LENSLAB_", "DJANGO_"))}
    return clean | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'library.sqlite3'}",
        "LENSLAB_RECORDS": str(tmp_path / "runs"),
        "LENSLAB_SECRET_KEY": "only for tests",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def site(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, "127.0.0.1", "0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def get(port: int, address: str, host: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", address, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_the_site_says_where_it_is_answers_and_stops_at_ctrl_c(site: subprocess.Popen[str], tmp_path: Path) -> None:
    assert site.stdout is not None
    line = site.stdout.readline()
    said = re.fullmatch(r"serving http://127\.0\.0\.1:(\d+)/paper/1806\.02891, 0 study results from (.+)/\n", line)
    assert said is not None, line
    assert said[2] == str(tmp_path / "runs")
    assert "lenslab study run 1806.02891" in site.stdout.readline()
    port = int(said[1])
    status, page = get(port, "/paper/1806.02891")
    assert status == 200
    assert "Citation &amp; Reference Network" in page
    status, style = get(port, "/static/lenslab/style.css")
    assert status == 200
    assert "--citing" in style
    assert get(port, "/", host="evil.example")[0] == 400
    started = time.monotonic()
    os.killpg(site.pid, signal.SIGINT)
    _, errors = site.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert site.returncode == 0
    assert "Traceback" not in errors
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")


@pytest.mark.parametrize("hosts", [["*"], [".example.org"], ["[::1]"]])
def test_the_first_page_is_drawn_before_anybody_asks_for_it(library: None, settings: Any, hosts: list[str]) -> None:  # noqa: ARG001
    from lenslab.web.wsgi import application

    settings.ALLOWED_HOSTS = hosts
    settings.SECURE_SSL_REDIRECT = True
    try:
        assert warm_up(application) == 200
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_port_in_use_is_one_message_that_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"port {port} on 127\.0\.0\.1 is in use.*--port {port + 1}"):
            listen("127.0.0.1", port)


def test_a_host_that_is_not_this_machine_s_is_one_message() -> None:
    with pytest.raises(ServeError, match=r"--host 127\.0\.0\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(ServeError, match="no address"):
        listen("no such host.invalid", 0)


def test_nothing_is_prepared_before_the_port_is_had(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-c", START, "127.0.0.1", str(taken.getsockname()[1])],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "ServeError" in done.stderr
    assert not (tmp_path / "new").exists()
