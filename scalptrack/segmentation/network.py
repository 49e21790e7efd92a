"""The segmentation network: loading it with its checksum, and running it through ``cv2.dnn``."""

from __future__ import annotations

import hashlib
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
from scalptrack.segmentation.uncertainty import doubt_of
from scalptrack.translation import marked, tr

MODEL_FOLDER = Path(__file__).parent / "model"
MODEL_NAME = "scalpnet.onnx"

BURNT_OUT = 250
"""8-bit level at which all three channels are taken as burnt out."""

COVERAGE_SD_FRACTION = 0.06
"""SD of the network's error of a coverage on renders it has not seen (lab/benchmarks), for the
comparison with the second opinion."""

FINER_LOOKS = 2
"""How many perturbed looks are also taken at the finer scale, where they cost more."""

OPINION_SEED = 20260101

OPINION_PX = 600
"""Side of the crop for the second opinion, whose filters are made for a head 450 px wide."""


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
            # Two, because a change of the input's size makes OpenCV plan its work anew.
            self._net, self._finer_net = (
                cv2.dnn.readNetFromONNX(str(MODEL_FOLDER / MODEL_NAME)) for _ in range(2)
            )
        except cv2.error as error:
            message = f"OpenCV {cv2.__version__} can't read the segmentation model: {error}"
            raise ModelError(message) from error

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
        looks = [maps, *self._look_again(image, crop, perturbations)]
        maps = np.mean(looks, axis=0, dtype=np.float32)
        scalp = scalp_mask(maps, inside)
        scalp &= np.argmax(maps[CLASS_CHANNELS], axis=0) != RegionClass.OBJECT
        require_scalp(maps, scalp, inside)
        doubt = doubt_of(maps[DOUBT_CHANNEL])
        finer = finer_side(crop)
        if finer > INPUT_PX:
            near = self._finer_look(image, crop, finer, perturbations)
            maps[FRACTION_CHANNEL] = near[FRACTION_CHANNEL]
            # What is doubted at one scale alone is doubted half: that foretells errors best.
            doubt = (doubt + doubt_of(near[DOUBT_CHANNEL], finer)) / np.float32(2)
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
        """Run the network on a square picture (S, S, 3); (9, S, S) float32 maps."""
        net = self._net if len(picture) == INPUT_PX else self._finer_net
        blob = picture.astype(np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)
        net.setInput(np.ascontiguousarray(blob))
        return np.array(net.forward()[0], dtype=np.float32)

    def _look(self, image: ImageArray, crop: Crop, side: int = INPUT_PX) -> Maps:
        return averaged(self._predict(shrunk(cut(image, crop), side)))

    def _look_again(
        self, image: ImageArray, crop: Crop, perturbations: int, side: int = INPUT_PX
    ) -> list[Maps]:
        """Maps of perturbed looks on the crop's grid; every second one is seen in a mirror."""
        found = []
        for number, recipe in enumerate(RECIPES[:perturbations]):
            looked = crop.zoomed(recipe.zoom)
            copy = perturbed(shrunk(cut(image, looked), side), recipe)
            if number % 2:
                maps = self._predict(copy)
            else:
                maps = self._predict(np.ascontiguousarray(copy[:, ::-1]))[:, :, ::-1]
            found.append(resampled(averaged(maps), looked.grid(), crop.grid()))
        return found

    def _finer_look(self, image: ImageArray, crop: Crop, side: int, perturbations: int) -> Maps:
        """Maps (9, INPUT_PX, INPUT_PX) of a finer picture; the mean of a few looks."""
        again = self._look_again(image, crop, min(perturbations, FINER_LOOKS), side)
        looks = [self._look(image, crop, side), *again]
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
