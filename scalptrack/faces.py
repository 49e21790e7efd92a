"""Which pixels of a photograph to cover so that the face is not seen.

The segmentation tells scalp from other skin. It is wrong by a few centimetres on bald foreheads, so
the rules cover more than it says: on a frontal view everything from the top of the face down, over
the whole width of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from scalptrack.records import BoolArray, ImageArray, RegionClass, Segmentation

FACELESS_VIEWS = frozenset({"vertex", "occipital"})
"""Views from above and behind: no face, unless much of other skin says that it isn't that view."""

FACE_SHARE = 0.25
"""Other skin as a share of the scalp from which a face may be in a view that should show none;
0.01 to 0.08 in the vertex photographs of sample_images, 0.9 in the misfiled frontal one."""

MIN_FACE_SHARE = 0.05
"""Other skin as a share of the scalp below which no face was found; 0.32 to 0.64 in the frontal
photographs of sample_images."""

LOWEST_LINE = 0.75
"""Head widths below the top of the head at which a frontal cover begins at the latest. On the
frontal renders of sample_images (head bent forward) the hairline is at 0.6, the eyes are at 1.04;
upright, on the average head (width 15.5 cm, eyes 11 cm below the top), the eyes are at 0.71."""

TOP_PERCENTILE = 1.0
"""Percentile of the face's rows that counts as its top: single stray pixels don't decide."""

MARGIN = 0.05
"""Head widths (about 1 cm) by which other skin is widened where it alone is covered."""

COVER_LEVEL = 128
"""Flat grey: unlike a blur or a mosaic it holds nothing of what was there."""


EXPOSING_COPIES = {
    "screenshot": "a screenshot may show names beside the photograph",
    "annotated": "its file says that text is written into the picture, which may be a name",
}
"""Why copies of these kinds (`scalptrack.records.CaptureInfo`) show more than a head: nothing finds
the text in them, so nothing can cover it."""


class FaceOutcome(StrEnum):
    """What became of the face in a copy."""

    COVERED = "covered"
    SKIN_COVERED = "skin covered"
    NOT_NEEDED = "not needed"
    NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True, eq=False)
class FaceCover:
    """What to cover.

    Attributes
    ----------
    outcome : FaceOutcome
        ``COVERED``: a frontal view from the top of the face down. ``SKIN_COVERED``: in any other
        view all skin that is not scalp. ``NOT_COVERED``: no face was found where one is to be
        expected, or there may be text.
    mask : bool (H, W)
        Pixels of the photograph to cover.
    reason : str
        Why it could not be covered; empty where it was.
    """

    outcome: FaceOutcome
    mask: BoolArray
    reason: str = ""


def face_cover(
    segmentation: Segmentation | None,
    view: str,
    shape: tuple[int, int],
    *,
    copied_by: str | None = None,
) -> FaceCover:
    """Find what to cover in a photograph of a view.

    Parameters
    ----------
    segmentation : Segmentation or None
        None where no head was found.
    view : str
        One of the program's views, or any other name: then a face is expected.
    shape : tuple of int
        (H, W) of the photograph.
    copied_by : str or None
        What the file is a copy of; one of `EXPOSING_COPIES` can't be covered.
    """
    nothing = np.zeros(shape, dtype=np.bool_)
    if copied_by in EXPOSING_COPIES:
        return FaceCover(FaceOutcome.NOT_COVERED, nothing, EXPOSING_COPIES[copied_by])
    if segmentation is None:
        return FaceCover(FaceOutcome.NOT_COVERED, nothing, "no head was found")
    skin = segmentation.classes == RegionClass.OTHER_SKIN
    share = float(skin.sum()) / max(1.0, float(segmentation.scalp.sum()))
    if view in FACELESS_VIEWS and share < FACE_SHARE:
        return FaceCover(FaceOutcome.NOT_NEEDED, nothing)
    if share < MIN_FACE_SHARE:
        return FaceCover(FaceOutcome.NOT_COVERED, nothing, "no face was found")
    if view != "frontal":
        return FaceCover(FaceOutcome.SKIN_COVERED, _laid_out(_widened(skin), segmentation, shape))
    if not _is_upright(segmentation.scalp, skin):
        reason = "the face is not below the scalp: is the picture upside down or on its side?"
        return FaceCover(FaceOutcome.NOT_COVERED, nothing, reason)
    below = np.zeros(skin.shape, dtype=np.bool_)
    below[_face_line(segmentation, skin) :] = True
    return FaceCover(FaceOutcome.COVERED, _laid_out(below, segmentation, shape))


def covered(image: ImageArray, cover: FaceCover) -> ImageArray:
    """A copy of an image (H, W, 3) with the cover over it."""
    copy = image.copy()
    copy[cover.mask] = COVER_LEVEL
    return copy


def _is_upright(scalp: BoolArray, skin: BoolArray) -> bool:
    """Whether the face lies below the scalp rather than above or beside it.

    A photograph that lost its EXIF orientation lies on its side: a cover from some row down would
    then leave one half of the face, with an eye, as it is.
    """
    (scalp_y, scalp_x), (skin_y, skin_x) = (
        [float(np.median(each)) for each in np.nonzero(mask)] for mask in (scalp, skin)
    )
    return skin_y - scalp_y > abs(skin_x - scalp_x)


def _face_line(segmentation: Segmentation, skin: BoolArray) -> int:
    """Row of the grid at which the face begins, or could begin."""
    head = segmentation.scalp | np.isin(
        segmentation.classes, (RegionClass.SCALP_SKIN, RegionClass.HAIR, RegionClass.OTHER_SKIN)
    )
    rows, columns = np.nonzero(head)
    top = float(np.percentile(rows, TOP_PERCENTILE))
    width = float(np.ptp(np.percentile(columns, [1, 99])))
    scalp_middle = np.median(np.nonzero(segmentation.scalp)[0])
    face_rows = np.nonzero(skin)[0]
    # An ear beside the scalp is no forehead: only what lies below the middle of the scalp counts.
    face_top = float(np.percentile(face_rows[face_rows > scalp_middle], TOP_PERCENTILE))
    return int(np.floor(min(face_top, top + LOWEST_LINE * width)))


def _widened(skin: BoolArray) -> BoolArray:
    """Other skin, each piece as its convex hull and wider by `MARGIN`."""
    rows, columns = np.nonzero(skin)
    width = 1 + int(max(rows.max() - rows.min(), columns.max() - columns.min()))
    hulls = np.zeros(skin.shape, dtype=np.uint8)
    contours, _ = cv2.findContours(
        skin.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    for contour in contours:
        cv2.fillConvexPoly(hulls, cv2.convexHull(contour), 1)
    side = 2 * max(1, round(MARGIN * width)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(hulls, kernel) > 0)


def _laid_out(mask: BoolArray, segmentation: Segmentation, shape: tuple[int, int]) -> BoolArray:
    """A mask of the grid at the photograph's pixels; what touches the grid's edge goes on."""
    grid = segmentation.grid
    x = np.rint((np.arange(shape[1]) - grid.x0_px) / grid.step_px).astype(int)
    y = np.rint((np.arange(shape[0]) - grid.y0_px) / grid.step_px).astype(int)
    return np.asarray(mask[np.ix_(y.clip(0, grid.height - 1), x.clip(0, grid.width - 1))])
