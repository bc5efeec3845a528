"""A request to a service."""

from collections.abc import Collection
from dataclasses import dataclass

from lenslab.http.service import Service


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a service, as ``HttpClient.get`` describes it; its address is without any key, its body in JSON."""

    service: Service
    method: str
    url: str
    subject: str
    payload: bytes | None = None
    final: Collection[int] = ()
    cached: bool = False
