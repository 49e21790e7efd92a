"""The segmentation network: loading it with its checksum, and running it through ``cv2.dnn``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import HeadNotFoundError, ModelError
from scalptrack.records import (
    BoolArray,
    Finding,
    ImageArray,
    RegionClass,
    Segmentation,
    Severity,
    Surroundings,
)
from scalptrack.segmentation.classical_hair import hair_fraction_classical
from scalptrack.segmentation.crops import (
    INPUT_PX,
    MIN_SIDE_PX,
    Crop,
    crop_around,
    cut,
    inside_frame,
    nearly_equal,
    resampled,
    shrunk,
)
from scalptrack.segmentation.perturb import RECIPES, perturbed

MODEL_FOLDER = Path(__file__).parent / "model"
MODEL_NAME = "scalpnet.onnx"
HEAD_SHARE = 0.75
"""Share of the crop's side that the head fills, as in training (lab/training)."""

SURE_SCALP = 0.75
"""Probability above which scalp seen in the whole photograph decides where to look closer: what
surrounds a small head often has a lower one."""

MIN_CANDIDATE_SHARE = 0.003
"""Smallest share of the whole photograph (as a square) that is looked at from near: a head that is
a sixteenth of it wide. What is smaller has too few pixels to measure."""

MAX_CANDIDATES = 3
"""How many things that look like scalp from afar are looked at from near."""

TILE_SHARE = 0.5
"""Side of the squares that are searched for a small head, relative to the whole photograph."""

WIDER = 2.2
"""How much larger than the head's crop the look at its surroundings is."""

SURE_PLACE_SCORE = 0.75
"""Probability of scalp from near, times that from farther, above which no other place is looked
for."""

MIN_PLACE_SCORE = 0.5
"""The same product below which no place is taken for a head. All 24 photographs of the validation
people have more than 0.6; a chin or a hand, which is no head when seen with what is around it,
mostly has less."""

FIRST_SHARE = 0.6
"""Share that the sure scalp shall fill in the first closer look; the whole head is larger."""

BURNT_OUT = 250
"""8-bit level at which all three channels are taken as burnt out."""

MIN_SCALP_SHARE = 0.02
"""Smallest share of the crop that counts as scalp; below it no head was found."""

MIN_SCALP_CONFIDENCE = 0.75
"""Mean probability over the scalp region, and over the looks, below which it isn't trusted: what is
no head looks like scalp in one look and not in the next."""

