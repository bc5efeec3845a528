"""Reading TeX: a walk over what an author typed, from left to right, that never fails and loses no word."""

import re

from lenslab.papers.text.segment import Kind, Segment
from lenslab.papers.text.tex_symbols import ACCENTS, ESCAPED, SYMBOLS, accented

COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
# The commands of LaTeX, natbib and biblatex, and what they take before the keys: "\\citep[see][p. 3]{a, b}".
_CITING = re.compile(r"(?:auto|foot|full|no|paren|smart|super|text)?cite[a-z]*", re.IGNORECASE)
_CITING_OPTIONS = re.compile(r"(?:\s*\[[^\[\]]{0,500}\]){0,2}")
_STYLES: dict[str, Kind] = dict.fromkeys(("emph", "textit", "textsl", "em", "it", "sl", "itshape"), "emphasis")
_STYLES |= dict.fromkeys(("textbf", "bf", "bfseries"), "strong")
# Switches act on the rest of their group instead of on an argument.
_SWITCHES = frozenset({"em", "it", "sl", "bf", "itshape", "bfseries"})
_SILENT = frozenset(
    {"noindent", "xspace", "protect", "centering", "bigskip", "medskip", "smallskip", "rm", "sc", "tt", "sf", "small"}
    | {"normalfont", "relax", "null", "displaystyle", "left", "right", "footnotesize", "large", "Large", "selectfont"}
)
# Commands whose argument speaks to TeX and not to a reader.
_UNSHOWN = frozenset(
    {"begin", "end", "color", "label", "ref", "eqref", "autoref", "cref", "Cref", "pageref", "vspace", "hspace"}
)
_COLOURED = frozenset({"textcolor", "colorbox"})
_VERBATIM = re.compile(r"\\verb\*?([^A-Za-z\s*])(.{0,500}?)\1", re.DOTALL)
_DEEPEST = 40
# No option is longer; a bracket that closes later closes something else.
_LONGEST_OPTION = 500
_PLAIN = re.compile(r"[^\\${}]+")
_TEX_SIGN = re.compile(r"[\\^_]")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
# An accent on an accented letter: \~{\^{e}} or \'{\^e}.
_STACKED = re.compile(
    r"""\s*(\{\s*\\(?:[`'^~=."]\s*(?:\{\s*\\?[^\W\d_]\s*\}|[^\W\d_])|[uvHcdbkr]\s*\{\s*\\?[^\W\d_]\s*\})\s*\})"""
)
_ACCENTED = re.compile(r"\s*(?:\{\s*\\?([^\W\d_])\s*\}|\\([ij])(?![A-Za-z])\s?|([^\W\d_]))")


def read(source: str) -> list[Segment]:
    r"""Split TeX into segments, as they come: neighbours are not joined and white space is as it was typed.

    Example:
        >>> [segment.kind for segment in read(r"on \emph{units}")]
        ['text', 'emphasis']
    """
    parser = _Parser(source)
    parser.read(0, len(source), "text", 0)
    return parser.segments


