"""One photograph against the reference of its series: what to change before it is too late.

Composes segmentation, quality and registration as `scalptrack.single` does. A pair that can't be
aligned would be refused by ``track``: that is an error; every other difference only warns, as the
measurement knows pose, distance and light, within limits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial.transform import Rotation

from scalptrack.errors import HeadNotFoundError
from scalptrack.quality import focus, light
from scalptrack.quality.subject import Subject, linear_light, subject_of
from scalptrack.records import (
    CaptureInfo,
    Finding,
    FloatArray,
    ImageArray,
    Registration,
    Segmentation,
    Severity,
)
from scalptrack.registration import HeadFeatures, extract_features, register
from scalptrack.translation import marked, tr, trc

MAX_TURN_DEG = 15.0
"""Two views of a sphere that are this far apart share 86 % of what each shows at less than 60
degrees (two overlapping caps): beyond it every visit of the series loses more."""

MAX_ROLL_DEG = 20.0
"""Turned in the picture's own plane, the same scalp is seen: only framing and habits differ."""

MAX_DISTANCE_PERCENT = 15.0
"""At an arm's length (50 cm) 7 cm; beyond it single hairs are drawn so much larger or smaller that
thin hair is told differently (head width is 288 px for the network, but not the lens's blur)."""

MAX_FOCAL_PERCENT = 10.0
"""EXIF rounds to whole millimetres: 4 % at 26 mm."""

MAX_EXPOSURE_STOPS = 1.0
MAX_COLOUR_STOPS = 0.5
MAX_DIRECTION_STOPS = 2.0
"""Of light. Between good photographs of one rendered person (subject-01 of sample_images, eight
pairs) the largest differences are 0.7, 0.2 and 1.8 stops (lab/benchmarks/against.py)."""

MAX_BLUR_PERCENT = 0.15
"""Of the head's width, more than the reference. Sharp photographs of one head differ by 0.14 at
most (33 photographs of 11 rendered people; a comparison whose script is not kept)."""

MEAN_HEAD_CM = 17.3
"""Mean of an adult head's breadth and length (15.2 and 19.4 cm): turns percent into centimetres."""

MIN_SKIN_PX = 200
MIN_SKIN_SPREAD = 0.12
"""SD of the skin's places in head widths: on a narrow band (a forehead's is 0.06) the fall of light
across it can't be told; over a whole bald head it is 0.25."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two photographs, with all that is compared."""

    capture: CaptureInfo
    features: HeadFeatures
    subject: Subject


@dataclass(frozen=True, slots=True)
class Differences:
    """What was measured of a photograph against its reference; None where it can't be.

    Attributes
    ----------
    registered : bool
        Whether the two can be aligned.
    nod_deg, turn_deg, roll_deg : float or None
        Rotation of the head about the picture's horizontal axis (positive: its lower side went
        away from the camera), its vertical axis (positive: its right side came nearer), and in the
        picture's plane (positive: clockwise).
    distance_percent : float or None
        How much farther from the camera than in the reference; also None where the lens is stated
        by one of the files only.
    head_width_ratio : float
        Head's width, as a share of the picture's diagonal, over that of the reference.
    focal_percent : float or None
        Change of the focal length that the files state.
    camera_changed : bool or None
        None where one of the files names no camera.
    exposure_stops, blur_percent : float or None
        Differences of brightness of the skin, and of blur.
    warmth_stops, green_stops : float or None
        Differences of red over blue, and of green over both, on the skin of the scalp.
    light_across_stops, light_down_stops : float or None
        Difference of the light's fall from left to right, and from top to bottom, over one head
        width; positive: the right, or the lower, side is brighter than it was.
    """

    registered: bool
    head_width_ratio: float
    nod_deg: float | None = None
    turn_deg: float | None = None
    roll_deg: float | None = None
    distance_percent: float | None = None
    focal_percent: float | None = None
    camera_changed: bool | None = None
    exposure_stops: float | None = None
    warmth_stops: float | None = None
    green_stops: float | None = None
    light_across_stops: float | None = None
    light_down_stops: float | None = None
    blur_percent: float | None = None


def prepare_side(
    image: ImageArray, segmentation: Segmentation, capture: CaptureInfo
) -> Side | None:
    """What is compared of one photograph; None where there is too little scalp for an outline."""
    try:
        features = extract_features(
            image, segmentation, focal_length_35mm=capture.focal_length_35mm
        )
    except HeadNotFoundError:
        return None
    return Side(capture, features, subject_of(image, segmentation))


def compare_sides(
    reference: Side, moving: Side, *, seed: int
) -> tuple[Differences, tuple[Finding, ...]]:
    """Measure what differs from the reference, and say what to change.

    Returns
    -------
    Differences
    tuple of Finding
        Errors first.
    """
    registration = register(reference.features, moving.features, seed=seed, resamples=0)
    differences = _measure(reference, moving, registration)
    if not registration.registered:
        found: list[Finding | None] = [_not_alignable(registration)]
    else:
        found = _judge_pose(differences, reference)
    found += _judge_camera(differences, reference, moving)
    found += _judge_light(differences)
    found.append(_judge_sharpness(differences))
    return differences, tuple(each for each in found if each is not None)


