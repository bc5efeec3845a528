"""The report: from a run's record to one HTML file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from lenslab.records import Record, atomic_write
from lenslab.records import read as read_record
from lenslab.records.chart_themes import THEMES
from lenslab.report.errors import UnwritableReportError
from lenslab.report.screening_page import compose_screening
from lenslab.report.script_bundle import read_bundle
from lenslab.runs.run import read
from lenslab.runs.run_record import RunRecord
from lenslab.runs.screening import Screening

NAME = "report.html"


def write(run: RunRecord | Screening | Record | str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a run or a screening: one HTML file that opens anywhere and asks no other place for anything.

    It holds a sortable table of all units, scatter plots of attributes against drops, a map of class drops, and a page
    for every unit with the images that activate it most, where the record has them. That of a screening shows its
    estimates with their intervals, and says everywhere what they are. Equal records give equal files.

    Args:
        run: A finished run or screening, its record or its directory; a study's record stands for its run.
        out: The file, ending in ``.html``, or a directory for it; ``report.html`` in the record by default.

    Returns:
        The file's path.

    Raises:
        ReportError: The record holds no run, the page's script is not built, or the place cannot be written.
        RecordsError: There is no record, or it is damaged.

    Example:
        >>> write("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: no record in no/such/place: it has no record.json
    """
    found = measured(run)
    target = _target(found.directory, out)
    text = compose_screening(found) if isinstance(found, Screening) else compose(found)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return atomic_write.write_text(target, text)
    except OSError as error:
        raise UnwritableReportError(
            f"the report cannot be written to {target} ({error.strerror or error}); name another place with --out FILE"
        ) from error


def measured(source: RunRecord | Screening | Record | str | Path) -> RunRecord | Screening:
    """Read what a report can be made of: a run or a screening.

    Raises:
        NotARunError: There is something else.
        RecordsError: There is no record, or it is damaged.

    Example:
        >>> measured("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: no record in no/such/place: it has no record.json
    """
    if isinstance(source, RunRecord | Screening):
        return source
    record = source if isinstance(source, Record) else read_record(source)
    return Screening.of(record) if record.kind == "screening" else read(record)


def compose(run: RunRecord) -> str:
    """Put the page of a run together.

    Raises:
        MissingBundleError: The page's script is not built.
        RecordsError: A table is missing or damaged.
    """
    from lenslab.report.data_packing import DataPack
    from lenslab.report.exemplar_pictures import exemplar_pictures
    from lenslab.report.html_page import html_page
    from lenslab.report.report_tables import report_tables
    from lenslab.report.run_facts import run_facts

    bundle = read_bundle()
    tables = report_tables(run)
    pictures = exemplar_pictures(run, tables.units)
    images = run.table("images", ["label"])
    pack = DataPack()
    for name in ("units", "classes", "unchanged", "flips", "correlations", "class_attributes"):
        pack.table(name, getattr(tables, name))
    if pictures is not None:
        pack.table("exemplars", pictures.exemplars)
        pack.table("pictures", pictures.images)
        pack.raw("maps", pictures.maps)
    pack.header |= {
        "kind": "run",
        "key": run.key,
        "network": run.network.name,
        "accuracy": run.provenance["accuracy"],
        "classes": int(images["label"].max()) + 1 if run.dataset.classes is None else run.dataset.classes,
        "class_names": run.dataset.class_names,
        "kept": {
            "classes": tables.classes_kept,
            "flips": tables.flips_kept,
            "left_out": pictures.left_out if pictures else 0,
        },
        "pictured": pictures is not None,
        "themes": {name: dict(theme) for name, theme in THEMES.items()},
    }
    return html_page(
        bundle,
        network=run.network.name,
        images=run.dataset.name,
        facts=run_facts(run, tables.units, len(images)),
        work=run.work,
        warnings=(*run.warnings, *(f"assumed: {assumption}" for assumption in run.assumptions)),
        key=run.key,
        data=pack.text(),
        thumbnails=pictures.thumbnails if pictures else (),
    )


def _target(directory: Path, out: str | Path | None) -> Path:
    """Say where the report goes, and refuse a name that a record's own files have."""
    if out is None:
        return directory / NAME
    path = Path(out)
    if path.is_dir():
        return path / NAME
    if path.suffix.lower() not in (".html", ".htm"):
        raise UnwritableReportError(f"a report is an HTML file, and {path} does not end in .html; name one that does")
    return path
