"""One fault at a time done to a rendered photograph, in grades, where it happens in a camera.

Light, lens and exposure act on linear light before the noise; size, frame and compression on what
the camera makes of it. Lengths are in percent of the head's width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from lab.strands.head import Floats
from lab.strands.scene import Scene
from scalptrack.records import ImageArray

GRADES = {
    "other noise": (0.0,),
    "defocus": (0.25, 0.5, 0.8, 1.2),
    "shake": (1.0, 2.0, 3.5, 5.5),
    "underexposure": (1.5, 2.5, 3.5, 4.5),
    "overexposure": (0.7, 1.3, 1.9, 2.5),
    "glare": (8.0, 14.0, 20.0, 28.0),
    "light from the side": (1.0, 2.0, 3.0, 4.5),
    "shadow": (0.7, 1.3, 2.0, 3.0),
    "colour cast": (0.5, 0.9, 1.4, 2.0),
    "haze": (0.4, 1.0, 2.0, 4.0),
    "small head": (300.0, 220.0, 160.0, 110.0),
    "cut off": (8.0, 20.0, 35.0, 50.0),
    "compression": (50.0, 25.0, 12.0, 6.0),
}
"""Strengths of each fault, mild to strong, in the unit of `UNITS`."""

UNITS = {
    "other noise": "",
    "defocus": "% of head width (SD)",
    "shake": "% of head width",
    "underexposure": "stops",
    "overexposure": "stops",
    "glare": "° of the head",
    "light from the side": "stops, lit to unlit",
    "shadow": "stops",
    "colour cast": "stops, red to blue or to green",
    "haze": "of the mean light",
    "small head": "px head width",
    "cut off": "% of the region",
    "compression": "quality of JPEG",
}

_METERED, _CEILING = 0.20, 0.85
_READ_NOISE, _SHOT_NOISE = 0.0006, 0.004
_CLEAN_QUALITY = 92
_GLARE_LIGHT = 4.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture's pixels lie in the undamaged one: pixel = scale * undamaged - corner."""

    scale: float = 1.0
    corner: tuple[float, float] = (0.0, 0.0)

    def map_points(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the damaged picture (N, 2) of pixels of the undamaged one."""
        return (points + 0.5) * self.scale - 0.5 - np.array(self.corner)

    def inverse_points(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the undamaged picture (N, 2) of pixels of the damaged one."""
        return (points + np.array(self.corner) + 0.5) / self.scale - 0.5

    def incidence_cosine(self, points: np.ndarray) -> np.ndarray:
        """Nothing is turned: the undamaged photograph has said which scalp faces the camera."""
        return np.ones(len(points))

    def as_dict(self) -> dict[str, object]:
        """The parameters, as `scalptrack.records.SurfaceTransform` asks for."""
        return {"type": "frame", "scale": self.scale, "corner": self.corner}


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """A scene, its light under the exposure, the width of its head in pixels, and lots to draw."""

    scene: Scene
    light: Floats
    head_px: float
    rng: np.random.Generator


def exposed(scene: Scene) -> Floats:
    """Linear light of a scene under a camera's automatic exposure; 1 is white."""
    grey = scene.light.mean(-1)
    side = grey.shape[0] // 5
    meter = 0.5 * float(grey.mean()) + 0.5 * float(grey[side:-side, side:-side].mean()) + 1e-3
    gain = (_METERED / meter) ** 0.7
    bright = float(np.percentile(grey[scene.region], 98))
    return np.asarray(scene.light * np.float32(min(gain, _CEILING / bright)), np.float32)


def photographed(
    light: Floats, rng: np.random.Generator, quality: int = _CLEAN_QUALITY
) -> tuple[bytes, ImageArray]:
    """JPEG file and its pixels: noise, the sRGB curve, 8 bits, compression."""
    grain = rng.standard_normal(light.shape, np.float32)
    noisy = light + grain * np.sqrt(_READ_NOISE**2 + _SHOT_NOISE**2 * np.maximum(light, 0))
    value = np.power(np.clip(noisy, 0, 1), np.float32(1 / 2.2))
    picture = np.round(255 * value).astype(np.uint8)
    setting = [cv2.IMWRITE_JPEG_QUALITY, quality]
    code = cv2.imencode(".jpg", picture[..., ::-1], setting)[1]
    image = cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]
    return code.tobytes(), np.ascontiguousarray(image)


def damaged(
    fault: str, strength: float, scene: Scene, light: Floats, head_px: float, seed: int
) -> tuple[bytes, ImageArray, Frame]:
    """A photograph with one fault.

    Parameters
    ----------
    fault : str
        Key of `GRADES`.
    strength : float
        In the unit of `UNITS`.
    scene : Scene
        What is photographed.
    light : float32 (H, W, 3)
        Its light under the exposure of the undamaged photograph (`exposed`).
    head_px : float
        Width of the head, as the program measures it.
    seed : int
        Of noise, directions and places; they are the same in all grades of a fault.
    """
    rng = np.random.default_rng([seed, sorted(GRADES).index(fault)])
    frame, quality = Frame(), _CLEAN_QUALITY
    if fault in _LIGHT:
        light = _LIGHT[fault](_Taken(scene, light, head_px, rng), strength)
    elif fault == "small head":
        light, frame = _smaller(light, strength / head_px)
    elif fault == "cut off":
        light, frame = _cut(light, strength / 100, scene, rng)
    elif fault == "compression":
        quality = int(strength)
    code, image = photographed(light.astype(np.float32), rng, quality)
    return code, image, frame


