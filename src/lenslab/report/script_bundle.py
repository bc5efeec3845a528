"""The page's script and style sheet, as the front end's build left them in the package."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lenslab.report.errors import MissingBundleError

PLACE = Path(__file__).parent / "static"
SCRIPT, STYLE = "report.js", "report.css"

# What would end a script element, or begin a comment in it. In JavaScript both stand in strings and patterns only,
# where a backslash changes nothing.
_ENDING = re.compile(r"<(?=/script|!--)", re.IGNORECASE)


@dataclass(frozen=True)
class Bundle:
    """The script and the style sheet of a page.

    Attributes:
        script: JavaScript that may stand inside a ``script`` element.
        style: CSS that may stand inside a ``style`` element.
    """

    script: str
    style: str

    @property
    def policy(self) -> str:
        """The content security policy: these two texts by their hashes, pictures from the page itself, nothing else.

        Example:
            >>> Bundle("", "").policy.split("; ")[0]
            "default-src 'none'"
        """
        return (
            f"default-src 'none'; script-src '{source_hash(self.script)}'; style-src '{source_hash(self.style)}'; "
            "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
        )


def read_bundle(place: Path = PLACE) -> Bundle:
    """Read the script and the style sheet.

    Example:
        >>> read_bundle(Path("no/such/place"))
        Traceback (most recent call last):
        ...
        lenslab.report.errors.MissingBundleError: the report's front end is not built (no report.js in no/such/place);
        in a checkout build it with: cd frontend && npm ci && npm run build
    """
    texts = []
    for name in (SCRIPT, STYLE):
        path = place / name
        if not path.is_file():
            raise MissingBundleError(
                f"the report's front end is not built (no {name} in {place}); "
                "in a checkout build it with: cd frontend && npm ci && npm run build"
            )
        texts.append(path.read_text(encoding="utf-8"))
    return Bundle(embeddable(texts[0]), texts[1].replace("</style", "<\\/style"))


def embeddable(script: str) -> str:
    r"""Rewrite a script so that no string in it ends the element that it stands in.

    Example:
        >>> embeddable("'</script>'")
        "'\\x3c/script>'"
    """
    return _ENDING.sub(r"\\x3c", script)


def source_hash(text: str) -> str:
    """Name a text as a content security policy does: SHA-256 of its bytes, in base64.

    Example:
        >>> source_hash("")
        'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
