"""``register --close-up``: two photographs that a square of scalp fills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.outputs import OutputFolder
from scalptrack.records import FloatArray, ImageArray
from scalptrack.registration import CloseUpFeatures, extract_close_up, register_close_ups
from scalptrack.segmentation import shared_segmenter
from scalptrack.single import refused_document, register_document, write_pair
from scalptrack.translation import tr

MIN_SCALP_SHARE = 0.7
"""Share of the frame that scalp must fill where the network finds any: whole heads as the guide
asks for them fill about a third of it."""


def register_close_up_photographs(
    reference: Path,
    moving: Path,
    *,
    points: FloatArray | None,
    out: Path | None,
    seed: int,
    max_megapixels: float,
) -> dict[str, Any]:
    """Align one pair of close-ups and return the JSON document of ``register``.

    Raises
    ------
    ImageReadError
        When one of the files isn't a whole photograph.
    """
    images: list[ImageArray] = []
    features: list[CloseUpFeatures] = []
    for path in (reference, moving):
        image, _ = read_photograph(path, max_megapixels=max_megapixels)
        try:
            _refuse_whole_head(path, image)
            features.append(extract_close_up(image))
        except HeadNotFoundError as error:
            return refused_document(str(error), points)
        images.append(image)
    registration = register_close_ups(features[0], features[1], seed=seed)
    document = register_document(registration, points)
    if out is not None:
        write_pair(images[0], images[1], registration, document, OutputFolder(out))
    return document


def _refuse_whole_head(path: Path, image: ImageArray) -> None:
    """Raise where the network finds a head of which the frame shows more than scalp."""
    try:
        segmentation = shared_segmenter().segment(image)
    except HeadNotFoundError:
        return
    area = segmentation.photograph_shape[0] * segmentation.photograph_shape[1]
    share = float(np.count_nonzero(segmentation.scalp)) * segmentation.grid.step_px**2 / area
    if share < MIN_SCALP_SHARE:
        message = tr(
            "{name} is no close-up: scalp fills {share:.0%} of it, at least {limit:.0%} is needed. "
            "Leave --close-up out for a photograph of a head.",
            name=path.name,
            share=share,
            limit=MIN_SCALP_SHARE,
        )
        raise HeadNotFoundError(message)
