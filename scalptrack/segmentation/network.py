"""The segmentation networks: loading them with their checksums, running them by ``cv2.dnn``."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import ModelError
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
    Crop,
    averaged,
    crop_around,
    cut,
    finer_side,
    inside_frame,
    resampled,
    shrunk,
    whole_crop,
)
from scalptrack.segmentation.heads import HEAD_SHARE, Place, find_head
from scalptrack.segmentation.maps import (
    CLASS_CHANNELS,
    COSINE_CHANNEL,
    DOUBT_CHANNEL,
    FRACTION_CHANNEL,
    Maps,
    likely_person,
    require_scalp,
    scalp_mask,
)
from scalptrack.segmentation.perturb import RECIPES, perturbed
from scalptrack.segmentation.uncertainty import PER_FORETOLD_HAIR, doubt_of
from scalptrack.translation import marked, tr

MODEL_FOLDER = Path(__file__).parent / "model"
MODEL_NAMES = ("scalpnet.onnx", "hairnet.onnx")
"""What finds the head and tells its parts, and what tells hair from scalp there."""

BURNT_OUT = 250
"""8-bit level at which all three channels are taken as burnt out."""

COVERAGE_SD_FRACTION = 0.06
"""SD of the network's error of a coverage on renders it has not seen (lab/benchmarks), for the
comparison with the second opinion."""

HAIR_LOOKS = 4
"""How many perturbed looks the second network takes: both exposures and both white balances. The
smallest detectable change of five shots of a scene was 4.2 points with two of them, 3.9 with four,
3.8 with seven (14 scenes of lab/benchmarks/repeatability.py)."""

View = Callable[[Crop, int], ImageArray]
"""A crop of a photograph as a picture of so many pixels a side; asked again, it is at hand."""

OPINION_SEED = 20260101

OPINION_PX = 600
"""Side of the crop for the second opinion, whose filters are made for a head 450 px wide."""


@cache
def model_checksum() -> str:
    """SHA-256 of the list of the shipped networks' checksums; each network is verified against it.

    Raises
    ------
    ModelError
        When a network is missing or isn't the one that was released.
    """
    try:
        listed = (MODEL_FOLDER / "CHECKSUM").read_text(encoding="utf-8")
        contents = {name: (MODEL_FOLDER / name).read_bytes() for name in MODEL_NAMES}
    except OSError as error:
        message = f"The segmentation model is missing ({error}). Install scalptrack again."
        raise ModelError(message) from error
    lines = [line.split() for line in listed.splitlines() if line.strip()]
    expected = {name: checksum for checksum, name in lines}
    for name, content in contents.items():
        found = hashlib.sha256(content).hexdigest()
        if expected.get(name) != found:
            message = (
                f"The segmentation model {name} is not the released one: its SHA-256 begins with "
                f"{found[:12]}, {str(expected.get(name))[:12]} is expected. "
                "Install scalptrack again."
            )
            raise ModelError(message)
    return hashlib.sha256(listed.encode()).hexdigest()


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


class _Network:
    """A network that `cv2.dnn` runs; threads take turns.

    `cv2.dnn` keeps the input between two calls, where another thread's would replace it. OpenCV
    4.10 also keeps the size: after another one its answers are wrong without a word, so that the
    network is read anew when the size changes, which takes a hundredth of a second.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._side_px = 0
        self._net = self._read()

    def answer(self, picture: ImageArray) -> Maps:
        """The (9, S, S) float32 maps of a square RGB picture (S, S, 3)."""
        blob = picture.astype(np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)
        with self._turn:
            if self._side_px not in (0, len(picture)):
                self._net = self._read()
            self._side_px = len(picture)
            self._net.setInput(np.ascontiguousarray(blob))
            return np.array(self._net.forward()[0], dtype=np.float32)

    def _read(self) -> cv2.dnn.Net:
        try:
            return cv2.dnn.readNetFromONNX(str(self._path))
        except cv2.error as error:
            message = f"OpenCV {cv2.__version__} can't read the segmentation model: {error}"
            raise ModelError(message) from error


