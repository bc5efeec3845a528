"""A language model's endpoint on this machine: chat completions as real servers answer them, faults included."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lenslab.papers.summary.llm_endpoint import Endpoint

KEY = "sk-secret-of-the-test"
MODEL = "small-model"


def completion(content, **choice):
    """A whole chat completion around one text."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"} | choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    }


def streamed(*pieces, done=True):
    """The same as a stream of server-sent events."""
    lines = [
        "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        for piece in pieces
    ]
    return "\n\n".join([*lines, *(["data: [DONE]"] if done else []), ""]).encode()


class Pauses(list):
    """A clock that remembers the pauses instead of making them."""

    now = 1e9

    def __call__(self, seconds):
        self.append(seconds)
        self.now += seconds

    def clock(self):
        return self.now


def asking(url, key=KEY):
    """The endpoint at an address as the product asks it, but its pauses cost no time."""
    pauses = Pauses()
    return Endpoint(url, MODEL, key, sleep=pauses, clock=pauses.clock)


class Answer:
    """One answer of the endpoint.

    Args:
        body: what it sends, as bytes or as something that becomes JSON.
        status: the HTTP status.
        headers: further headers.
        pieces: sends the body in that many pieces, and after each calls ``between``.
        between: is called between the pieces.
        cut: closes the connection in the middle of the body.
    """

    def __init__(self, body=b"", status=200, headers=None, *, pieces=1, between=lambda: None, cut=False):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.headers, self.pieces, self.between, self.cut = status, headers or {}, pieces, between, cut


def error(status, message, **headers):
    """An error as these servers word it."""
    said = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
    return Answer(said, status, {name.replace("_", "-"): value for name, value in headers.items()})


class Upstream:
    """What a test sees of the server: its address, the answers still to come, and the requests that came."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.headers = []
        self.url = ""

    def answer(self, headers, request):
        if headers.get("Authorization") != f"Bearer {KEY}":
            # Real servers repeat the key that they refuse.
            return error(401, f"Incorrect API key provided: {headers.get('Authorization', '')[7:]}.")
        if request.get("model") != MODEL:
            return error(404, f"The model '{request.get('model')}' does not exist")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(*answers):
    """Runs the endpoint; it gives the answers one after the other, and the last one again and again."""
    upstream = Upstream()
    upstream.answers = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            upstream.requests.append(request)
            upstream.headers.append(dict(self.headers))
            found = (
                upstream.answer(self.headers, request)
                if self.path == "/v1/chat/completions"
                else Answer(b"404 page not found", 404)
            )
            self.send_response(found.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(found.body))} | found.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            body = found.body[: len(found.body) // 2] if found.cut else found.body
            size = max(1, -(-len(body) // found.pieces))
            try:
                for start in range(0, len(body), size):
                    self.wfile.write(body[start : start + size])
                    self.wfile.flush()
                    found.between()
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    upstream.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
