"""Which study results are here, and which of them a page shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from lenslab.records import Record, RecordNotFoundError
from lenslab.studies.rulebook import list_studies
from lenslab.studies.study_result import study_results
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
        directory: Where results are looked for.
        choices: Every result that is here, the newest first.
        shown: The chosen one, or the newest; ``None`` where there is none.
        problems: Sentences about records that cannot be read.
    """

    key: str
    directory: str
    choices: tuple[Result, ...]
    shown: Result | None
    cards: tuple[Card, ...]
    problems: tuple[str, ...]


def find_record(name: str) -> Record | None:
    """Find the record of a result by its directory's name, which is compared and never made into a path."""
    found, _ = study_results(settings.RECORDS)
    return next((result.record for result in found if result.directory.name == name), None)


def panel(study: str, chosen: str = "") -> Panel | None:
    """Gather what is here about one paper's study: its results, or, before any run, the claims alone.

    The result that the reader chose by its name is shown; an unknown one is passed over. Give ``None`` for a paper
    without a study.
    """
    rules = next((rules for rules in list_studies() if rules.study == study), None)
    if rules is None:
        return None
    found, problems = study_results(settings.RECORDS)
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
