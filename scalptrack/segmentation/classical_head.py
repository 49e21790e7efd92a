"""Find one head in a photograph without a network: what differs from the rim, and is roundish."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import BoolArray, FloatArray, ImageArray
from scalptrack.translation import tr

SEARCH_PX = 256
"""Long side of the picture that is searched: a head of a tenth of it is still 26 px wide."""

MIN_HEAD_SHARE = 0.03
"""Smallest area of a head, as a share of the photograph."""

MIN_FIT = 0.80
"""Smallest overlap (intersection over union, near the head) of foreground and ellipse."""

MAX_ELONGATION = 1.75
"""Longest head: a skull from above is 1.2 to 1.35 times longer than wide, long hair adds to it."""

MIN_RIM_CONTRAST = 8.0
"""Least median distance in Lab of the head's pixels from the colour around it; the pixels of a
noisy blank wall are 1 to 5 apart."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundHead:
    """A head, in photograph pixels.

    Attributes
    ----------
    centre : tuple of float
        (x, y) of the ellipse.
    semi_axes : tuple of float
        Half axes in pixels, along and across `angle_deg`.
    angle_deg : float
        Direction of the first half axis, clockwise from the x axis as the picture shows it.
    foreground : bool (h, w)
        What is not background, on the searched picture.
    scale : float
        Photograph pixels per pixel of `foreground`.
    """

    centre: tuple[float, float]
    semi_axes: tuple[float, float]
    angle_deg: float
    foreground: BoolArray
    scale: float

    @property
    def width_px(self) -> float:
        """Shorter full axis of the ellipse in photograph pixels."""
        return 2 * min(self.semi_axes)

    def radius(self, points: FloatArray) -> NDArray[np.float64]:
        """Elliptic radius (N,) of photograph points (N, 2): 0 at the centre, 1 on the outline."""
        turn = np.deg2rad(self.angle_deg)
        x, y = (points - np.asarray(self.centre)).T
        along, across = (
            (x * np.cos(turn) + y * np.sin(turn)) / self.semi_axes[0],
            (-x * np.sin(turn) + y * np.cos(turn)) / self.semi_axes[1],
        )
        return np.asarray(np.hypot(along, across))


def find_head(image: ImageArray, *, seed: int) -> FoundHead:
    """Find the head in an upright photograph.

    The top and side rims of the photograph are taken as background; GrabCut separates what is
    unlike them in the middle; the largest disc inside that is the head rather than the shoulders,
    and an ellipse is fitted to the outline around it.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB photograph with one head that does not touch the top and side rims everywhere.
    seed : int
        Seeds the colour mixtures of GrabCut.

    Returns
    -------
    FoundHead

    Raises
    ------
    HeadNotFoundError
        When nothing roundish of a head's size stands out from the background.

    References
    ----------
    .. [1] Rother, Kolmogorov & Blake, "GrabCut", ACM TOG 23 (2004), doi:10.1145/1015706.1015720.
    """
    scale = max(image.shape[:2]) / SEARCH_PX
    size = (max(round(image.shape[1] / scale), 16), max(round(image.shape[0] / scale), 16))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    foreground = _foreground(small, seed)
    centre, radius = _largest_disc(foreground)
    if np.pi * radius**2 < MIN_HEAD_SHARE * foreground.size:
        _refuse(
            tr(
                "the largest roundish thing fills {size:.1%} of it",
                size=np.pi * radius**2 / foreground.size,
            )
        )
    ellipse = _outline_ellipse(foreground, centre, radius)
    (x, y), axes, angle = ellipse
    _judge(small, foreground, ellipse)
    step = np.array([image.shape[1] / size[0], image.shape[0] / size[1]])
    at = (np.array([x, y]) + 0.5) * step - 0.5
    mean_step = float(step.mean())
    return FoundHead(
        centre=(float(at[0]), float(at[1])),
        semi_axes=(axes[0] / 2 * mean_step, axes[1] / 2 * mean_step),
        angle_deg=float(angle), foreground=foreground, scale=mean_step,
    )  # fmt: skip


_Ellipse = tuple[tuple[float, float], tuple[float, float], float]


