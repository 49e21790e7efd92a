"""Pictures for people: overlays, aligned follow-ups, gain/loss maps. Nothing is measured here."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scalptrack.faces import COVER_LEVEL, FaceOutcome, covered, face_cover
from scalptrack.images import encode_image, read_photograph
from scalptrack.measurement import carry_region
from scalptrack.overlay import gain_loss_map, hair_overlay, side_by_side
from scalptrack.pipeline import MeasuredPhotograph, Series
from scalptrack.records import BoolArray, Grid, ImageArray, Segmentation, SurfaceTransform
from scalptrack.registration import warp_to_reference
from scalptrack.single import lay_on

SIDE_PX = 900
"""Side of the square pictures in the report: sharp on a phone, small enough to mail."""

FOOTPRINT_GREY = 128


@dataclass(frozen=True, slots=True, eq=False)
class PhotographPictures:
    """Encoded pictures of one measured photograph; JPEG bytes as uint8 arrays, None if not made.

    Attributes
    ----------
    overlay : the photograph with hair and region.
    aligned : the photograph seen from the reference's camera (for the reference: itself).
    compare : reference beside aligned follow-up.
    gain_loss : where hair was gained and lost since the reference.
    """

    overlay: NDArray[np.uint8]
    aligned: NDArray[np.uint8]
    compare: NDArray[np.uint8] | None = None
    gain_loss: NDArray[np.uint8] | None = None


def draw_series(
    series: Series, index: int, *, max_megapixels: float, cover_faces: bool = False
) -> PhotographPictures | None:
    """Pictures of one measured photograph of a series; None when it wasn't measured.

    With ``cover_faces`` also None where a face, or that of the reference, can't be covered.
    """
    if series.reference is None or series.region is None:
        return None
    reference = series.photographs[series.reference]
    moving = series.photographs[index]
    reference_segmentation = reference.member.analysis.segmentation
    segmentation = moving.member.analysis.segmentation
    if moving.outcome.measurement is None or segmentation is None or reference_segmentation is None:
        return None
    transform = moving.registration.transform if moving.registration else None
    weights = carry_region(series.region, reference_segmentation.grid, segmentation, transform)
    region = weights > 0.5
    image = _shown_image(moving, max_megapixels, cover_faces=cover_faces)
    if image is None:
        return None
    overlay = _encode(_overlay(image, segmentation, region, hide=cover_faces))
    shown = display_grid(reference_segmentation)
    if transform is None:
        return PhotographPictures(overlay=overlay, aligned=_encode(sample(image, shown)))
    reference_image = _shown_image(reference, max_megapixels, cover_faces=cover_faces)
    if reference_image is None:
        return None
    baseline = sample(reference_image, shown)
    aligned = _aligned(image, transform, reference_segmentation.photograph_shape, shown)
    labels = (_label(reference), _label(moving))
    return PhotographPictures(
        overlay=overlay,
        aligned=_encode(aligned),
        compare=_encode(side_by_side(baseline, aligned, labels=labels)),
        gain_loss=_encode(
            gain_loss_map(
                baseline,
                _on_display(
                    reference_segmentation.hair_fraction, reference_segmentation.grid, shown
                ),
                _on_display(
                    carried_fraction(segmentation, reference_segmentation.grid, transform),
                    reference_segmentation.grid,
                    shown,
                ),
                _on_display(series.region.astype(np.float32), reference_segmentation.grid, shown)
                > 0.5,
            )
        ),
    )


def _shown_image(
    photograph: MeasuredPhotograph, max_megapixels: float, *, cover_faces: bool
) -> ImageArray | None:
    """The photograph that is drawn from; None where what has to be covered can't be."""
    member = photograph.member
    image, _ = read_photograph(member.photograph.path, max_megapixels=max_megapixels)
    if not cover_faces:
        return image
    shape = (image.shape[0], image.shape[1])
    original = member.photograph
    cover = face_cover(
        member.analysis.segmentation,
        original.view,
        shape,
        copied_by=original.capture.copied_by,
    )
    return None if cover.outcome is FaceOutcome.NOT_COVERED else covered(image, cover)


