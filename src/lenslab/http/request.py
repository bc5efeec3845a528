"""A request to a service."""

from collections.abc import Collection
from dataclasses import dataclass

from lenslab.http.service import Service


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a service.

    Attributes:
        service: Who is asked.
        method: The HTTP method.
        url: The address, without any key.
        subject: What is asked for, as a message names it.
        payload: The body, in JSON.
        final: Statuses after which the request is not tried again, though after others it might be.
        cached: Whether the answer is kept.
    """

    service: Service
    method: str
    url: str
    subject: str
    payload: bytes | None = None
    final: Collection[int] = ()
    cached: bool = False
