"""The report: from a run's record to one HTML file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from lenslab.records import Record, atomic_write, find, read
from lenslab.records.chart_themes import THEMES
from lenslab.report.errors import NotARunError, UnwritableReportError
from lenslab.report.script_bundle import read_bundle

NAME = "report.html"


def write(record: Record | str | Path, out: str | Path | None = None) -> Path:
    """Write a run's report: one self-contained HTML file that opens anywhere and requests nothing.

    It holds a sortable table of all units, scatter plots of attributes against drops, a map of class drops, and a page
    for every unit with the images that activate it most, where the record has them. Equal records give equal files.

    Args:
        record: A finished run, or the directory of one; a study's record stands for its run.
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
    run = run_of(read(record) if isinstance(record, (str, Path)) else record)
    target = _target(run, out)
    text = compose(run)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return atomic_write.write_text(target, text)
    except OSError as error:
        raise UnwritableReportError(
            f"the report cannot be written to {target} ({error.strerror or error}); name another place with --out FILE"
        ) from error


def run_of(record: Record) -> Record:
    """Give the run that a record is or, being a study's, holds.

    Raises:
        NotARunError: It holds none.
    """
    if record.kind == "run":
        return record
    runs, _ = find(record.directory, kind="run")
    if not runs:
        raise NotARunError(
            f"{record.directory} is a {record.kind} without its run; name the directory that 'lenslab ablate' prints"
        )
    return runs[0]


def compose(run: Record) -> str:
    """Compose the page of a run.

    Raises:
        MissingBundleError: The page's script is not built.
        RecordsError: A table is missing or damaged.
    """
    from lenslab.report.data_packing import DataPack
    from lenslab.report.exemplar_pictures import exemplar_pictures
    from lenslab.report.html_page import html_page
    from lenslab.report.report_tables import report_tables
    from lenslab.report.run_facts import class_names, part_of, run_facts, warnings

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
    document = run.document
    network, source = (str(part_of(document, name).get("name") or "unnamed") for name in ("network", "images"))
    classes = part_of(document, "images").get("classes")
    pack.header |= {
        "key": run.key,
        "network": network,
        "accuracy": document.get("accuracy"),
        "classes": classes if isinstance(classes, int) else int(images["label"].max()) + 1,
        "class_names": class_names(document),
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
        network=network,
        images=source,
        facts=run_facts(document, tables.units, len(images)),
        warnings=warnings(document),
        key=run.key,
        data=pack.text(),
        thumbnails=pictures.thumbnails if pictures else (),
    )


def _target(run: Record, out: str | Path | None) -> Path:
    """Choose where the report goes, and refuse what is not an HTML file."""
    if out is None:
        return run.directory / NAME
    path = Path(out)
    if path.is_dir():
        return path / NAME
    if path.suffix.lower() not in (".html", ".htm"):
        raise UnwritableReportError(f"a report is an HTML file, and {path} does not end in .html; name one that does")
    return path