def _label(photograph: MeasuredPhotograph) -> str:
    return photograph.member.photograph.visit_date.isoformat()


def _encode(image: ImageArray) -> NDArray[np.uint8]:
    return np.frombuffer(encode_image(image, suffix=".jpg", quality=86), dtype=np.uint8)


def display_grid(segmentation: Segmentation) -> Grid:
    """Square grid of at most `SIDE_PX` over the same part of the photograph as the segmentation."""
    grid = segmentation.grid
    span = grid.step_px * grid.width
    side = int(min(SIDE_PX, max(grid.width, round(span))))
    step = span / side
    shift = (step - grid.step_px) / 2
    return Grid(grid.x0_px + shift, grid.y0_px + shift, step, side, side)


def sample(image: ImageArray, grid: Grid) -> ImageArray:
    """The image on a display grid, smoothed first so that strands don't alias; grey outside."""
    smooth = _prefiltered(image, grid.step_px)
    matrix = np.array([[grid.step_px, 0, grid.x0_px], [0, grid.step_px, grid.y0_px]])
    picture = cv2.warpAffine(
        smooth,
        matrix.astype(np.float64),
        (grid.width, grid.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(FOOTPRINT_GREY, FOOTPRINT_GREY, FOOTPRINT_GREY),
    )
    return np.asarray(picture, dtype=np.uint8)


def _prefiltered(image: ImageArray, step_px: float) -> ImageArray:
    if step_px < 1.3:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 * step_px), dtype=np.uint8)


def _aligned(
    image: ImageArray, transform: SurfaceTransform, reference_shape: tuple[int, int], grid: Grid
) -> ImageArray:
    """The moving photograph as the reference's camera would have seen it; grey where it can't."""
    smooth = _prefiltered(image, grid.step_px)
    aligned, footprint = warp_to_reference(smooth, transform, reference_shape, grid=grid)
    shown = aligned.copy()
    shown[~footprint] = FOOTPRINT_GREY
    return shown


def _overlay(
    image: ImageArray, segmentation: Segmentation, region: BoolArray, *, hide: bool
) -> ImageArray:
    """The head of one photograph with its hair tinted and the compared region outlined.

    With ``hide`` no hair is tinted where the image is covered: the tint would show what lies there.
    """
    shown = display_grid(segmentation)
    excluded = (segmentation.scalp | segmentation.glare) & ~region
    picture = sample(image, shown)
    fraction = _on_display(segmentation.hair_fraction, segmentation.grid, shown)
    if hide:
        fraction[(picture == COVER_LEVEL).all(axis=-1)] = 0
    return hair_overlay(
        picture,
        fraction,
        _on_display(region.astype(np.float32), segmentation.grid, shown) > 0.5,
        _on_display(excluded.astype(np.float32), segmentation.grid, shown) > 0.5,
    )


def _on_display(array: NDArray[np.float32], grid: Grid, shown: Grid) -> NDArray[np.float32]:
    """An array of the segmentation's grid, resampled to the display grid."""
    relative = Grid(
        (grid.x0_px - shown.x0_px) / shown.step_px,
        (grid.y0_px - shown.y0_px) / shown.step_px,
        grid.step_px / shown.step_px,
        grid.width,
        grid.height,
    )
    laid = lay_on(array, relative, (shown.height, shown.width), linear=True)
    return np.asarray(laid, dtype=np.float32)


def carried_fraction(
    segmentation: Segmentation, reference_grid: Grid, transform: SurfaceTransform
) -> NDArray[np.float32]:
    """Hair fraction of a follow-up carried to the reference's grid, to be looked at."""
    points = transform.map_points(reference_grid.photograph_points())
    at = segmentation.grid.from_photograph(points)
    at = np.where(np.isfinite(at), at, -1e6)
    carried = ndimage.map_coordinates(
        segmentation.hair_fraction, [at[:, 1], at[:, 0]], order=1, mode="constant", cval=np.nan
    )
    return np.asarray(
        carried.reshape(reference_grid.height, reference_grid.width), dtype=np.float32
    )
