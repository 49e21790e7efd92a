"""The page with the card: cut lines, rulers to check the printer with, and what to do with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scalptrack.errors import OutputError
from scalptrack.fiducials.layout import (
    CARD_HEIGHT_MM,
    CARD_VERSION,
    CARD_WIDTH_MM,
    MARKER_MM,
    PATCH_MM,
    SQUARE_MM,
    STRIP_HEIGHT_MM,
    STRIP_MARKER_MM,
    STRIP_WIDTH_MM,
    board_markers,
    board_squares,
    patches,
    strip_markers,
)
from scalptrack.fiducials.markers import marker_cells
from scalptrack.images import write_bytes_atomic
from scalptrack.printing.sheet import PAPERS_MM, Sheet
from scalptrack.translation import available_languages, in_language, marked, tr

CARD_X_MM, CARD_Y_MM = 16.0, 82.0
STRIP_X_MM, STRIP_Y_MM = 14.0, 208.0
RULER_MM = 150
UPRIGHT_RULER_MM = 100

STEPS = (
    marked(
        "Print this page on plain white matt paper in colour at 100 % (“actual size”); switch “fit "
        "to page” off."
    ),
    marked(
        "Check the printer: lay a ruler on both printed scales. 0 to 150 must be 150 mm long, and "
        "0 to 100 must be 100 mm long, to within half a millimetre. If they are not, the scale "
        "that is read from photographs is wrong by as much: set the printer to 100 % and print "
        "again."
    ),
    marked("Cut along the dashed lines. Glue the card on stiff cardboard: it must be flat."),
    marked(
        "In each photograph hold the card beside the head, at the height of the scalp that you "
        "photograph, facing the camera, in the same light, not over hair or scalp, and not shaded."
    ),
    marked(
        "Keep this one card for all visits, away from the sun. Printers differ and colours fade: "
        "with another card, colours can be compared only roughly. Print a new one when it is dirty "
        "or bent."
    ),
    marked("The strip can be put around a headband on the forehead, markers outward."),
)


def draw_card(paper: str) -> Sheet:
    """Draw the page.

    Parameters
    ----------
    paper : str
        ``"a4"`` or ``"letter"``.

    Returns
    -------
    Sheet
        The card's upper left corner lies at (`CARD_X_MM`, `CARD_Y_MM`).
    """
    sheet = page_with_steps(paper, _title(), STEPS)
    _draw_face(sheet)
    _draw_rulers(sheet)
    _draw_strip(sheet)
    _write_colours(sheet)
    return sheet


def page_with_steps(paper: str, title: str, steps: Sequence[str]) -> Sheet:
    """A page that begins with its title and numbered steps."""
    sheet = Sheet(paper)
    sheet.text(14, 15, title, size_pt=16, bold=True)
    y = 23.0
    for number, step in enumerate(steps, start=1):
        y = sheet.paragraph(14, y, f"{number}. {tr(step)}", characters=112, size_pt=8.6, hanging=4)
        y += 0.8
    return sheet


def card_pdf(paper: str) -> bytes:
    """Encode the page with the card as a vector PDF; the same paper gives the same bytes."""
    return draw_card(paper).to_pdf(_title())


def _title() -> str:
    return tr("scalptrack card, version {version}", version=CARD_VERSION)


def save_card(path: Path, paper: str) -> None:
    """Write the page; a file that isn't one of the pages that this program makes is kept.

    Raises
    ------
    OutputError
        When there is another file of that name, or it can't be written.
    """
    save_page(path, card_pdf, paper, what="card")


def save_page(path: Path, page: Callable[[str], bytes], paper: str, *, what: str) -> None:
    """Write a page of one paper over nothing but the same page of any paper and language.

    Parameters
    ----------
    page : callable
        Gives the content for a paper.
    what : str
        What is on the page, for the message.

    Raises
    ------
    OutputError
        When there is another file of that name, or it can't be written.
    """
    content = page(paper)
    if path.exists():
        present = path.read_bytes() if path.is_file() else b""
        if present != content and present not in _every(page):
            message = f"{path} exists and is not this {what}. Choose another name for --out."
            raise OutputError(message)
    write_bytes_atomic(path, content)


def _every(page: Callable[[str], bytes]) -> Iterator[bytes]:
    """A page on every paper in every language."""
    for language in available_languages():
        with in_language(language):
            for paper in PAPERS_MM:
                yield page(paper)


def _draw_face(sheet: Sheet) -> None:
    """Board, patches and cut lines of the card."""
    draw_cut_line(sheet, CARD_X_MM, CARD_Y_MM, CARD_WIDTH_MM, CARD_HEIGHT_MM)
    for x, y in board_squares():
        sheet.rectangle(CARD_X_MM + x, CARD_Y_MM + y, SQUARE_MM, SQUARE_MM, "black")
    for number, (x, y) in board_markers().items():
        sheet.cells(marker_cells(number), CARD_X_MM + x, CARD_Y_MM + y, MARKER_MM)
    for patch in patches():
        x, y = CARD_X_MM + patch.x_mm, CARD_Y_MM + patch.y_mm
        sheet.rectangle(x, y, PATCH_MM, PATCH_MM, tuple(level / 255 for level in patch.srgb))
        sheet.text(x + PATCH_MM / 2, y + PATCH_MM + 1.9, patch.name, size_pt=4.5, centred=True)
    words = tr(
        "scalptrack card {version} · for scale and colour · this edge towards the floor",
        version=CARD_VERSION,
    )
    sheet.text(CARD_X_MM + CARD_WIDTH_MM / 2, CARD_Y_MM + 93, words, size_pt=6.5, centred=True)


def draw_cut_line(sheet: Sheet, x: float, y: float, width: float, height: float) -> None:
    """Draw a dashed rectangle to cut along."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    for start, end in itertools.pairwise(corners):
        sheet.line(start, end, width_mm=0.15, colour="#777777", dashed=True)