class _Parser:
    """Walks a source once, left to right; groups are walked inside of the walk."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.closing = _matching_braces(source)
        self.closers = frozenset(self.closing.values())
        self.segments: list[Segment] = []

    def add(self, kind: Kind, text: str, target: str = "") -> None:
        if text:
            self.segments.append(Segment(kind, text, target))

    def read(self, position: int, end: int, kind: Kind, depth: int) -> None:
        """Read source[position:end]; plain words become segments of the given kind."""
        while position < end:
            character = self.source[position]
            if character == "\\":
                position, kind = self.command(position, end, kind, depth)
            elif character == "$":
                position = self.formula(position, end, kind)
            elif character == "{":
                position = self.group(position, end, kind, depth)
            elif character == "}":
                # A brace that closes nothing is shown; those that close a group end the walk before they are met.
                self.add(kind, "" if depth >= _DEEPEST and position in self.closers else "}")
                position += 1
            else:
                position = self.words(position, end, kind)

    def words(self, position: int, end: int, kind: Kind) -> int:
        match = _PLAIN.match(self.source, position, end)
        stop = match.end() if match else position + 1
        text = self.source[position:stop].replace("~", "\u00a0")
        text = text.replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”")
        self.add(kind, text)
        return stop

    def group(self, position: int, end: int, kind: Kind, depth: int) -> int:
        close = self.closing.get(position, end)
        if close >= end:
            self.add(kind, "{")
            return position + 1
        if depth >= _DEEPEST:
            return position + 1
        self.read(position + 1, close, kind, depth + 1)
        return close + 1

    def formula(self, position: int, end: int, kind: Kind) -> int:
        fence = "$$" if self.source.startswith("$$", position) else "$"
        start = position + len(fence)
        close = _unescaped(self.source, fence, start, end)
        content = self.source[start:close] if close >= 0 else ""
        after = self.source[close + len(fence) : close + len(fence) + 1]
        if not content.strip() or _is_money(content, after):
            self.add(kind, fence)
            return start
        formula = content.strip()
        # A backslash at the end is a space in TeX, and would take the dollar sign with it.
        self.add("formula", f"{formula} " if formula.endswith("\\") and content.endswith(" ") else formula)
        return close + len(fence)

    def argument(self, position: int, end: int) -> tuple[int, int] | None:
        """Find the bounds of a braced argument that begins at the position, white space skipped."""
        while position < end and self.source[position].isspace():
            position += 1
        close = self.closing.get(position, end)
        return (position + 1, close) if close < end else None

    def command(self, position: int, end: int, kind: Kind, depth: int) -> tuple[int, Kind]:
        """Read one command; return where to go on, and the kind that holds from there to the group's end."""
        match = COMMAND.match(self.source, position, end)
        following = self.source[position + 1] if position + 1 < end else ""
        name = match[1] if match else following
        after = match.end() if match else position + 1 + len(following)
        if name in ACCENTS and (accent_end := self.accent(name, after, end, kind)):
            return accent_end, kind
        if match is None:
            self.add(kind, ESCAPED.get(following, "\\" + following))
            return after, kind
        if name in _SWITCHES:
            return self.skip_space(after, end), _STYLES[name]
        if name in SYMBOLS:
            self.add(kind, SYMBOLS[name])
            return self.skip_space(after, end, swallowed=len(SYMBOLS[name]) == 1 and SYMBOLS[name].isalpha()), kind
        if name == "verb" and (verbatim := _VERBATIM.match(self.source, position, end)):
            self.add(kind, verbatim[2])
            return verbatim.end(), kind
        if name in _SILENT:
            return self.skip_space(after, end), kind
        return self.with_argument(name, match[0], after, end, kind, depth), kind

    def with_argument(self, name: str, written: str, after: int, end: int, kind: Kind, depth: int) -> int:
        citing = _CITING.fullmatch(name)
        options = _CITING_OPTIONS.match(self.source, after, end) if citing else None
        bounds = self.argument(options.end() if options else self.after_option(after, end), end)
        if bounds is None:
            self.add(kind, written)
            return after
        start, close = bounds
        if citing:
            keys = [key.strip() for key in self.source[start:close].split(",")]
            self.segments.extend(Segment("citation", key, key) for key in keys if key)
        elif name in ("href", "url"):
            return self.link(name, start, close, end, kind, depth)
        elif name in _UNSHOWN:
            self.add(kind, " " if name in ("begin", "end") else "")
        elif name in _COLOURED and (shown := self.argument(close + 1, end)) and depth < _DEEPEST:
            self.read(*shown, kind, depth + 1)
            return shown[1] + 1
        elif depth >= _DEEPEST:
            return start
        elif name == "footnote":
            self.add(kind, " (")
            self.read(start, close, kind, depth + 1)
            self.add(kind, ")")
        else:
            self.read(start, close, _STYLES.get(name, kind), depth + 1)
        return close + 1

    def link(self, name: str, start: int, close: int, end: int, kind: Kind, depth: int) -> int:
        address = re.sub(r"\\([%#&_~])", r"\1", self.source[start:close]).strip()
        shown = self.argument(close + 1, end) if name == "href" else None
        first = len(self.segments)
        if shown is None:
            self.add(kind, address)
        elif depth >= _DEEPEST:
            self.add(kind, self.source[slice(*shown)])
        else:
            self.read(*shown, kind, depth + 1)
        if re.match(r"https?://[^\s\"'<>]+$", address, re.IGNORECASE):
            text = "".join(segment.text for segment in self.segments[first:])
            self.segments[first:] = [Segment("link", text or address, address)]
        return (shown[1] if shown else close) + 1

    def accent(self, name: str, position: int, end: int, kind: Kind) -> int | None:
        """Read the letter under an accent; return where to go on, or nothing where no letter follows."""
        if stacked := _STACKED.match(self.source, position, end):
            inner, _, written = stacked[1].strip().removeprefix("{").strip().removeprefix("\\").partition(" ")
            letter = re.sub(r"[{}\\\s]", "", f"{inner[1:]}{written}")
            self.add(kind, accented(name, accented(inner[0], letter)))
            return stacked.end()
        match = _ACCENTED.match(self.source, position, end)
        bare = match is not None and match[3] is not None
        # "\c c" needs its space and "\'e" does not: a command made of letters ends only there.
        if match is None or (name.isalpha() and bare and not self.source[position].isspace()):
            return None
        letter = match[1] or match[3] or SYMBOLS[match[2]]
        self.add(kind, accented(name, letter))
        return match.end()

    def after_option(self, position: int, end: int) -> int:
        r"""Skip bracketed options, as in ``\cite[p. 3]{key}``."""
        while position < end and self.source[position] == "[":
            close = self.source.find("]", position, min(end, position + _LONGEST_OPTION))
            if close < 0 or self.source.find("{", position, close) >= 0 or close + 1 >= end:
                return position
            if self.source[close + 1] not in "[{":
                return position
            position = close + 1
        return position

    def skip_space(self, position: int, end: int, *, swallowed: bool = True) -> int:
        """Skip white space, which TeX swallows after a command made of letters; ``{}`` ends a command, too."""
        if self.source.startswith("{}", position) and position + 2 <= end:
            return position + 2
        while swallowed and position < end and self.source[position].isspace():
            position += 1
        return position


def _matching_braces(source: str) -> dict[int, int]:
    """Find where each opening brace is closed; escaped braces do not count."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(source):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            closing[opened.pop()] = match.start()
    return closing


def _is_money(content: str, after: str) -> bool:
    r"""Tell whether what stands between two dollar signs is an amount and the words up to the next one.

    In *from $5 to $10* the second sign opens; in *256$\times$256* it closes, though a digit follows.
    """
    first = content[0]
    if not (first.isdigit() or first.isspace()) or _TEX_SIGN.search(content):
        return False
    return after.isdigit() or (first.isdigit() and content[-1].isspace())


def _unescaped(source: str, sign: str, start: int, end: int) -> int:
    """Find where the sign stands next without a backslash before it, or -1."""
    position = source.find(sign, start, end)
    while position > 0 and source[position - 1] == "\\":
        position = source.find(sign, position + 1, end)
    return position