class NetworkSegmenter:
    """Segments photographs with the shipped networks.

    The first sees the whole photograph once to find the head, and then a crop in which the head
    has a fixed size, so that a strand of hair looks alike in every photograph. The second tells the
    hair fraction in that crop, as finely as the photograph allows. Each photograph is
    segmented in its own pixels, averaged over the area of the grid's pixels and never warped.

    Raises
    ------
    ModelError
        When a model file is missing or was changed.
    """

    def __init__(self) -> None:
        self._checksum = model_checksum()
        self._net, self._hair_net = (_Network(MODEL_FOLDER / name) for name in MODEL_NAMES)

    @property
    def method(self) -> str:
        """Name and checksum of the network."""
        return f"scalpnet:{self._checksum[:12]}"

    def segment(self, image: ImageArray, *, perturbations: int = 0) -> Segmentation:
        """Segment an upright RGB photograph; see `Segmenter.segment`."""
        place = self.find_head(image)
        crop, maps = place.crop, place.maps
        full = cut(image, crop)
        inside = inside_frame(image.shape[:2], crop)

        @cache
        def view(crop: Crop, side: int) -> ImageArray:
            return shrunk(cut(image, crop), side)

        looks = [maps, *self._look_again(view, crop, perturbations, self._predict)]
        maps = np.mean(looks, axis=0, dtype=np.float32)
        scalp = scalp_mask(maps, inside)
        scalp &= np.argmax(maps[CLASS_CHANNELS], axis=0) != RegionClass.OBJECT
        require_scalp(maps, scalp, inside)
        hair = self._look_at_hair(view, crop, perturbations)
        maps[FRACTION_CHANNEL] = hair[FRACTION_CHANNEL]
        # What one network alone doubts is doubted half: that foretells errors best.
        own = doubt_of(hair[DOUBT_CHANNEL], PER_FORETOLD_HAIR)
        doubt = (doubt_of(maps[DOUBT_CHANNEL]) + own) / np.float32(2)
        classes, fraction = _maps_inside(maps, image.shape[:2], crop)
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
            doubt=doubt,
            warnings=_second_opinion(shrunk(full), scalp, classes, fraction)
            if perturbations
            else (),
            surroundings=_surroundings(place, image.shape[:2]),
        )

    def glance(self, image: ImageArray) -> Segmentation:
        """What is seen of a person where no scalp could be found for sure; for people to look at.

        Parameters
        ----------
        image : uint8 (H, W, 3)
            Upright RGB photograph.

        Returns
        -------
        Segmentation
            Hair fraction and classes around the largest person and beyond; its scalp is empty, so
            that nothing can be measured in it.
        """
        whole = whole_crop(image.shape[:2])
        seen = self._look(image, whole)
        crop = crop_around(
            likely_person(seen, inside_frame(image.shape[:2], whole)), whole, HEAD_SHARE
        )
        classes, fraction = _maps_inside(self._look(image, crop), image.shape[:2], crop)
        wide_classes, wide_fraction = _maps_inside(seen, image.shape[:2], whole)
        nothing = np.zeros(classes.shape, dtype=np.bool_)
        return Segmentation(
            grid=crop.grid(),
            photograph_shape=(image.shape[0], image.shape[1]),
            hair_fraction=fraction,
            classes=classes,
            scalp=nothing,
            incidence_cosine=np.zeros(classes.shape, np.float32),
            glare=nothing,
            method=self.method,
            surroundings=Surroundings(whole.grid(), wide_fraction, wide_classes),
        )

    def find_head(self, image: ImageArray) -> Place:
        """Where the head is in an upright RGB photograph; see `heads.find_head`."""
        return find_head(partial(self._look, image), image)

    def _predict(self, picture: ImageArray) -> Maps:
        return self._net.answer(picture)

    def _predict_hair(self, picture: ImageArray) -> Maps:
        return self._hair_net.answer(picture)

    def _look(self, image: ImageArray, crop: Crop) -> Maps:
        return self._predict(shrunk(cut(image, crop)))

    def _look_again(
        self,
        view: View,
        crop: Crop,
        perturbations: int,
        predict: Callable[[ImageArray], Maps],
        side: int = INPUT_PX,
    ) -> list[Maps]:
        """Maps of perturbed looks on the crop's grid; every second one is seen in a mirror."""
        found = []
        for number, recipe in enumerate(RECIPES[:perturbations]):
            looked = crop.zoomed(recipe.zoom)
            copy = perturbed(view(looked, side), recipe)
            if number % 2:
                maps = predict(copy)
            else:
                maps = predict(np.ascontiguousarray(copy[:, ::-1]))[:, :, ::-1]
            found.append(resampled(averaged(maps), looked.grid(), crop.grid()))
        return found

    def _look_at_hair(self, view: View, crop: Crop, perturbations: int) -> Maps:
        """Maps (9, INPUT_PX, INPUT_PX) of the second network; the mean of a few looks."""
        side = finer_side(crop)
        count = min(perturbations, HAIR_LOOKS)
        again = self._look_again(view, crop, count, self._predict_hair, side)
        looks = [averaged(self._predict_hair(view(crop, side))), *again]
        return np.asarray(np.mean(looks, axis=0), dtype=np.float32)


def _maps_inside(
    maps: Maps, shape: tuple[int, ...], crop: Crop
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Classes and hair fraction; beyond the frame of a photograph of this (H, W) is background.

    What is an object holds no more hair than the probability leaves that it is none: cloth looks
    like hair from near.
    """
    inside = inside_frame(shape, crop)
    classes = np.argmax(maps[CLASS_CHANNELS], axis=0).astype(np.uint8)
    classes[~inside] = RegionClass.BACKGROUND
    most = np.where(classes == RegionClass.OBJECT, 1 - maps[RegionClass.OBJECT], 1)
    fraction = np.minimum(maps[FRACTION_CHANNEL], most)
    return classes, np.where(inside, fraction, 0).astype(np.float32)


def _surroundings(place: Place, shape: tuple[int, ...]) -> Surroundings | None:
    """The wider look; None where the crop already holds the whole photograph."""
    if place.crop.holds(shape):
        return None
    classes, fraction = _maps_inside(place.farther, shape, place.around)
    return Surroundings(place.around.grid(), fraction, classes)


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
            unit=marked("points"),
            advice=tr(
                "Hair and scalp are hard to tell apart in this photograph; "
                "retake it with softer, even light."
            ),
        ),
    )


def _glare_mask(full: ImageArray) -> BoolArray:
    """Grid pixels of which more than half is burnt out in the photograph's own pixels."""
    burnt = cv2.inRange(full, (BURNT_OUT,) * 3, (255,) * 3)
    share = cv2.resize(burnt, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 127)
