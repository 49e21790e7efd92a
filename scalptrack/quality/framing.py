"""Whether the head is large enough and inside the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalptrack.quality.subject import head_width_px
from scalptrack.records import BoolArray, FloatArray, Segmentation


def cut_off_percent(segmentation: Segmentation) -> float:
    """Length along which the scalp touches the frame, in percent of the head's width."""
    grid = segmentation.grid
    height, width = segmentation.photograph_shape
    x = grid.x0_px + np.arange(grid.width) * grid.step_px
    y = grid.y0_px + np.arange(grid.height) * grid.step_px
    columns = _inside(x, width, grid.step_px)
    rows = _inside(y, height, grid.step_px)
    if columns.size == 0 or rows.size == 0:
        return 0.0
    inside = segmentation.scalp[np.ix_(rows, columns)]
    edges: tuple[BoolArray, ...] = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    borders = (
        y[rows[0]] < 1.5 * grid.step_px,
        y[rows[-1]] > height - 1 - 1.5 * grid.step_px,
        x[columns[0]] < 1.5 * grid.step_px,
        x[columns[-1]] > width - 1 - 1.5 * grid.step_px,
    )
    touching = sum(
        int(np.count_nonzero(edge))
        for edge, is_border in zip(edges, borders, strict=True)
        if is_border
    )
    return 100 * touching * grid.step_px / max(head_width_px(segmentation), 1.0)


def _inside(positions: FloatArray, length: int, step: float) -> NDArray[np.intp]:
    """Indices of the positions that lie in the photograph with a whole grid pixel around them."""
    return np.flatnonzero((positions >= step / 2 - 0.5) & (positions <= length - step / 2 - 0.5))
