"""An answer in the making."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int
    content: bytes
    media: str
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")


def as_xml(document: str, status: int = 200, media: str = "application/xml") -> Answer:
    return Answer(status, document.encode(), media)
