"""What is made of a frame: which findings count, when the pose is asked, which frame comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from scalptrack.capture import looking
from scalptrack.capture.coaching import Placed
from scalptrack.capture.looking import HeadWatcher
from scalptrack.capture.reference import CaptureReference
from scalptrack.errors import HeadNotFoundError
from scalptrack.records import Finding, Quality, Severity
from tests.builders import disc, segmentation_of
from tests.test_against import SAME

FRAME = np.zeros((600, 800, 3), np.uint8)
REFERENCE = CaptureReference(
    "first.jpg", date(2026, 1, 1), None, Placed(300, 200, 300, 600, 400), b""
)


def head(width: float, centre=(399.5, 299.5)):
    scalp = disc(800, width / 2, centre=centre)[:600]
    return segmentation_of(np.zeros((600, 800)), scalp)


@pytest.fixture
def seen(monkeypatch):
    """A watcher of a frame in which a head 450 px wide is where it should be."""

    class Seen:
        segmentation = head(450)
        findings: tuple[Finding, ...] = ()
        differences = SAME
        light: tuple[Finding, ...] = ()
        compared = 0

        def segment(self, image, *, perturbations=0):
            if self.segmentation is None:
                raise HeadNotFoundError("nothing")
            return self.segmentation

        def compare(self, reference, moving, *, seed):
            self.compared += 1
            return self.differences, self.light

        def watch(self, reference=REFERENCE, camera_side_px=1600):
            return HeadWatcher("frontal", reference, 1, 50.0).watch(FRAME, camera_side_px)

    seen = Seen()
    monkeypatch.setattr(looking, "shared_segmenter", lambda: seen)
    monkeypatch.setattr(looking, "check_quality", lambda *each: Quality(seen.findings))
    monkeypatch.setattr(looking, "prepare_side", lambda *each: object())
    monkeypatch.setattr(looking, "compare_sides", seen.compare)
    return seen


def finding(code: str, severity=Severity.WARNING) -> Finding:
    return Finding(code, severity, 1.0, 0.5, "units", "Its own advice.")


def codes(sight) -> list[str]:
    return [each.code for each in sight.hints]


def test_a_good_frame_is_compared_and_says_nothing(seen):
    sight = seen.watch()
    assert (sight.hints, sight.compared) == ((), True)
    assert sight.frame_side_px == pytest.approx(800 * 420 / 450, rel=0.02)


def test_the_pose_is_asked_only_when_nothing_simpler_is_wrong(seen):
    seen.differences = replace(SAME, turn_deg=12.0)
    seen.light = (
        finding("light_direction_changed"),
        finding("less_sharp"),
        finding("lens_changed"),
    )
    assert codes(seen.watch()) == ["turn", "light_direction_changed"]
    seen.segmentation = head(300)
    sight = seen.watch()
    assert (codes(sight), sight.compared, seen.compared) == (["too_far"], False, 1)
    seen.segmentation = head(450, centre=(550, 300))
    assert codes(seen.watch()) == ["off_centre"]


def test_a_frame_that_cannot_be_aligned_is_not_complained_of(seen):
    seen.differences = replace(SAME, registered=False, turn_deg=40.0)
    sight = seen.watch()
    assert (sight.hints, sight.compared) == ((), False)


def test_without_a_reference_nothing_is_compared(seen):
    sight = seen.watch(reference=None)
    assert (sight.hints, sight.compared, seen.compared) == ((), False, 0)


def test_what_a_small_frame_cannot_tell_is_left_out(seen):
    seen.findings = (finding("low_resolution"), finding("blurred", Severity.ERROR))
    assert codes(seen.watch()) == ["blurred"]
    seen.segmentation = head(370)
    sight = seen.watch(reference=None)
    assert codes(sight) == []
    assert sight.frame_side_px > 800


def test_what_makes_a_photograph_useless_comes_first(seen):
    seen.findings = (finding("hard_light"), finding("underexposed", Severity.ERROR))
    seen.segmentation = head(300)
    assert codes(seen.watch()) == ["underexposed", "hard_light", "too_far"]


def test_a_camera_that_is_too_coarse_is_told_to_come_closer(seen):
    # The head is where the outline is, and would have only 191 px in the camera's own picture.
    assert codes(seen.watch(camera_side_px=340)) == ["low_resolution"]
    assert codes(seen.watch(camera_side_px=400)) == []


def test_no_head_is_said_and_blur_of_the_whole_picture_is_not(seen):
    seen.segmentation = None
    seen.findings = (finding("no_head", Severity.ERROR), finding("blurred", Severity.ERROR))
    sight = seen.watch()
    assert codes(sight) == ["no_head"]
    assert sight.frame_side_px == 800
