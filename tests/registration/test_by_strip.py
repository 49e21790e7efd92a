"""A headband seen in both photographs aligns them, and a wrong one is refused with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.records import (
    NO_MARKERS,
    CaptureInfo,
    FloatArray,
    Reason,
    Registration,
    StripMarkers,
    Tier,
)
from scalptrack.registration import HeadFeatures, HeadTransform, by_strip, register_by_strip
from scalptrack.single import Opened
from tests.registration.synthetic import Rendered, true_points

COUNT = 16
"""Markers all around the head; a part of them faces each camera."""

HEIGHT_DEG, HALF_SIDE_DEG = 38.0, 4.5
HAIR = "could not be aligned with the baseline: hair."
REFUSED = Registration(
    Tier.C, None, (), float("nan"), 3, 0.0, (), Reason("hair_covers_scalp", HAIR)
)


def worn(photograph: Rendered, *, along_deg: float = 0.0, up_deg: float = 0.0) -> StripMarkers:
    """Markers of a band around the head, where the camera sees them."""
    ids, corners = [], []
    for number in range(COUNT):
        azimuth = 360.0 / COUNT * number + along_deg
        height = HEIGHT_DEG + up_deg
        seen = _corners(photograph, azimuth, height)
        if np.isfinite(seen).all():
            ids.append(200 + number)
            corners.append(seen)
    return StripMarkers(tuple(ids), np.array(corners))


def in_front(markers: StripMarkers) -> StripMarkers:
    """Six markers around the forehead, which is at azimuth -90 degrees: between 211 and 212."""
    chosen = [i for i, number in enumerate(markers.ids) if 209 <= number <= 214]
    return StripMarkers(tuple(markers.ids[i] for i in chosen), markers.corners[chosen])


def _corners(photograph: Rendered, azimuth_deg: float, height_deg: float) -> FloatArray:
    """Corners (4, 2) of a marker that is read from beside the head; NaN where it isn't seen.

    From the vertex the azimuth runs clockwise in the picture: left of a marker is where it is less.
    """
    sides = np.array([(-1, 1), (1, 1), (1, -1), (-1, -1)]) * HALF_SIDE_DEG
    azimuth = np.radians(azimuth_deg + sides[:, 0] / np.cos(np.radians(height_deg)))
    height = np.radians(height_deg + sides[:, 1])
    flat = np.cos(height)
    u = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(height)], axis=1)
    return photograph.project(u * photograph.subject.radius(u)[:, np.newaxis])


@dataclass(frozen=True, eq=False)
class Scene:
    """A head twice, with what registration knows of it."""

    reference: Rendered
    moving: Rendered
    features: tuple[HeadFeatures, HeadFeatures]

    def align(
        self,
        before: StripMarkers,
        after: StripMarkers,
        *,
        seed: int = 1,
        refused: Registration = REFUSED,
    ) -> Registration:
        return register_by_strip(*self.features, (before, after), refused, seed=seed)

    def tre_percent(self, result: Registration) -> float:
        """Median error in % of the head's width, all over the scalp that both show."""
        here, there = true_points(self.reference, self.moving)
        gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
        return float(np.nanmedian(100.0 * gaps) / self.features[1].head_width_px)

    def scatter_percent(self, result: Registration) -> float:
        """Median distance of the resampled transforms from the one that is given."""
        here, _ = true_points(self.reference, self.moving)
        mapped = np.array([transform.map_points(here) for transform in result.resampled])
        gaps = np.linalg.norm(mapped - result.transform.map_points(here), axis=2)
        return float(np.nanmedian(100.0 * gaps) / self.features[1].head_width_px)


@pytest.fixture(scope="module")
def scene(
    reference_features: HeadFeatures,
    moved_features: HeadFeatures,
    reference: Rendered,
    moved: Rendered,
) -> Scene:
    return Scene(reference, moved, (reference_features, moved_features))


@pytest.fixture(scope="module")
def before(scene: Scene) -> StripMarkers:
    return worn(scene.reference)


@pytest.fixture(scope="module")
def after(scene: Scene) -> StripMarkers:
    return worn(scene.moving)


@pytest.fixture(scope="module")
def aligned(scene: Scene, before: StripMarkers, after: StripMarkers) -> Registration:
    return scene.align(before, after)


