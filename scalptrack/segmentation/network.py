"""The segmentation network: loading it with its checksum, and running it through ``cv2.dnn``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import HeadNotFoundError, ModelError
from scalptrack.records import (
    BoolArray,
    Finding,
    Grid,
    ImageArray,
    RegionClass,
    Segmentation,
    Severity,
)
from scalptrack.segmentation.classical_hair import hair_fraction_classical
from scalptrack.segmentation.perturb import RECIPES, perturbed

MODEL_FOLDER = Path(__file__).parent / "model"
MODEL_NAME = "scalpnet.onnx"
INPUT_PX = 384
"""Side of the network's square input; the exported file is made for this size."""

HEAD_SHARE = 0.75
"""Share of the crop's side that the head fills, as in training (lab/training)."""

SURE_SCALP = 0.75
"""Probability above which scalp seen in the whole photograph decides where to look closer: what
surrounds a small head often has a lower one."""

FIRST_SHARE = 0.6
"""Share that the sure scalp shall fill in the first closer look; the whole head is larger."""

BURNT_OUT = 250
"""8-bit level at which all three channels are taken as burnt out."""

MIN_SCALP_SHARE = 0.02
"""Smallest share of the crop that counts as scalp; below it no head was found."""

MIN_SCALP_CONFIDENCE = 0.75
"""Mean probability over the scalp region below which the region isn't trusted."""

COVERAGE_SD_FRACTION = 0.06
"""SD of the network's error of a coverage on renders it has not seen (lab/benchmarks), for the
comparison with the second opinion."""

OPINION_SEED = 20260101

OPINION_PX = 600
"""Side of the crop for the second opinion, whose filters are made for a head 450 px wide."""

CLASS_CHANNELS = slice(0, 5)
FRACTION_CHANNEL = 5
SCALP_CHANNEL = 6
COSINE_CHANNEL = 7

Maps = NDArray[np.float32]


@cache
def model_checksum() -> str:
    """SHA-256 of the shipped model, verified against the list beside it.

    Raises
    ------
    ModelError
        When the model is missing or isn't the one that was released.
    """
    try:
        content = (MODEL_FOLDER / MODEL_NAME).read_bytes()
        listed = (MODEL_FOLDER / "CHECKSUM").read_text(encoding="utf-8")
    except OSError as error:
        message = f"The segmentation model is missing ({error}). Install scalptrack again."
        raise ModelError(message) from error
    found = hashlib.sha256(content).hexdigest()
    lines = [line.split() for line in listed.splitlines() if line.strip()]
    expected = {name: checksum for checksum, name in lines}
    if expected.get(MODEL_NAME) != found:
        message = (
            f"The segmentation model {MODEL_NAME} is not the released one: its SHA-256 begins with "
            f"{found[:12]}, {str(expected.get(MODEL_NAME))[:12]} is expected. "
            "Install scalptrack again."
        )
        raise ModelError(message)
    return found


@cache
def shared_segmenter() -> NetworkSegmenter:
    """The segmenter of this process; loading the network once is enough.

    Raises
    ------
    ModelError
        When the model file is missing or was changed.
    """
    # One thread per process: the same bytes whatever the machine, and no two pools fighting.
    cv2.setNumThreads(1)
    return NetworkSegmenter()


@dataclass(frozen=True, slots=True)
class _Crop:
    """A square of the photograph, in whole photograph pixels; it may reach past the frame."""

    left_px: int
    top_px: int
    side_px: int

    def zoomed(self, zoom: float) -> _Crop:
        """A crop around the same centre in which everything is larger by a factor."""
        side = round(self.side_px / zoom)
        shift = (self.side_px - side) // 2
        return _Crop(self.left_px + shift, self.top_px + shift, side)

    def grid(self) -> Grid:
        step = self.side_px / INPUT_PX
        half = (step - 1) / 2
        return Grid(self.left_px + half, self.top_px + half, step, INPUT_PX, INPUT_PX)


