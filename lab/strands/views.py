"""What view a camera of the fast renderer takes, by where it stands and not by its name.

The frame of `lab.strands.head` is that of `scalptrack.zones.frame`: x to the subject's right, y to
the front, z up (a camera at positive x sees a face that points to the right of the picture).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.strands.camera import Camera
from lab.strands.head import Floats
from scalptrack.zones.frame import VIEW_DIRECTIONS

PORTRAIT = (0.0, 1.0, 0.05)
"""Direction of a face-on picture, which shows the frontal hairline as well."""

CENTRES = {view: [towards] for view, (towards, _) in VIEW_DIRECTIONS.items()}
CENTRES["frontal"] = [*CENTRES["frontal"], PORTRAIT]


def _unit(vector: tuple[float, float, float]) -> Floats:
    return np.asarray(vector, np.float32) / np.float32(np.linalg.norm(vector))


def view_seen_from(position: NDArray[np.floating]) -> str:
    """The view whose usual direction is nearest to that of a camera at a place (3,)."""
    towards = position / np.linalg.norm(position)
    nearest = {
        view: max(float(_unit(centre) @ towards) for centre in centres)
        for view, centres in CENTRES.items()
    }
    return max(nearest, key=lambda view: nearest[view])


def view_seen(camera: Camera) -> str:
    """The view that a camera takes."""
    return view_seen_from(camera.position_mm)
