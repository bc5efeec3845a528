"""Scripts that write words without spaces between them: Chinese, Japanese, Korean, Thai and their kin.

No tokenizer of SQLite or PostgreSQL finds words there. So every pair of neighbouring signs is one word of the index, as
in Lucene's CJK analysis, and what is looked for is its pairs side by side; a single sign is a word, too. Both are
written in letters and digits of ASCII, which every tokenizer takes as they are.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_SIGN = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
SIGN = re.compile(f"[{_SIGN}]")
_RUN = re.compile(f"[{_SIGN}]+")
# Between two runs, so that the end of one and the beginning of the next are not side by side.
_GAP = "c0"


def spaced(text: str) -> tuple[str, list[str]]:
    """Divide a text into what is written with spaces, and its runs of signs that are not.

    Example:
        >>> spaced("CNNによる画像分類 2020")
        ('CNN  2020', ['による画像分類'])
    """
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not SIGN.search(normal):
        return text, []
    return _RUN.sub(" ", normal), _RUN.findall(normal)


def words(run: str) -> list[str]:
    """Write what is looked for of a run: its pairs of signs in their order, or the one sign that it is.

    Example:
        >>> words("深度学"), words("深")
        (['c28145c24230', 'c24230c23398'], ['c28145'])
    """
    signs = [f"c{ord(sign)}" for sign in run]
    return ["".join(pair) for pair in pairwise(signs)] or signs


def indexed(text: str) -> str:
    """Write what the index holds of a text: the pairs of each run, then every sign once.

    Example:
        >>> indexed("画像 and 分類")
        'c30011c20687 c0 c20998c39006 c0 c30011 c20687 c20998 c39006'
    """
    _, runs = spaced(text)
    pairs = [word for run in runs if len(run) > 1 for word in (*words(run), _GAP)]
    return " ".join((*pairs, *dict.fromkeys(f"c{ord(sign)}" for sign in "".join(runs))))
