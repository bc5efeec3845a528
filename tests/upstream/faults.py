"""What goes wrong upstream, and when."""

from __future__ import annotations

import random
import threading
from enum import Enum
from typing import Self


class Fault(Enum):
    THROTTLED = "429, and no word of how long"
    THROTTLED_SECONDS = "429 with Retry-After in seconds"
    THROTTLED_DATE = "429 with Retry-After as a date"
    THROTTLED_LONG = "429 with Retry-After of two hours"
    RATE_EXCEEDED = "the bare text Rate exceeded. with 200"
    NOT_ACCEPTABLE = "406, by which arXiv's edge throttles"
    INTERNAL = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    WEB_PAGE = "a web page with 200"
    MALFORMED = "a body whose second half is missing, with the right length"
    TRUNCATED_GZIP = "a gzip whose end is missing"
    CUT = "a body that ends before its length"
    RESET = "the connection is reset"
    SLOW = "a body that drips in for a while"
    ENDLESS = "a body that drips in for ever"
    BOMB = "a gzip that grows a thousandfold"
    DOCTYPE = "XML with a document type and entities that multiply"
    EMPTY_PAGE = "a page in the middle without anything"
    EXPIRED_TOKEN = "a resumption token that is known no more"
    ERROR_WITH_200 = "arXiv's error entry with 200"
    ELSEWHERE = "a redirect to another host"
    NOWHERE = "a redirect to what is no address"
    ODD_TAG = "an ETag in letters that cannot be sent back"
    FORBIDDEN = "403"
    UNAUTHORIZED = "401"


# Those that pass by themselves and may hit any request.
PASSING = (
    Fault.THROTTLED,
    Fault.THROTTLED_SECONDS,
    Fault.THROTTLED_DATE,
    Fault.INTERNAL,
    Fault.BAD_GATEWAY,
    Fault.UNAVAILABLE,
    Fault.GATEWAY_TIMEOUT,
    Fault.WEB_PAGE,
    Fault.MALFORMED,
    Fault.TRUNCATED_GZIP,
    Fault.CUT,
    Fault.RESET,
    Fault.SLOW,
)
OF_ONE_SERVICE = {
    "arXiv API": (Fault.RATE_EXCEEDED, Fault.NOT_ACCEPTABLE, Fault.EMPTY_PAGE),
    "arXiv OAI-PMH": (Fault.RATE_EXCEEDED, Fault.NOT_ACCEPTABLE, Fault.EXPIRED_TOKEN),
    "Semantic Scholar": (Fault.EMPTY_PAGE,),
    "OpenAlex": (Fault.EMPTY_PAGE,),
}
MOST_IN_A_ROW = 3


class Faults:
    """Which request meets which fault.

    Args:
        planned: faults by service and by the number of the request to that service, counted from 0.
        always: a fault that every request to a service meets.
    """

    def __init__(
        self, planned: dict[str, dict[int, Fault]] | None = None, *, always: dict[str, Fault] | None = None
    ) -> None:
        self.planned = planned or {}
        self.always = always or {}
        self.injected: list[tuple[str, int, Fault]] = []
        self.left = 0
        self._chance = random.Random(0)
        self._in_a_row: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    @classmethod
    def random(cls, seed: int, count: int) -> Self:
        """``count`` faults at random requests, never more than three in a row, so that patience always pays."""
        faults = cls()
        faults._chance = random.Random(seed)
        faults.left = count
        return faults

    def next(self, service: str) -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            number = self._asked.get(service, 0)
            self._asked[service] = number + 1
            fault = self.planned.get(service, {}).get(number) or self.always.get(service)
            due = self.left and self._in_a_row.get(service, 0) < MOST_IN_A_ROW
            if fault is None and due and self._chance.random() < 0.5:
                fault = self._chance.choice([*PASSING, *OF_ONE_SERVICE[service]])
                self.left -= 1
            self._in_a_row[service] = self._in_a_row.get(service, 0) + 1 if fault else 0
            if fault:
                self.injected.append((service, number, fault))
            return fault
