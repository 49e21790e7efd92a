"""Smooth random fields in the plane and in space."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Floats = NDArray[np.float32]


def plane(rng: np.random.Generator, size: int, cell_px: float) -> Floats:
    """Smooth noise of about zero mean and unit deviation.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Height and width in pixels.
    cell_px : float
        Size of a feature in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size)
    """
    cells = int(max(3, np.ceil(size / max(cell_px, 1.0)) + 3))
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    scale = size / max(1.0, size / max(cell_px, 1.0))
    enlarged = cv2.resize(coarse, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    if min(enlarged.shape) < size:
        enlarged = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(enlarged[:size, :size])


def layered(rng: np.random.Generator, size: int, cell_px: float, octaves: int = 4) -> Floats:
    """Sum of `plane` over octaves, each half the size and 0.6 of the strength."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        total += 0.6**octave * plane(rng, size, cell_px / 2**octave)
    return total / 1.2


class Volume:
    """Noise in space, the same at the same place of the head from every view.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : int
        Size of the repeating block.
    """

    def __init__(self, rng: np.random.Generator, cells: int = 24) -> None:
        self._block = rng.normal(size=(cells,) * 3).astype(np.float32)
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        self._turn = turn.astype(np.float32)

    def at(self, points: Floats, cell_mm: float, octaves: int = 1) -> Floats:
        """Noise of zero mean at points (..., 3), feature size `cell_mm`."""
        flat = self._turn @ points.reshape(-1, 3).T
        total = np.zeros(flat.shape[1], np.float32)
        for octave in range(octaves):
            flat = self._turn @ flat if octave else flat
            where = flat * np.float32(2**octave / cell_mm) + np.float32(31.7 * octave + 500)
            total += 0.6**octave * map_coordinates(
                self._block, where, order=1, mode="grid-wrap", output=np.float32
            )
        return (total * 1.3).reshape(points.shape[:-1])
