"""Photographs from Cycles (`lab.training.renders`) as crops to train with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lab.paths import beside
from lab.strands.develop import develop
from lab.training.aims import Aim
from lab.training.careless import careless
from lab.training.dataset import (
    WHOLE_FROM_PX,
    Truth,
    detail_head_px,
    shows_finer,
)

SCALP_LABEL = 1
OTHER_SKIN = 3
LARGEST_HEAD_PX = 720
GAMMA = 2.2
BEYOND = 114
GREY_SHARE = 0.05
"""Share of the mild photographs without colour."""
SMALLEST_SCALP_PX = 400
TEXTURE_SHARE = 0.3
"""Share of the pictures whose light varies from place to place by something not rendered."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A Cycles photograph in linear light, and its truth.

    Attributes
    ----------
    light : ndarray of uint8, shape (H, W, 3)
        RGB codes with the exponent `GAMMA`.
    truth : ndarray of float16, shape (H, W, 4)
        Class code, hair fraction, 1 on visible anatomical scalp, cosine of incidence.
    centre : tuple of float
        Median pixel (x, y) of the scalp.
    extent_px : int
        Larger side of the scalp's bounding box.
    """

    light: NDArray[np.uint8]
    truth: NDArray[np.float16]
    centre: tuple[float, float]
    extent_px: int


def read_photograph(path: Path) -> Photograph | None:
    """The photograph of a truth file; None where it is stored turned or shows no scalp."""
    base = path.with_suffix("")
    with Image.open(beside(base, ".jpg")) as image:
        if image.getexif().get(0x0112, 1) != 1:
            return None
        picture = np.asarray(image.convert("RGB"))
    hair = np.asarray(Image.open(beside(base, ".hair.png")), np.float32) / 255
    classes = np.asarray(Image.open(beside(base, ".classes.png")), np.float32)
    with np.load(beside(base, ".surface.npz")) as surface:
        region = (surface["label"] == SCALP_LABEL).astype(np.float32)
        cosine = np.nan_to_num(surface["incidence_cosine"].astype(np.float32)) * region
    if region.sum() < SMALLEST_SCALP_PX:
        return None
    truth = np.dstack([classes, hair, region, cosine]).astype(np.float32)
    rows, columns = np.nonzero(region)
    scale = min(1.0, LARGEST_HEAD_PX / max(np.ptp(rows), np.ptp(columns)))
    if scale < 1:
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        linear = cv2.resize((picture / 255.0) ** GAMMA, size, interpolation=cv2.INTER_AREA)
        picture = np.round(255 * np.clip(linear, 0, 1) ** (1 / GAMMA)).astype(np.uint8)
        codes = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST)
        truth = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)
        truth[..., 0] = codes
    rows, columns = np.nonzero(truth[..., 2] > 0.5)
    centre = (float(np.median(columns)), float(np.median(rows)))
    extent = int(max(np.ptp(rows), np.ptp(columns), 20))
    return Photograph(picture, truth.astype(np.float16), centre, extent)


class Photographs:
    """Every finished photograph below some folders; grows while more are being rendered."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._seen: set[Path] = set()
        self.items: list[Photograph] = []
        self.refresh()

    def refresh(self) -> None:
        """Load photographs that have appeared since the last call."""
        for path in sorted(each for folder in self._folders for each in folder.rglob("*.json")):
            if path in self._seen or "seconds" not in json.loads(path.read_text()):
                continue
            self._seen.add(path)
            if (photograph := read_photograph(path)) is not None:
                self.items.append(photograph)