def _draw_rulers(sheet: Sheet) -> None:
    """One scale along each direction of the paper: printers stretch them differently."""
    draw_ruler(sheet, CARD_X_MM, CARD_Y_MM + CARD_HEIGHT_MM + 10)
    x, top = CARD_X_MM + CARD_WIDTH_MM + 17, CARD_Y_MM
    sheet.line((x, top), (x, top + UPRIGHT_RULER_MM), width_mm=0.15)
    for mm in range(UPRIGHT_RULER_MM + 1):
        sheet.line((x, top + mm), (x + _tick(mm), top + mm), width_mm=0.12)
    for mm in range(0, UPRIGHT_RULER_MM + 1, 10):
        sheet.text(x + 6, top + mm + 0.8, str(mm), size_pt=6.5)
    words = tr("Millimetres: 0 to 100 must be 100 mm long")
    sheet.text(x - 4, top + UPRIGHT_RULER_MM, words, size_pt=7, rotation_deg=90)


def draw_ruler(sheet: Sheet, left: float, y: float) -> None:
    """Draw a scale along the page, `RULER_MM` long."""
    sheet.line((left, y), (left + RULER_MM, y), width_mm=0.15)
    for mm in range(RULER_MM + 1):
        sheet.line((left + mm, y), (left + mm, y + _tick(mm)), width_mm=0.12)
    for mm in range(0, RULER_MM + 1, 10):
        sheet.text(left + mm, y + 8, str(mm), size_pt=6.5, centred=True)
    sheet.text(left, y - 2, tr("Millimetres: 0 to 150 must be 150 mm long"), size_pt=7)


def _tick(mm: int) -> float:
    if mm % 10 == 0:
        return 5.0
    return 3.5 if mm % 5 == 0 else 2.2


def _draw_strip(sheet: Sheet) -> None:
    sheet.text(STRIP_X_MM, STRIP_Y_MM - 2, tr("Strip for a headband"), size_pt=7)
    draw_cut_line(sheet, STRIP_X_MM, STRIP_Y_MM, STRIP_WIDTH_MM, STRIP_HEIGHT_MM)
    for number, (x, y) in strip_markers().items():
        sheet.cells(marker_cells(number), STRIP_X_MM + x, STRIP_Y_MM + y, STRIP_MARKER_MM)


def _write_colours(sheet: Sheet) -> None:
    """The stated colours, in five columns."""
    top = STRIP_Y_MM + STRIP_HEIGHT_MM + 8
    words = tr(
        "Stated colours of the patches, sRGB relative to the white of the paper. What a printer "
        "makes of them differs: they compare visits, they are no colour standard."
    )
    sheet.text(14, top, words, size_pt=6.5)
    for index, patch in enumerate(patches()):
        x, y = 14 + 37 * (index // 5), top + 5 + 3.6 * (index % 5)
        sheet.text(x, y, f"{patch.name}  {' '.join(map(str, patch.srgb))}", size_pt=6.5)
