"""What a printed headband hides: it is no scalp, and what is printed on it is no hair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scalptrack.fiducials.strip import covered_by_strip
from scalptrack.records import RegionClass, Segmentation, StripMarkers


def without_strip(segmentation: Segmentation, markers: StripMarkers) -> Segmentation:
    """The segmentation with the band as an object that hides the scalp.

    Parameters
    ----------
    segmentation : Segmentation
        Of the photograph.
    markers : StripMarkers
        From `scalptrack.fiducials.find_strip` of the same photograph; without any, nothing changes.
    """
    if not markers.ids:
        return segmentation
    covered = covered_by_strip(markers, segmentation.grid)
    hair = np.where(covered, np.float32(0.0), segmentation.hair_fraction)
    classes = np.where(covered, np.uint8(RegionClass.OBJECT), segmentation.classes)
    scalp = segmentation.scalp & ~covered
    return replace(segmentation, hair_fraction=hair, classes=classes, scalp=scalp)
