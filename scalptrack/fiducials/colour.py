"""Colour of the light and of the camera, from the patches of the card.

In linear light: a plane of brightness over the white of the board (light that falls unevenly), an
exponent and one gain for each channel from the greys, and a matrix that keeps greys grey, pulled
towards the identity. OpenCV has a module for it (``cv2.ccm``), but version 4.10 hasn't.

References
----------
G. D. Finlayson, M. Mackiewicz and A. Hurlbert, "Color correction using root-polynomial regression",
IEEE TIP 24, 2015, doi:10.1109/TIP.2015.2405336 (the linear fit and what it can't do).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from scalptrack.fiducials.detect import Markers, Placement
from scalptrack.fiducials.layout import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    PATCH_MM,
    SQUARE_MM,
    Patch,
    board_markers,
    patches,
)
from scalptrack.fiducials.markers import card_picture
from scalptrack.records import BoolArray, FloatArray, ImageArray

PX_PER_MM = 4
CENTRAL_SHARE = 0.6
"""Of a patch's side: its borders are mixed with what is beside it."""

CLIPPED_LEVEL, BLACK_LEVEL = 250, 3
UNEVEN_LEVELS = 30
"""Spread of levels within a patch beyond which something lies over it. Chosen."""

MIN_GREYS, MIN_PATCHES = 4, 10
OUTLIER_DELTA_E = 20.0
"""Colour difference after correction beyond which a patch is hidden or dirty."""

RIDGE = 0.02
GAMMA_RANGE = (0.6, 1.6)


@dataclass(frozen=True, slots=True)
class CardColour:
    """What the patches tell of light and camera.

    Attributes
    ----------
    gains : tuple of float
        Factors of red, green and blue in linear light that make greys neutral; green is 1.
    exposure : float
        Factor in linear light that brings the greys to their stated brightness.
    gamma : float
        Exponent in linear light, for the camera's tone curve.
    matrix : tuple of tuple of float
        (3, 3), applied after gains and exponent; its rows sum to 1.
    error_before, error_after : float
        Mean CIE76 colour difference of the patches used from their stated colours.
    patches_used, patches_hidden : int
        The others were too bright or too dark.
    light_stops : float
        Difference of light across the card.
    """

    gains: tuple[float, float, float]
    exposure: float
    gamma: float
    matrix: tuple[tuple[float, float, float], ...]
    error_before: float
    error_after: float
    patches_used: int
    patches_hidden: int
    light_stops: float


@dataclass(frozen=True, slots=True)
class _Tone:
    """Exponent shared by the channels, and the logarithm of each channel's gain."""

    gamma: float
    log_gains: FloatArray

    def applied(self, light: FloatArray) -> FloatArray:
        """Linear light (N, 3) through exponent and gains."""
        return np.asarray(np.power(np.maximum(light, 1e-6), self.gamma) * np.exp(self.log_gains))


def measure_colour(
    image: ImageArray, placement: Placement, markers: Markers
) -> tuple[CardColour | None, int]:
    """Fit the correction; None where too few patches can be used.

    Returns
    -------
    CardColour or None
    int
        Patches that are hidden by something or outside of the picture.
    """
    picture, inside = _straightened(image, placement)
    every = patches()
    levels, hidden = _patch_levels(picture, inside, every)
    plane = _light_plane(picture, inside, markers)
    centres = np.array([each.centre_mm for each in every]) - _middle_mm()
    light = linear(levels) / np.exp(centres @ plane)[:, np.newaxis]
    clipped = (levels.max(axis=1) >= CLIPPED_LEVEL) | (levels.max(axis=1) <= BLACK_LEVEL)
    seen = ~hidden & ~clipped
    stated = np.array([each.srgb for each in every], dtype=np.float64)
    greys = np.array([each.is_grey for each in every])
    fitted = _fit(light, linear(stated), greys, seen)
    if fitted is None:
        return None, int(hidden.sum())
    tone, matrix, used = fitted
    hidden |= seen & ~used
    corrected = tone.applied(light) @ matrix.T
    before = _delta_e(linear(levels), stated)[used]
    after = _delta_e(corrected, stated)[used]
    gains = np.exp(tone.log_gains - tone.log_gains[1])
    corner = np.array([CARD_WIDTH_MM, CARD_HEIGHT_MM])
    return CardColour(
        gains=(float(gains[0]), 1.0, float(gains[2])),
        exposure=float(np.exp(tone.log_gains[1])),
        gamma=tone.gamma,
        matrix=tuple((float(row[0]), float(row[1]), float(row[2])) for row in matrix),
        error_before=float(before.mean()),
        error_after=float(after.mean()),
        patches_used=int(used.sum()),
        patches_hidden=int(hidden.sum()),
        light_stops=float(np.abs(plane) @ corner / np.log(2)),
    ), int(hidden.sum())