class NetworkSegmenter:
    """Segments photographs with the shipped network.

    The network sees the whole photograph once to find the head, and then a crop in which the head
    has a fixed size, so that a strand of hair looks alike in every photograph. Each photograph is
    segmented in its own pixels, averaged over the area of the grid's pixels and never warped.

    Raises
    ------
    ModelError
        When the model file is missing or was changed.
    """

    def __init__(self) -> None:
        self._checksum = model_checksum()
        try:
            self._net = cv2.dnn.readNetFromONNX(str(MODEL_FOLDER / MODEL_NAME))
        except cv2.error as error:
            message = f"OpenCV {cv2.__version__} can't read the segmentation model: {error}"
            raise ModelError(message) from error

    @property
    def method(self) -> str:
        """Name and checksum of the network."""
        return f"scalpnet:{self._checksum[:12]}"

    def segment(self, image: ImageArray, *, perturbations: int = 0) -> Segmentation:
        """Segment an upright RGB photograph; see `Segmenter.segment`."""
        crop = self._find_head(image)
        full = _cut(image, crop)
        picture = _shrunk(full)
        maps = self._predict(picture)
        inside = _inside_frame(image.shape[:2], crop)
        scalp = _scalp_mask(maps, inside)
        classes = np.argmax(maps[CLASS_CHANNELS], axis=0).astype(np.uint8)
        classes[~inside] = RegionClass.BACKGROUND
        scalp &= classes != RegionClass.OBJECT
        _require_scalp(maps, scalp)
        fractions = [maps[FRACTION_CHANNEL], *self._fractions_again(image, crop, perturbations)]
        fraction = np.where(inside, np.mean(fractions, axis=0), 0).astype(np.float32)
        return Segmentation(
            grid=crop.grid(),
            photograph_shape=(image.shape[0], image.shape[1]),
            hair_fraction=fraction,
            classes=classes,
            scalp=scalp,
            incidence_cosine=np.clip(maps[COSINE_CHANNEL], 0, 1).astype(np.float32),
            glare=_glare_mask(full),
            method=self.method,
            coverage_sd_fraction=_coverage_sd(fractions, scalp),
            warnings=_second_opinion(picture, scalp, classes, fraction) if perturbations else (),
        )

    def _predict(self, picture: ImageArray) -> Maps:
        """Run the network on a square crop; (8, INPUT_PX, INPUT_PX) float32 maps."""
        blob = picture.astype(np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)
        self._net.setInput(np.ascontiguousarray(blob))
        return np.asarray(self._net.forward()[0], dtype=np.float32)

    def _find_head(self, image: ImageArray) -> _Crop:
        """Crop around the head: seen in the whole photograph, then corrected once or twice."""
        height, width = image.shape[:2]
        side = max(height, width)
        crop = _Crop((width - side) // 2, (height - side) // 2, side)
        for look in range(3):
            maps = self._predict(_shrunk(_cut(image, crop)))
            inside = _inside_frame((height, width), crop)
            tighter = _crop_around_head(maps, crop, inside, first=look == 0)
            if _nearly_equal(tighter, crop):
                break
            crop = tighter
        return crop

    def _fractions_again(
        self, image: ImageArray, crop: _Crop, perturbations: int
    ) -> list[NDArray[np.float32]]:
        """Hair fraction of perturbed copies, on the crop's grid; every second one is mirrored."""
        found = []
        for number, recipe in enumerate(RECIPES[:perturbations]):
            looked = crop.zoomed(recipe.zoom)
            copy = perturbed(_shrunk(_cut(image, looked)), recipe)
            if number % 2:
                fraction = self._predict(copy)[FRACTION_CHANNEL]
            else:
                mirrored = np.ascontiguousarray(copy[:, ::-1])
                fraction = self._predict(mirrored)[FRACTION_CHANNEL][:, ::-1]
            found.append(_resampled(fraction, looked.grid(), crop.grid()))
        return found


def _coverage_sd(fractions: list[NDArray[np.float32]], scalp: BoolArray) -> float:
    """SD of the scalp's coverage over the perturbed copies, 0 when there are none."""
    coverages = [float(each[scalp].mean()) for each in fractions]
    return float(np.std(coverages, ddof=1)) if len(coverages) > 1 else 0.0


def _second_opinion(
    picture: ImageArray,
    scalp: BoolArray,
    classes: NDArray[np.uint8],
    fraction: NDArray[np.float32],
) -> tuple[Finding, ...]:
    """A warning where the classical method contradicts the network beyond both errors."""
    side = (OPINION_PX, OPINION_PX)
    larger = np.asarray(cv2.resize(picture, side, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    region = cv2.resize(scalp.astype(np.uint8), side, interpolation=cv2.INTER_NEAREST) > 0
    skin = (classes == RegionClass.OTHER_SKIN).astype(np.uint8)
    skin = np.asarray(cv2.resize(skin, side, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    sure_skin = cv2.erode(skin, np.ones((9, 9), np.uint8)) > 0
    opinion = hair_fraction_classical(larger, region, skin_prior=sure_skin, seed=OPINION_SEED)
    coverage = float(fraction[scalp].mean())
    if not opinion.contradicts(coverage, COVERAGE_SD_FRACTION, region):
        return ()
    allowed = 1.96 * float(np.hypot(opinion.error_sd_fraction, COVERAGE_SD_FRACTION))
    return (
        Finding(
            code="second_opinion_differs",
            severity=Severity.WARNING,
            value=100 * abs(opinion.coverage_fraction(region) - coverage),
            limit=100 * allowed,
            unit="points",
            advice="Hair and scalp are hard to tell apart in this photograph; "
            "retake it with softer, even light.",
        ),
    )


def _cut(image: ImageArray, crop: _Crop) -> ImageArray:
    """Pixels of a crop, (side, side, 3); beyond the frame they are grey."""
    height, width = image.shape[:2]
    left, top = max(crop.left_px, 0), max(crop.top_px, 0)
    right = min(crop.left_px + crop.side_px, width)
    bottom = min(crop.top_px + crop.side_px, height)
    padded = cv2.copyMakeBorder(
        image[top:bottom, left:right],
        top - crop.top_px,
        crop.top_px + crop.side_px - bottom,
        left - crop.left_px,
        crop.left_px + crop.side_px - right,
        cv2.BORDER_CONSTANT,
        value=(114, 114, 114),
    )
    return np.asarray(padded, dtype=np.uint8)


def _shrunk(full: ImageArray) -> ImageArray:
    """Area-averaged (INPUT_PX, INPUT_PX, 3) picture of a crop."""
    interpolation = cv2.INTER_AREA if len(full) > INPUT_PX else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(full, (INPUT_PX, INPUT_PX), interpolation=interpolation), dtype=np.uint8
    )


def _resampled(values: NDArray[np.float32], grid: Grid, wanted: Grid) -> NDArray[np.float32]:
    """Values on one grid of the photograph, bilinear on another; repeated beyond the border."""
    scale = wanted.step_px / grid.step_px
    x, y = (wanted.x0_px - grid.x0_px) / grid.step_px, (wanted.y0_px - grid.y0_px) / grid.step_px
    matrix = np.array([[scale, 0, x], [0, scale, y]], dtype=np.float64)
    moved = cv2.warpAffine(
        np.ascontiguousarray(values),
        matrix,
        (wanted.width, wanted.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.float32)


def _inside_frame(shape: tuple[int, ...], crop: _Crop) -> BoolArray:
    """Grid pixels whose centre lies in the photograph."""
    grid = crop.grid()
    x = grid.x0_px + np.arange(INPUT_PX) * grid.step_px
    y = grid.y0_px + np.arange(INPUT_PX) * grid.step_px
    columns = (x >= -0.5) & (x <= shape[1] - 0.5)
    rows = (y >= -0.5) & (y <= shape[0] - 0.5)
    return np.asarray(rows[:, np.newaxis] & columns[np.newaxis, :])


def _crop_around_head(maps: Maps, crop: _Crop, inside: BoolArray, *, first: bool) -> _Crop:
    """Crop in which the head found in `maps` fills `HEAD_SHARE` of the side, or about that.

    Raises
    ------
    HeadNotFoundError
        When nothing in the maps looks like a scalp.
    """
    scalp, share = _largest_component((maps[SCALP_CHANNEL] > 0.5) & inside), HEAD_SHARE
    if scalp.mean() < MIN_SCALP_SHARE / 20:
        _raise_not_found(float(scalp.mean()))
    sure = _largest_component((maps[SCALP_CHANNEL] > SURE_SCALP) & inside)
    if first and sure.mean() >= MIN_SCALP_SHARE / 20:
        scalp, share = sure, FIRST_SHARE
    rows, columns = np.nonzero(scalp)
    # Robust extent: a few stray pixels must not decide the scale of the measurement.
    x_low, x_high = np.percentile(columns, [0.5, 99.5])
    y_low, y_high = np.percentile(rows, [0.5, 99.5])
    step = crop.side_px / INPUT_PX
    side = max(x_high - x_low + 1, y_high - y_low + 1) * step / share
    side_px = max(round(float(side)), 64)
    centre_x = crop.left_px + (x_low + x_high + 1) / 2 * step
    centre_y = crop.top_px + (y_low + y_high + 1) / 2 * step
    left_px, top_px = round(float(centre_x - side_px / 2)), round(float(centre_y - side_px / 2))
    return _Crop(left_px, top_px, side_px)


def _nearly_equal(first: _Crop, second: _Crop) -> bool:
    """True when another look through the second crop would not change what is seen."""
    tolerance = 0.06 * second.side_px
    return (
        abs(first.side_px - second.side_px) < tolerance
        and abs(first.left_px - second.left_px) < tolerance
        and abs(first.top_px - second.top_px) < tolerance
    )


def _largest_component(mask: BoolArray) -> BoolArray:
    """The largest 8-connected component of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest)


def _scalp_mask(maps: Maps, inside: BoolArray) -> BoolArray:
    """Anatomical scalp: the largest component of the scalp channel, its small holes filled."""
    scalp = _largest_component((maps[SCALP_CHANNEL] > 0.5) & inside)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(scalp.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return (closed > 0) & inside


def _require_scalp(maps: Maps, scalp: BoolArray) -> None:
    """Raise `HeadNotFoundError` when the scalp is too small or too doubtful to measure."""
    share = float(scalp.mean())
    if share < MIN_SCALP_SHARE:
        _raise_not_found(share)
    confidence = float(maps[SCALP_CHANNEL][scalp].mean())
    if confidence < MIN_SCALP_CONFIDENCE:
        message = (
            f"It is not certain what is scalp in this photograph (confidence {confidence:.2f}, at "
            f"least {MIN_SCALP_CONFIDENCE:.2f} is needed). Take it closer, with the whole head in "
            "the frame and before a plain background."
        )
        raise HeadNotFoundError(message)


def _raise_not_found(share: float) -> None:
    message = (
        f"No head was found in this photograph: scalp fills {100 * share:.2f} % of the searched "
        "area. Photograph the head from nearby, with all of it in the frame."
    )
    raise HeadNotFoundError(message)


def _glare_mask(full: ImageArray) -> BoolArray:
    """Grid pixels of which more than half is burnt out in the photograph's own pixels."""
    burnt = cv2.inRange(full, (BURNT_OUT,) * 3, (255,) * 3)
    share = cv2.resize(burnt, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 127)