def _gate(result: Registration, name: str) -> float:
    return next(gate.value for gate in result.gates if gate.name == name)


def test_a_band_at_the_same_place_gives_tier_b_and_the_pose(
    scene: Scene, before: StripMarkers, after: StripMarkers, aligned: Registration
) -> None:
    assert (aligned.tier, aligned.method, aligned.reason) == (Tier.B, "strip", None)
    assert isinstance(aligned.transform, HeadTransform)
    assert 8 < aligned.inliers == _gate(aligned, "strip_on_head")
    assert aligned.inliers <= len(set(before.ids) & set(after.ids))
    assert scene.tre_percent(aligned) < 1.0
    assert 0.0 < aligned.residual_px < 0.02 * scene.features[1].head_width_px
    assert all(gate.passed for gate in aligned.gates)
    assert [gate.name for gate in aligned.gates] == [
        "strip_mirrored_markers",
        "strip_markers",
        "strip_marker_turn_deg",
        "strip_on_head",
        "strip_spread_percent",
        "strip_residual_percent",
        "strip_left_out_percent",
        "strip_rotation_deg",
        "strip_size_error",
        "strip_overlap",
        "strip_outline_overlap",
    ]


def test_a_part_of_the_band_is_enough(
    scene: Scene, before: StripMarkers, after: StripMarkers
) -> None:
    """Only the markers in front, as in a photograph from there."""
    result = scene.align(in_front(before), after)
    assert result.tier is Tier.B
    assert 4 <= result.inliers <= 6
    assert scene.tre_percent(result) < 3.0


def test_a_band_put_on_a_little_beside_lies_within_the_scatter(
    scene: Scene, before: StripMarkers, aligned: Registration
) -> None:
    """Two degrees along and up are 3 mm on a head of 8 cm radius."""
    beside = scene.align(before, worn(scene.moving, along_deg=2.0, up_deg=2.0))
    assert beside.tier is Tier.B
    assert 1.0 < scene.tre_percent(beside) < 4.0
    for result in (aligned, beside):
        assert len(result.resampled) == 12
        assert 3.0 < scene.scatter_percent(result) < 8.0
    assert scene.tre_percent(beside) < 2.5 * scene.scatter_percent(beside)


def test_the_same_seed_gives_the_same_transforms(
    scene: Scene, before: StripMarkers, after: StripMarkers, aligned: Registration
) -> None:
    again, other = scene.align(before, after), scene.align(before, after, seed=2)
    assert again.transform == other.transform == aligned.transform
    assert again.resampled == aligned.resampled
    assert other.resampled != aligned.resampled


def test_gates_of_the_features_stay_beside_those_of_the_band(
    scene: Scene, before: StripMarkers, after: StripMarkers, aligned: Registration
) -> None:
    features_gates = aligned.gates[:2]
    refused = replace(REFUSED, gates=features_gates)
    found = scene.align(before, after, refused=refused)
    assert found.gates == (*features_gates, *aligned.gates)
    lacking = scene.align(before, NO_MARKERS, refused=refused)
    assert lacking.gates[:2] == features_gates
    assert not lacking.gates[-1].passed


def test_three_common_markers_are_too_few(
    scene: Scene, before: StripMarkers, after: StripMarkers
) -> None:
    ids = sorted(set(before.ids) & set(after.ids))[:3]
    chosen = [after.ids.index(number) for number in ids]
    result = scene.align(before, StripMarkers(tuple(ids), after.corners[chosen]))
    assert (result.tier, result.transform, result.method) == (Tier.C, None, "features")
    assert result.reason.code == "hair_covers_scalp"
    assert result.reason.message == (
        f"{HAIR} Both photographs show 3 markers of the headband, at least 4 are needed. Wear it "
        "in the same way, flat, lit, and not covered by hair."
    )


def test_a_mirrored_photograph_is_refused(scene: Scene, before: StripMarkers) -> None:
    result = scene.align(before, replace(NO_MARKERS, mirrored=9))
    assert result.tier is Tier.C
    assert result.reason.message == (
        f"{HAIR} The headband is mirrored in one of the photographs: 9 of its markers can be read "
        "only after flipping it left to right. Check whether the camera app saves mirrored "
        "pictures."
    )
    code = Reason("mirrored", "It is mirrored.")
    mirrored = replace(REFUSED, reason=code)
    assert scene.align(before, worn(scene.moving), refused=mirrored) is mirrored


