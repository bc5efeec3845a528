"""Which study results are here, and which of them a page shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from lenslab.records import Record, RecordNotFoundError
from lenslab.studies.rulebook import Rulebook, list_studies
from lenslab.studies.study_result import StudyResult, study_results
from lenslab.web.claim_display import Claim, Result, present, unmeasured


@dataclass(frozen=True)
class Chart:
    """The addresses of a claim's chart: as a picture for either theme, and as a specification."""

    light: str
    dark: str
    specification: str


@dataclass(frozen=True)
class Card:
    """A claim with its chart."""

    claim: Claim
    chart: Chart | None


@dataclass(frozen=True)
class Panel:
    """What a paper's page shows of its study.

    Attributes:
        key: The paper's key.
        directory: Where results are looked for.
        choices: Every result that is here, the newest first.
        shown: The chosen one, or the newest; ``None`` where there is none.
        cards: The claims with their charts.
        problems: Sentences about records that cannot be read.
    """

    key: str
    directory: str
    choices: tuple[Result, ...]
    shown: Result | None
    cards: tuple[Card, ...]
    problems: tuple[str, ...]


def rulebook(study: str) -> Rulebook | None:
    """Find the rules of a paper's study; nothing where the paper has none."""
    return next((rules for rules in list_studies() if rules.study == study), None)


def results() -> tuple[list[StudyResult], list[str]]:
    """Read every study result in the directory of records, the newest first, and say which cannot be read."""
    return study_results(settings.RECORDS)


def find_record(name: str) -> Record | None:
    """Find the record of a result by its directory's name, which is compared and never made into a path."""
    return next((result.record for result in results()[0] if result.directory.name == name), None)


def panel(study: str, chosen: str = "") -> Panel | None:
    """Gather what is here about one paper's study.

    Args:
        study: The paper's key.
        chosen: The name of the result that the reader asked for; an unknown one is passed over.

    Returns:
        The results and the one to show, or, before any run, the claims alone; ``None`` for a paper without a study.
    """
    rules = rulebook(study)
    if rules is None:
        return None
    found, problems = results()
    about = [result for result in found if result.study == study]
    choices = tuple(present(result) for result in about)
    at = next((index for index, choice in enumerate(choices) if choice.name == chosen), 0)
    shown = choices[at] if choices else None
    if shown:
        cards = tuple(Card(claim, _chart(about[at].record, claim)) for claim in shown.claims)
    else:
        cards = tuple(Card(claim, None) for claim in unmeasured(rules))
    return Panel(study, str(settings.RECORDS), choices, shown, cards, tuple(problems))


def _chart(record: Record, claim: Claim) -> Chart | None:
    """Give a claim's chart, where the record really has its pictures."""
    if not claim.chart:
        return None
    name = record.directory.name
    try:
        for theme in ("light", "dark"):
            record.path(f"charts/{claim.chart}.{theme}.svg")
    except RecordNotFoundError:
        return None
    return Chart(
        light=reverse("chart-picture", args=[name, claim.chart, "light"]),
        dark=reverse("chart-picture", args=[name, claim.chart, "dark"]),
        specification=reverse("chart-specification", args=[name, claim.chart]),
    )