def draw_photograph(
    rng: np.random.Generator, photograph: Photograph, size: int, aim: Aim
) -> tuple[NDArray[np.float32], Truth]:
    """A turned, mirrored and scaled square of a photograph, around its scalp, linear light."""
    kind, extent = rng.random(), photograph.extent_px
    if shows_finer(rng, extent):
        zoom = detail_head_px(rng, finer=True) / extent
    elif size >= WHOLE_FROM_PX:
        zoom = size * (rng.uniform(0.6, 0.92) if kind < 0.85 else rng.uniform(0.2, 0.6)) / extent
    elif kind < 0.75:
        zoom = detail_head_px(rng, finer=False) / extent
    else:
        zoom = size * rng.uniform(0.3, 0.9) / extent
    centre = photograph.centre
    if rng.random() < aim.skin:
        skin = np.argwhere(photograph.truth[..., 0] == OTHER_SKIN)
        if len(skin) > 0.01 * extent**2:
            row, column = skin[int(rng.integers(len(skin)))]
            centre = (float(column), float(row))
            zoom *= rng.uniform(1.2, 3)
    angle = rng.normal(0, 15) + (rng.choice([90, 180, 270]) if rng.random() < 0.1 else 0)
    matrix = cv2.getRotationMatrix2D(centre, float(angle), float(zoom))
    spare = max(abs(size - zoom * extent) / 2, 0.1 * size) if centre == photograph.centre else 0
    drift = rng.uniform(-0.8, 0.8, 2) * spare
    matrix[:, 2] += size / 2 - np.array(centre) + drift
    if rng.random() < 0.5:
        matrix[0] = np.array([0.0, 0.0, size - 1.0]) - matrix[0]
    # Beyond the frame the program shows grey; a stretched border stands for a closer frame.
    shape = (size, size)
    border = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    source = photograph.light
    if zoom < 0.6:  # A warp does not average: blur away what the small picture can't hold.
        source = cv2.GaussianBlur(source, (0, 0), 0.4 / zoom)
    coded = cv2.warpAffine(
        source, matrix, shape, borderMode=border, borderValue=(BEYOND, BEYOND, BEYOND)
    )  # fmt: skip
    truth = photograph.truth.astype(np.float32)
    warped = cv2.warpAffine(truth[..., 1:], matrix, shape, borderMode=border)
    codes = cv2.warpAffine(
        truth[..., 0], matrix, shape, flags=cv2.INTER_NEAREST, borderMode=border
    )  # fmt: skip
    light = (coded.astype(np.float32) / 255) ** np.float32(GAMMA)
    return light, Truth(
        np.round(codes).astype(np.int64),
        np.clip(warped[..., 0], 0, 1),
        (warped[..., 1] > 0.5).astype(np.float32),
        np.clip(warped[..., 2], 0, 1),
    )


def photographed(
    rng: np.random.Generator, light: NDArray[np.float32], aim: Aim
) -> NDArray[np.uint8]:
    """The picture as a camera gives it: mostly mild, some with all that can go wrong."""
    if rng.random() < TEXTURE_SHARE:
        light = _textured(rng, light)
    faulty = rng.random() < aim.careless
    if faulty:
        light = careless(rng, light)
    if rng.random() < aim.rough:
        return develop(rng, light)
    gains = 2 ** rng.normal(0, 0.35) * np.exp(rng.normal(0, 0.07, 3))
    shown = cv2.pow(np.clip(light * gains.astype(np.float32), 0, 1), 1 / GAMMA)
    contrast = np.float32(rng.uniform(-0.15, 0.3))
    shown += contrast * shown * (1 - shown) * (2 * shown - 1)
    saturation = 0.0 if rng.random() < GREY_SHARE else rng.normal(1, 0.15)
    # Each channel keeps so much of itself and takes the rest from the mean of all three.
    shown = cv2.transform(shown, saturation * np.eye(3) + np.full((3, 3), (1 - saturation) / 3))
    if rng.random() < 0.35:
        shown = cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.3, 1.0))
    elif rng.random() < 0.5:
        soft = cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.6, 1.3))
        shown = shown + np.float32(rng.uniform(0.2, 1.0)) * (shown - soft)
    shown += np.float32(rng.uniform(0, 0.02)) * rng.standard_normal(shown.shape, np.float32)
    coded = np.clip(shown * 255, 0, 255).astype(np.uint8)
    coarsest = 15 if faulty else 60
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(coarsest, 97))]
    done: NDArray[np.uint8] = cv2.imdecode(
        cv2.imencode(".jpg", coded, quality)[1], cv2.IMREAD_COLOR
    )
    return done


def _textured(rng: np.random.Generator, light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pores, flakes, weave, mottle: what renderers leave out, of any size and a random strength."""
    size = len(light)
    grain = float(np.exp(rng.uniform(0, np.log(12))))
    cells = max(4, round(size / grain))
    field = rng.standard_normal((cells, cells), np.float32)
    field = cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC)
    strength = np.float32(rng.uniform(0.01, 0.09))
    textured: NDArray[np.float32] = light * np.exp(strength * field)[..., None]
    return textured
