"""One page that says how to take the next photograph of one view of one person."""

from __future__ import annotations

from dataclasses import dataclass

from scalptrack.printing.sheet import Sheet
from scalptrack.records import ImageArray
from scalptrack.translation import marked, tr

LEFT_MM, TOP_MM = 18.0, 20.0
PICTURE_MM = (84.0, 104.0)
FACTS_X_MM = 112.0

VIEW_STEPS = {
    "vertex": marked(
        "View from above: chin slightly down, camera straight above the whorl, the whole top of "
        "the head in the picture with some space around it."
    ),
    "mid-pattern": marked(
        "View of the middle of the top: part the hair in the middle as before, chin slightly down, "
        "camera above the parting."
    ),
    "frontal": marked(
        "View from the front: face the camera, chin as in the picture, hair off the forehead, the "
        "hairline and the ears in the picture."
    ),
    "left-temporal": marked(
        "View of the left side: turn so that the left ear faces the camera, which is at the height "
        "of the temple."
    ),
    "right-temporal": marked(
        "View of the right side: turn so that the right ear faces the camera, which is at the "
        "height of the temple."
    ),
    "occipital": marked(
        "View of the back: turn the back of the head to the camera, which is at the height of its "
        "middle; chin level."
    ),
}
OTHER_VIEW_STEP = marked("View: hold the head as in the picture, with some space around it.")

GENERAL_STEPS = (
    marked(
        "Hair clean, dry, without fibres or styling products, and combed in the same way; cut to "
        "about the same length. Note a haircut, dye or a new treatment."
    ),
    marked(
        "Same room, same lamps or the same window in front; no flash, nothing bright behind, no "
        "window at one side only."
    ),
    marked(
        "Lay the outline over the camera's picture if your app can do it (or hold this page beside "
        "it) and move until the head fills it."
    ),
    marked("If you use the printed card, hold it beside the head, facing the camera."),
    marked(
        "Take a photograph, comb the hair again, and take a second one. The two tell how exact the "
        "measurement is."
    ),
    marked("Check them at once, and retake what isn't usable:"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """What the page says.

    Attributes
    ----------
    subject, view, reference_name, reference_date : str
        Whose page it is, and which photograph the next ones are compared with.
    picture : uint8 (H, W, 3)
        The reference with its outline.
    distance_cm : float or None
        Between camera and head, about; None where the focal length isn't known.
    focal_length_35mm : float or None
        As the file states.
    camera : str or None
        As the file states.
    head_width_fraction : float
        Of the picture's shorter side.
    """

    subject: str
    view: str
    reference_name: str
    reference_date: str
    picture: ImageArray
    distance_cm: float | None
    focal_length_35mm: float | None
    camera: str | None
    head_width_fraction: float


def draw_protocol(protocol: Protocol, paper: str) -> Sheet:
    """Draw the page on ``"a4"`` or ``"letter"``."""
    sheet = Sheet(paper)
    title = tr("Next photographs: {subject}, {view}", subject=protocol.subject, view=protocol.view)
    sheet.text(LEFT_MM, TOP_MM, _short(title, 44), size_pt=15, bold=True)
    words = tr("To be compared with the photograph of {day}.", day=protocol.reference_date)
    sheet.text(LEFT_MM, TOP_MM + 7, words, size_pt=9.5, colour="#444444")
    top = TOP_MM + 13
    bottom = _place_picture(sheet, protocol.picture, top)
    _write_facts(sheet, protocol, top)
    y = max(bottom, top + 60) + 11
    sheet.text(LEFT_MM, y, tr("What to do"), size_pt=12, bold=True)
    y += 7.5
    steps = (VIEW_STEPS.get(protocol.view, OTHER_VIEW_STEP), *GENERAL_STEPS)
    for number, step in enumerate(steps, start=1):
        y = sheet.paragraph(LEFT_MM, y, f"{number}. {tr(step)}", characters=92, hanging=4) + 1.6
    command = f"scalptrack check TODAY.jpg --against {_short(protocol.reference_name, 60)}"
    sheet.rectangle(LEFT_MM, y - 3, sheet.width_mm - 2 * LEFT_MM, 8, "#f0f2f5")
    sheet.text(LEFT_MM + 3, y + 2.3, command, size_pt=9)
    y += 15
    _write_log(sheet, y)
    return sheet


def protocol_pdf(protocol: Protocol, paper: str) -> bytes:
    """Encode the page; the same facts give the same bytes."""
    return draw_protocol(protocol, paper).to_pdf(f"{protocol.subject}, {protocol.view}")


def _place_picture(sheet: Sheet, picture: ImageArray, top: float) -> float:
    """Lay the picture into its box, keeping its shape; returns its lower edge."""
    height, width = picture.shape[:2]
    scale = min(PICTURE_MM[0] / width, PICTURE_MM[1] / height)
    sheet.picture(picture, LEFT_MM, top, width * scale, height * scale)
    return float(top + height * scale)


def _write_facts(sheet: Sheet, protocol: Protocol, top: float) -> None:
    """How the reference was taken."""
    distance = (
        tr("about {centimetres:.0f} cm", centimetres=protocol.distance_cm)
        if protocol.distance_cm
        else tr("not known")
    )
    lens = (
        tr("{length:.0f} mm (35 mm film)", length=protocol.focal_length_35mm)
        if protocol.focal_length_35mm
        else tr("not stated: the main lens (1x), no zoom")
    )
    share = tr("{share:.0f} % of its shorter side", share=100 * protocol.head_width_fraction)
    facts = (
        (tr("Camera"), protocol.camera or tr("not stated: always use the same one")),
        (tr("Lens"), lens),
        (tr("Camera to head"), distance),
        (tr("Head in the picture"), share),
    )
    y = top + 5
    sheet.text(FACTS_X_MM, y, tr("The reference"), size_pt=12, bold=True)
    for name, value in facts:
        y += 9
        sheet.text(FACTS_X_MM, y, name, size_pt=8, colour="#666666")
        sheet.text(FACTS_X_MM, y + 4.3, _short(value, 42), size_pt=10)
    y += 13
    sheet.paragraph(
        FACTS_X_MM,
        y,
        tr(
            "Yellow lines: outline of the head and border of the scalp in the reference. The next "
            "photograph should fill the same lines."
        ),
        characters=44,
        size_pt=8.5,
    )


def _write_log(sheet: Sheet, y: float) -> None:
    """Lines to fill in by hand, as many as the page has room for."""
    columns = (
        (0, tr("Date")),
        (30, tr("Days since haircut")),
        (70, tr("Notes (wash, dye, treatment)")),
    )
    for x, words in columns:
        sheet.text(LEFT_MM + x, y, words, size_pt=8, colour="#666666")
    while y + 9 < sheet.height_mm - 12:
        y += 8
        sheet.line((LEFT_MM, y), (sheet.width_mm - LEFT_MM, y), width_mm=0.15, colour="#999999")


def _short(words: str, longest: int) -> str:
    return words if len(words) <= longest else words[: longest - 1] + "…"
