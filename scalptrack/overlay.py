"""Pictures for people: what was counted as hair, where it was counted, and where it changed.

Arrays in, arrays out; no file is read and nothing is measured. Colours are chosen to stand out
from every skin and hair colour: blue-green does not occur in either, outlines are a light line
within a dark one, and hatching alternates light and dark.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from scalptrack.lettering import missing_letters
from scalptrack.records import BoolArray, FloatArray, ImageArray
from scalptrack.translation import tr
from scalptrack.wording import printable

HAIR_TINT = (0, 196, 214)
GAIN = (0, 114, 178)
LOSS = (230, 120, 0)
PAPER = (255, 255, 255)
INK = (31, 41, 51)

HAIR_OPACITY = 0.72
OUTSIDE_OPACITY = 0.18
"""Hair outside the region is not counted; it is tinted faintly, to show that it was seen."""

FULL_SCALE_FRACTION = 0.5
"""Change of the local hair fraction that is drawn in full colour."""

SILENT_FRACTION = 0.06
"""Local changes below this stay grey: about the repeatability of a smoothed hair fraction at one
place, which is worse than that of the coverage. Provisional, see lab/benchmarks."""

SMOOTHING_OF_REGION = 0.035
"""SD of the Gaussian that smooths the gain/loss map, relative to the root of the region's area:
wide enough that single strands, which no alignment can follow, average out."""

_FONT = FontProperties(family="DejaVu Sans")


def hair_overlay(
    image: ImageArray,
    hair_fraction: FloatArray,
    region_mask: BoolArray,
    excluded_mask: BoolArray,
) -> ImageArray:
    """Photograph with its hair tinted, the region outlined and what was left out hatched.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB photograph.
    hair_fraction : float (H, W)
        Fraction of each pixel that is covered by hair; NaN counts as none.
    region_mask, excluded_mask : bool (H, W)
        Region that the coverage is of; scalp that was left out of it (glare, objects, not seen in
        all compared photographs).

    Returns
    -------
    uint8 (H, W, 3)

    Raises
    ------
    ValueError
        If the shapes don't belong together.
    """
    _require_same_shape(image, hair_fraction, region_mask, excluded_mask)
    fraction = np.clip(np.nan_to_num(hair_fraction, nan=0.0), 0.0, 1.0)
    opacity = fraction * np.where(region_mask, HAIR_OPACITY, OUTSIDE_OPACITY)
    shown = _tinted(image.astype(np.float32), HAIR_TINT, opacity)
    shown = _hatched(shown, excluded_mask & ~region_mask)
    return _outlined(np.clip(np.rint(shown), 0, 255).astype(np.uint8), region_mask)


def side_by_side(
    baseline_image: ImageArray,
    aligned_followup_image: ImageArray,
    *,
    labels: tuple[str, str] = ("baseline", "follow-up"),
) -> ImageArray:
    """Two pictures of the same view next to each other, with labels above them.

    Parameters
    ----------
    baseline_image, aligned_followup_image : uint8 (H, W, 3)
        RGB pictures from the same camera position.
    labels : tuple of str
        What is written above each, usually a date. Nothing is written on the pictures.

    Returns
    -------
    uint8 (H + strip, 2 W + gap, 3)

    Raises
    ------
    ValueError
        If the pictures differ in size.
    """
    if baseline_image.shape != aligned_followup_image.shape:
        raise ValueError(
            f"both pictures must have the same size, got {baseline_image.shape} and "
            f"{aligned_followup_image.shape}"
        )
    height, width = baseline_image.shape[:2]
    letters = _letter_height(width)
    strip, gap = round(2.4 * letters), max(4, round(0.012 * width))
    sheet = np.full((height + strip, 2 * width + gap, 3), PAPER, dtype=np.uint8)
    sheet[strip:, :width] = baseline_image
    sheet[strip:, width + gap :] = aligned_followup_image
    for label, left in zip(labels, (0, width + gap), strict=True):
        panel = sheet[:strip, left : left + width]
        panel[:] = _written(panel, label, (0.3 * letters, 0.5 * strip), letters)
    return sheet


def gain_loss_map(
    reference_image: ImageArray,
    reference_hair_fraction: FloatArray,
    followup_hair_fraction: FloatArray,
    region_mask: BoolArray,
) -> ImageArray:
    """Where hair was gained (blue) and lost (orange), over the greyed reference photograph.

    The difference of the hair fractions is smoothed within the region by a Gaussian whose SD is
    `SMOOTHING_OF_REGION` of the root of the region's area. Differences below `SILENT_FRACTION`
    stay grey; `FULL_SCALE_FRACTION` and more have full colour. It shows where, not how much: the
    numbers come from photographs that were not resampled.

    Parameters
    ----------
    reference_image : uint8 (H, W, 3)
        RGB reference photograph.
    reference_hair_fraction, followup_hair_fraction : float (H, W)
        Hair fractions on the reference photograph's pixels; NaN where nothing is known.
    region_mask : bool (H, W)
        Region to compare in.

    Returns
    -------
    uint8 (H + strip, W, 3)
        With a colour bar in the strip below.

    Raises
    ------
    ValueError
        If the shapes don't belong together.
    """
    _require_same_shape(
        reference_image, reference_hair_fraction, followup_hair_fraction, region_mask
    )
    difference, known = smoothed_difference(
        reference_hair_fraction, followup_hair_fraction, region_mask
    )
    shown = _greyed(reference_image)
    opacity = change_opacity(difference) * known
    shown = _tinted(shown, GAIN, opacity * (difference > 0))
    shown = _tinted(shown, LOSS, opacity * (difference < 0))
    shown = _hatched(shown, region_mask & ~known)
    picture = _outlined(np.clip(np.rint(shown), 0, 255).astype(np.uint8), region_mask)
    return np.asarray(np.vstack([picture, _colour_bar(picture.shape[1])]), dtype=np.uint8)


def smoothed_difference(
    reference_hair_fraction: FloatArray,
    followup_hair_fraction: FloatArray,
    region_mask: BoolArray,
) -> tuple[FloatArray, BoolArray]:
    """Difference follow-up minus reference, smoothed within the known part of the region.

    Returns
    -------
    difference : float32 (H, W)
        0 outside the known part; pixels outside it don't bleed into it.
    known : bool (H, W)
        Region where both fractions are finite.
    """
    raw = followup_hair_fraction - reference_hair_fraction
    known = region_mask & np.isfinite(raw)
    if not known.any():
        return np.zeros(region_mask.shape, dtype=np.float32), known
    weight = known.astype(np.float32)
    sigma = max(1.0, SMOOTHING_OF_REGION * float(np.sqrt(known.sum())))
    values = np.where(known, raw, 0.0).astype(np.float32)
    smooth = cv2.GaussianBlur(values, (0, 0), sigma)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    difference = np.where(known, smooth / np.maximum(share, 1e-6), 0.0)
    return difference.astype(np.float32), known


def change_opacity(difference: FloatArray) -> FloatArray:
    """Opacity (H, W) of a local change: 0 up to the silent change, 0.9 from full scale on."""
    size = np.abs(difference)
    ramp = (size - SILENT_FRACTION) / (FULL_SCALE_FRACTION - SILENT_FRACTION)
    return np.asarray(np.where(size > SILENT_FRACTION, 0.1 + 0.8 * np.clip(ramp, 0, 1), 0.0))


def _require_same_shape(image: ImageArray, *arrays: NDArray[np.generic]) -> None:
    """Raise ValueError unless the image is (H, W, 3) and all arrays are (H, W)."""
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"the image must have the shape (H, W, 3), got {image.shape}")
    for array in arrays:
        if array.shape != image.shape[:2]:
            raise ValueError(
                f"all arrays must have the image's shape {image.shape[:2]}, got {array.shape}"
            )


def _tinted(image: FloatArray, colour: tuple[int, int, int], opacity: FloatArray) -> FloatArray:
    """Lay a colour over a float image, keeping some of the texture below it."""
    luminance = image.mean(axis=2, keepdims=True)
    textured = np.array(colour, dtype=np.float32) * (0.88 + 0.36 * luminance / 255.0)
    share = opacity[..., None].astype(np.float32)
    return np.asarray(image * (1 - share) + np.minimum(textured, 255.0) * share)


def _greyed(image: ImageArray) -> FloatArray:
    """Luminance in the middle of the range, so that colour and outline stand out from it."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.repeat((70.0 + grey * (165.0 / 255.0))[..., None], 3, axis=2)