def _foreground(small: ImageArray, seed: int) -> BoolArray:
    """What is unlike the top and side rims, bool (h, w)."""
    height, width = small.shape[:2]
    rim = max(3, round(0.02 * max(height, width)))
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    middle = (width // 2, round(0.52 * height))
    half_axes = (round(0.38 * width), round(0.40 * height))
    cv2.ellipse(labels, middle, half_axes, 0, 0, 360, cv2.GC_PR_FGD, -1)
    labels[:rim] = cv2.GC_BGD
    side = round(0.65 * height)
    labels[:side, :rim] = cv2.GC_BGD
    labels[:side, -rim:] = cv2.GC_BGD
    cv2.setRNGSeed(seed)
    background, person = np.zeros((1, 65)), np.zeros((1, 65))
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    if lab.reshape(-1, 3).std(axis=0).max() < 1:
        _refuse(tr("it shows a single colour"))
    cv2.grabCut(lab, labels, (0, 0, 0, 0), background, person, 4, cv2.GC_INIT_WITH_MASK)
    mask = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), np.uint8)
    return _filled(mask)


def _filled(mask: NDArray[np.uint8]) -> BoolArray:
    """A mask without its holes."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    full = np.zeros_like(mask)
    cv2.drawContours(full, outlines, -1, 1, -1)
    return np.asarray(full > 0)


def _largest_disc(foreground: BoolArray) -> tuple[tuple[float, float], float]:
    """Centre (x, y) and radius of a large disc inside the foreground, upper ones preferred."""
    padded = np.pad(foreground, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    # Shoulders lie below the head: a disc at the bottom must be a quarter larger to win.
    preference = np.linspace(1.0, 0.75, foreground.shape[0], dtype=np.float32)[:, np.newaxis]
    row, column = np.unravel_index(int(np.argmax(depth * preference)), depth.shape)
    return (float(column), float(row)), float(depth[row, column])


def _outline_ellipse(foreground: BoolArray, centre: tuple[float, float], radius: float) -> _Ellipse:
    """Ellipse through the outline around a disc, refined twice on the points that lie on it."""
    outlines, _ = cv2.findContours(
        foreground.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = np.concatenate([outline[:, 0] for outline in outlines]).astype(np.float32)
    distance = np.hypot(*(points - np.asarray(centre, np.float32)).T)
    near = points[distance < 1.5 * radius]
    ellipse: _Ellipse = (centre, (2 * radius, 2 * radius), 0.0)
    for tolerance in (0.3, 0.12, 0.08):
        on_it = near[np.abs(_radius(ellipse, near) - 1) < tolerance] if tolerance < 0.3 else near
        if len(on_it) < 12:
            break
        (x, y), (first, second), angle = cv2.fitEllipseDirect(on_it[:, np.newaxis])
        if not np.isfinite([x, y, first, second, angle]).all() or min(first, second) < radius:
            break
        ellipse = ((float(x), float(y)), (float(first), float(second)), float(angle))
    return ellipse


def _radius(ellipse: _Ellipse, points: NDArray[np.float32]) -> NDArray[np.float64]:
    (x, y), (first, second), angle = ellipse
    head = FoundHead((x, y), (first / 2, second / 2), angle, np.zeros((0, 0), bool), 1.0)
    return head.radius(points.astype(np.float64))


def _judge(small: ImageArray, foreground: BoolArray, ellipse: _Ellipse) -> None:
    """Raise `HeadNotFoundError` unless the ellipse is a head's by shape, fit and contrast."""
    height, width = foreground.shape
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    radius = _radius(ellipse, np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32))
    radius = radius.reshape(foreground.shape)
    elongation = max(ellipse[1]) / max(min(ellipse[1]), 1e-6)
    if elongation > MAX_ELONGATION:
        _refuse(
            tr("what stands out is {elongation:.1f} times longer than wide", elongation=elongation)
        )
    # The lower quarter may run into neck and shoulders.
    near = (radius < 1.25) & (rows < ellipse[0][1] + 0.3 * min(ellipse[1]))
    inside = radius < 1
    union = (near & (inside | foreground)).sum()
    fit = float((near & inside & foreground).sum() / max(union, 1))
    if fit < MIN_FIT:
        _refuse(
            tr(
                "what stands out fits a head's outline by {fit:.0%}, {min_fit:.0%} is needed",
                fit=fit,
                min_fit=MIN_FIT,
            )
        )
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    ring = (radius > 1.05) & (radius < 1.3) & (rows < ellipse[0][1]) & ~foreground
    if ring.sum() < 20:
        _refuse(tr("no background is seen around it: step back"))
    off = np.linalg.norm(lab[inside & near] - np.median(lab[ring], axis=0), axis=1)
    contrast = float(np.median(off))
    if contrast < MIN_RIM_CONTRAST:
        _refuse(
            tr(
                "nothing stands out from the background (contrast {contrast:.1f} in Lab)",
                contrast=contrast,
            )
        )


def _refuse(why: str) -> None:
    message = tr(
        "No head was found in this photograph: {why}. Photograph the "
        "head from nearby before a plain background, with all of it in "
        "the frame.",
        why=why,
    )
    raise HeadNotFoundError(message)
