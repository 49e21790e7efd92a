"""Puts the printed headband on rendered heads: where it lies is known exactly.

The band is painted into a photograph where it hides the exact surface, a few millimetres outside of
the skull (hair lies beneath). How it was put on differs from photograph to photograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from lab.benchmarks.sample_shots import SampleShot
from lab.phantom.head import BROW_HEIGHT_CM, HeadShape, Part, build_parts, radius
from lab.phantom.subject import sample_subject
from lab.phantom.truth import trace_surface
from scalptrack.fiducials.strip import BAND_MM, LENGTH_MM, headband_picture

ABOVE_BROWS_CM = 3.0
"""Between the brows and the lower edge: two fingers."""

PUT_ON_SD_MM = 3.0
"""Along the band and upwards: how far a band that a person puts on again lies beside (assumed; no
measurement of it is known to us)."""

PUT_ON_SD_DEG = 1.5
"""Of its tilt to the front and to the side (assumed)."""

PAPER, INK = 236.0, 34.0
BAND = 20
"""Label of the band on a traced surface."""

_TEXTURE_PX_PER_MM = 6
_FINER = 3


@dataclass(frozen=True, slots=True)
class Worn:
    """How a band sits on a head.

    Attributes
    ----------
    along_mm, up_mm : float
        Its middle, beside the middle of the forehead and above where it should be.
    tilt_deg : tuple of 2 floats
        About the axes to the right and to the front.
    off_mm : float
        Of the paper's edges from the skull.
    """

    along_mm: float = 0.0
    up_mm: float = 0.0
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    off_mm: float = 3.0


def put_on(rng: np.random.Generator) -> Worn:
    """A band put on again as well as a person can."""
    along, up = rng.normal(0.0, PUT_ON_SD_MM, 2)
    tilt = rng.normal(0.0, PUT_ON_SD_DEG, 2)
    off = float(rng.uniform(2.0, 5.0))
    return Worn(float(along), float(up), (float(tilt[0]), float(tilt[1])), off)


def wearing(shot: SampleShot, worn: Worn) -> np.ndarray:
    """The photograph (H, W, 3) with the band on the head."""
    image = shot.image()
    shape = sample_subject(shot.truth["subject_seed"]).shape
    band = _Band.on(shape, worn)
    surface = trace_surface(
        shape, (*build_parts(shape, rows=180, columns=310), band.part()), shot.camera()
    )
    rows, columns = np.nonzero(surface.label == BAND)
    part = np.s_[rows.min() - 2 : rows.max() + 3, columns.min() - 2 : columns.max() + 3]
    seen = surface.label[part] == BAND
    position = np.where(seen[..., None], surface.position[part], np.nan)
    size = (position.shape[1] * _FINER, position.shape[0] * _FINER)
    fine = cv2.resize(position, size, interpolation=cv2.INTER_LINEAR).reshape(-1, 3)
    ink = _printed(*band.place(fine.astype(np.float64))).reshape(size[1], size[0])
    known = np.isfinite(ink).astype(np.float32)
    small = (position.shape[1], position.shape[0])
    ink, known = (
        cv2.resize(each, small, interpolation=cv2.INTER_AREA)
        for each in (np.nan_to_num(ink), known)
    )
    light = 0.45 + 0.55 * surface.incidence_cosine[part]
    level = ink / np.maximum(known, 1e-6) * light
    painted = image.copy()
    painted[part] = np.where((seen & (known > 0.2))[..., None], level[..., None], image[part])
    return painted


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """Paper that is straight from its lower to its upper edge, which both lie on the head.

    Attributes
    ----------
    turn : float (3, 3)
        band_from_head rotation.
    heights_cm : tuple of 2 floats
        Of lower and upper edge in the band's frame.
    edges : float (2, N, 2)
        Lower and upper edge as (x, y) in the band's frame, from the back around the front.
    arc_mm : float (N,)
        Along the middle of the band, 0 in front.
    worn : Worn
        How it sits.
    """

    turn: np.ndarray
    heights_cm: tuple[float, float]
    edges: np.ndarray
    arc_mm: np.ndarray
    worn: Worn

    @classmethod
    def on(cls, shape: HeadShape, worn: Worn) -> _Band:
        turn = Rotation.from_euler("xy", worn.tilt_deg, degrees=True).as_matrix()
        low = BROW_HEIGHT_CM + ABOVE_BROWS_CM + worn.up_mm / 10.0
        high = low + BAND_MM / 10.0
        for _ in range(3):
            edges = np.array([_ring(shape, turn, each, worn.off_mm / 10.0) for each in (low, high)])
            lean = np.linalg.norm(edges[0] - edges[1], axis=1).mean()
            high = low + float(np.sqrt((BAND_MM / 10.0) ** 2 - lean**2))
        middle = edges.mean(axis=0)
        steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
        arc = 10.0 * np.concatenate([[0.0], np.cumsum(steps)])
        return cls(turn, (low, high), edges, arc - arc[len(arc) // 2], worn)

    def part(self) -> Part:
        """The paper as a mesh in the head's frame."""
        share = np.linspace(0.0, 1.0, 9)[:, None, None]
        flat = self.edges[0] * (1.0 - share) + self.edges[1] * share
        low, high = self.heights_cm
        height = np.broadcast_to(low + (high - low) * share, (*flat.shape[:2], 1))
        vertices = np.concatenate([flat, height], axis=2).reshape(-1, 3) @ self.turn
        index = np.arange(len(vertices)).reshape(flat.shape[:2])
        a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
        corners = ([a, b, c], [a, c, d])
        triangles = np.concatenate([np.stack(each, axis=-1).reshape(-1, 3) for each in corners])
        return Part("band", vertices, triangles, np.zeros_like(vertices), BAND)

    def place(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Millimetres along and down the band (N,) of positions (N, 3) on it."""
        x, y, z = (positions @ self.turn.T).T
        # From the wearer's right to the left, as a person in front of the band reads it.
        azimuth = np.linspace(-np.pi, np.pi, len(self.arc_mm))
        around = np.interp(np.arctan2(-x, y), azimuth, self.arc_mm)
        along = LENGTH_MM / 2 + around - self.worn.along_mm
        low, high = self.heights_cm
        down = BAND_MM * (high - z) / (high - low)
        return along, down


def _ring(shape: HeadShape, turn: np.ndarray, height_cm: float, off_cm: float) -> np.ndarray:
    """Places (N, 2) on the head at a height of the band's frame, from the back around the front."""
    azimuth = np.linspace(-np.pi, np.pi, 721)
    reach = np.full_like(azimuth, 8.0)
    for _ in range(20):
        length = np.hypot(reach, height_cm)
        flat = reach / length
        directions = [-np.sin(azimuth) * flat, np.cos(azimuth) * flat, height_cm / length]
        reach = (radius(shape, np.stack(directions, axis=1) @ turn) + off_cm) * flat
    return np.stack([-np.sin(azimuth) * reach, np.cos(azimuth) * reach], axis=1)


def _printed(along: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Brightness (N,) of the band at its millimetres; NaN beside it."""
    texture = headband_picture(_TEXTURE_PX_PER_MM)[..., 0]
    light = np.full(len(along), np.nan, np.float32)
    known = np.isfinite(along) & np.isfinite(down)
    columns = (along[known] * _TEXTURE_PX_PER_MM).clip(0, texture.shape[1] - 1).astype(int)
    rows = (down[known] * _TEXTURE_PX_PER_MM).clip(0, texture.shape[0] - 1).astype(int)
    light[known] = np.where(texture[rows, columns] > 127, PAPER, INK)
    return light