def _line_width(shape: tuple[int, ...]) -> int:
    """Width in px of a thin line that is still seen when the picture is 390 px wide."""
    return max(1, round(max(shape[:2]) / 420))


def _letter_height(width: int) -> float:
    """Height in px of capital letters in a picture of some width."""
    return max(8.0, 0.026 * width)


def _hatched(image: FloatArray, mask: BoolArray) -> FloatArray:
    """Alternating light and dark diagonal lines where the mask is set."""
    if not mask.any():
        return image
    period = 7 * _line_width(image.shape)
    rows, columns = (np.arange(size) for size in mask.shape)
    phase = (rows[:, None] + columns[None, :]) % (2 * period)
    shown = image.copy()
    for start, level in ((0, 245.0), (period, 25.0)):
        stripe = mask & (phase >= start) & (phase < start + 2 * _line_width(image.shape))
        shown[stripe] = 0.45 * shown[stripe] + 0.55 * level
    return shown


def _outlined(image: ImageArray, mask: BoolArray) -> ImageArray:
    """Outline of a mask: a light line within a dark one; specks are left without an outline."""
    found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    speck = 2e-4 * mask.size
    kept = [contour for contour in found[0] if cv2.contourArea(contour) > speck]
    line = _line_width(image.shape)
    shown = image.copy()
    cv2.drawContours(shown, kept, -1, (18, 18, 18), 3 * line + 3, cv2.LINE_AA)
    cv2.drawContours(shown, kept, -1, (255, 255, 255), line + 1, cv2.LINE_AA)
    return shown


