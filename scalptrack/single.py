"""The stages on single photographs and pairs: what ``segment`` and ``register`` do."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scalptrack.aligning import register_roughly
from scalptrack.errors import HeadNotFoundError, ImageReadError, InputError
from scalptrack.fiducials import find_strip, strip_filled
from scalptrack.images import encode_image, read_photograph, sha256_of_file
from scalptrack.measurement import measure, scalp_region
from scalptrack.outputs import OutputFolder
from scalptrack.overlay import hair_overlay, side_by_side
from scalptrack.plain import to_plain
from scalptrack.quality import check_quality
from scalptrack.records import (
    NO_MARKERS,
    BoolArray,
    CaptureInfo,
    FloatArray,
    Grid,
    ImageArray,
    Registration,
    Segmentation,
    Settings,
    Severity,
    StripMarkers,
)
from scalptrack.registration import (
    extract_features,
    register,
    register_by_points,
    warp_to_reference,
)
from scalptrack.segmentation import coverage_interval, shared_segmenter
from scalptrack.translation import tr
from scalptrack.wording import finding_name

OVERLAY_SIDE_PX = 1600
"""Longest side of pictures for people; originals stay what they are."""

MIN_PAIRS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A photograph that was read and segmented, and its headband where one is looked for."""

    image: ImageArray
    capture: CaptureInfo
    segmentation: Segmentation
    strip: StripMarkers = NO_MARKERS


def open_photograph(path: Path, settings: Settings) -> Opened:
    """Read and segment a photograph.

    Raises
    ------
    ImageReadError
        When the file isn't a whole photograph.
    HeadNotFoundError
        When no head is found, or the photograph is too bad to be measured.
    """
    opened, problem = look_at(path, settings)
    if problem is not None:
        raise HeadNotFoundError(problem)
    return opened


def look_at(path: Path, settings: Settings) -> tuple[Opened, str | None]:
    """Read and segment a photograph, and say why it can't be measured if it can't.

    Where no head is found, the segmentation is a glance at the whole photograph.

    Raises
    ------
    ImageReadError
        When the file isn't a whole photograph.
    """
    image, capture = read_photograph(path, max_megapixels=settings.max_megapixels)
    strip = find_strip(image) if settings.strip else NO_MARKERS
    looked_at = strip_filled(image, strip)
    segmenter = shared_segmenter()
    try:
        segmentation = segmenter.segment(looked_at, perturbations=settings.perturbations)
    except HeadNotFoundError as error:
        return Opened(image, capture, segmenter.glance(image)), str(error)
    opened = Opened(image, capture, segmentation, strip)
    for finding in check_quality(looked_at, segmentation, capture).findings:
        if finding.severity is Severity.ERROR:
            return opened, tr(
                "{name} can't be measured: {finding} ({value:.3g} {unit}, the limit is "
                "{limit:.3g}). {advice}",
                name=path.name,
                finding=finding_name(finding.code),
                value=finding.value,
                unit=tr(finding.unit),
                limit=finding.limit,
                advice=finding.advice,
            )
    return opened, None


def segment_photograph(
    photo: Path, folder: OutputFolder, *, max_megapixels: float
) -> dict[str, Any]:
    """Segment one photograph and write its three pictures.

    Returns
    -------
    dict
        Plain values: ``photo``, ``status``, ``reason``, ``coverage_fraction``, ``region_px``,
        ``excluded_fraction``, ``files`` and more; a failure has a reason and null numbers. The
        pictures are also written of a photograph that is too bad to be measured, or in which no
        scalp is found for sure: they show what was seen.
    """
    settings = Settings(max_megapixels=max_megapixels)
    result: dict[str, Any] = {
        "photo": photo.as_posix(),
        "sha256": None,
        "status": "rejected",
        "reason": None,
        "coverage_fraction": None,
        "coverage_low_fraction": None,
        "coverage_high_fraction": None,
        "coverage_sd_fraction": None,
        "doubt_fraction": None,
        "region_px": None,
        "excluded_fraction": None,
        "method": None,
        "files": {},
    }
    try:
        opened, problem = look_at(photo, settings)
    except ImageReadError as error:
        return result | {"reason": str(error)}
    segmentation = opened.segmentation
    region = scalp_region(segmentation, max_incidence_deg=settings.max_incidence_deg)
    measurement = measure(segmentation, region, segmentation.grid, None)
    sha256 = sha256_of_file(photo)
    result |= {"sha256": sha256, "method": segmentation.method}
    result["files"] = _write_maps(photo, sha256, opened, region, folder)
    if problem is not None:
        return result | {"reason": problem}
    if measurement is None:
        reason = tr(
            "Too little scalp is seen at less than 60 degrees. Photograph it from above it."
        )
        return result | {"status": "refused", "reason": reason}
    low, high = coverage_interval(measurement.coverage_fraction, segmentation, region)
    return result | {
        "status": "measured",
        "coverage_fraction": measurement.coverage_fraction,
        "coverage_low_fraction": low,
        "coverage_high_fraction": high,
        "coverage_sd_fraction": measurement.segmentation_sd_fraction,
        "doubt_fraction": measurement.doubt_fraction,
        "region_px": measurement.region_px,
        "excluded_fraction": measurement.excluded_fraction,
    }


