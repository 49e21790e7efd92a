"""The findings about one photograph: what was measured, where the limit lies, what to do.

A finding is an error only where the measurement would be wrong; the others warn. The limits come
from ``lab/benchmarks/quality.py`` where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scalptrack.quality import focus, framing, light
from scalptrack.quality.subject import Subject, head_width_px, subject_of
from scalptrack.records import (
    CaptureInfo,
    Finding,
    ImageArray,
    Quality,
    Reason,
    Segmentation,
    Severity,
)
from scalptrack.translation import marked, number, tr
from scalptrack.wording import finding_name, sentence_case


@dataclass(frozen=True, slots=True)
class _Rule:
    """Two limits of one measure, and what to do beyond them.

    ``below`` is True where small values are bad. A limit of None is never passed.
    """

    code: str
    unit: str
    warning: float
    error: float | None
    advice: str
    below: bool = False

    def judge(self, value: float) -> Finding | None:
        """The finding that a value deserves, if any."""
        sign = -1 if self.below else 1
        if self.error is not None and sign * value > sign * self.error:
            return self._finding(Severity.ERROR, value, self.error)
        if sign * value > sign * self.warning:
            return self._finding(Severity.WARNING, value, self.warning)
        return None

    def is_error(self, value: float) -> bool:
        """Whether a value is beyond the limit of an error."""
        found = self.judge(value)
        return found is not None and found.severity is Severity.ERROR

    def _finding(self, severity: Severity, value: float, limit: float) -> Finding:
        return Finding(self.code, severity, round(value, 3), limit, self.unit, tr(self.advice))


# lab/benchmarks/blur.py, 32 people: coverage is off by 2 points in the median from a defocus of
# 0.25 % on, which measures 0.2. Of 87 sharp photographs of the other renderer five measure more
# than the first limit and none more than the second, of those 32 none more than 0.15.
BLURRED = _Rule(
    "blurred",
    marked("% of head width"),
    warning=0.2,
    error=0.3,
    advice=marked("Hold the phone still, tap on the scalp to focus, and retake."),
)
# Of a scalp with next to no hair the outline is looked at, which measures up to 0.25 when sharp;
# its coverage goes wrong later, from a defocus of 0.6 % on (the same script, --bare, 8 people).
BLURRED_BARE = replace(BLURRED, warning=0.3, error=0.45)
# The brightest twentieth of a well-exposed head with black hair on very dark skin (sRGB 95, 62, 48)
# is at 70: the limits must not warn of a person's colour.
UNDEREXPOSED = _Rule(
    "underexposed",
    marked("of 255"),
    warning=50,
    error=28,
    advice=marked("Turn on more light in front of or above the head, and retake."),
    below=True,
)
OVEREXPOSED = _Rule(
    "overexposed",
    marked("% of the scalp"),
    warning=10,
    error=50,
    advice=marked("Tap on the scalp and lower the exposure, or turn off the flash, and retake."),
)
GLARE = _Rule(
    "glare",
    marked("% of the scalp"),
    warning=5,
    error=25,
    advice=marked("Dry the scalp, move the lamp to the side or turn off the flash, and retake."),
)
LOW_RESOLUTION = _Rule(
    "low_resolution",
    marked("px head width"),
    warning=500,
    error=200,
    advice=marked(
        "Move closer or zoom in until the head fills most of the "
        "picture, and send the original file."
    ),
    below=True,
)
# The error is about where the registration refuses, too (35 % of an oval's border). A frame so near
# shows no outline, so that the size of the head, and with it that of a strand, is guessed.
# lab/benchmarks/cut_off.py: of three gross errors (30 to 43 points, one person) it refuses two; one
# passes at 143 %. Six pictures that were right are refused as well.
HEAD_CUT_OFF = _Rule(
    "head_cut_off",
    marked("% of head width"),
    warning=5,
    error=150,
    advice=marked("Step back until the whole scalp is in the picture with some space around it."),
)
HARD_LIGHT = _Rule(
    "hard_light",
    marked("stops from left to right"),
    warning=1.5,
    error=None,
    advice=marked("Use light from both sides, for instance facing a window, instead of one lamp."),
)
LOW_CONTRAST = _Rule(
    "low_contrast",
    marked("levels of 255"),
    warning=50,
    error=None,
    advice=marked("Wipe the lens, keep bright lamps and windows out of the picture, and retake."),
    below=True,
)
WIDE_ANGLE = _Rule(
    "wide_angle",
    marked("mm (35 mm film)"),
    warning=20,
    error=None,
    advice=marked(
        "Use the main lens (1x) or 2x zoom from further away, and the same one at every visit."
    ),
    below=True,
)
HAIR_LIKE_SCALP = _Rule(
    "hair_like_scalp",
    marked("points of expected error"),
    warning=8.0,
    error=15.0,
    advice=marked(
        "Hair and scalp can hardly be told apart here. Come closer, "
        "focus on the scalp, use soft light from both sides, and "
        "retake."
    ),
)
COLOUR_CAST_ADVICE = marked(
    "Use daylight or white lamps of one kind, without coloured walls nearby."
)
COPIES = {
    "messenger": (
        "messenger_copy",
        marked(
            "This is a messenger's copy: smaller, compressed again, "
            "without the camera's date. Use the original, or have it sent "
            "as a file."
        ),
    ),
    "screenshot": (
        "screenshot",
        marked(
            "This is a picture of a screen. Use the photograph itself, with its full size and date."
        ),
    ),
    "recompressed": (
        "recompressed_copy",
        marked(
            "This file was compressed strongly and holds nothing of the "
            "camera's, as copies from messengers and web pages do. Use the "
            "original if there is one."
        ),
    ),
    "annotated": (
        "burned_in_text",
        marked(
            "This file says that text, perhaps a name, is written into the "
            "picture. Use the photograph itself, without the text."
        ),
    ),
}
"""Code and advice for what `scalptrack.images` says of a file's origin."""