def _measure(reference: Side, moving: Side, registration: Registration) -> Differences:
    values: dict[str, float | None] = dict.fromkeys(
        each.name for each in fields(Differences) if each.name.endswith(("_deg", "_percent"))
    )
    before, after = reference.capture, moving.capture
    if before.focal_length_35mm and after.focal_length_35mm:
        values["focal_percent"] = 100 * (after.focal_length_35mm / before.focal_length_35mm - 1)
    if registration.registered and registration.transform is not None:
        pose = registration.transform.as_dict()["pose"]
        # Small enough to be read as three turns, one after the other.
        nod, turn, roll = Rotation.from_rotvec(pose["rotation"]).as_euler("xyz", degrees=True)
        values |= {"nod_deg": float(nod), "turn_deg": float(turn), "roll_deg": float(roll)}
        # With the lens of only one of them known, the distance would be that of a guessed lens.
        if (before.focal_length_35mm is None) == (after.focal_length_35mm is None):
            values["distance_percent"] = 100 * (float(pose["distance"]) - 1)
    blurs = [focus.measure_blur(each.subject).strongest_percent for each in (reference, moving)]
    values["blur_percent"] = blurs[1] - blurs[0]
    falls = [_light_fall(each.subject) for each in (reference, moving)]
    stops: dict[str, float | None] = {}
    if falls[0] is not None and falls[1] is not None:
        names = ("exposure_stops", "light_across_stops", "light_down_stops")
        change = falls[1] - falls[0]
        stops = {
            name: float(each) if np.isfinite(each) else None
            for name, each in zip(names, change, strict=True)
        }
    tints = [_tint(each.subject) for each in (reference, moving)]
    if tints[0] is not None and tints[1] is not None:
        warmth, green = tints[1] - tints[0]
        stops |= {"warmth_stops": float(warmth), "green_stops": float(green)}
    shares = [_head_share(each.features) for each in (reference, moving)]
    return Differences(
        registered=registration.registered,
        head_width_ratio=shares[1] / shares[0],
        camera_changed=(
            None if None in (before.camera, after.camera) else before.camera != after.camera
        ),
        **values,
        **stops,
    )


def _head_share(features: HeadFeatures) -> float:
    """Head's width as a share of the picture's diagonal: independent of its resolution."""
    return features.head_width_px / float(np.hypot(*features.photograph_shape))


def _light_fall(subject: Subject) -> FloatArray | None:
    """Light on the skin in stops: at the head's middle, and its change per head width (x, y).

    The change is NaN where the skin covers too little of the head.
    """
    rows, columns = np.nonzero(subject.skin)
    if len(rows) < MIN_SKIN_PX:
        return None
    light_stops = np.log2(np.maximum(linear_light(subject.picture)[rows, columns], 1e-3))
    head_rows, head_columns = np.nonzero(subject.scalp)
    x = (columns - head_columns.mean()) / subject.head_px
    y = (rows - head_rows.mean()) / subject.head_px
    if min(x.std(), y.std()) < MIN_SKIN_SPREAD:
        return np.array([np.median(light_stops), np.nan, np.nan])
    design = np.column_stack([np.ones(len(x)), x, y])
    return np.asarray(np.linalg.lstsq(design, light_stops, rcond=None)[0])


def _tint(subject: Subject) -> FloatArray | None:
    """Stops of red over blue, and of green over their mean, on the scalp's skin.

    The same skin is in both photographs: what differs is the light and the camera.
    """
    levels = subject.picture[subject.skin].astype(np.float64)
    usable = levels[(levels.max(axis=1) < light.CLIPPED_LEVEL) & (levels.min(axis=1) > 8)]
    if len(usable) < MIN_SKIN_PX:
        return None
    red, green, blue = np.log2(np.power(np.median(usable, axis=0) / 255, 2.2))
    return np.array([red - blue, green - (red + blue) / 2])


def _not_alignable(registration: Registration) -> Finding:
    """Error: ``track`` would refuse this photograph."""
    failed = next((gate for gate in registration.gates if not gate.passed), None)
    cause = registration.reason.message if registration.reason else tr("could not be aligned.")
    cause = cause.replace(
        trc("in a reason", "the baseline"), trc("instead of the baseline", "the reference")
    )
    return Finding(
        "not_alignable",
        Severity.ERROR,
        round(failed.value, 3) if failed else 0.0,
        failed.limit if failed else 1.0,
        failed.name.replace("_", " ") if failed else "registrations",
        tr("It {cause} Take the same view of the same head as in the reference.", cause=cause),
    )