MAX_SKIN_AROUND = 0.78
"""Share of the scalp's border along which face or neck may lie. 99 % of 264 rendered heads of all
views are below (lab/benchmarks/border.py); a chin or a cheek that is taken for a scalp has more."""

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


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A crop that may hold a head, what is seen in it, and how much it looks like a scalp."""

    crop: Crop
    maps: Maps
    score: float


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
        crop, maps = self._find_head(image)
        full = cut(image, crop)
        inside = inside_frame(image.shape[:2], crop)
        looks = [maps, *self._look_again(image, crop, perturbations)]
        maps = np.mean(looks, axis=0, dtype=np.float32)
        scalp = _scalp_mask(maps, inside)
        classes = np.argmax(maps[CLASS_CHANNELS], axis=0).astype(np.uint8)
        classes[~inside] = RegionClass.BACKGROUND
        scalp &= classes != RegionClass.OBJECT
        _require_scalp(maps, scalp, inside)
        fraction = np.where(inside, maps[FRACTION_CHANNEL], 0).astype(np.float32)
        return Segmentation(
            grid=crop.grid(),
            photograph_shape=(image.shape[0], image.shape[1]),
            hair_fraction=fraction,
            classes=classes,
            scalp=scalp,
            incidence_cosine=np.clip(maps[COSINE_CHANNEL], 0, 1).astype(np.float32),
            glare=_glare_mask(full),
            method=self.method,
            coverage_sd_fraction=_coverage_sd([look[FRACTION_CHANNEL] for look in looks], scalp),
            warnings=_second_opinion(shrunk(full), scalp, classes, fraction)
            if perturbations
            else (),
            surroundings=self._surroundings(image, crop),
        )

    def _predict(self, picture: ImageArray) -> Maps:
        """Run the network on a square crop; (8, INPUT_PX, INPUT_PX) float32 maps."""
        blob = picture.astype(np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)
        self._net.setInput(np.ascontiguousarray(blob))
        return np.asarray(self._net.forward()[0], dtype=np.float32)

    def _find_head(self, image: ImageArray) -> tuple[Crop, Maps]:
        """Crop around the head and what is seen in it.

        The head is searched in the whole photograph, and in parts of it when nothing there is
        scalp for sure. Each place is looked at from near and from a little farther, where a chin
        is seen to be below a face; the place that looks most like a scalp from both is taken. Then
        the crop is corrected once or twice.

        Raises
        ------
        HeadNotFoundError
            When nothing looks like a scalp.
        """
        shape = image.shape[:2]
        side = max(shape)
        whole = Crop((shape[1] - side) // 2, (shape[0] - side) // 2, side)
        seen = self._look(image, whole)
        places = [self._place(image, crop) for crop in _candidates(seen, whole, shape)]
        if max((place.score for place in places), default=0.0) < SURE_PLACE_SCORE:
            wider = [place.crop.zoomed(1 / WIDER) for place in places]
            parts = (*_tiles(shape), *wider)
            found = [each for part in parts for each in self._search(image, part)]
            places += [self._place(image, crop) for crop in found]
        if not places:
            raise _not_found(float((seen[SCALP_CHANNEL] > 0.5).mean()))
        best = max(places, key=lambda place: place.score)
        if best.score < MIN_PLACE_SCORE:
            inside = inside_frame(shape, best.crop)
            _require_scalp(best.maps, _likely_scalp(best.maps, inside), inside)
            raise _doubtful(best.score, MIN_PLACE_SCORE)
        crop, maps = best.crop, best.maps
        for _ in range(2):
            scalp = _likely_scalp(maps, inside_frame(shape, crop))
            tighter = crop_around(scalp, crop, HEAD_SHARE)
            if nearly_equal(tighter, crop):
                break
            crop, maps = tighter, self._look(image, tighter)
        return crop, maps

    def _search(self, image: ImageArray, part: Crop) -> list[Crop]:
        """The likeliest head of a part of the photograph, if any."""
        return _candidates(self._look(image, part), part, image.shape[:2])[:1]

    def _place(self, image: ImageArray, crop: Crop) -> _Place:
        """What is seen in a crop, and how much it looks like a scalp from near and from farther."""
        inside = inside_frame(image.shape[:2], crop)
        maps = self._look(image, crop)
        near = _confidence(maps, inside)
        wide = crop.zoomed(1 / WIDER)
        farther = resampled(self._look(image, wide), wide.grid(), crop.grid())
        scalp = _likely_scalp(maps, inside)
        support = float(farther[SCALP_CHANNEL][scalp].mean()) if scalp.any() else 0.0
        return _Place(crop, maps, near * support)

    def _surroundings(self, image: ImageArray, crop: Crop) -> Surroundings | None:
        """A wider look; None where the crop already holds the whole photograph."""
        if crop.holds(image.shape[:2]):
            return None
        wide = crop.zoomed(1 / WIDER)
        maps = self._look(image, wide)
        inside = inside_frame(image.shape[:2], wide)
        classes = np.argmax(maps[CLASS_CHANNELS], axis=0).astype(np.uint8)
        classes[~inside] = RegionClass.BACKGROUND
        fraction = np.where(inside, maps[FRACTION_CHANNEL], 0).astype(np.float32)
        return Surroundings(wide.grid(), fraction, classes)

    def _look(self, image: ImageArray, crop: Crop) -> Maps:
        return self._predict(shrunk(cut(image, crop)))

    def _look_again(self, image: ImageArray, crop: Crop, perturbations: int) -> list[Maps]:
        """Maps of perturbed looks on the crop's grid; every second one is seen in a mirror."""
        found = []
        for number, recipe in enumerate(RECIPES[:perturbations]):
            looked = crop.zoomed(recipe.zoom)
            copy = perturbed(shrunk(cut(image, looked)), recipe)
            if number % 2:
                maps = self._predict(copy)
            else:
                maps = self._predict(np.ascontiguousarray(copy[:, ::-1]))[:, :, ::-1]
            found.append(resampled(maps, looked.grid(), crop.grid()))
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


def _candidates(maps: Maps, crop: Crop, shape: tuple[int, ...]) -> list[Crop]:
    """Closer crops around what may be the scalp, the largest first; none where nothing is."""
    inside = inside_frame(shape, crop)
    smallest = MIN_CANDIDATE_SHARE * inside.size
    for level, share in ((SURE_SCALP, FIRST_SHARE), (0.5, HEAD_SHARE)):
        scalp = (maps[SCALP_CHANNEL] > level) & inside
        _, labels, stats, _ = cv2.connectedComponentsWithStats(scalp.astype(np.uint8))
        area = stats[1:, cv2.CC_STAT_AREA]
        large = [1 + int(k) for k in np.argsort(-area, kind="stable") if area[k] >= smallest]
        if large:
            return [crop_around(labels == k, crop, share) for k in large[:MAX_CANDIDATES]]
    return []


