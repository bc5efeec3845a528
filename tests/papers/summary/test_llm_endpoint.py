import threading
import time

import pytest

from lenslab.http.errors import UnavailableError
from lenslab.papers.errors import MalformedError
from lenslab.papers.summary.llm_endpoint import Endpoint, configured
from lenslab.papers.summary.summary_prompt import json_object
from tests.upstream.endpoint import KEY, MODEL, Answer, Pauses, completion, error, serving, streamed

MESSAGES = [{"role": "user", "content": "Summarise."}]


def ask(upstream, pauses=None, **options):
    options = {"url": upstream.url, "model": MODEL, "key": KEY} | options
    pauses = Pauses() if pauses is None else pauses
    return Endpoint(sleep=pauses, clock=pauses.clock, **options).complete(MESSAGES)


def test_one_question_gives_one_answer():
    with serving(Answer(completion("Units matter."))) as upstream:
        assert ask(upstream) == "Units matter."
        assert ask(upstream, url=f"{upstream.url}/chat/completions/") == "Units matter."
    request = upstream.requests[0]
    assert (request["model"], request["messages"], request["temperature"]) == (MODEL, MESSAGES, 0)
    assert upstream.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_an_answer_in_parts_or_as_a_stream_is_an_answer():
    parts = [{"type": "text", "text": "Units "}, {"type": "text", "text": "matter."}]
    with serving(Answer(completion(parts)), Answer(streamed("Units ", "matter."))) as upstream:
        assert ask(upstream) == "Units matter."
        assert ask(upstream) == "Units matter."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": ""}, "refuses .*401.*key in LENSLAB_LLM_KEY"),
        ({"key": "sk-wrong"}, "refuses .*401.*key in LENSLAB_LLM_KEY"),
        ({"model": "none"}, "The model 'none' does not exist.*LENSLAB_LLM_MODEL"),
        ({"path": "/v2"}, "knows no completions .404.*usually ends in /v1"),
    ],
)
def test_a_wrong_key_model_or_address_is_refused_at_once_with_what_to_check(options, message):
    with serving(Answer(completion("x"))) as upstream:
        pauses = Pauses()
        if path := options.pop("path", ""):
            options["url"] = upstream.url.replace("/v1", path)
        with pytest.raises(UnavailableError, match=message) as raised:
            ask(upstream, pauses, **options)
    assert "sk-" not in str(raised.value)
    assert len(upstream.requests) == 1
    assert pauses == []


def test_a_bad_request_is_not_asked_again():
    with (
        serving(error(400, "context length exceeded")) as upstream,
        pytest.raises(UnavailableError, match="context length"),
    ):
        ask(upstream)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        (error(429, "slow down", Retry_After="7"), [7.0]),
        (error(429, "slow down"), [1.0]),
        (error(429, "slow down", Retry_After="soon"), [1.0]),
        (error(429, "slow down", Retry_After="Thu, 01 Jan 1970 00:00:00 GMT"), []),
        (error(500, "oops"), [1.0]),
        (error(503, "loading"), [1.0]),
        (Answer(completion("Units matter."), cut=True), [1.0]),
    ],
)
def test_a_failure_that_may_pass_is_asked_again_after_a_pause(answer, pauses):
    made = Pauses()
    with serving(answer, Answer(completion("Units matter."))) as upstream:
        assert ask(upstream, made) == "Units matter."
    assert_pauses(made, pauses)


def assert_pauses(made, least):
    """Pauses are stretched by up to a quarter, lest everybody come back at once."""
    assert len(made) == len(least)
    assert all(0 <= pause - shortest <= shortest / 4 + 1e-5 for pause, shortest in zip(made, least, strict=True))


def test_a_failure_that_does_not_pass_is_given_up():
    pauses = Pauses()
    with serving(error(503, "loading")) as upstream, pytest.raises(UnavailableError, match=r"503: loading \(asked 4"):
        ask(upstream, pauses)
    assert_pauses(pauses, [1.0, 2.0, 4.0])
    assert len(upstream.requests) == 4


def test_a_longer_pause_than_anyone_waits_for_is_given_up():
    pauses = Pauses()
    answer = error(429, "quota", Retry_After="3600")
    with serving(answer) as upstream, pytest.raises(UnavailableError, match="pause of 60 min"):
        ask(upstream, pauses)
    assert pauses == []