def _judge_pose(differences: Differences, reference: Side) -> list[Finding | None]:
    nod, turn = differences.nod_deg or 0.0, differences.turn_deg or 0.0
    roll, distance = differences.roll_deg or 0.0, differences.distance_percent or 0.0
    features = reference.features
    distance_cm = MEAN_HEAD_CM * features.camera.focal_px / features.head_width_px
    step_cm = max(1, round(abs(distance) / 100 * distance_cm))
    return [
        _warning("head_tipped", nod, MAX_TURN_DEG, marked("degrees"), _tipped(nod)),
        _warning("head_turned", turn, MAX_TURN_DEG, "degrees", _turned(turn)),
        _warning("picture_rotated", roll, MAX_ROLL_DEG, "degrees", _rotated(roll)),
        _warning(
            "distance_changed",
            distance,
            MAX_DISTANCE_PERCENT,
            marked("% farther"),
            tr("Step closer by about {step_cm} cm.", step_cm=step_cm)
            if distance > 0
            else tr("Step back by about {step_cm} cm.", step_cm=step_cm),
        ),
    ]


def _tipped(nod_deg: float) -> str:
    if nod_deg > 0:
        return tr(
            "Tip the head so that its lower side in the picture comes nearer (from the front: chin "
            "up)."
        )
    return tr(
        "Tip the head so that its upper side in the picture comes nearer (from the front: chin "
        "down)."
    )


def _turned(turn_deg: float) -> str:
    if turn_deg > 0:
        return tr("Turn the head so that its left side in the picture comes nearer to the camera.")
    return tr("Turn the head so that its right side in the picture comes nearer to the camera.")


def _rotated(roll_deg: float) -> str:
    if roll_deg > 0:
        return tr("The head lies turned in the picture: turn it anticlockwise, or the camera back.")
    return tr("The head lies turned in the picture: turn it clockwise, or the camera back.")


def _judge_camera(differences: Differences, reference: Side, moving: Side) -> list[Finding | None]:
    found: list[Finding | None] = []
    if differences.focal_percent is not None:
        advice = tr(
            "Use the lens or zoom of the reference: {before:.0f} mm instead of {after:.0f} mm.",
            before=reference.capture.focal_length_35mm,
            after=moving.capture.focal_length_35mm,
        )
        found.append(
            _warning(
                "lens_changed",
                differences.focal_percent,
                MAX_FOCAL_PERCENT,
                marked("% longer"),
                advice,
            )
        )
    if differences.camera_changed:
        advice = tr(
            "Use the camera of the reference ({camera}) if you still can.",
            camera=reference.capture.camera,
        )
        found.append(Finding("camera_changed", Severity.INFO, 1.0, 0.0, marked("cameras"), advice))
    return found


def _judge_light(differences: Differences) -> list[Finding | None]:
    exposure = differences.exposure_stops
    found: list[Finding | None] = []
    if exposure is not None:
        advice = (
            tr("Use the same light as in the reference: less of it, or another exposure.")
            if exposure > 0
            else tr("Use the same light as in the reference: more of it, or another exposure.")
        )
        unit = marked("stops brighter")
        found.append(_warning("exposure_changed", exposure, MAX_EXPOSURE_STOPS, unit, advice))
    found.append(_judge_colour(differences))
    across, down = differences.light_across_stops, differences.light_down_stops
    if across is not None and down is not None:
        found.append(
            _warning(
                "light_direction_changed",
                float(np.hypot(across, down)),
                MAX_DIRECTION_STOPS,
                marked("stops over the head"),
                tr(
                    "More light comes from {side} of the picture than in the reference: turn "
                    "until the light falls as it did.",
                    side=_brighter_side(across, down),
                ),
            )
        )
    return found


def _brighter_side(across: float, down: float) -> str:
    if abs(across) > abs(down):
        return tr("the right side") if across > 0 else tr("the left side")
    return tr("the lower side") if down > 0 else tr("the upper side")


def _judge_colour(differences: Differences) -> Finding | None:
    """Warn of the larger one of the two changes of colour."""
    warmth, green = differences.warmth_stops or 0.0, differences.green_stops or 0.0
    if abs(warmth) >= abs(green):
        value, unit = warmth, marked("stops red over blue")
        tint = tr("yellower") if warmth > 0 else tr("bluer")
    else:
        value, unit = green, marked("stops green")
        tint = tr("greener") if green > 0 else tr("pinker")
    advice = tr(
        "The light is {tint} than in the reference: use the same lamps or daylight again.",
        tint=tint,
    )
    return _warning("light_colour_changed", value, MAX_COLOUR_STOPS, unit, advice)


def _judge_sharpness(differences: Differences) -> Finding | None:
    if differences.blur_percent is None or differences.blur_percent <= MAX_BLUR_PERCENT:
        return None
    advice = tr(
        "It is less sharp than the reference: hold still, tap on the scalp to focus, retake."
    )
    return _warning(
        "less_sharp", differences.blur_percent, MAX_BLUR_PERCENT, marked("% of head width"), advice
    )


def _warning(code: str, value: float, limit: float, unit: str, advice: str) -> Finding | None:
    """A warning where a value lies outside of plus or minus a limit."""
    if abs(value) <= limit:
        return None
    signed = limit if value > 0 else -limit
    return Finding(code, Severity.WARNING, round(value, 2), signed, unit, advice)
