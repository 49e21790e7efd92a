"""What a segmentation method has to offer; a better one replaces it without touching the rest."""

from __future__ import annotations

from typing import Protocol

from scalptrack.records import ImageArray, Segmentation


class Segmenter(Protocol):
    """A method that finds scalp and hair in one photograph."""

    @property
    def method(self) -> str:
        """Name and version, for the provenance; results of different methods don't mix."""
        ...

    def segment(self, image: ImageArray, *, perturbations: int = 0) -> Segmentation:
        """Segment an upright photograph.

        Parameters
        ----------
        image : uint8 (H, W, 3)
            RGB photograph.
        perturbations : int
            How many perturbed copies measure `Segmentation.coverage_sd_fraction`.

        Raises
        ------
        scalptrack.errors.HeadNotFoundError
            When there is no head, or too little of one.
        """
        ...