HUE_RANGE_DEG = (5.0, 90.0)
"""Hue of skin in CIELAB beyond which the light is coloured: red is at 20°, yellow at 95°."""

MIN_COSINE = 0.5
"""Scalp that is seen at more than 60 degrees is not measured, so doubt about it doesn't matter."""


def check_quality(
    image: ImageArray, segmentation: Segmentation | None, capture: CaptureInfo
) -> Quality:
    """Judge whether a photograph is good enough to be measured.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        Upright RGB photograph.
    segmentation : Segmentation or None
        Where head and scalp are; None when no head was found. Then the whole picture is judged,
        which may tell why, and ``no_head`` is an error.
    capture : CaptureInfo
        When and with what it was taken.

    Returns
    -------
    Quality
        Findings, errors first; none when nothing is wrong.
    """
    subject = subject_of(image, segmentation)
    findings: list[Finding | None] = [
        UNDEREXPOSED.judge(light.bright_level(subject)),
        OVEREXPOSED.judge(light.clipped_percent(subject)),
        _judge_blur(subject),
        LOW_CONTRAST.judge(light.tonal_range(subject.picture)),
        _judge_lens(capture),
        _origin_of(capture),
    ]
    if subject.found and segmentation is not None:
        findings += [
            GLARE.judge(_glare_percent(segmentation)),
            LOW_RESOLUTION.judge(head_width_px(segmentation)),
            HEAD_CUT_OFF.judge(framing.cut_off_percent(segmentation)),
            HARD_LIGHT.judge(light.left_right_stops(subject)),
            _judge_colour(subject),
            HAIR_LIKE_SCALP.judge(_doubt_points(segmentation)),
        ]
    else:
        findings.append(_no_head())
    found = [finding for finding in findings if finding is not None]
    return Quality(tuple(sorted(found, key=lambda each: each.severity is not Severity.ERROR)))


def quality_reason(quality: Quality) -> Reason | None:
    """The first error among the findings as a reason."""
    for finding in quality.findings:
        if finding.severity is Severity.ERROR and finding.code != "no_head":
            unit = tr(finding.unit)
            words = tr(
                "{finding}: {measured} measured, the limit is {limit}.",
                finding=sentence_case(finding_name(finding.code)),
                measured=f"{number(finding.value, '.3g')} {unit}".strip(),
                limit=f"{number(finding.limit, '.3g')} {unit}".strip(),
            )
            return Reason(finding.code, f"{words} {finding.advice}")
    return None


def _origin_of(capture: CaptureInfo) -> Finding | None:
    """Inform that a file isn't the camera's own; no picture is refused for it."""
    if capture.copied_by is None:
        return None
    code, advice = COPIES[capture.copied_by]
    return Finding(code, Severity.INFO, 0.0, 1.0, "originals", tr(advice))


def _judge_lens(capture: CaptureInfo) -> Finding | None:
    """An ultra-wide lens is held so close that the head is distorted."""
    if capture.focal_length_35mm is None:
        return None
    return WIDE_ANGLE.judge(capture.focal_length_35mm)


def _judge_blur(subject: Subject) -> Finding | None:
    """Judge the blur, unless the head has so few pixels that they look like it."""
    if subject.found and LOW_RESOLUTION.is_error(subject.head_px / subject.scale):
        return None
    rule = BLURRED_BARE if focus.is_bare(subject) else BLURRED
    return rule.judge(focus.measure_blur(subject).strongest_percent)


def _glare_percent(segmentation: Segmentation) -> float:
    """Percentage of the scalp that is burnt out."""
    return float(100 * np.mean(segmentation.glare[segmentation.scalp]))


def _doubt_points(segmentation: Segmentation) -> float:
    """How many points the coverage of the scalp is expected to be off; 0 where nothing says so."""
    seen = segmentation.scalp & (segmentation.incidence_cosine > MIN_COSINE)
    return 100 * segmentation.mean_doubt(seen)


def _judge_colour(subject: Subject) -> Finding | None:
    """Skin whose hue skin doesn't have."""
    hue = light.skin_hue_deg(subject)
    low, high = HUE_RANGE_DEG
    if hue is None or low <= hue <= high:
        return None
    # Distance on the circle decides which of the two limits was passed.
    middle = (low + high) / 2
    limit = high if (hue - middle) % 360 < 180 else low
    return Finding(
        "colour_cast",
        Severity.WARNING,
        round(hue, 1),
        limit,
        marked("° hue of skin"),
        tr(COLOUR_CAST_ADVICE),
    )


def _no_head() -> Finding:
    return Finding(
        "no_head",
        Severity.ERROR,
        0.0,
        1.0,
        marked("heads"),
        tr("Take a photograph that shows one head, with the scalp in the middle of the picture."),
    )
