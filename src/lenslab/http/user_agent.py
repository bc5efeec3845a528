"""The user agent: how lenslab introduces itself to services."""

import os
import re
from collections.abc import Mapping

from lenslab import __version__
from lenslab.http.errors import UnavailableError

_CONTACT = re.compile(r"[!-~]+@[!-~]+|https?://[!-~]+", re.ASCII)


def user_agent(environment: Mapping[str, str] = os.environ) -> str:
    """Give the header ``User-Agent``, with the contact for complaints that ``LENSLAB_CONTACT`` names.

    Raises:
        UnavailableError: ``LENSLAB_CONTACT`` is neither an e-mail address nor a web address.

    Example:
        >>> user_agent({"LENSLAB_CONTACT": "ada@example.org"})
        'lenslab/... (self-hosted pages of papers; mailto:ada@example.org)'
    """
    contact = environment.get("LENSLAB_CONTACT", "").strip()
    if contact and not _CONTACT.fullmatch(contact):
        raise UnavailableError(f"LENSLAB_CONTACT is {contact[:80]!r}; give an e-mail address or a web address")
    where = contact if "://" in contact else f"mailto:{contact}"
    return f"lenslab/{__version__} (self-hosted pages of papers{f'; {where}' if contact else ''})"