def correct_colours(image: ImageArray, colour: CardColour) -> ImageArray:
    """The photograph (H, W, 3) as if its patches had their stated colours."""
    levels = linear(np.arange(256, dtype=np.float64))[:, np.newaxis]
    tone = _Tone(colour.gamma, np.log(np.array(colour.gains) * colour.exposure))
    table = tone.applied(np.repeat(levels, 3, axis=1)).astype(np.float32)
    light = np.stack([table[:, channel][image[..., channel]] for channel in range(3)], axis=2)
    light = light @ np.array(colour.matrix, dtype=np.float32).T
    return np.rint(encoded(light)).astype(np.uint8)


def linear(levels: FloatArray) -> FloatArray:
    """Linear light, 0 to 1, of sRGB levels, 0 to 255 (IEC 61966-2-1)."""
    share = np.asarray(levels) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def encoded(light: FloatArray) -> FloatArray:
    """SRGB levels, 0 to 255, of linear light; what is out of range is clipped."""
    share = np.clip(light, 0, 1)
    return 255 * np.where(
        share <= 0.0031308, share * 12.92, 1.055 * np.power(share, 1 / 2.4) - 0.055
    )


def _middle_mm() -> FloatArray:
    return np.array([CARD_WIDTH_MM / 2, CARD_HEIGHT_MM / 2])


def _straightened(image: ImageArray, placement: Placement) -> tuple[ImageArray, BoolArray]:
    """The card seen straight on at `PX_PER_MM`, and which of its pixels the photograph holds."""
    reduce_by = max(1, int(placement.square_px / SQUARE_MM / PX_PER_MM))
    height, width = image.shape[0] // reduce_by, image.shape[1] // reduce_by
    small = image
    if reduce_by > 1:
        cropped = image[: height * reduce_by, : width * reduce_by]
        small = np.asarray(cv2.resize(cropped, (width, height), interpolation=cv2.INTER_AREA))
    shift = (1 - reduce_by) / (2 * reduce_by)
    reduced = np.array([[1 / reduce_by, 0, shift], [0, 1 / reduce_by, shift], [0, 0, 1]])
    half = 0.5 / PX_PER_MM
    card = np.array([[1 / PX_PER_MM, 0, half], [0, 1 / PX_PER_MM, half], [0, 0, 1]])
    matrix = reduced @ placement.photograph_from_card @ card
    size = (round(CARD_WIDTH_MM * PX_PER_MM), round(CARD_HEIGHT_MM * PX_PER_MM))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpPerspective(small, matrix, size, flags=flags)
    whole = np.full((height, width), 255, dtype=np.uint8)
    inside = cv2.warpPerspective(whole, matrix, size, flags=flags) == 255
    return np.asarray(picture, dtype=np.uint8), np.asarray(inside)


def _patch_levels(
    picture: ImageArray, inside: BoolArray, every: tuple[Patch, ...]
) -> tuple[FloatArray, BoolArray]:
    """Median level (N, 3) of each patch, and which are hidden."""
    half = CENTRAL_SHARE * PATCH_MM / 2
    levels, hidden = [], []
    for patch in every:
        x, y = patch.centre_mm
        rows = slice(round((y - half) * PX_PER_MM), round((y + half) * PX_PER_MM))
        columns = slice(round((x - half) * PX_PER_MM), round((x + half) * PX_PER_MM))
        pixels = picture[rows, columns].reshape(-1, 3).astype(np.float64)
        low, middle, high = np.percentile(pixels, [5, 50, 95], axis=0)
        levels.append(middle)
        hidden.append(not inside[rows, columns].all() or float((high - low).max()) > UNEVEN_LEVELS)
    return np.array(levels), np.array(hidden)


