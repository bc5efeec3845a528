"""The server: one port, four services, conditional requests, faults on demand, and a log of who asked when."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.upstream import arxiv, openalex, semantic_scholar
from tests.upstream.answers import Answer, as_json
from tests.upstream.corpus import Corpus
from tests.upstream.faults import Fault, Faults

PLACES = {
    "/arxiv/api/query": "arXiv API",
    "/arxiv/oai": "arXiv OAI-PMH",
    "/semantic-scholar/graph/v1": "Semantic Scholar",
    "/openalex": "OpenAlex",
}
VARIABLES = {
    "LENSLAB_ARXIV_API_URL": "/arxiv/api/query",
    "LENSLAB_ARXIV_OAI_URL": "/arxiv/oai",
    "LENSLAB_SEMANTIC_SCHOLAR_URL": "/semantic-scholar/graph/v1",
    "LENSLAB_OPENALEX_URL": "/openalex",
}
STATUSES = {
    Fault.THROTTLED: 429,
    Fault.THROTTLED_SECONDS: 429,
    Fault.THROTTLED_DATE: 429,
    Fault.THROTTLED_LONG: 429,
    Fault.NOT_ACCEPTABLE: 406,
    Fault.INTERNAL: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT: 504,
    Fault.FORBIDDEN: 403,
    Fault.UNAUTHORIZED: 401,
}
BOMB = gzip.compress(bytes(8 << 20))
MULTIPLYING = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>"""
WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>Please wait</title></head><body>Checking your browser</body></html>"


@dataclass(frozen=True)
class Asked:
    """One request: which service, when (monotonic seconds), what, with which headers, and what it met."""

    service: str
    at: float
    method: str
    target: str
    headers: dict[str, str]
    fault: Fault | None
    status: int


