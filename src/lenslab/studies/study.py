"""A study: a paper's claims measured on one network and one set of images, decided, and written down."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenslab import __version__
from lenslab.records import Draft, key_of, machine, timestamp, versions
from lenslab.runs.run import Run
from lenslab.runs.site import SiteData
from lenslab.studies.claim_charts import write_charts
from lenslab.studies.claim_finding import Finding, judge
from lenslab.studies.errors import StudiesError
from lenslab.studies.rulebook import Rulebook, load_rules
from lenslab.studies.study_result import StudyResult, study_result
from lenslab.units.ablation import Ablation
from lenslab.units.errors import ImagesUnavailableError
from lenslab.units.images import Images, Source, open_images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, load, shipped_weights_for
from lenslab.units.networks.output import Output
from lenslab.units.sweep.sweep import Progress

DEFAULT_NETWORK = "small"
DEFAULT_IMAGES = "fashion-mnist"
FALLBACK_IMAGES = "digits"

Tell = Callable[[str], None]


def run(
    study: str = "1806.02891",
    *,
    network: Network | str | None = None,
    weights: str | Path | None = None,
    images: Source | None = None,
    classes: Mapping[str, int | str] | Mapping[int, int | str] | str | Path | None = None,
    out: str | Path | None = None,
    mean: Sequence[float] | None = None,
    sd: Sequence[float] | None = None,
    size: tuple[int, int] | None = None,
    preprocessing: Preprocessing | str | Path | None = None,
    output: Output | None = None,
    seed: int = 0,
    limit: int | None = None,
    verify: int = 100,
    device: str = "cpu",
    on: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> StudyResult:
    """Measure a paper's claims on a network and images, decide them by the rules, and leave a record.

    Every unit of every default site is silenced on every image; the verdicts are about the last default site, the
    others are kept as sensitivity. What was measured already, by the same rules, is only read.

    Args:
        study: The paper's arXiv id.
        network: A network, or the name of one; ``small`` by default.
        weights: A file, or the name of shipped weights; by default those shipped for the images.
        images: Labelled images, or where they are; Fashion-MNIST's test images by default, or digits where those cannot
            be had.
        classes: How the images' classes are mapped to the network's, see `lenslab.units.Images.mapped`.
        mean: In place of the network's own preprocessing, see `lenslab.units.load`; a network of one's own needs it.
        sd: As ``mean``.
        size: As ``mean``: height and width.
        preprocessing: In place of the network's own; ``mean``, ``sd`` and ``size`` have the last word.
        output: Where the logits are in what the network puts out, see `lenslab.units.load`.
        out: The directory for the record; ``runs/<study>-<network>-<short hash>`` by default.
        seed: Decides the halves and the bootstrap.
        limit: Only the first so many images.
        verify: So many pairs are done again the plain way; a difference is an error.
        device: Where to run, in torch's words.
        on: Where else the pieces of the work are made, see `lenslab.units.ablate`.
        workers: How many processes make them there.
        progress: Is told how far the ablation has come.
        tell: Is told in words what is being done.

    Returns:
        The result, as `lenslab.studies.read_study` reads it back.

    Raises:
        StudiesError: There is no such study, or the network has no default site.
        UnitsError: The network or the images do not exist or do not fit.
        RecordsError: ``out`` holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     result = run("1806.02891", images="digits", limit=30, out=place)
        >>> result.site, [str(claim.verdict) for claim in result.claims]
        ('relu3', ['undecided', 'undecided', 'not run'])
    """
    tell = tell or (lambda _message: None)
    rules = load_rules(study)
    opened, warnings = _open(network, images, tell)
    if isinstance(network, Network):
        loaded = network
    else:
        name = network or DEFAULT_NETWORK
        chosen = weights if weights is not None else shipped_weights_for(name, opened.name)
        loaded = load(name, weights=chosen, preprocessing=preprocessing, mean=mean, sd=sd, size=size, output=output)
    if classes is not None:
        opened = opened.mapped(loaded.class_names or loaded.classes, classes)
    ablation = Ablation.of(loaded, opened, limit=limit, seed=seed)
    request = {"lenslab": __version__, "study": study, "rules_sha256": rules.sha256, "run": ablation.key}
    directory = Path(out) if out is not None else default_directory(study, loaded.name, key_of("study", request))
    draft = Draft.open(directory, kind="study", request=request)
    finished = draft.finished()
    if finished is not None:
        tell(f"already measured: {directory}")
        return study_result(finished)
    what = f"silencing {ablation.units:,} units of {loaded.name} on {len(ablation.images):,} images of {opened.name}"
    tell(f"{what}; the record goes to {directory}")
    started, clock = timestamp(), time.monotonic()
    measured = ablation.run(
        device=device, verify=verify, out=directory / "run", progress=progress, on=on, workers=workers
    )
    tell("deciding the claims")
    document = decided(measured, rules, draft)
    return study_result(
        draft.finish(
            {
                **document,
                "runs": ["run"],
                "warnings": [*warnings, *measured.warnings, *(f"assumed: {each}" for each in measured.assumptions)],
                "versions": versions(),
                "machine": machine(),
                "started": started,
                "finished": timestamp(),
                "seconds": round(time.monotonic() - clock, 1),
            }
        )
    )


def decided(measured: Run, rules: Rulebook, draft: Draft) -> dict[str, Any]:
    """Decide every claim on a run's record and draw the charts into the draft; the network is not needed.

    Raises:
        StudiesError: The run has no default site.
        RecordsError: The run's tables do not fit together.
    """
    sites = [site.name for site in measured.sites if site.default]
    if not sites:
        raise StudiesError(f"{measured.directory} has no default site; run the study on a network with convolutions")
    seen, seed = measured.site(sites[-1]), measured.seed
    findings = _judge(rules, seen, seed)
    scope = _scope(rules, seen, measured)
    charted = write_charts(draft, findings, seen, measured.dataset.class_names)
    return {
        "study": rules.study,
        "rules": {"file": rules.file, "sha256": rules.sha256, "note": rules.note},
        **measured.provenance,
        "seed": seed,
        "site": seen.site,
        "units": len(seen.dead),
        "dead": int(seen.dead.sum()),
        "claims": [finding.document(scope=scope, charted=finding.claim.chart in charted) for finding in findings],
        "sensitivity": [_sensitivity(rules, measured.site(name), seed) for name in sites[:-1]],
    }


def default_directory(study: str, network: str, key: str) -> Path:
    """Where a study's record goes when nobody says.

    Example:
        >>> default_directory("1806.02891", "my.package:network", "0123456789abcdef").as_posix()
        'runs/1806.02891-my.package-network-01234567'
    """
    return Path("runs") / f"{study}-{re.sub(r'[^A-Za-z0-9._-]+', '-', network)}-{key[:8]}"


def _open(network: Network | str | None, images: Source | None, tell: Tell) -> tuple[Images, list[str]]:
    if images is not None:
        return open_images(images), []
    if network not in (None, DEFAULT_NETWORK):
        name = network.name if isinstance(network, Network) else network
        raise StudiesError(f"which images is {name} to be measured on? Name them with --images SOURCE")
    try:
        return open_images(DEFAULT_IMAGES), []
    except ImagesUnavailableError as error:
        message = f"{DEFAULT_IMAGES} cannot be had, so the study runs on {FALLBACK_IMAGES}: {error}"
        tell(message)
        return open_images(FALLBACK_IMAGES), [message]


def _judge(rules: Rulebook, seen: SiteData, seed: int) -> list[Finding]:
    return [judge(claim, seen, rules, seed=seed) for claim in rules.claims]


def _scope(rules: Rulebook, seen: SiteData, run: Run) -> tuple[str, ...]:
    per_class: Sequence[int] = seen.observations.images.sum(axis=0).tolist()
    return rules.scope.flags(
        classes=run.class_count,
        units=len(seen.dead),
        images_per_class=int(np.min([count for count in per_class if count])),
        training_images=_for_training(run.dataset.name),
    )


def _for_training(name: str) -> bool:
    """Whether images are named as those that networks learn from.

    Example:
        >>> [_for_training(name) for name in ("fashion-mnist-train", "train", "cifar10_training", "strain-test")]
        [True, True, True, False]
    """
    return re.search(r"(?<![a-z])train(ing)?(?![a-z])", name.lower()) is not None


def _sensitivity(rules: Rulebook, seen: SiteData, seed: int) -> dict[str, Any]:
    return {
        "site": seen.site,
        "units": len(seen.dead),
        "dead": int(seen.dead.sum()),
        "claims": [finding.summary() for finding in _judge(rules, seen, seed)],
    }
