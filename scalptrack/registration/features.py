"""What registration needs to know of one photograph, once per photograph.

RootSIFT [1]_ keypoints are detected on a crop of the head at a fixed head width, on the picture
without its hair and on the picture as it is; both only on the head, never on what lies behind it.

References
----------
.. [1] R. Arandjelovic, A. Zisserman, "Three things everyone should know to improve object
   retrieval", CVPR 2012, doi:10.1109/CVPR.2012.6248018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, FloatArray, Grid, ImageArray, RegionClass, Segmentation
from scalptrack.registration.camera import Camera
from scalptrack.registration.outline import Outline, fit_outline
from scalptrack.registration.suppression import fill, flatten, skin_weight, to_bytes

WORKING_WIDTH_PX = 640
"""Mean diameter of the head's outline at which features are detected."""

MIN_STEP_PX = 1.0
"""Never finer than the photograph's own pixels."""

SKIN_REACH = 0.12
"""Other skin is used up to this distance from the scalp (share of the head's width): forehead and
temples move with the skull, neck and jaw don't."""

MAX_KEYPOINTS = 1600
"""Per set; strongest responses of each cell of an 8 x 8 grid."""

_COARSE_STEP = 3.0
"""Working pixels per pixel of the small picture that the correlation gate looks at."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Local features of one photograph.

    Attributes
    ----------
    points : float32 (N, 2)
        Photograph coordinates.
    angles : float32 (N,)
        Orientation in radians, clockwise in the picture.
    sizes : float32 (N,)
        Diameter in photograph pixels.
    descriptors : float32 (N, 128)
        RootSIFT, unit length.
    """

    points: NDArray[np.float32]
    angles: NDArray[np.float32]
    sizes: NDArray[np.float32]
    descriptors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True, eq=False)
class HeadFeatures:
    """Everything that registration uses of one photograph; plain arrays and numbers.

    Attributes
    ----------
    photograph_shape : tuple of int
        (H, W) of the upright photograph.
    camera : Camera
        From the focal length in the file, or the assumed one.
    focal_known : bool
        Whether the file said the focal length.
    outline : Outline
        The head's outline and the ellipsoid that it suggests.
    skin, fine : Keypoints
        From the picture without hair, and from the picture as it is.
    grid : Grid
        Where the small arrays below lie in the photograph.
    picture : float32 (H, W)
        The flattened picture without hair, for the correlation gate.
    support : float32 (H, W)
        How much bare skin each pixel of `picture` rests on, 0 to 1.
    scalp : bool (H, W)
        The scalp on the small grid.
    hidden : bool (H, W)
        Where an object hides the head.
    bare_fraction : float
        Share of the scalp that shows bare skin.
    """

    photograph_shape: tuple[int, int]
    camera: Camera
    focal_known: bool
    outline: Outline
    skin: Keypoints
    fine: Keypoints
    grid: Grid
    picture: NDArray[np.float32]
    support: NDArray[np.float32]
    scalp: BoolArray
    hidden: BoolArray
    bare_fraction: float

    @property
    def head_width_px(self) -> float:
        """Mean diameter of the head's outline in photograph pixels."""
        return self.outline.shape.width_px


class Pictured(Protocol):
    """What the gates look at in a photograph of a head, or in a close-up."""

    @property
    def photograph_shape(self) -> tuple[int, int]:
        """(H, W) of the photograph."""
        ...

    @property
    def grid(self) -> Grid:
        """Where the arrays lie."""
        ...

    @property
    def picture(self) -> NDArray[np.float32]:
        """The flattened picture without hair."""
        ...

    @property
    def support(self) -> NDArray[np.float32]:
        """How much bare skin it rests on."""
        ...

    @property
    def scalp(self) -> BoolArray:
        """The scalp."""
        ...

    @property
    def hidden(self) -> BoolArray:
        """Where an object hides it."""
        ...

    @property
    def head_width_px(self) -> float:
        """What lengths are relative to."""
        ...