def _write_maps(
    photo: Path, sha256: str, opened: Opened, region: BoolArray, folder: OutputFolder
) -> dict[str, str]:
    """Write hair fraction, classes and overlay; returns their names by kind."""
    stem = folder.claim_stem(photo.stem, sha256)
    segmentation = opened.segmentation
    fraction, classes = photograph_maps(segmentation)
    contents = {
        "hair": (f"{stem}.hair.png", np.round(fraction * 255).astype(np.uint8)),
        "classes": (f"{stem}.classes.png", classes),
        "overlay": (f"{stem}.overlay.jpg", draw_overlay(opened.image, segmentation, region)),
    }
    for name, array in contents.values():
        folder.write_bytes(name, encode_image(array, suffix=Path(name).suffix))
    return {kind: name for kind, (name, _) in contents.items()}


def photograph_maps(segmentation: Segmentation) -> tuple[Any, Any]:
    """Hair fraction and classes at the photograph's own size.

    Returns
    -------
    tuple of ndarray
        float32 (H, W) in [0, 1], and uint8 (H, W) of `RegionClass` codes; from the wider look
        where the head's own grid ends.
    """
    shape = segmentation.photograph_shape
    fraction = lay_on(segmentation.hair_fraction, segmentation.grid, shape, linear=True)
    classes = lay_on(segmentation.classes, segmentation.grid, shape, linear=False)
    around = segmentation.surroundings
    if around is not None:
        known = np.ones(segmentation.classes.shape, np.uint8)
        beyond = lay_on(known, segmentation.grid, shape, linear=False) == 0
        wide = lay_on(around.hair_fraction, around.grid, shape, linear=True)
        fraction = np.where(beyond, wide, fraction)
        classes = np.where(
            beyond, lay_on(around.classes, around.grid, shape, linear=False), classes
        )
    return fraction, classes


def draw_overlay(image: ImageArray, segmentation: Segmentation, region: BoolArray) -> ImageArray:
    """Overlay at a size for people: hair tinted, region outlined, what was excluded hatched."""
    scale = min(1.0, OVERLAY_SIDE_PX / max(image.shape[:2]))
    small = shrink(image, scale)
    grid = scaled_grid(segmentation.grid, scale)
    shape = (small.shape[0], small.shape[1])
    fraction = lay_on(segmentation.hair_fraction, grid, shape, linear=True)
    excluded = (segmentation.scalp | segmentation.glare) & ~region
    masks = [
        lay_on(mask.astype(np.uint8), grid, shape, linear=False) > 0 for mask in (region, excluded)
    ]
    return hair_overlay(small, fraction, masks[0], masks[1])


def shrink(image: ImageArray, scale: float) -> ImageArray:
    """The image area-averaged by a scale of at most 1."""
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def scaled_grid(grid: Grid, scale: float) -> Grid:
    """The same grid over a photograph that was scaled."""
    shift = (scale - 1) / 2
    return Grid(
        grid.x0_px * scale + shift,
        grid.y0_px * scale + shift,
        grid.step_px * scale,
        grid.width,
        grid.height,
    )


def lay_on(array: Any, grid: Grid, shape: tuple[int, int], *, linear: bool) -> Any:
    """An array on a grid resampled to a picture of the given (H, W); zero outside."""
    matrix = np.array([[grid.step_px, 0, grid.x0_px], [0, grid.step_px, grid.y0_px]])
    return cv2.warpAffine(
        array,
        matrix.astype(np.float64),
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )


def register_photographs(
    reference: Path,
    moving: Path,
    *,
    points: FloatArray | None,
    pairs: FloatArray | None,
    out: Path | None,
    seed: int,
    max_megapixels: float,
    allow_outline: bool = False,
    strip: bool = False,
) -> dict[str, Any]:
    """Align one pair and return the JSON document of ``register``.

    Raises
    ------
    ImageReadError
        When one of the files isn't a whole photograph.
    """
    settings = Settings(
        seed=seed, max_megapixels=max_megapixels, allow_outline=allow_outline, strip=strip
    )
    opened: list[Opened] = []
    for path in (reference, moving):
        try:
            opened.append(open_photograph(path, settings))
        except HeadNotFoundError as error:
            return refused_document(str(error), points)
    registration = _register_opened(opened[0], opened[1], pairs, settings)
    document = register_document(registration, points)
    if out is not None:
        write_pair(opened[0].image, opened[1].image, registration, document, OutputFolder(out))
    return document


