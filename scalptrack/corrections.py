"""What a person corrected, as stages take it: by the content of a photograph, never its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from skimage.measure import grid_points_in_poly

from scalptrack.records import BoolArray, Event, Grid, Reason


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """A region that a person drew on a photograph.

    Attributes
    ----------
    polygons : tuple of polygons
        Corners (x, y) in pixels of the upright photograph; the region is all of them together.
    who : str
        Who drew it.
    """

    polygons: tuple[tuple[tuple[float, float], ...], ...]
    who: str = ""


@dataclass(frozen=True, slots=True)
class HandSetPoints:
    """Pairs of points that a person set on a reference and on a moving photograph.

    Attributes
    ----------
    reference_sha256 : str
        The photograph that the first two numbers of each pair lie on.
    pairs : tuple of (reference_x, reference_y, moving_x, moving_y)
        In pixels of the upright photographs.
    who : str
        Who set them.
    """

    reference_sha256: str
    pairs: tuple[tuple[float, float, float, float], ...]
    who: str = ""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Everything that a person corrected of the photographs of a run.

    Attributes
    ----------
    excluded : mapping of str to Reason
        Photographs that take no part, by SHA-256.
    regions : mapping of str to DrawnRegion
        By SHA-256 of the photograph that they were drawn on; used where that is the reference.
    points : mapping of str to HandSetPoints
        By SHA-256 of the moving photograph.
    events : tuple of Event
        To show on the time axis beside those of ``events.csv``.
    notes : tuple of str
        What a reader of the results has to know.
    record : dict
        For ``provenance.json``: the decisions and the hash of their log. Empty without any.
    """

    excluded: Mapping[str, Reason] = field(default_factory=dict)
    regions: Mapping[str, DrawnRegion] = field(default_factory=dict)
    points: Mapping[str, HandSetPoints] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


NO_CORRECTIONS = Corrections()


def drawn_mask(region: DrawnRegion, grid: Grid) -> BoolArray:
    """Grid pixels (H, W) whose centre lies inside of one of the polygons."""
    mask = np.zeros((grid.height, grid.width), dtype=bool)
    for polygon in region.polygons:
        corners = grid.from_photograph(np.asarray(polygon, dtype=np.float64))
        inside: Any = grid_points_in_poly(mask.shape, corners[:, ::-1])  # type: ignore[no-untyped-call]
        mask |= np.asarray(inside > 0)
    return mask