def test_nobody_there_is_said_with_the_next_step():
    with serving(Answer()) as upstream:
        pass
    with pytest.raises(UnavailableError, match=r"ConnectError.*unset LENSLAB_LLM_URL") as raised:
        ask(upstream)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"It works!"), "no JSON"),
        (Answer(b""), "no JSON"),
        (Answer(b"[" * 100_000), "no JSON"),
        (Answer(b"\xff\xfe\x00"), "no JSON"),
        (Answer({"choices": []}), "no chat completion"),
        (Answer({"error": "x"}), "no chat completion"),
        (Answer([]), "no chat completion"),
        (Answer(None), "no chat completion"),
        (Answer({"choices": [{"message": "text"}]}), "no chat completion"),
        (Answer({"choices": {"0": 1}}), "no chat completion"),
        (Answer(completion(None)), "no text"),
        (Answer(completion(17)), "no text"),
        (Answer(completion({"text": "x"})), "no text"),
        (Answer(completion("  ")), "no text"),
        (Answer(completion('{"sentences": ["Uni', finish_reason="length")), "cut off"),
        (Answer(streamed("Units ", done=False)), "breaks off"),
        (Answer(b'data: {"choices": [{"del'), "breaks off"),
    ],
)
def test_an_answer_that_is_no_chat_completion_is_refused_with_its_reason(answer, message):
    with serving(answer) as upstream, pytest.raises(MalformedError, match=message):
        ask(upstream)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"<!doctype html><title>Welcome</title>", headers={"Content-Type": "text/html"}), "a web page"),
        (Answer(b"x" * 3_000_000), "longer than 1,048,576 bytes"),
        (Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), "cut off"),
    ],
)
def test_an_answer_that_may_be_a_proxys_is_asked_for_again_and_then_given_up(answer, message):
    with serving(answer) as upstream, pytest.raises(UnavailableError, match=message):
        ask(upstream)
    assert len(upstream.requests) == 4


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"role": "assistant", "content": None, "refusal": "I cannot help with that."}},
        {"finish_reason": "content_filter"},
    ],
)
def test_a_model_that_declines_is_said_to_decline(choice):
    with serving(Answer(completion("", **choice))) as upstream, pytest.raises(UnavailableError, match="declines"):
        ask(upstream)


def test_a_body_that_drips_past_the_deadline_is_given_up():
    answer = Answer(completion("Units matter." * 50), pieces=20, between=lambda: time.sleep(0.05))
    with serving(answer) as upstream, pytest.raises(UnavailableError, match=r"did not finish within 0\.3 s"):
        ask(upstream, deadline=0.3)
    assert len(upstream.requests) == 1


def test_a_body_that_stops_is_given_up():
    stop = threading.Event()
    answer = Answer(completion("Units matter."), pieces=2, between=lambda: stop.wait(5))
    with serving(answer) as upstream:
        with pytest.raises(UnavailableError, match=r"did not finish within 0.2 s"):
            ask(upstream, deadline=0.2)
        stop.set()
    assert len(upstream.requests) == 1


def test_no_key_is_sent_on_to_another_address():
    with (
        serving(Answer(b"", 307, {"Location": "http://127.0.0.1:9/v1/chat/completions"})) as upstream,
        pytest.raises(UnavailableError, match=r"on to .*which is not its own.*check LENSLAB_LLM_URL"),
    ):
        ask(upstream)


def test_the_environment_alone_configures_it():
    environment = {"LENSLAB_LLM_URL": " http://localhost:11434/v1 ", "LENSLAB_LLM_MODEL": "small"}
    assert configured({}) is None
    assert configured({"LENSLAB_LLM_MODEL": "small", "LENSLAB_LLM_KEY": "k"}) is None
    found = configured(environment | {"LENSLAB_LLM_KEY": KEY})
    assert (found.url, found.model, found.host) == ("http://localhost:11434/v1", "small", "localhost:11434")
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"LENSLAB_LLM_URL": "localhost:11434"}, "no address"),
        ({"LENSLAB_LLM_URL": "file:///etc/passwd"}, "no address"),
        ({"LENSLAB_LLM_URL": "http://[::1"}, "no address"),
        ({"LENSLAB_LLM_URL": "http://h:99999/v1"}, "no address"),
        ({"LENSLAB_LLM_URL": "http://h:x/v1"}, "no address"),
        ({"LENSLAB_LLM_URL": "http://.../v1"}, "no address"),
        ({"LENSLAB_LLM_URL": "http://a b/v1"}, "no address"),
        ({"LENSLAB_LLM_URL": f"http://me:{KEY}@localhost/v1"}, "without a name or a key"),
        ({"LENSLAB_LLM_MODEL": ""}, "LENSLAB_LLM_MODEL is not"),
        ({"LENSLAB_LLM_KEY": f"{KEY}\nx"}, "holds no key"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_without_showing_the_key(changes, message):
    environment = {"LENSLAB_LLM_URL": "http://localhost/v1", "LENSLAB_LLM_MODEL": "small", "LENSLAB_LLM_KEY": KEY}
    with pytest.raises(UnavailableError, match=message) as raised:
        configured(environment | changes)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a": 1} ', '```json\n{"a": 1}\n```', '\n```\n{"a": 1}\n```\n'])
def test_a_json_object_is_read_with_and_without_a_fence(text):
    assert json_object(text) == {"a": 1}


@pytest.mark.parametrize(
    "text", ["", "Sure! Here it is:", '{"a": ', '```json\n{"a": \n```', "[1]", "3", "{" * 9999, "[" * 99999]
)
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(MalformedError, match="no JSON"):
        json_object(text)
