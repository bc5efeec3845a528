"""Which extra of the package brings a module that is not installed."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

_EXTRAS = ("read", "ablate", "site", "fast", "postgres", "ray", "vision", "pretrained")
"""The extras that people install, those that bring least first."""

_DISTRIBUTIONS = {"pil": "pillow", "sklearn": "scikit-learn", "vl-convert": "vl-convert-python", "csp": "django-csp",
                  "markdown-it": "markdown-it-py"}  # fmt: skip
"""What brings a module whose name is another one."""

_REQUIREMENT = re.compile(r"""([\w.-]+)[^;]*;.*\bextra == ["']([\w-]+)["']""")


def extra_for(module: str) -> str | None:
    """Name the extra that brings a module; ``None`` where none does.

    Example:
        >>> extra_for("PIL.Image"), extra_for("django"), extra_for("altair"), extra_for("antigravity")
        ('ablate', 'site', 'read', None)
    """
    name = module.partition(".")[0].lower().replace("_", "-")
    wanted = _DISTRIBUTIONS.get(name, name)
    try:
        stated = requires("lenslab") or []
    except PackageNotFoundError:
        return None
    found = {match[2] for line in stated if (match := _REQUIREMENT.match(line)) and match[1].lower() == wanted}
    return next((extra for extra in _EXTRAS if extra in found), None)