def _tiles(shape: tuple[int, ...]) -> list[Crop]:
    """Overlapping squares that cover a photograph, row by row."""
    side = max(round(TILE_SHARE * max(shape)), MIN_SIDE_PX)
    corners = [
        [round(float(at)) for at in np.linspace(0, length - side, 3)]
        if length > side
        else [(length - side) // 2]
        for length in shape[:2]
    ]
    return [Crop(left, top, side) for top in corners[0] for left in corners[1]]


def _confidence(maps: Maps, inside: BoolArray) -> float:
    """Mean probability over the largest thing that looks like scalp; 0 without any.

    What has skin all around is a chin rather than a scalp, and counts half.
    """
    scalp = _likely_scalp(maps, inside)
    if not scalp.any():
        return 0.0
    mean = float(maps[SCALP_CHANNEL][scalp].mean())
    return 0.5 * mean if _skin_around(maps, scalp, inside) > MAX_SKIN_AROUND else mean


def _skin_around(maps: Maps, scalp: BoolArray, inside: BoolArray) -> float:
    return skin_around_share(np.argmax(maps[CLASS_CHANNELS], axis=0), scalp, inside)


def skin_around_share(classes: NDArray[Any], scalp: BoolArray, inside: BoolArray) -> float:
    """Share of the border of a scalp, within the frame, along which other skin lies.

    Parameters
    ----------
    classes : integers (H, W)
        Codes of `RegionClass`.
    scalp, inside : bool (H, W)
        The scalp, and the pixels that lie in the photograph.

    Returns
    -------
    float
        In [0, 1]; 0 where no border is in the frame.
    """
    reach = max(2, round(0.03 * float(np.sqrt(scalp.sum()))))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    ring = (cv2.dilate(scalp.astype(np.uint8), kernel) > 0) & ~scalp & inside
    if not ring.any():
        return 0.0
    return float(np.mean(classes[ring] == RegionClass.OTHER_SKIN))


def _likely_scalp(maps: Maps, inside: BoolArray) -> BoolArray:
    """The largest thing in the frame that is scalp more likely than not."""
    return _largest_component((maps[SCALP_CHANNEL] > 0.5) & inside)


def _largest_component(mask: BoolArray) -> BoolArray:
    """The largest 8-connected component of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest)


def _scalp_mask(maps: Maps, inside: BoolArray) -> BoolArray:
    """Anatomical scalp: the largest component of the scalp channel, its small holes filled."""
    scalp = _likely_scalp(maps, inside)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(scalp.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return (closed > 0) & inside


def _require_scalp(maps: Maps, scalp: BoolArray, inside: BoolArray) -> None:
    """Raise `HeadNotFoundError` when the scalp is too small or too doubtful to measure."""
    share = float(scalp.mean())
    if share < MIN_SCALP_SHARE:
        raise _not_found(share)
    confidence = float(maps[SCALP_CHANNEL][scalp].mean())
    if confidence < MIN_SCALP_CONFIDENCE:
        raise _doubtful(confidence, MIN_SCALP_CONFIDENCE)
    around = _skin_around(maps, scalp, inside)
    if around > MAX_SKIN_AROUND:
        message = (
            f"What looks like scalp in this photograph has skin along {100 * around:.0f} % of its "
            f"border (at most {100 * MAX_SKIN_AROUND:.0f} % is accepted): it may be a chin or a "
            "cheek. Photograph the head from above or from the side of the hair."
        )
        raise HeadNotFoundError(message)


def _doubtful(confidence: float, limit: float) -> HeadNotFoundError:
    return HeadNotFoundError(
        f"It is not certain what is scalp in this photograph (confidence {confidence:.2f}, at "
        f"least {limit:.2f} is needed). Take it closer, with the whole head in the frame and "
        "before a plain background."
    )


def _not_found(share: float) -> HeadNotFoundError:
    return HeadNotFoundError(
        f"No head was found in this photograph: scalp fills {100 * share:.2f} % of the searched "
        "area. Photograph the head from nearby, with all of it in the frame."
    )


def _glare_mask(full: ImageArray) -> BoolArray:
    """Grid pixels of which more than half is burnt out in the photograph's own pixels."""
    burnt = cv2.inRange(full, (BURNT_OUT,) * 3, (255,) * 3)
    share = cv2.resize(burnt, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 127)
