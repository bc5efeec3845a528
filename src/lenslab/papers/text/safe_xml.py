"""XML of strangers, read without its dangers: no entities, no documents fetched from elsewhere, clear refusals."""

from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lenslab.papers.errors import MalformedError


def element(raw: bytes) -> Element:
    """Read the root element.

    Raises:
        MalformedError: The bytes are no XML, or XML that wants more than to be read.

    Example:
        >>> element(b"<a><b>0</b></a>")[0].text
        '0'
    """
    try:
        root: Element = fromstring(raw, forbid_dtd=True)
    except ParseError as error:
        raise MalformedError(f"it is no whole XML: {error}") from None
    except DefusedXmlException:
        raise MalformedError("its XML declares a document type, which is refused: it could fetch or multiply") from None
    except (ValueError, LookupError) as error:  # an encoding that nobody knows
        raise MalformedError(f"it is no XML: {error}") from None
    return root


def raw(part: Element) -> bytes:
    """Write an element as a document of its own, which ``element`` reads again.

    Raises:
        MalformedError: Its elements are nested too deeply.

    Example:
        >>> raw(element(b"<a><b x='1'>0</b> tail</a>")[0])
        b'<b x="1">0</b>'
    """
    tail, part.tail = part.tail, None
    try:
        document: bytes = tostring(part, encoding="utf-8", xml_declaration=False)
        return document
    except RecursionError:
        raise MalformedError("its elements are nested too deeply") from None
    finally:
        part.tail = tail


def text(parent: Element, path: str) -> str:
    r"""Find the text of the first element on a path, on one line; empty where there is none.

    Example:
        >>> text(element(b"<a><b> two \n lines </b></a>"), "b")
        'two lines'
    """
    return " ".join((parent.findtext(path) or "").split())
