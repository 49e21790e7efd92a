"""What to change right now, in words that are understood while holding a camera.

The measures and their limits are those of `scalptrack.quality` and `scalptrack.against`; here they
only become short sentences, the most important one first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from scalptrack.against import MAX_ROLL_DEG, MAX_TURN_DEG, Differences
from scalptrack.quality.subject import head_mask, head_width_px
from scalptrack.records import Finding, Segmentation, Severity
from scalptrack.translation import marked, tr

AIM_SHARE = 0.5
"""Of the limits at which a photograph is warned of: who aims at half of them stays within."""

MAX_SHIFT = 0.2
"""Head widths beside the outline."""

SIZE_RANGE = (0.87, 1.15)
"""Head's width over the outline's: the 15 % of distance that `scalptrack.against` warns of."""

FREE_SIZE_RANGE = (0.4, 0.95)
FREE_SHIFT = 0.3
"""Without a reference: head's width as a share of the picture's shorter side, and head widths from
the picture's middle."""

SIMPLE_WORDS = {
    "no_head": marked("No head is seen: hold it in the middle of the picture."),
    "underexposed": marked("More light."),
    "overexposed": marked("Less light on the head."),
    "glare": marked("The scalp shines: move the lamp to the side."),
    "blurred": marked("Hold still: the picture is blurred."),
    "low_resolution": marked("Come closer."),
    "head_cut_off": marked("Move back: the head is cut off."),
    "hard_light": marked("Light from one side only: turn towards the window."),
    "low_contrast": marked("The picture is hazy: wipe the lens."),
    "colour_cast": marked("Coloured light: use daylight or white lamps."),
    "light_direction_changed": marked(
        "The light comes from another side than in the first photograph."
    ),
    "light_colour_changed": marked("The light has another colour than in the first photograph."),
    "less_sharp": marked("Hold still: it is less sharp than the first photograph."),
    "not_alignable": marked("This doesn't look like the same view of the same head."),
}
"""By the code of a finding; where a code isn't here its own advice is shown."""

_NOD = {
    "frontal": (marked("Chin up a little."), marked("Chin down a little.")),
    "occipital": (marked("Chin down a little."), marked("Chin up a little.")),
    "left-temporal": (
        marked("Tilt the head a little to your right."),
        marked("Tilt the head a little to your left."),
    ),
    "right-temporal": (
        marked("Tilt the head a little to your left."),
        marked("Tilt the head a little to your right."),
    ),
}
"""What undoes a nod (lower side of the head in the picture went away; came nearer), by view."""

_ROLL = {
    "frontal": (
        marked("Tilt the head a little to your right."),
        marked("Tilt the head a little to your left."),
    ),
    "occipital": (
        marked("Tilt the head a little to your left."),
        marked("Tilt the head a little to your right."),
    ),
    "left-temporal": (marked("Chin down a little."), marked("Chin up a little.")),
    "right-temporal": (marked("Chin up a little."), marked("Chin down a little.")),
}
"""What undoes a roll in the picture (clockwise; anticlockwise), by view."""

_TURN = {
    True: (
        marked("Turn the head a little to your left."),
        marked("Turn the head a little to your right."),
    ),
    False: (
        marked("Turn the head: its left side in the picture has to come nearer."),
        marked("Turn the head: its right side in the picture has to come nearer."),
    ),
}
"""What undoes a turn (right side of the head came nearer; left side), by whether it is known where
the forehead points."""

