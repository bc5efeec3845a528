"""Preprocessing as others write it down: our own JSON, Transformers' image processors, timm's configurations.

What a file asks for is either done exactly or refused by name; nothing is passed over because it is not understood.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lenslab.units.errors import PreprocessingError
from lenslab.units.images.preprocessing import FILTERS, Preprocessing

_OWN = frozenset(("channels", "size", "mean", "sd", "filter", "resizing", "shorter"))

_PILLOW = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Pillow's filters in the order of their numbers, which Transformers writes."""

_UNDERSTOOD = frozenset(
    ("do_resize", "size", "resample", "crop_pct", "do_center_crop", "crop_size", "do_rescale", "rescale_factor")
) | frozenset(("do_normalize", "image_mean", "image_std", "do_convert_rgb"))

_SAYS_NOTHING = frozenset(
    ("image_processor_type", "feature_extractor_type", "processor_class", "_valid_processor_keys", "default_to_square")
) | frozenset(("data_format", "input_data_format", "return_tensors", "device", "disable_grouping", "model_type"))
"""What Transformers writes that changes no pixel here."""


def read_preprocessing(path: str | Path) -> Preprocessing:
    """Read preprocessing from a JSON file: ours (`Preprocessing.to_json`), Transformers' or timm's.

    Transformers' is ``preprocessor_config.json``; timm's is ``config.json`` with a ``pretrained_cfg``, or the latter
    alone.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "mine.json"
        ...     _ = path.write_text(json.dumps(Preprocessing(1, (8, 8), (0.5,), (0.25,)).to_json()))
        ...     read_preprocessing(path)
        Preprocessing(channels=1, size=(8, 8), mean=(0.5,), sd=(0.25,), filter='bilinear', resizing='cover',
                      shorter=None)
    """
    try:
        document = json.loads(Path(path).expanduser().read_text("utf-8"))
    except OSError as error:
        raise PreprocessingError(f"the preprocessing {path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise PreprocessingError(f"the preprocessing {path} is not JSON: {error}") from error
    named = str(path)
    if isinstance(document, dict):
        if "channels" in document:
            unknown = sorted(document.keys() - _OWN)
            if unknown:
                raise PreprocessingError(
                    f"{named} states {', '.join(unknown)}; the fields are {', '.join(sorted(_OWN))}"
                )
            return Preprocessing.from_json(document)
        if "pretrained_cfg" in document or "input_size" in document:
            return from_timm(document, named)
        if "image_mean" in document or "do_normalize" in document or "do_resize" in document:
            return from_transformers(document, named)
    raise PreprocessingError(
        f"{named} is no preprocessing that is known here; give Transformers' preprocessor_config.json, timm's "
        "config.json, or an object with channels, size, mean and sd"
    )


def from_timm(document: Mapping[str, Any], named: str = "the configuration") -> Preprocessing:
    """Understand timm's configuration as timm evaluates: scaled by 1 / ``crop_pct``, the middle cut out.

    Where they are missing, the interpolation is bicubic and ``crop_pct`` 0.875, as in timm; the rest has to be stated.

    Example:
        >>> timm = {"input_size": [3, 240, 240], "mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 1.0}
        >>> from_timm(timm).filter
        'bicubic'
    """
    stated = document.get("pretrained_cfg", document)
    if not isinstance(stated, Mapping):
        raise PreprocessingError(f"{named}: pretrained_cfg is no object")
    channels, height, width = _numbers(stated, "input_size", named, 3)
    mean, sd = _numbers(stated, "mean", named), _numbers(stated, "std", named)
    share = stated.get("crop_pct", 0.875)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise PreprocessingError(f"{named}: crop_pct is {share!r}; done are shares above 0 up to 1")
    if share < 1 and height != width:
        raise PreprocessingError(f"{named}: crop_pct below 1 with a size that is no square is not done here")
    mode = stated.get("crop_mode") or "center"
    if mode not in ("center", "squash") or (mode == "squash" and share < 1):
        raise PreprocessingError(f"{named}: crop_mode {mode!r} with crop_pct {share} is not done here; center is")
    return Preprocessing(
        int(channels),
        (int(height), int(width)),
        mean,
        sd,
        filter=_filter(stated.get("interpolation", "bicubic"), "interpolation", named),
        resizing="stretch" if mode == "squash" else "cover",
        shorter=math.floor(height / share) if mode == "center" and height == width else None,
    )


def from_transformers(document: Mapping[str, Any], named: str = "the configuration") -> Preprocessing:
    """Understand the configuration of an image processor of Transformers.

    Where a cut is off the middle by half a pixel, torchvision's rule decides and not Transformers', which may be one
    pixel beside it. What is missing is: bilinear, divided by 255, and the steps whose values are given.

    Example:
        >>> stated = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 224, "width": 224}}
        >>> made = from_transformers(stated)
        >>> made.size, made.resizing
        ((224, 224), 'stretch')
    """
    unknown = sorted(
        key for key, value in document.items() if key not in _UNDERSTOOD | _SAYS_NOTHING and value not in (None, False)
    )
    if unknown:
        raise PreprocessingError(f"{named} asks for {', '.join(unknown)}, which is not done here")
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    sd: tuple[float, ...] = (1.0, 1.0, 1.0)
    if document.get("do_normalize", "image_mean" in document):
        mean, sd = _numbers(document, "image_mean", named), _numbers(document, "image_std", named)
    # Theirs is (pixel * factor - mean) / sd, ours (pixel / 255 - mean) / sd.
    full = 255 * _factor(document, named)
    if full != 1:
        mean, sd = tuple(value / full for value in mean), tuple(value / full for value in sd)
    size, resizing, shorter = _geometry(document, named)
    resample = document.get("resample")
    method = "bilinear" if resample is None else _filter(resample, "resample", named)
    return Preprocessing(len(mean), size, mean, sd, filter=method, resizing=resizing, shorter=shorter)


def _factor(document: Mapping[str, Any], named: str) -> float:
    if not document.get("do_rescale", True):
        return 1.0
    factor = document.get("rescale_factor", 1 / 255)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise PreprocessingError(f"{named}: rescale_factor is {factor!r}; give a number above 0")
    return 1 / 255 if math.isclose(factor, 1 / 255, rel_tol=1e-6) else float(factor)  # 0.00392156862745098 and shorter


def _geometry(document: Mapping[str, Any], named: str) -> tuple[tuple[int, int] | None, str, int | None]:
    resized = document.get("size") if document.get("do_resize", True) else None
    cut = document.get("crop_size") if document.get("do_center_crop", "crop_size" in document) else None
    if isinstance(resized, int) and "crop_pct" not in document:
        kind = document.get("image_processor_type") or document.get("feature_extractor_type") or "the processor"
        if "ViT" in str(kind):
            resized = {"height": resized, "width": resized}
        else:
            raise PreprocessingError(
                f"{named}: whether {kind} takes size {resized} for the shorter side is not stated; write "
                f'{{"shortest_edge": {resized}}} or {{"height": {resized}, "width": {resized}}}'
            )
    crop = _sides(cut, "crop_size", named) if cut is not None else None
    if resized is None:
        if crop is not None:
            raise PreprocessingError(f"{named}: cutting to {cut} without resizing is not done here")
        return None, "cover", None
    shortest = resized if isinstance(resized, int) else _shortest(resized, named)
    if shortest is None:
        height, width = _sides(resized, "size", named)
        if crop not in (None, (height, width)):
            raise PreprocessingError(f"{named}: stretching to {resized} and then cutting to {cut} is not done here")
        return (height, width), "stretch", None
    share = document.get("crop_pct")
    if share is not None:  # ConvNeXT's processor: large inputs are stretched, small ones scaled and cut
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise PreprocessingError(f"{named}: crop_pct is {share!r}; done are shares above 0 up to 1")
        square = (shortest, shortest)
        return (square, "stretch", None) if shortest >= 384 else (square, "cover", int(shortest / share))
    if crop is None:
        raise PreprocessingError(
            f"{named}: a shortest edge of {shortest} without cutting gives images of many sizes; state crop_size"
        )
    return crop, "cover", shortest


def _shortest(size: object, named: str) -> int | None:
    if isinstance(size, Mapping) and set(size) == {"shortest_edge"}:
        return _whole(size["shortest_edge"], "size", named)
    return None


def _sides(size: object, field: str, named: str) -> tuple[int, int]:
    if isinstance(size, int):
        return (_whole(size, field, named),) * 2
    if not isinstance(size, Mapping) or set(size) != {"height", "width"}:
        raise PreprocessingError(f"{named}: {field} {size!r} is not done here; height and width, or shortest_edge, are")
    return _whole(size["height"], field, named), _whole(size["width"], field, named)


def _whole(value: object, field: str, named: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PreprocessingError(f"{named}: {field} holds {value!r}; give whole pixels")
    return value


def _numbers(document: Mapping[str, Any], field: str, named: str, count: int | None = None) -> tuple[float, ...]:
    values = document.get(field)
    if (
        not isinstance(values, Sequence)
        or isinstance(values, str)
        or not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        or len(values) != (count or len(values))
    ):
        expected = f"{count} numbers" if count else "numbers, one per channel"
        raise PreprocessingError(f"{named}: {field} is {values!r}; expected a list of {expected}")
    return tuple(float(value) for value in values)


def _filter(stated: object, field: str, named: str) -> str:
    if isinstance(stated, int) and not isinstance(stated, bool) and 0 <= stated < len(_PILLOW):
        return _PILLOW[stated]
    if stated in FILTERS:
        return str(stated)
    raise PreprocessingError(f"{named}: {field} {stated!r} is not done here; there are {', '.join(FILTERS)}")
