"""A citation network as files for other programs: CSV for spreadsheets, GraphML for Gephi and the like, JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from xml.etree import ElementTree as ET

from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.reference_fields import one_line

# What XML 1.0 cannot hold, not even escaped (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A spreadsheet computes what begins so (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@")
_GRAPHML = "http://graphml.graphdrawing.org/xmlns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A work in a network.

    Attributes:
        key: Its name in the network; no other node has it.
        title: The title in plain text.
        authors: The names in the work's own order.
        year: The year of publication, where known.
        role: What it is in the network, for instance ``citing``.
        arxiv_id: Its name at arXiv; empty where it has none.
        doi: Its DOI; empty where none is known.
        standing: ``retracted`` or ``withdrawn`` where it stands no more.
    """

    key: str
    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    role: str = ""
    arxiv_id: str = ""
    doi: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A citation in a network.

    Attributes:
        citing: The key of the work that cites.
        cited: The key of the work that is cited.
        influential: Whether a source calls the citation influential; ``None`` where none says.
        sources: The names of the sources that assert it.
    """

    citing: str
    cited: str
    influential: bool | None = None
    sources: tuple[str, ...] = ()


def nodes_csv(nodes: Iterable[Node]) -> str:
    r"""Write the works as a table with a row each; authors are joined by semicolons.

    A cell that a spreadsheet would compute begins with an apostrophe.

    Example:
        >>> nodes_csv([Node(key="a", title="=1+1", authors=("Ada Lovelace", "Bolei Zhou"), year=2018)])
        "key,title,authors,year,role,arxiv_id,doi,standing\r\na,'=1+1,Ada Lovelace; Bolei Zhou,2018,,,,\r\n"
    """
    names = ("key", *_NODE_TYPES)
    return _csv(names, ([getattr(node, name) for name in names] for node in nodes))


def edges_csv(edges: Iterable[Edge]) -> str:
    r"""Write the citations as a table with a row each; sources are joined by semicolons.

    Example:
        >>> edges_csv([Edge(citing="a", cited="b", influential=True, sources=("OpenAlex",))])
        'citing,cited,influential,sources\r\na,b,true,OpenAlex\r\n'
    """
    rows = ((edge.citing, edge.cited, edge.influential, edge.sources) for edge in edges)
    return _csv(("citing", "cited", "influential", "sources"), rows)


def graphml(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """Write the network in GraphML (http://graphml.graphdrawing.org), its edges from the citing to the cited work.

    rustworkx writes GraphML to files alone, and names an attribute of works and one of citations alike.

    Raises:
        MalformedError: A citation names a work that is not among the nodes.

    Example:
        >>> text = graphml([Node(key="a", title="x"), Node(key="b", title="y")], [Edge(citing="a", cited="b")])
        >>> text.count("<node "), text.count("<edge ")
        (2, 1)
    """
    _check(nodes, edges)
    root = ET.Element("graphml", xmlns=_GRAPHML)
    for owner, types in (("node", _NODE_TYPES), ("edge", _EDGE_TYPES)):
        for name, kind in types.items():
            ET.SubElement(root, "key", {"id": name, "for": owner, "attr.name": name, "attr.type": kind})
    graph = ET.SubElement(root, "graph", edgedefault="directed")
    for node in nodes:
        element = ET.SubElement(graph, "node", id=_xml(node.key))
        _add_data(element, {name: getattr(node, name) for name in _NODE_TYPES})
    for edge in edges:
        element = ET.SubElement(graph, "edge", source=_xml(edge.citing), target=_xml(edge.cited))
        _add_data(element, {name: getattr(edge, name) for name in _EDGE_TYPES})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def graph_json(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """Write the network as a JSON object with the lists ``nodes`` and ``edges``.

    Raises:
        MalformedError: A citation names a work that is not among the nodes.

    Example:
        >>> json.loads(graph_json([Node(key="a", title="x")], []))["nodes"][0]["title"]
        'x'
    """
    _check(nodes, edges)
    network = {"nodes": [asdict(node) for node in nodes], "edges": [asdict(edge) for edge in edges]}
    return json.dumps(network, ensure_ascii=False, indent=2) + "\n"


_NODE_TYPES = {"title": "string", "authors": "string", "year": "int", "role": "string"}
_NODE_TYPES |= {"arxiv_id": "string", "doi": "string", "standing": "string"}
_EDGE_TYPES = {"influential": "boolean", "sources": "string"}


def _check(nodes: Sequence[Node], edges: Sequence[Edge]) -> None:
    keys = {node.key for node in nodes}
    if len(keys) < len(nodes):
        raise MalformedError("two works of the network have one key")
    for edge in edges:
        if missing := {edge.citing, edge.cited} - keys:
            raise MalformedError(f"the network has a citation of the work {min(missing)!r}, which is not in it")


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(header)
    for row in rows:
        table.writerow([_cell(value) for value in row])
    return written.getvalue()


def _cell(value: object) -> str:
    text = _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return one_line("; ".join(value) if isinstance(value, tuple) else str(value))


def _add_data(element: ET.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        if text := _text(value):
            ET.SubElement(element, "data", key=name).text = _xml(text)


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)