_NOD_FROM_ABOVE = (
    marked("Tip the head: its lower side in the picture has to come nearer."),
    marked("Tip the head: its upper side in the picture has to come nearer."),
)
_ROLL_FROM_ABOVE = (
    marked("Turn the head, or the camera, a little: the picture has to turn anticlockwise."),
    marked("Turn the head, or the camera, a little: the picture has to turn clockwise."),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the head is in a picture: centre of the scalp and width of the head, in pixels."""

    x_px: float
    y_px: float
    width_px: float
    picture_width_px: int
    picture_height_px: int

    def fitted_into(self, width_px: int, height_px: int) -> Placed:
        """The same head where the picture is laid over another one, centred and whole."""
        scale = min(width_px / self.picture_width_px, height_px / self.picture_height_px)
        return Placed(
            width_px / 2 + scale * (self.x_px - self.picture_width_px / 2),
            height_px / 2 + scale * (self.y_px - self.picture_height_px / 2),
            scale * self.width_px,
            width_px,
            height_px,
        )


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to change. ``serious`` ones make the photograph useless."""

    code: str
    words: str
    serious: bool = False


def place_of(segmentation: Segmentation) -> Placed:
    """Where the head of a segmented picture is."""
    mask = segmentation.scalp if segmentation.scalp.any() else head_mask(segmentation)
    rows, columns = np.nonzero(mask)
    centre = segmentation.grid.to_photograph(np.array([[columns.mean(), rows.mean()]]))[0]
    height, width = segmentation.photograph_shape
    return Placed(
        float(centre[0]), float(centre[1]), head_width_px(segmentation), int(width), int(height)
    )


def placement_hints(now: Placed, outline: Placed | None) -> tuple[Hint, ...]:
    """What to change until the head fills the outline; without one, until it is well framed.

    Parameters
    ----------
    outline : Placed or None
        Head of the reference, in the reference's own picture.
    """
    if outline is None:
        shorter = min(now.picture_width_px, now.picture_height_px)
        size, (smallest, largest) = now.width_px / shorter, FREE_SIZE_RANGE
        target_x, target_y = now.picture_width_px / 2, now.picture_height_px / 2
        most = FREE_SHIFT
    else:
        wanted = outline.fitted_into(now.picture_width_px, now.picture_height_px)
        size, (smallest, largest) = now.width_px / wanted.width_px, SIZE_RANGE
        target_x, target_y, most = wanted.x_px, wanted.y_px, MAX_SHIFT
    hints = []
    if size < smallest:
        hints.append(Hint("too_far", tr("Come closer.")))
    elif size > largest:
        hints.append(Hint("too_near", tr("Move back a little.")))
    right = (now.x_px - target_x) / now.width_px
    down = (now.y_px - target_y) / now.width_px
    if max(abs(right), abs(down)) > most:
        hints.append(Hint("off_centre", _off_centre(right, down)))
    return tuple(hints)


def _off_centre(right: float, down: float) -> str:
    """Which way the head has to be moved that lies so far to the right and too low."""
    if abs(right) >= abs(down):
        if right > 0:
            return tr("The head is too far right: move it left in the picture.")
        return tr("The head is too far left: move it right in the picture.")
    if down > 0:
        return tr("The head is too low: move it up in the picture.")
    return tr("The head is too high: move it down in the picture.")


def pose_hints(differences: Differences, view: str) -> tuple[Hint, ...]:
    """How to turn the head until it is held as in the reference, the largest difference first.

    "Your" left and right are those of the person whose head it is. In views from above, and in
    views that the program doesn't know, it isn't known where the forehead points: there the sides
    are those of the picture.
    """
    hints = []
    for code, value, limit in (
        ("turn", differences.turn_deg, MAX_TURN_DEG),
        ("nod", differences.nod_deg, MAX_TURN_DEG),
        ("roll", differences.roll_deg, MAX_ROLL_DEG),
    ):
        share = abs(value or 0.0) / (AIM_SHARE * limit)
        if value is not None and share > 1:
            hints.append((share, Hint(code, _pose_words(code, view, positive=value > 0))))
    return tuple(hint for _, hint in sorted(hints, key=lambda each: -each[0]))


def _pose_words(code: str, view: str, *, positive: bool) -> str:
    known = view in _NOD
    if code == "turn":
        words = _TURN[known]
    elif code == "nod":
        words = _NOD.get(view, _NOD_FROM_ABOVE)
    else:
        words = _ROLL.get(view, _ROLL_FROM_ABOVE)
    return tr(words[0 if positive else 1])


def finding_hints(findings: Iterable[Finding]) -> tuple[Hint, ...]:
    """Short words for findings; what only informs is left out."""
    hints = []
    for each in findings:
        if each.severity is Severity.INFO:
            continue
        words = tr(SIMPLE_WORDS[each.code]) if each.code in SIMPLE_WORDS else each.advice
        if each.code == "exposure_changed":
            words = (
                tr("Less light, as in the first photograph.")
                if each.value > 0
                else tr("More light, as in the first photograph.")
            )
        hints.append(Hint(each.code, words, each.severity is Severity.ERROR))
    return tuple(hints)