class Upstream:
    """The server, which runs as long as it is entered.

    Args:
        corpus: the literature that all services tell of.
        faults: what goes wrong.
        oai_page: how many records OAI-PMH sends at once.
        oai_overlap: how many of them come again on the next page.
        oai_changes: whether the first record of a harvest changes while it is harvested, and so comes again at its end.
        slow_beyond: how many references a batch may gather before Semantic Scholar's gateway gives up.
        interval: the seconds between two requests that ``environment`` asks for.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        faults: Faults | None = None,
        oai_page: int = 2000,
        oai_overlap: int = 0,
        oai_changes: bool = False,
        slow_beyond: int = 100_000,
        interval: float = 0.001,
    ) -> None:
        self.corpus = corpus
        self.faults = faults or Faults()
        self.oai_page, self.oai_overlap, self.slow_beyond = oai_page, oai_overlap, slow_beyond
        self.oai_changes = oai_changes
        self.interval = interval
        self.log: list[Asked] = []
        self.closing = threading.Event()

    def __enter__(self) -> Self:
        upstream = self

        class Handler(_Handler):
            served = upstream

        self._pace = tempfile.TemporaryDirectory()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._pace.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """What makes lenslab ask this server instead of the real ones, swiftly."""
        addresses = {variable: self.url + place for variable, place in VARIABLES.items()}
        return {**addresses, "LENSLAB_MIRROR_INTERVAL": str(self.interval), "LENSLAB_PACE": self._pace.name}

    def asked(self, service: str) -> list[Asked]:
        """The requests to one service, in order."""
        return [request for request in self.log if request.service == service]

    def answer(self, service: str, method: str, path: str, query: str, content: bytes, fault: Fault | None) -> Answer:
        """What the service says when all goes well, or nearly."""
        pairs = parse_qsl(query, keep_blank_values=True)
        parameters = dict(pairs)
        empty = fault is Fault.EMPTY_PAGE
        if service == "arXiv API":
            if fault is Fault.ERROR_WITH_200:
                return arxiv.query(self.corpus, {"start": "x"}, error_status=200)
            return arxiv.query(self.corpus, parameters, empty=empty)
        if service == "arXiv OAI-PMH":
            expired = fault is Fault.EXPIRED_TOKEN
            told = self.corpus
            if self.oai_changes and "resumptionToken" in parameters:
                first = min((entry for entry in told.entries if entry.arxiv), key=lambda entry: entry.datestamp)
                changed = replace(first, touched="2026-01-01")
                told = replace(told, entries=tuple(changed if entry is first else entry for entry in told.entries))
            return arxiv.oai(told, parameters, page=self.oai_page, overlap=self.oai_overlap, expired=expired)
        if service == "OpenAlex":
            return openalex.works(self.corpus, path, parameters, f"{self.url}/openalex", empty=empty)
        if method == "POST":
            return semantic_scholar.batch(self.corpus, parameters, content, slow_beyond=self.slow_beyond)
        return semantic_scholar.graph(self.corpus, path, parameters, empty=empty)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5
    served: Upstream

    def log_message(self, *_: object) -> None:
        """The log is ``Upstream.log``."""

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        self._serve("POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _serve(self, method: str, content: bytes) -> None:
        at = time.monotonic()
        parts = urlsplit(self.path)
        place = next((place for place in PLACES if parts.path.startswith(place)), None)
        if place is None:
            self._send(Answer(404, b"nothing here", "text/plain"))
            return
        service = PLACES[place]
        fault = self.served.faults.next(service)
        if fault in STATUSES:
            key = dict(parse_qsl(parts.query)).get("api_key") or self.headers.get("x-api-key", "")
            answer = _failure(fault, key)
        else:
            path = unquote(parts.path.removeprefix(place))
            answer = self.served.answer(service, method, path, parts.query, content, fault)
        self.served.log.append(Asked(service, at, method, self.path, dict(self.headers), fault, answer.status))
        self._misbehave(answer, fault)

    def _misbehave(self, answer: Answer, fault: Fault | None) -> None:
        if fault is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif fault is Fault.RATE_EXCEEDED:
            self._send(Answer(200, b"Rate exceeded.", "text/plain"))
        elif fault is Fault.WEB_PAGE:
            self._send(Answer(200, WEB_PAGE, "text/html"))
        elif fault is Fault.MALFORMED:
            self._send(Answer(200, answer.content[: len(answer.content) // 2], answer.media))
        elif fault is Fault.DOCTYPE:
            self._send(Answer(200, MULTIPLYING, "application/xml"))
        elif fault is Fault.TRUNCATED_GZIP:
            self._send(Answer(200, gzip.compress(answer.content)[:-12], answer.media, {"Content-Encoding": "gzip"}))
        elif fault is Fault.BOMB:
            self._send(Answer(200, BOMB, answer.media, {"Content-Encoding": "gzip"}))
        elif fault is Fault.ELSEWHERE:
            self._send(Answer(302, b"", "text/html", {"Location": "http://169.254.169.254/latest/meta-data"}))
        elif fault is Fault.NOWHERE:
            self._send(Answer(302, b"", "text/html", {"Location": "https://127.0.0.1:99999/"}))
        elif fault is Fault.ODD_TAG:
            self._send(Answer(200, answer.content, answer.media, {"ETag": '"caf\u00e9"', "Last-Modified": "x" * 300}))
        elif fault is Fault.CUT:
            self._send(answer, promised=len(answer.content) + 100)
            self.close_connection = True
        elif fault in (Fault.SLOW, Fault.ENDLESS):
            self._drip(answer, forever=fault is Fault.ENDLESS)
        else:
            self._send_if_changed(answer)

    def _send_if_changed(self, answer: Answer) -> None:
        if answer.status == 200 and self.command == "GET":
            tag = f'"{hashlib.sha256(answer.content).hexdigest()[:16]}"'
            answer.headers["ETag"] = tag
            if self.headers.get("If-None-Match") == tag:
                self._send(Answer(304, b"", answer.media, {"ETag": tag}))
                return
        if answer.status == 200 and "gzip" in self.headers.get("Accept-Encoding", ""):
            answer.content = gzip.compress(answer.content, 1)
            answer.headers["Content-Encoding"] = "gzip"
        self._send(answer)

    def _send(self, answer: Answer, *, promised: int | None = None) -> None:
        self._send_head(answer, len(answer.content) if promised is None else promised)
        if answer.status != 304:
            self.wfile.write(answer.content)

    def _send_head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media)
        if answer.status != 304:
            self.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, answer: Answer, *, forever: bool) -> None:
        if not forever:
            self._send_head(answer, len(answer.content))
            size = max(1, len(answer.content) // 5)
            for start in range(0, len(answer.content), size):
                self.wfile.write(answer.content[start : start + size])
                self.served.closing.wait(0.02)
            return
        self._send_head(answer, 1 << 30)
        while not self.served.closing.wait(0.02):
            self.wfile.write(b" ")


def _failure(fault: Fault, key: str) -> Answer:
    status = STATUSES[fault]
    headers = {}
    if fault is Fault.THROTTLED_SECONDS:
        headers["Retry-After"] = "0"
    elif fault is Fault.THROTTLED_DATE:
        headers["Retry-After"] = formatdate(time.time() + 1, usegmt=True)
    elif fault is Fault.THROTTLED_LONG:
        headers["Retry-After"] = "7200"
    if fault is Fault.FORBIDDEN:
        # Some servers say which key they do not like.
        return as_json({"message": f"Forbidden: {key}" if key else "Forbidden"}, 403)
    if fault is Fault.UNAUTHORIZED:
        return as_json({"error": "Unauthorized", "message": "cursor paging needs an API key"}, 401)
    if status == 429:
        said = b'{"message":"Too Many Requests. Please wait and try again.","code":"429"}'
        return Answer(429, said, "application/json", headers)
    return Answer(status, b"Rate exceeded." if status == 406 else b"upstream fault", "text/plain", headers)
