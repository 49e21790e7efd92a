"""The page with the headband: four pieces to cut out and glue together, and how to wear it."""

from __future__ import annotations

from pathlib import Path

from scalptrack.fiducials.markers import marker_cells
from scalptrack.fiducials.strip import (
    BAND_MM,
    HEADBAND_VERSION,
    MARKER_MM,
    PIECE_MM,
    PIECES,
    TAB_MM,
    headband_markers,
)
from scalptrack.printing.card import draw_cut_line, draw_ruler, page_with_steps, save_page
from scalptrack.printing.sheet import Sheet
from scalptrack.translation import marked, tr

BAND_X_MM, BAND_Y_MM = 16.0, 106.0
PIECE_STEP_MM = 29.0

STEPS = (
    marked(
        "Print this page on plain white matt paper at 100 % (“actual size”); switch “fit to page” "
        "off. Lay a ruler on the printed scale: 0 to 150 must be 150 mm long."
    ),
    marked(
        "Cut out the four pieces along the dashed lines. Glue the white end of each piece under "
        "the left end of the next one, in the order 1 to 4, so that the lines meet."
    ),
    marked(
        "Comb the hair flat. Put the band around the head, markers outward, the writing towards "
        "the eyebrows, the mark between pieces 2 and 3 in the middle of the forehead: two fingers "
        "above the eyebrows, just above both ears, level all around. Hair must not lie over it."
    ),
    marked(
        "At the back cut off what is too long of both ends and close the band with tape, so that "
        "it fits tightly. It is now this person's band: write the name inside, and use it at all "
        "visits. Never use one band for two people: the program can't tell them apart by it."
    ),
    marked(
        "At each visit put it on at the same place, with the same distance from the eyebrows and "
        "from both ears: a band that lies 5 mm beside moves what is compared by about as much."
    ),
    marked(
        "Take the photographs as always. At least four markers must be seen in each: the forehead "
        "from the front, the sides from the side, the back from above and behind."
    ),
    marked(
        "Align with `scalptrack track PHOTOS --out RESULTS --strip`: the band is asked only where "
        "the scalp itself can't be recognised. What lies under the band is not measured."
    ),
)


def draw_headband(paper: str) -> Sheet:
    """Draw the page.

    Parameters
    ----------
    paper : str
        ``"a4"`` or ``"letter"``.

    Returns
    -------
    Sheet
        The upper left corner of piece i (from 0) lies at (`BAND_X_MM`, `BAND_Y_MM` + i *
        `PIECE_STEP_MM`).
    """
    sheet = page_with_steps(paper, _title(), STEPS)
    for piece in range(PIECES):
        _draw_piece(sheet, piece)
    draw_ruler(sheet, BAND_X_MM, BAND_Y_MM + PIECES * PIECE_STEP_MM + 6)
    return sheet


def headband_pdf(paper: str) -> bytes:
    """Encode the page with the headband as a vector PDF; the same paper gives the same bytes."""
    return draw_headband(paper).to_pdf(_title())


def _title() -> str:
    return tr("scalptrack headband, version {version}", version=HEADBAND_VERSION)


def save_headband(path: Path, paper: str) -> None:
    """Write the page; a file that isn't one of the pages that this program makes is kept.

    Raises
    ------
    OutputError
        When there is another file of that name, or it can't be written.
    """
    save_page(path, headband_pdf, paper, what="headband")


def _draw_piece(sheet: Sheet, piece: int) -> None:
    """One piece with its markers, its end to be glued, and its writing."""
    left, top = BAND_X_MM, BAND_Y_MM + PIECE_STEP_MM * piece
    last = piece == PIECES - 1
    draw_cut_line(sheet, left, top, PIECE_MM if last else PIECE_MM + TAB_MM, BAND_MM)
    for number, (x, y) in headband_markers().items():
        if PIECE_MM * piece < x < PIECE_MM * (piece + 1):
            sheet.cells(marker_cells(number), left + x - PIECE_MM * piece, top + y, MARKER_MM)
    words = tr(
        "scalptrack headband {version} · piece {piece} of {pieces} · this edge towards the "
        "eyebrows",
        version=HEADBAND_VERSION,
        piece=piece + 1,
        pieces=PIECES,
    )
    sheet.text(left + PIECE_MM / 2, top + BAND_MM - 0.6, words, size_pt=4.5, centred=True)
    if not last:
        edge = left + PIECE_MM
        sheet.line((edge, top), (edge, top + BAND_MM), width_mm=0.15, colour="#777777")
        x = edge + TAB_MM / 2 + 0.7
        sheet.text(
            x,
            top + BAND_MM - 3,
            tr("glue under {piece}", piece=piece + 2),
            size_pt=5,
            rotation_deg=90,
        )
    if piece == PIECES // 2:
        mark = (
            ((left, top), (left, top + 3.0)),
            ((left, top + BAND_MM - 3.0), (left, top + BAND_MM)),
        )
        for start, end in mark:
            sheet.line(start, end, width_mm=0.8)
        sheet.text(left + 1.2, top + 2.2, tr("middle of the forehead"), size_pt=4.5)