def extract_features(
    image: ImageArray, segmentation: Segmentation, *, focal_length_35mm: float | None
) -> HeadFeatures:
    """Outline, keypoints and small picture of the head in one photograph.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        The upright photograph.
    segmentation : Segmentation
        Its hair fraction and classes.
    focal_length_35mm : float or None
        Equivalent focal length in mm, if the file says it.

    Raises
    ------
    HeadNotFoundError
        When there is too little scalp to fit an outline to.
    """
    shape = (int(image.shape[0]), int(image.shape[1]))
    outline = fit_outline(segmentation)
    work = _working_grid(outline, segmentation)
    grey = resample_grey(image, work)
    maps = _resample_maps(segmentation, work)
    weight = skin_weight(grey, maps.hair, maps.head)
    filled, support = fill(grey, weight)
    flat = flatten(filled, np.maximum(support, 0.02) * maps.head)
    usable = maps.head & (support > 0.12)
    skin = detect(to_bytes(flat), usable, work)
    raw = flatten(grey, maps.head.astype(np.float32))
    fine = detect(to_bytes(raw), maps.scalp, work)
    small = _small_grid(work)
    size = (small.width, small.height)

    def shrink(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    scalp = shrink(maps.scalp.astype(np.float32)) > 0.5
    bare = float(weight[maps.scalp].mean()) if maps.scalp.any() else 0.0
    return HeadFeatures(
        photograph_shape=shape,
        camera=Camera.of_photograph(shape, focal_length_35mm),
        focal_known=bool(focal_length_35mm),
        outline=outline,
        skin=skin,
        fine=fine,
        grid=small,
        picture=shrink(flat),
        support=shrink(support),
        scalp=scalp,
        hidden=shrink(maps.hidden.astype(np.float32)) > 0.5,
        bare_fraction=bare,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Maps:
    """The segmentation on the working grid."""

    hair: NDArray[np.float32]
    scalp: BoolArray
    head: BoolArray
    hidden: BoolArray


def _working_grid(outline: Outline, segmentation: Segmentation) -> Grid:
    """Grid over the scalp and its surroundings at the working scale."""
    rows, columns = np.nonzero(segmentation.scalp)
    corners = np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]])
    low, high = segmentation.grid.to_photograph(corners)
    reach = SKIN_REACH * outline.shape.width_px
    height, width = segmentation.photograph_shape
    low = np.maximum(low - reach, 0.0)
    high = np.minimum(high + reach, [width - 1, height - 1])
    extent = high - low
    # The scalp of a wrong segmentation may be far larger than its outline: bound the memory.
    step = max(outline.shape.width_px / WORKING_WIDTH_PX, float(extent.max()) / 1100.0, MIN_STEP_PX)
    columns_n, rows_n = (np.floor(extent / step).astype(int) + 1).tolist()
    return Grid(float(low[0]), float(low[1]), step, max(columns_n, 8), max(rows_n, 8))


def _small_grid(work: Grid) -> Grid:
    width = max(2, round(work.width / _COARSE_STEP))
    height = max(2, round(work.height / _COARSE_STEP))
    step = work.step_px * work.width / width
    shift = 0.5 * (step - work.step_px)
    return Grid(work.x0_px + shift, work.y0_px + shift, step, width, height)


def _affine(source_step: float, x0: float, y0: float) -> NDArray[np.float64]:
    return np.array([[source_step, 0.0, x0], [0.0, source_step, y0]])


def resample_grey(image: ImageArray, work: Grid) -> NDArray[np.float32]:
    """Brightness (H, W) of the photograph on `work`, without aliasing."""
    step = work.step_px
    x0, y0 = int(max(0.0, work.x0_px - 2 * step)), int(max(0.0, work.y0_px - 2 * step))
    x1 = int(work.x0_px + (work.width + 2) * step) + 1
    y1 = int(work.y0_px + (work.height + 2) * step) + 1
    crop = image[y0:y1, x0:x1]
    factor = 1.0
    if step > 1.5:
        size = (max(1, round(crop.shape[1] / step)), max(1, round(crop.shape[0] / step)))
        factor = crop.shape[1] / size[0]
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Green carries most of the contrast of melanin and blood, and the least noise.
    weights = np.array([0.25, 0.6, 0.15], np.float32)
    grey = crop.astype(np.float32) @ weights
    shift = 0.5 * (factor - 1.0)
    matrix = _affine(step / factor, (work.x0_px - x0 - shift) / factor, 0.0)
    factor_y = factor
    matrix[1, 2] = (work.y0_px - y0 - 0.5 * (factor_y - 1.0)) / factor_y
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        grey, matrix, (work.width, work.height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.float32)


