"""``lenslab serve``: the site, on this machine."""

from __future__ import annotations

import errno
import gc
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from wsgiref.util import setup_testing_defaults

import typer
from typer import Option

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

FIRST_PAGE = "paper/1806.02891"
STUDY = "1806.02891"


class ServeError(OSError):
    """The site cannot be served, with one message that names the thing and the next step."""


def serve(
    host: Annotated[str, Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
) -> None:
    """Serve the paper pages until Ctrl-C."""
    listener = listen(host, port)
    try:
        _allow(host)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lenslab.web.settings")
        from lenslab.library import ready

        ready()
        for line in announcement(host, listener.getsockname()[1]):
            typer.echo(line)
        from django.db import connections

        connections.close_all()  # the workers are forks of this process, and none may share a connection
        _run(listener)
    finally:
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before anything else is done; 0 takes a free one.

    Raises:
        ServeError: The port is taken, may not be taken, or the host is none of this machine's.

    Example:
        >>> with listen("127.0.0.1", 0) as listener:
        ...     listener.getsockname()[0]
        '127.0.0.1'
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ServeError(f"{host!r} is no address of this machine; try --host 127.0.0.1") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From here on askers wait their turn instead of being turned away, also while the library is made ready.
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise ServeError(_refusal(error, host, port)) from error
    return listener


def announcement(host: str, port: int) -> list[str]:
    """Say where the site is and what it shows, in lines for the person at the terminal."""
    from django.conf import settings

    from lenslab.web.study_panel import panel

    found = panel(STUDY)
    assert found is not None, "the study of the first page comes with lenslab"
    number = len(found.choices)
    results = f"{number} study result{'' if number == 1 else 's'} from {Path(settings.RECORDS)}{os.sep}"
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
    lines = [f"serving http://{shown}:{port}/{FIRST_PAGE}, {results}"]
    if shown != host and host in ("0.0.0.0", "::", ""):
        lines.append(f"other machines reach it as http://{socket.gethostname()}:{port}/; more names: LENSLAB_HOSTS=a,b")
    if not number:
        lines.append(f"to measure the paper's claims: lenslab study run {STUDY}")
    lines.extend(found.problems)
    lines.append("Ctrl-C stops it")
    return lines


def _refusal(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use; stop what runs there, or: lenslab serve --port {port + 1}"
        case errno.EACCES:
            return f"port {port} may not be taken by this user; name one above 1023: lenslab serve --port 8000"
        case _:
            return f"cannot listen on {host}:{port}: {error.strerror}; try --host 127.0.0.1"


def _allow(host: str) -> None:
    """Let the site be asked for by the name it is served under, unless the reader has said by which."""
    if "LENSLAB_HOSTS" in os.environ:
        return
    names = ["localhost", "127.0.0.1", "[::1]"]
    if host in ("0.0.0.0", "::", ""):
        names += [socket.gethostname(), socket.getfqdn()]
    else:
        names.append(f"[{host}]" if ":" in host and not host.startswith("[") else host)
    os.environ["LENSLAB_HOSTS"] = ",".join(dict.fromkeys(name for name in names if name))


def _run(listener: socket.socket) -> None:
    """Serve with gunicorn in this process, a few threads, until a signal."""
    from gunicorn.app.base import BaseApplication

    # gunicorn closes what it was given, in this process and in its workers.
    descriptor = listener.detach()

    class Site(BaseApplication):  # type: ignore[misc]
        """gunicorn, configured by value."""

        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": [f"fd://{descriptor}"],
                "worker_class": "gthread",
                "workers": 1,
                "threads": 8,
                "timeout": 60,
                "graceful_timeout": 5,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
                "proc_name": "lenslab",
            }
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from lenslab.web.wsgi import application

            warm_up(application)
            return application

    Site().run()


def warm_up(application: WSGIApplication) -> int:
    """Draw the first page once, so that no visitor waits for what it loads, and give its HTTP status.

    What is loaded by then stays for good, and Python's collector need not look through it again and again.
    """
    from django.conf import settings

    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    # By https, since a site that is asked by http may only send on to that.
    request = {"HTTP_HOST": host, "PATH_INFO": f"/{FIRST_PAGE}", "wsgi.url_scheme": "https"}
    setup_testing_defaults(request)
    statuses: list[str] = []
    page = application(request, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    for _ in page:
        pass
    if hasattr(page, "close"):
        page.close()
    gc.collect()
    gc.freeze()
    return int(statuses[0].split()[0])
