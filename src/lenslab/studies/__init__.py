"""Is what the paper says so? Claims, the rules that decide them, and what was found."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.studies.claim import Claim
    from lenslab.studies.errors import StudiesError
    from lenslab.studies.figure import Figure
    from lenslab.studies.rule import Rule
    from lenslab.studies.rulebook import Rulebook, list_studies, load_rules
    from lenslab.studies.study import run
    from lenslab.studies.study_result import ClaimResult, StudyResult, read_study, study_results
    from lenslab.studies.verdict import Verdict

_HOMES = {
    "claim": ("Claim",),
    "errors": ("StudiesError",),
    "figure": ("Figure",),
    "study_result": ("ClaimResult", "StudyResult", "read_study", "study_results"),
    "rule": ("Rule",),
    "rulebook": ("Rulebook", "list_studies", "load_rules"),
    "study": ("run",),
    "verdict": ("Verdict",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Claim",
    "ClaimResult",
    "Figure",
    "Rule",
    "Rulebook",
    "StudiesError",
    "StudyResult",
    "Verdict",
    "list_studies",
    "load_rules",
    "read_study",
    "run",
    "study_results",
]


def __getattr__(name: str) -> Any:
    # Reading a result loads nothing heavy; torch comes with `run` alone.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
