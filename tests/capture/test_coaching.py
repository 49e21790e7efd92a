"""The words: right side, right way, most important first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from scalptrack.capture.coaching import (
    Hint,
    Placed,
    finding_hints,
    place_of,
    placement_hints,
    pose_hints,
)
from scalptrack.records import Finding, Grid, Severity
from tests.builders import disc, segmentation_of
from tests.test_against import SAME

# Where a person's right, up and front point in the camera's frame (x right, y down, z away).
VIEWS = {
    "frontal": ((-1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "occipital": ((1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "left-temporal": ((0, 0, 1), (0, -1, 0), (-1, 0, 0)),
    "right-temporal": ((0, 0, -1), (0, -1, 0), (1, 0, 0)),
}
# What a person does, as a rotation about an axis of the body (right, up, front) by the right hand
# rule, and the words that undo it.
MOVES = {
    "turned left": ((0, 1, 0), "Turn the head a little to your right."),
    "turned right": ((0, -1, 0), "Turn the head a little to your left."),
    "chin up": ((1, 0, 0), "Chin down a little."),
    "chin down": ((-1, 0, 0), "Chin up a little."),
    "tilted right": ((0, 0, 1), "Tilt the head a little to your left."),
    "tilted left": ((0, 0, -1), "Tilt the head a little to your right."),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("move", MOVES)
def test_the_words_undo_what_the_head_did(view, move):
    axes = np.array(VIEWS[view], dtype=float)
    axis, words = MOVES[move]
    assert np.allclose(np.cross(axes[2], axes[1]), axes[0])
    nod, turn, roll = Rotation.from_rotvec(np.radians(14) * (np.array(axis) @ axes)).as_euler(
        "xyz", degrees=True
    )
    differences = replace(SAME, nod_deg=nod, turn_deg=turn, roll_deg=roll)
    assert [each.words for each in pose_hints(differences, view)] == [words]


def test_from_above_the_sides_are_those_of_the_picture():
    differences = replace(SAME, turn_deg=12.0, nod_deg=-9.0, roll_deg=14.0)
    assert [each.words for each in pose_hints(differences, "vertex")] == [
        "Turn the head: its left side in the picture has to come nearer.",
        "Turn the head, or the camera, a little: the picture has to turn anticlockwise.",
        "Tip the head: its upper side in the picture has to come nearer.",
    ]


def test_half_of_the_limit_is_aimed_at():
    assert pose_hints(replace(SAME, turn_deg=7.4, nod_deg=-7.4, roll_deg=9.9), "frontal") == ()
    (hint,) = pose_hints(replace(SAME, turn_deg=7.6), "frontal")
    assert hint.code == "turn"
    assert pose_hints(replace(SAME, turn_deg=None, nod_deg=None, roll_deg=None), "frontal") == ()


def test_the_head_is_found_where_it_is():
    scalp = disc(100, 20, centre=(60, 40))
    segmentation = segmentation_of(np.zeros((100, 100)), scalp, grid=Grid(10, 20, 2, 100, 100))
    placed = place_of(segmentation)
    assert (placed.x_px, placed.y_px) == (pytest.approx(130), pytest.approx(100))
    assert placed.width_px == pytest.approx(82, abs=2)
    assert (placed.picture_width_px, placed.picture_height_px) == (200, 200)


# A reference in portrait format in the middle of a camera in landscape format: 0.5 of its size.
OUTLINE = Placed(300, 500, 400, 600, 800)
GOOD = Placed(400, 250, 200, 800, 400)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"width_px": 170}, ["Come closer."]),
        ({"width_px": 240}, ["Move back a little."]),
        ({"x_px": 445}, ["The head is too far right: move it left in the picture."]),
        ({"x_px": 355}, ["The head is too far left: move it right in the picture."]),
        ({"y_px": 295}, ["The head is too low: move it up in the picture."]),
        ({"y_px": 205}, ["The head is too high: move it down in the picture."]),
        ({"x_px": 435, "y_px": 285, "width_px": 176}, []),
    ],
)
def test_the_head_has_to_fill_the_outline(changes, words):
    hints = placement_hints(replace(GOOD, **changes), OUTLINE)
    assert [each.words for each in hints] == words


@pytest.mark.parametrize(
    ("width", "x", "codes"),
    [
        (200, 400, []),
        (150, 400, ["too_far"]),
        (390, 400, ["too_near"]),
        (200, 470, ["off_centre"]),
        (200, 455, []),
    ],
)
def test_without_a_reference_the_head_has_to_be_well_framed(width, x, codes):
    placed = Placed(x, 200, width, 800, 400)
    assert [each.code for each in placement_hints(placed, None)] == codes


def test_findings_get_short_words_and_what_only_informs_gets_none():
    def finding(code, severity=Severity.WARNING, value=1.0):
        return Finding(code, severity, value, 0.5, "units", "Its own advice.")

    found = [
        finding("blurred", Severity.ERROR),
        finding("screenshot", Severity.INFO),
        finding("exposure_changed", value=-1.5),
        finding("exposure_changed", value=1.5),
        finding("something_new"),
    ]
    assert finding_hints(found) == (
        Hint("blurred", "Hold still: the picture is blurred.", serious=True),
        Hint("exposure_changed", "More light, as in the first photograph."),
        Hint("exposure_changed", "Less light, as in the first photograph."),
        Hint("something_new", "Its own advice."),
    )