def _defocus(taken: _Taken, strength: float) -> Floats:
    """A lens's disc; its radius is twice the SD along an axis."""
    radius = 2 * strength / 100 * taken.head_px
    return _filtered(taken.light, lambda x, y: np.hypot(x, y) <= radius, radius)


def _shake(taken: _Taken, strength: float) -> Floats:
    """A straight movement during the exposure."""
    half, angle = strength / 200 * taken.head_px, taken.rng.uniform(0, np.pi)
    c, s = np.cos(angle), np.sin(angle)
    return _filtered(
        taken.light,
        lambda x, y: (np.abs(x * c + y * s) <= half) & (np.abs(x * s - y * c) <= 0.5),
        half,
    )


def _filtered(
    light: Floats, inside: Callable[[np.ndarray, np.ndarray], np.ndarray], reach_px: float
) -> Floats:
    """Light spread evenly over a shape, drawn five times finer than a pixel."""
    half, fine = int(np.ceil(reach_px)) + 1, 5
    at = (np.arange((2 * half + 1) * fine) + 0.5) / fine - half - 0.5
    mask = inside(at[np.newaxis], at[:, np.newaxis]).astype(np.float32)
    kernel = cv2.resize(mask, (2 * half + 1,) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), np.float32)


def _under(taken: _Taken, strength: float) -> Floats:
    return taken.light * np.float32(2**-strength)


def _over(taken: _Taken, strength: float) -> Floats:
    return taken.light * np.float32(2**strength)


def _glare(taken: _Taken, strength: float) -> Floats:
    """A lamp's reflection on the skin that turns towards it; strands hide most of it."""
    scene = taken.scene
    rows, columns = np.nonzero(scene.region & (scene.cosine > 0.85))
    if not len(rows):
        rows, columns = np.nonzero(scene.region)
    at = taken.rng.integers(len(rows))
    normal = scene.surface.normal
    cosine = np.clip(normal @ normal[rows[at], columns[at]], -1, 1)
    lobe = np.exp(-0.5 * (np.degrees(np.arccos(cosine)) / strength) ** 2) * scene.region
    shine = _GLARE_LIGHT * lobe * (1 - 0.9 * scene.fraction)
    return taken.light + shine[..., np.newaxis].astype(np.float32)


def _side_light(taken: _Taken, strength: float) -> Floats:
    """A lamp at one side of the picture, any one, that gives most of the light."""
    scene, angle = taken.scene, taken.rng.uniform(0, 2 * np.pi)
    right, down, forward = scene.camera.axes
    towards = 0.95 * (np.cos(angle) * right + np.sin(angle) * down) - 0.3 * forward
    shade = 1 + (2**strength - 1) * np.clip(scene.surface.normal @ towards, 0, 1)
    shade = np.where(scene.surface.label > 0, shade, np.median(shade[scene.region]))
    return _shaded(taken, shade)


def _shadow(taken: _Taken, strength: float) -> Floats:
    """The edge of a shadow across the middle of the scalp."""
    angle = taken.rng.uniform(0, 2 * np.pi)
    rows, columns = np.nonzero(taken.scene.region)
    y, x = np.mgrid[: taken.light.shape[0], : taken.light.shape[1]]
    across = (x - columns.mean()) * np.cos(angle) + (y - rows.mean()) * np.sin(angle)
    dark = np.clip(across / (0.01 * taken.head_px) + 0.5, 0, 1)
    return _shaded(taken, 2 ** (-strength * dark))


def _shaded(taken: _Taken, shade: np.ndarray) -> Floats:
    """Light under a shade, exposed so that the scalp's mean brightness stays."""
    grey, region = taken.light.mean(-1), taken.scene.region
    gain = grey[region].mean() / (grey * shade)[region].mean()
    return taken.light * (shade * gain)[..., np.newaxis].astype(np.float32)


def _cast(taken: _Taken, strength: float) -> Floats:
    """Warm, cold or green light, of the same brightness."""
    ways = np.array([[0.5, 0, -0.5], [-0.5, 0, 0.5], [-0.4, 0.4, -0.4]])
    gain = 2 ** (strength * ways[taken.rng.integers(3)])
    return taken.light * (gain / gain.mean()).astype(np.float32)


def _haze(taken: _Taken, strength: float) -> Floats:
    """Stray light of a greasy lens, as much as so many times the mean light, exposed anew."""
    veil = np.float32(strength) * taken.light.mean(axis=(0, 1))
    return (taken.light + veil) / np.float32(1 + strength)


_LIGHT = {
    "defocus": _defocus,
    "shake": _shake,
    "underexposure": _under,
    "overexposure": _over,
    "glare": _glare,
    "light from the side": _side_light,
    "shadow": _shadow,
    "colour cast": _cast,
    "haze": _haze,
}


def _smaller(light: Floats, scale: float) -> tuple[Floats, Frame]:
    """Light on fewer pixels; the scale is that of whole pixels."""
    side = round(light.shape[0] * scale)
    smaller = cv2.resize(light, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.float32), Frame(scale=side / light.shape[0])


def _cut(
    light: Floats, share: float, scene: Scene, rng: np.random.Generator
) -> tuple[Floats, Frame]:
    """What is left when the frame takes a share of the scalp away at one of its sides."""
    side = int(rng.integers(4))
    rows, columns = np.nonzero(scene.region)
    along = columns if side < 2 else rows
    edge = int(np.quantile(along, share if side % 2 == 0 else 1 - share))
    left, top, right, bottom = 0, 0, light.shape[1], light.shape[0]
    if side == 0:
        left = edge
    elif side == 1:
        right = edge
    elif side == 2:
        top = edge
    else:
        bottom = edge
    kept = np.ascontiguousarray(light[top:bottom, left:right])
    return kept, Frame(corner=(float(left), float(top)))
