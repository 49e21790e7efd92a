"""What is seen in a frame of the camera, and in a photograph that was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scalptrack.against import Differences, compare_sides, prepare_side
from scalptrack.capture.coaching import (
    Hint,
    finding_hints,
    place_of,
    placement_hints,
    pose_hints,
)
from scalptrack.capture.reference import CaptureReference
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.quality import check_quality
from scalptrack.quality.check import LOW_RESOLUTION
from scalptrack.quality.subject import head_width_px
from scalptrack.records import CaptureInfo, Finding, ImageArray, Quality, Segmentation, Severity
from scalptrack.segmentation import shared_segmenter

HEAD_IN_FRAME_PX = 420
"""The checks look at a head of 400 px: frames are asked for in which it is a little wider."""

MIN_HEAD_FOR_BLUR_PX = 380
"""In a smaller head the frame's own pixels look like blur."""

FRAME_SIDES_PX = (640, 1600)
"""Shortest and longest long side of the frames that are asked for."""

_NOT_OF_A_FRAME = frozenset({"low_resolution", "less_sharp"})
"""Findings that are about the photograph's own size; a frame is smaller."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen in a frame.

    Attributes
    ----------
    hints : tuple of Hint
        What to change, the most important first; none when the photograph can be taken.
    compared : bool
        Whether the head's pose was compared with the reference in this frame.
    frame_side_px : int
        Long side of the next frame, so that the head in it is as wide as the checks need.
    """

    hints: tuple[Hint, ...]
    compared: bool
    frame_side_px: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a photograph that was taken; see `scalptrack check --against`."""

    findings: tuple[Finding, ...]
    hints: tuple[Hint, ...]
    against: Differences | None
    width_px: int
    height_px: int

    @property
    def usable(self) -> bool:
        """True when no finding is an error."""
        return all(each.severity is not Severity.ERROR for each in self.findings)


class Watcher(Protocol):
    """What the page asks about its pictures."""

    def watch(self, frame: ImageArray, camera_side_px: int) -> Sight:
        """Look at a frame (H, W, 3) of a camera whose own pictures are ``camera_side_px`` long."""
        ...

    def judge(self, path: Path) -> Judgement:
        """Judge a photograph that was taken."""
        ...


@dataclass(frozen=True, slots=True)
class HeadWatcher:
    """Looks with the program's own segmentation, quality checks and registration."""

    view: str
    reference: CaptureReference | None
    seed: int
    max_megapixels: float

    def watch(self, frame: ImageArray, camera_side_px: int) -> Sight:
        """Look at a frame; the pose is compared once nothing simpler has to be changed."""
        side = max(frame.shape[:2])
        try:
            segmentation = shared_segmenter().segment(frame)
        except HeadNotFoundError:
            quality = check_quality(frame, None, CaptureInfo())
            return Sight(_of_frame(quality, None), False, _clamped(side))
        head_px = head_width_px(segmentation)
        wanted = _clamped(round(side * HEAD_IN_FRAME_PX / max(head_px, 1.0)))
        hints = _of_frame(check_quality(frame, segmentation, CaptureInfo()), head_px)
        outline = self.reference.placed if self.reference else None
        hints = _ordered((*hints, *placement_hints(place_of(segmentation), outline)))
        hints = (*hints, *_too_small(hints, head_px * camera_side_px / side))
        if hints or self.reference is None:
            return Sight(hints, False, wanted)
        hints, compared = self._pose(frame, segmentation)
        return Sight(hints, compared, wanted)

    def _pose(self, frame: ImageArray, segmentation: Segmentation) -> tuple[tuple[Hint, ...], bool]:
        """Hints on pose and light against the reference, and whether they could be compared.

        A small frame may be too coarse to be aligned where the photograph is not: then nothing is
        said, and the photograph will be judged.
        """
        reference = self.reference
        moving = prepare_side(frame, segmentation, CaptureInfo())
        if reference is None or moving is None:
            return (), False
        differences, findings = compare_sides(reference.side, moving, seed=self.seed)
        if not differences.registered:
            return (), False
        light = [each for each in findings if each.code.startswith(("light_", "exposure_"))]
        return (*pose_hints(differences, self.view), *finding_hints(light)), True

    def judge(self, path: Path) -> Judgement:
        """Judge a photograph as ``scalptrack check --against`` does.

        Raises
        ------
        ImageReadError
            When it isn't a whole photograph.
        """
        image, capture = read_photograph(path, max_megapixels=self.max_megapixels)
        segmentation: Segmentation | None
        try:
            segmentation = shared_segmenter().segment(image)
        except HeadNotFoundError:
            segmentation = None
        quality = check_quality(image, segmentation, capture)
        findings, differences = list(quality.findings), None
        if self.reference is not None and segmentation is not None and quality.usable:
            moving = prepare_side(image, segmentation, capture)
            if moving is not None:
                differences, found = compare_sides(self.reference.side, moving, seed=self.seed)
                findings += found
        height, width = image.shape[:2]
        hints = list(finding_hints(each for each in findings if each.code not in _POSE_CODES))
        if differences is not None and differences.registered:
            hints += pose_hints(differences, self.view)
        return Judgement(tuple(findings), _ordered(hints), differences, width, height)


_POSE_CODES = frozenset({"head_tipped", "head_turned", "picture_rotated"})


def _of_frame(quality: Quality, head_px: float | None) -> tuple[Hint, ...]:
    """Hints of a frame's findings, without those that a frame can't tell."""
    unknown = set(_NOT_OF_A_FRAME)
    if head_px is not None and head_px < MIN_HEAD_FOR_BLUR_PX:
        unknown.add("blurred")
    if head_px is None:
        unknown |= {"blurred", "low_contrast"}
    return _ordered(finding_hints(each for each in quality.findings if each.code not in unknown))


def _too_small(hints: tuple[Hint, ...], head_px: float) -> tuple[Hint, ...]:
    """Ask to come closer where the camera's own picture would be too coarse."""
    if any(each.code in {"too_far", "too_near"} for each in hints):
        return ()
    finding = LOW_RESOLUTION.judge(head_px)
    if finding is None or finding.severity is not Severity.ERROR:
        return ()
    return finding_hints([finding])


def _ordered(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Hints with what makes a photograph useless first."""
    return tuple(sorted(hints, key=lambda each: not each.serious))


def _clamped(side_px: int) -> int:
    return min(max(side_px, FRAME_SIDES_PX[0]), FRAME_SIDES_PX[1])