def _register_opened(
    reference: Opened, moving: Opened, pairs: FloatArray | None, settings: Settings
) -> Registration:
    """By the pairs of points, or by features and then by what else the settings allow."""
    features = [
        extract_features(
            strip_filled(each.image, each.strip),
            each.segmentation,
            focal_length_35mm=each.capture.focal_length_35mm,
        )
        for each in (reference, moving)
    ]
    seed, resamples = settings.seed, settings.resamples
    if pairs is not None:
        return register_by_points(features[0], features[1], pairs, seed=seed, resamples=resamples)
    registration = register(features[0], features[1], seed=seed, resamples=resamples)
    if registration.registered:
        return registration
    strips = (reference.strip, moving.strip)
    return register_roughly((features[0], features[1]), strips, registration, settings)


def refused_document(sentence: str, points: FloatArray | None) -> dict[str, Any]:
    """Document for a pair of which one photograph can't be used."""
    return {
        "schema": "scalptrack.register/1",
        "status": "refused",
        "tier": "C",
        "method": None,
        "reason": sentence,
        "reason_code": "unusable_photograph",
        "transform": None,
        "residual_px": None,
        "inliers": 0,
        "overlap": None,
        "gates": [],
    } | ({} if points is None else {"points": [None] * len(points)})


def register_document(registration: Registration, points: FloatArray | None) -> dict[str, Any]:
    """The JSON document of ``register``."""
    transform = registration.transform if registration.registered else None
    reason = registration.reason
    document: dict[str, Any] = {
        "schema": "scalptrack.register/1",
        "status": "registered" if registration.registered else "refused",
        "tier": registration.tier.value,
        "method": registration.method if registration.registered else None,
        "reason": reason.message if reason else None,
        "reason_code": reason.code if reason else None,
        "transform": transform.as_dict() if transform else None,
        "residual_px": registration.residual_px,
        "inliers": registration.inliers,
        "overlap": registration.overlap,
        "gates": registration.gates,
    }
    if points is not None:
        mapped = transform.map_points(points) if transform else np.full(points.shape, np.nan)
        document["points"] = [
            [float(x), float(y)] if math.isfinite(x) and math.isfinite(y) else None
            for x, y in mapped
        ]
    return document


def write_pair(
    reference: ImageArray,
    moving: ImageArray,
    registration: Registration,
    document: dict[str, Any],
    folder: OutputFolder,
) -> None:
    """Write registration.json and, if registered, the pictures for people."""
    text = json.dumps(to_plain(document), indent=2, ensure_ascii=False)
    folder.write_text("registration.json", text + "\n")
    if registration.transform is None or not registration.registered:
        return
    shape = (reference.shape[0], reference.shape[1])
    aligned, footprint = warp_to_reference(moving, registration.transform, shape)
    shown = aligned.copy()
    shown[~footprint] = 0
    folder.write_bytes("aligned.jpg", encode_image(shown, suffix=".jpg"))
    scale = min(1.0, OVERLAY_SIDE_PX / max(shape))
    pair = side_by_side(shrink(reference, scale), shrink(shown, scale))
    folder.write_bytes("compare.jpg", encode_image(pair, suffix=".jpg"))


def read_points(path: Path) -> FloatArray:
    """Points (N, 2) of a CSV with the columns x,y; a header is optional.

    Raises
    ------
    InputError
        With the number of the first line that isn't two numbers.
    """
    return _read_numbers(path, columns=2)


def read_pairs(path: Path) -> FloatArray:
    """Pairs of points (N, 4) of a CSV: x, y in the reference, x, y in the moving photograph.

    Raises
    ------
    InputError
        When a line isn't four numbers, or there are fewer than four lines.
    """
    numbers = _read_numbers(path, columns=4)
    if len(numbers) < MIN_PAIRS:
        message = f"{path} holds {len(numbers)} pairs of points; at least {MIN_PAIRS} are needed."
        raise InputError(message)
    return numbers


def _read_numbers(path: Path, *, columns: int) -> FloatArray:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} can't be read as a CSV of points: {error}"
        raise InputError(message) from error
    rows: list[Sequence[float]] = []
    for number, cells in enumerate(csv.reader(lines), start=1):
        if not cells or not any(cell.strip() for cell in cells):
            continue
        try:
            row = [float(cell) for cell in cells[:columns]]
        except ValueError:
            row = []
        if len(row) == columns and all(math.isfinite(value) for value in row):
            rows.append(row)
        elif number > 1 or rows:
            message = f"{path}, line {number}: {columns} numbers are expected, not {cells!r}."
            raise InputError(message)
    return np.array(rows, dtype=np.float64).reshape(-1, columns)