def _light_plane(picture: ImageArray, inside: BoolArray, markers: Markers) -> FloatArray:
    """Gradient (2,) per mm of the logarithm of the light, from the white around found markers.

    Where there is too little unclipped white it is zero.
    """
    white = (card_picture(PX_PER_MM) == 255).all(axis=2).astype(np.uint8)
    white = cv2.erode(white, np.ones((5, 5), np.uint8)) > 0
    near = np.zeros(white.shape, dtype=np.bool_)
    inset = 1.5
    for number in markers.board:
        x, y = board_markers()[number]
        low = np.array([x - inset, y - inset]) * PX_PER_MM
        high = low + SQUARE_MM * PX_PER_MM
        near[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = True
    levels = picture.max(axis=2)
    rows, columns = np.nonzero(white & near & inside & (levels < CLIPPED_LEVEL) & (levels > 20))
    if len(rows) < 200 or len(markers.board) < 4:
        return np.zeros(2)
    places = (np.column_stack([columns, rows]) + 0.5) / PX_PER_MM - _middle_mm()
    design = np.column_stack([places, np.ones(len(places))])
    target = np.log(linear(picture[rows, columns].astype(np.float64)).mean(axis=1))
    weight = np.ones(len(target))
    solution = np.zeros(3)
    for _ in range(12):
        root = np.sqrt(weight)
        solution = np.linalg.lstsq(design * root[:, np.newaxis], target * root, rcond=None)[0]
        away = np.abs(target - design @ solution)
        weight = 1 / np.maximum(away, 0.02)
    return np.asarray(solution[:2])


def _fit(
    light: FloatArray, stated: FloatArray, greys: BoolArray, used: BoolArray
) -> tuple[_Tone, FloatArray, BoolArray] | None:
    """Tone and matrix, and the patches that agree with them; the worst one leaves at each turn."""
    used = used.copy()
    while (used & greys).sum() >= MIN_GREYS and used.sum() >= MIN_PATCHES:
        tone = _fit_tone(light[used & greys], stated[used & greys])
        toned = tone.applied(light)
        matrix = _fit_matrix(toned[used], stated[used])
        error = np.where(used, _delta_e(toned @ matrix.T, encoded(stated)), 0.0)
        worst = int(np.argmax(error))
        if error[worst] <= OUTLIER_DELTA_E:
            return tone, matrix, used
        used[worst] = False
    return None


def _fit_tone(light: FloatArray, stated: FloatArray) -> _Tone:
    """Least squares in logarithms over the greys: log stated = gamma log light + gain."""
    x, y = np.log(np.maximum(light, 1e-6)), np.log(stated)
    x_centred, y_centred = x - x.mean(axis=0), y - y.mean(axis=0)
    slope = float((x_centred * y_centred).sum() / max(np.square(x_centred).sum(), 1e-9))
    gamma = float(np.clip(slope, *GAMMA_RANGE))
    return _Tone(gamma, y.mean(axis=0) - gamma * x.mean(axis=0))


def _fit_matrix(light: FloatArray, stated: FloatArray) -> FloatArray:
    """Matrix (3, 3) whose rows sum to 1, so that a grey stays what the gains made it."""
    matrix = np.eye(3)
    weight = 1 / (stated.mean(axis=1) + 0.05)
    for row in range(3):
        others = [each for each in range(3) if each != row]
        design = (light[:, others] - light[:, [row]]) * weight[:, np.newaxis]
        target = (stated[:, row] - light[:, row]) * weight
        normal = design.T @ design + RIDGE * len(light) * np.eye(2)
        mixed = np.linalg.solve(normal, design.T @ target)
        matrix[row, others] = mixed
        matrix[row, row] = 1 - mixed.sum()
    return matrix


def _delta_e(light: FloatArray, stated_levels: FloatArray) -> FloatArray:
    """CIE76 difference (N,) of linear light from stated sRGB levels."""
    labs = [
        cv2.cvtColor((levels / 255).astype(np.float32)[np.newaxis], cv2.COLOR_RGB2LAB)[0]
        for levels in (encoded(light), stated_levels)
    ]
    return np.asarray(np.linalg.norm(labs[0] - labs[1], axis=1), dtype=np.float64)