def _resample_maps(segmentation: Segmentation, work: Grid) -> _Maps:
    source = segmentation.grid
    step = work.step_px / source.step_px
    x0 = (work.x0_px - source.x0_px) / source.step_px
    y0 = (work.y0_px - source.y0_px) / source.step_px
    matrix = _affine(step, x0, y0)

    def warp(values: NDArray[np.float32]) -> NDArray[np.float32]:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (work.width, work.height)
        return np.asarray(cv2.warpAffine(values, matrix, size, flags=flags), np.float32)

    classes = segmentation.classes
    scalp = warp(segmentation.scalp.astype(np.float32)) > 0.5
    skin = warp((classes == RegionClass.OTHER_SKIN).astype(np.float32)) > 0.9
    hidden = warp((classes == RegionClass.OBJECT).astype(np.float32)) > 0.5
    glare = warp(segmentation.glare.astype(np.float32)) > 0.3
    near = cv2.distanceTransform((~scalp).astype(np.uint8), cv2.DIST_L2, 5)
    head = scalp | (skin & (near < SKIN_REACH * WORKING_WIDTH_PX))
    # Two pixels from the rim the background shines through.
    eroded = cv2.erode(head.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    return _Maps(warp(segmentation.hair_fraction), scalp, eroded & ~hidden & ~glare, hidden)


def detect(picture: ImageArray, usable: BoolArray, work: Grid) -> Keypoints:
    """RootSIFT of `picture` inside `usable`, in photograph coordinates."""
    sift = cv2.SIFT.create(nfeatures=0, contrastThreshold=0.02, edgeThreshold=12)
    everything, descriptors = sift.detectAndCompute(picture, usable.astype(np.uint8))
    if descriptors is None or not len(everything):
        empty = np.zeros(0, np.float32)
        return Keypoints(np.zeros((0, 2), np.float32), empty, empty, np.zeros((0, 128), np.float32))
    kept = _strongest(everything, (int(picture.shape[0]), int(picture.shape[1])))
    found = [everything[i] for i in kept]
    raw = descriptors[kept]
    points = work.to_photograph(np.array([point.pt for point in found]))
    sizes = np.array([point.size for point in found]) * work.step_px
    angles = np.radians([point.angle for point in found])
    root = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9))
    return Keypoints(
        points.astype(np.float32),
        angles.astype(np.float32),
        sizes.astype(np.float32),
        root.astype(np.float32),
    )


def _strongest(found: Sequence[cv2.KeyPoint], shape: tuple[int, int]) -> NDArray[np.intp]:
    """Indices of at most `MAX_KEYPOINTS`, the strongest of each cell of an 8 x 8 grid."""
    place = np.array([point.pt for point in found])
    responses = np.array([point.response for point in found])
    cells = (place[:, 1] * 8 // shape[0] * 8 + place[:, 0] * 8 // shape[1]).astype(int)
    order = np.lexsort((place[:, 0], place[:, 1], -responses, cells))
    rank = np.empty(len(found), dtype=int)
    rank[order] = np.arange(len(found)) - np.searchsorted(cells[order], cells[order])
    return np.asarray(np.lexsort((place[:, 0], place[:, 1], -responses, rank))[:MAX_KEYPOINTS])


def outline_points(features: HeadFeatures, count: int = 90) -> FloatArray:
    """Photograph points (count, 2) of the fitted outline."""
    m11, m12, m22 = features.outline.shape.outline
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    y = np.sin(angle) / m22
    x = (np.cos(angle) - m12 * y) / m11
    return np.stack([x, y], axis=1) + features.outline.shape.centre_px
