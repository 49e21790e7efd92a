"""A sheet of paper that is drawn on in millimetres and written as a PDF of exactly that size."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline

from scalptrack.lettering import missing_letters, type_style
from scalptrack.records import BoolArray, ImageArray

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72

PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height of the papers, upright."""


class Sheet:
    """One page. Its origin is the upper left corner, x to the right and y down, in millimetres.

    Parameters
    ----------
    paper : str
        ``"a4"`` or ``"letter"``.
    """

    def __init__(self, paper: str) -> None:
        self.width_mm, self.height_mm = PAPERS_MM[paper]
        size = (self.width_mm / MM_PER_INCH, self.height_mm / MM_PER_INCH)
        with mpl.rc_context(_style()):
            self.figure = Figure(figsize=size, facecolor="white")
            FigureCanvasAgg(self.figure)
            self._axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
            self._axes.set_xlim(0, self.width_mm)
            self._axes.set_ylim(self.height_mm, 0)
            self._axes.axis("off")

    def rectangle(
        self, x_mm: float, y_mm: float, width_mm: float, height_mm: float, colour: Any
    ) -> None:
        """Fill a rectangle, without an outline that would make it larger."""
        self._axes.add_patch(
            Rectangle((x_mm, y_mm), width_mm, height_mm, facecolor=colour, linewidth=0)
        )

    def cells(self, black: BoolArray, x_mm: float, y_mm: float, side_mm: float) -> None:
        """Fill the black cells (n, n) of a marker as one path, so that no seam shows between them.

        Parameters
        ----------
        side_mm : float
            Of the whole marker.
        """
        cell = side_mm / black.shape[0]
        square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=np.float64)
        origins = np.argwhere(black)[:, ::-1]
        vertices = (origins[:, np.newaxis] + square).reshape(-1, 2) * cell + (x_mm, y_mm)
        codes = np.tile(
            [Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY],
            len(origins),
        )
        self._axes.add_patch(PathPatch(Outline(vertices, codes), facecolor="black", linewidth=0))

    def line(
        self,
        start_mm: tuple[float, float],
        end_mm: tuple[float, float],
        *,
        width_mm: float = 0.2,
        colour: str = "black",
        dashed: bool = False,
    ) -> None:
        """Draw a straight line."""
        self._axes.add_line(
            Line2D(
                [start_mm[0], end_mm[0]],
                [start_mm[1], end_mm[1]],
                linewidth=width_mm / MM_PER_POINT,
                color=colour,
                linestyle=(0, (6, 4)) if dashed else "-",
                solid_capstyle="butt",
            )
        )

    def text(
        self,
        x_mm: float,
        y_mm: float,
        words: str,
        *,
        size_pt: float = 10.0,
        bold: bool = False,
        colour: str = "black",
        centred: bool = False,
        rotation_deg: float = 0.0,
    ) -> None:
        """Write one line with its baseline at y; a name's dollar signs stay dollar signs."""
        with mpl.rc_context(_style()):
            self._axes.text(
                x_mm,
                y_mm,
                words,
                fontsize=size_pt,
                fontweight="bold" if bold else "normal",
                color=colour,
                horizontalalignment="center" if centred else "left",
                verticalalignment="baseline",
                rotation=rotation_deg,
                parse_math=False,
            )

    def paragraph(
        self,
        x_mm: float,
        y_mm: float,
        words: str,
        *,
        characters: int,
        size_pt: float = 10.0,
        hanging: int = 0,
    ) -> float:
        """Write text in lines of at most so many characters; returns the y of the next line.

        Parameters
        ----------
        hanging : int
            Spaces before the second and later lines.
        """
        pitch = 1.35 * size_pt * MM_PER_POINT
        for line in textwrap.wrap(words, characters, subsequent_indent=" " * hanging):
            self.text(x_mm, y_mm, line, size_pt=size_pt)
            y_mm += pitch
        return y_mm

    def picture(
        self, image: ImageArray, x_mm: float, y_mm: float, width_mm: float, height_mm: float
    ) -> None:
        """Lay a picture (H, W, 3 or 4) into a box."""
        self._axes.imshow(
            image,
            extent=(x_mm, x_mm + width_mm, y_mm + height_mm, y_mm),
            aspect="auto",
            interpolation="none",
        )
        # imshow moves the limits to the picture.
        self._axes.set_xlim(0, self.width_mm)
        self._axes.set_ylim(self.height_mm, 0)

    def to_pdf(self, title: str) -> bytes:
        """Encode the page; the same page gives the same bytes. Type 3 fonts need no random tag."""
        metadata = {"Title": title, "Creator": "scalptrack", "Producer": None, "CreationDate": None}
        stream = io.BytesIO()
        with mpl.rc_context(_style()), missing_letters():
            self.figure.savefig(stream, format="pdf", metadata=metadata)
        return stream.getvalue()


def _style() -> dict[Any, Any]:
    """Build the settings of matplotlib that a page depends on, whatever the user's own are."""
    return type_style() | {
        "pdf.fonttype": 3,
        "pdf.compression": 6,
        "pdf.use14corefonts": False,
        "pdf.inheritcolor": False,
        "image.composite_image": False,
        "path.simplify": False,
        "path.snap": False,
    }
