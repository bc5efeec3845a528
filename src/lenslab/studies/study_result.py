"""Reading study results: records checked field by field, as they may come from anywhere."""

from dataclasses import dataclass
from pathlib import Path

from lenslab.records import Record, RecordsError, find, read
from lenslab.studies.checked_fields import Fields
from lenslab.studies.errors import BrokenStudyError
from lenslab.studies.figure import MEASURES, Figure, say_interval
from lenslab.studies.verdict import Verdict


@dataclass(frozen=True)
class PartResult:
    """One part of a claim as it was decided.

    Attributes:
        name: The part's name, such as an attribute of the units.
        verdict: What the rule said of it.
        figure: Its headline figure, fractions; NaN where there is none.
        measure: ``points``, ``share`` or ``correlation``.
        detail: One sentence about the figure.
    """

    name: str
    verdict: Verdict
    figure: Figure
    measure: str
    detail: str

    @property
    def words(self) -> str:
        """The figure as people read it."""
        return say_interval(self.figure, self.measure)


@dataclass(frozen=True)
class ClaimResult:
    """One claim as it was decided.

    Attributes:
        id: A letter.
        statement: What the paper says, in our own words.
        verdict: What was found here.
        statistic: What was estimated.
        measure: ``points``, ``share`` or ``correlation``.
        figure: The headline figure with its interval, fractions; NaN where there is none.
        confidence: Of the interval.
        scope: Flags: in which ways the setting is smaller than what the paper speaks of.
        supported: The condition for ``supported``, in words.
        contradicted: The condition for ``contradicted``, in words.
        part: The part whose figure is shown, where the claim has parts.
        detail: One sentence about the figure.
        chart: The name of its chart, or None.
        parts: Its parts.
    """

    id: str
    statement: str
    verdict: Verdict
    statistic: str
    measure: str
    figure: Figure
    confidence: float
    scope: tuple[str, ...]
    supported: str
    contradicted: str
    part: str | None
    detail: str
    chart: str | None
    parts: tuple[PartResult, ...]

    @property
    def words(self) -> str:
        """The figure as people read it, for instance ``1.6 points [1.1, 2.4]``."""
        return say_interval(self.figure, self.measure)


@dataclass(frozen=True)
class StudyResult:
    """What a study found on one network and one set of images.

    Attributes:
        record: The record it was read from, with its charts.
        study: The paper's arXiv id.
        network: The network's name.
        images: The name of the images.
        image_count: How many images.
        classes: How many classes the network tells apart.
        accuracy: Before any ablation, a fraction.
        site: The site that the verdicts are about.
        units: How many units it has.
        dead: How many of them are dead and were left out.
        claims: In the order of the rules.
        rules_file: The name of the rules file.
        rules_sha256: Its hash.
        finished: When, in ISO 8601.
        warnings: What a reader should know.
    """

    record: Record
    study: str
    network: str
    images: str
    image_count: int
    classes: int
    accuracy: float
    site: str
    units: int
    dead: int
    claims: tuple[ClaimResult, ...]
    rules_file: str
    rules_sha256: str
    finished: str
    warnings: tuple[str, ...]

    @property
    def directory(self) -> Path:
        """Where the record lies."""
        return self.record.directory

    @property
    def scope(self) -> tuple[str, ...]:
        """The flags of all claims, each once."""
        return tuple(dict.fromkeys(flag for claim in self.claims for flag in claim.scope))


def read_study(directory: str | Path) -> StudyResult:
    """Read a study's record.

    Args:
        directory: Where it lies.

    Returns:
        The result.

    Raises:
        BrokenStudyError: A field is missing or is not what it should be, or the record is of another kind.
        RecordsError: There is no record, or it is damaged or of an unknown schema.

    Example:
        >>> read_study("nowhere")
        Traceback (most recent call last):
        lenslab.records.errors.RecordNotFoundError: no record in nowhere: it has no record.json
    """
    return study_result(read(directory))


def study_result(record: Record) -> StudyResult:
    """Check a record field by field and make a study result of it; what does not fit is a `BrokenStudyError`."""
    if record.kind != "study":
        raise BrokenStudyError(f"{record.directory} holds a {record.kind} and not a study; see it with: lenslab report")
    top = Fields(record.document, str(record.directory))
    rules, images = top.fields("rules"), top.fields("images")
    return StudyResult(
        record=record,
        study=top.text("study"),
        network=top.fields("network").text("name"),
        images=images.text("name"),
        image_count=images.number("count"),
        classes=images.number("classes"),
        accuracy=top.figure("accuracy"),
        site=top.text("site"),
        units=top.number("units"),
        dead=top.number("dead"),
        claims=tuple(_claim(claim) for claim in top.list_of_fields("claims")),
        rules_file=rules.text("file"),
        rules_sha256=rules.text("sha256"),
        finished=top.text("finished"),
        warnings=top.texts("warnings"),
    )


def study_results(directory: str | Path, study: str | None = None) -> tuple[list[StudyResult], list[str]]:
    """All results that lie side by side in a directory, the newest first.

    Args:
        directory: Where the records lie; it need not exist.
        study: Only those of this paper.

    Returns:
        The results, and one sentence per record that could not be read.

    Example:
        >>> study_results("nowhere")
        ([], [])
    """
    records, problems = find(directory, kind="study")
    results = []
    for record in records:
        try:
            result = study_result(record)
        except (BrokenStudyError, RecordsError) as error:
            problems.append(str(error))
        else:
            if study in (None, result.study):
                results.append(result)
    return results, problems


def _claim(claim: Fields) -> ClaimResult:
    measure = claim.choice("measure", MEASURES)
    rule = claim.fields("rule")
    return ClaimResult(
        id=claim.name("id"),
        statement=claim.text("statement"),
        verdict=Verdict(claim.choice("verdict", tuple(Verdict))),
        statistic=claim.text("statistic"),
        measure=measure,
        figure=claim.interval(),
        confidence=claim.figure("confidence"),
        scope=claim.texts("scope"),
        supported=rule.text("supported"),
        contradicted=rule.text("contradicted"),
        part=claim.optional_text("part"),
        detail=claim.text("detail"),
        chart=None if claim.document.get("chart") is None else claim.name("chart"),
        parts=tuple(
            PartResult(
                name=part.text("name"),
                verdict=Verdict(part.choice("verdict", tuple(Verdict))),
                figure=part.interval(),
                measure=measure,
                detail=part.text("detail"),
            )
            for part in claim.list_of_fields("parts")
        ),
    )