def test_a_band_that_is_upside_down_is_refused(
    scene: Scene, before: StripMarkers, after: StripMarkers
) -> None:
    """Its markers run around the head the other way, each turned by half a turn."""
    right = in_front(after)
    turned = StripMarkers(
        tuple(sorted(423 - number for number in right.ids)), right.corners[::-1, [2, 3, 0, 1]]
    )
    result = scene.align(in_front(before), turned)
    assert result.tier is Tier.C
    assert 90.0 < _gate(result, "strip_marker_turn_deg") <= 180.0
    assert "The headband is upside down in one of the photographs" in result.reason.message


@pytest.mark.parametrize("how", ["exchanged", "one elsewhere"])
def test_markers_that_contradict_each_other_are_refused(
    scene: Scene, before: StripMarkers, after: StripMarkers, how: str
) -> None:
    corners = after.corners.copy()
    if how == "exchanged":
        order = np.arange(len(corners)) ^ 1
        corners = corners[np.minimum(order, len(corners) - 1)]
        expected = "The markers of the headband disagree by"
    else:
        centre = np.array(scene.features[1].outline.shape.centre_px)
        corners[2] += 0.7 * (centre - corners[2].mean(axis=0))
        expected = "The markers of the headband disagree by"
    result = scene.align(before, replace(after, corners=corners))
    assert result.tier is Tier.C
    assert expected in result.reason.message


def test_another_head_pose_than_one_view_allows_is_refused(
    scene: Scene, before: StripMarkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The band turned by a sixth around the head: its pose is that of another view.

    On a head that isn't round its markers also fit less well, which is said first otherwise.
    """
    monkeypatch.setattr(by_strip, "MAX_RESIDUAL_PERCENT", 8.0)
    result = scene.align(before, worn(scene.moving, along_deg=60.0))
    assert result.tier is Tier.C
    assert 35.0 < _gate(result, "strip_rotation_deg") < 75.0
    assert result.reason.message.startswith(
        f"{HAIR} By the headband it could not be aligned with the baseline: the head would be "
        "turned by"
    )


def test_a_head_that_is_rolled_in_the_picture_is_followed(
    scene: Scene, before: StripMarkers
) -> None:
    """The band turned by 25 degrees around the head looks as the head turned in the picture."""
    result = scene.align(before, worn(scene.moving, along_deg=25.0))
    assert 15.0 < _gate(result, "strip_rotation_deg") < 35.0
    assert _gate(result, "strip_residual_percent") < 3.0


def test_register_uses_the_band_only_when_it_is_asked_for(
    scene: Scene,
    before: StripMarkers,
    after: StripMarkers,
    aligned: Registration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shots = {"first.jpg": (scene.reference, before), "now.jpg": (scene.moving, after)}

    def opened(path: Path, settings: object) -> Opened:
        rendered, strip = shots[path.name]
        capture = CaptureInfo(focal_length_35mm=rendered.shot.focal_35mm)
        strip = strip if settings.strip else NO_MARKERS
        return Opened(rendered.image, capture, rendered.segmentation, strip)

    monkeypatch.setattr("scalptrack.single.open_photograph", opened)
    monkeypatch.setattr("scalptrack.single.register", lambda *_args, **_options: REFUSED)
    arguments = ["register", "first.jpg", "now.jpg", "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(main, [*arguments, "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["method"] is None
    result = CliRunner().invoke(main, [*arguments, "--strip", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["status"], document["tier"], document["method"]) == (
        "registered",
        "B",
        "strip",
    )
    assert document["inliers"] == aligned.inliers
    said = CliRunner().invoke(main, [*arguments, "--strip"])
    assert said.stdout.startswith("registered, tier B, by the printed headband: residual ")
    assert said.stdout.endswith(" Another person with this band would look the same.\n")


@pytest.mark.parametrize("other", [["--close-up"], ["--points-file", "pairs.csv"]])
def test_strip_goes_with_no_other_way_of_aligning(
    other: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pairs.csv").write_text("1,2,3,4\n" * 4)
    result = CliRunner().invoke(main, ["register", "a.jpg", "b.jpg", "--strip", *other])
    assert result.exit_code == 2
    assert "can't be combined" in result.stderr