def _colour_bar(width: int) -> ImageArray:
    """Strip that explains the colours of the gain/loss map."""
    letters = _letter_height(width)
    strip = np.full((round(5.2 * letters), width, 3), PAPER, dtype=np.uint8)
    top, bottom = round(0.9 * letters), round(2.1 * letters)
    left, right = round(0.21 * width), round(0.79 * width)
    ramp = np.linspace(-FULL_SCALE_FRACTION, FULL_SCALE_FRACTION, right - left)
    difference = np.repeat(ramp[None], bottom - top, axis=0)
    bar = np.full((bottom - top, right - left, 3), 170.0, dtype=np.float32)
    bar = _tinted(bar, GAIN, change_opacity(difference) * (difference > 0))
    bar = _tinted(bar, LOSS, change_opacity(difference) * (difference < 0))
    strip[top:bottom, left:right] = np.clip(np.rint(bar), 0, 255)
    middle_y = (top + bottom) / 2
    full = f"{FULL_SCALE_FRACTION * 100:.0f}"
    strip = _written(strip, tr("less hair"), (left - 0.6 * letters, middle_y), letters, anchor=1.0)
    strip = _written(strip, tr("more hair"), (right + 0.6 * letters, middle_y), letters)
    below = bottom + 1.1 * letters
    for text, x in ((f"−{full}", left), ("0", (left + right) / 2), (f"+{full}", right)):
        strip = _written(strip, text, (x, below), 0.85 * letters, anchor=0.5)
    note = tr("points of hair fraction, smoothed")
    return _written(strip, note, (width / 2, below + 1.4 * letters), 0.75 * letters, anchor=0.5)


def _written(
    image: ImageArray,
    text: str,
    position: tuple[float, float],
    letter_height: float,
    *,
    anchor: float = 0.0,
) -> ImageArray:
    """Picture with a line of text; x is its left edge (anchor 0), middle (0.5) or right edge (1).

    Drawn from the outlines of the font that ships with matplotlib: the same on every machine, and
    not limited to ASCII as OpenCV's own letters are.
    """
    outlines = _text_outlines(text)
    if not outlines:
        return image
    scale = letter_height / _capital_height()
    reach = max(float(outline[:, 0].max()) for outline in outlines)
    origin = (position[0] - anchor * reach * scale, position[1] + letter_height / 2)
    polygons = [
        np.rint((outline * (scale, -scale) + origin) * 16).astype(np.int32) for outline in outlines
    ]
    cover = np.zeros(image.shape[:2], dtype=np.uint8)
    cv2.fillPoly(cover, polygons, 255, cv2.LINE_AA, 4)
    share = (cover / 255.0)[..., None]
    return np.asarray(np.rint(image * (1 - share) + np.array(INK) * share), dtype=np.uint8)


@lru_cache(maxsize=256)
def _text_outlines(text: str) -> tuple[FloatArray, ...]:
    """Polygons (N, 2) of a text at the font's size 100, y upwards."""
    if not text.strip():
        return ()
    with missing_letters():
        literal = printable(text).replace("$", r"\$")
        path = TextPath((0, 0), literal, size=100, prop=_FONT, usetex=False)
    return tuple(np.asarray(polygon) for polygon in path.to_polygons())


@lru_cache(maxsize=1)
def _capital_height() -> float:
    """Height of a capital letter at the font's size 100."""
    return max(float(outline[:, 1].max()) for outline in _text_outlines("H"))
