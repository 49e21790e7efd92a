"""Points set on both photographs align them, and nonsense is refused with its value and limit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.records import CaptureInfo, FloatArray, Registration, Tier
from scalptrack.registration import HeadFeatures, HeadTransform, register_by_points
from scalptrack.single import Opened
from tests.registration.synthetic import Rendered, true_points

SIX = 6
CAREFUL = 0.007
"""Scatter of points set with care: 1 mm on a head of 15 cm."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A head twice, with what registration knows of it."""

    reference: Rendered
    moving: Rendered
    features: tuple[HeadFeatures, HeadFeatures]

    def set_by_hand(self, count: int, *, noise: float = 0.0) -> FloatArray:
        """Pairs (N, 4) far from each other, with errors in shares of the head's width."""
        here, there = true_points(self.reference, self.moving)
        inside = _radius(self.features[0], here) < 0.85
        inside &= _radius(self.features[1], there) < 0.85
        here, there = here[inside], there[inside]
        chosen = [int(np.linalg.norm(here - here.mean(axis=0), axis=1).argmax())]
        while len(chosen) < count:
            gaps = np.linalg.norm(here[:, np.newaxis] - here[chosen], axis=2).min(axis=1)
            chosen.append(int(gaps.argmax()))
        pairs = np.column_stack([here[chosen], there[chosen]])
        error_px = noise * self.features[1].head_width_px
        return pairs + np.random.default_rng(0).normal(0.0, error_px, pairs.shape)

    def align(self, pairs: FloatArray, *, seed: int = 1) -> Registration:
        return register_by_points(*self.features, pairs, seed=seed)

    def tre_percent(self, result: Registration) -> FloatArray:
        """Errors in % of the head's width, all over the scalp that both show."""
        assert result.transform is not None
        here, there = true_points(self.reference, self.moving)
        gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
        return np.asarray(100.0 * gaps[np.isfinite(gaps)] / self.features[1].head_width_px)


def _radius(features: HeadFeatures, points: FloatArray) -> FloatArray:
    """Distance (N,) from the outline's centre; 1 on the outline."""
    m11, m12, m22 = features.outline.shape.outline
    x, y = (points - np.array(features.outline.shape.centre_px)).T
    return np.asarray(np.hypot(m11 * x + m12 * y, m22 * y))


@pytest.fixture(scope="module")
def scene(
    reference_features: HeadFeatures,
    moved_features: HeadFeatures,
    reference: Rendered,
    moved: Rendered,
) -> Scene:
    return Scene(reference, moved, (reference_features, moved_features))


def _gate(result: Registration, name: str) -> float:
    return next(gate.value for gate in result.gates if gate.name == name)


@pytest.fixture(scope="module")
def by_hand(scene: Scene) -> Registration:
    """Six pairs with the errors of a careful hand."""
    return scene.align(scene.set_by_hand(SIX, noise=CAREFUL))


def test_six_pairs_give_tier_b_and_the_pose(scene: Scene, by_hand: Registration) -> None:
    assert by_hand.tier is Tier.B
    assert by_hand.method == "points"
    assert by_hand.inliers == SIX
    assert isinstance(by_hand.transform, HeadTransform)
    assert 0.05 < np.median(scene.tre_percent(by_hand)) < 1.5
    assert all(gate.passed for gate in by_hand.gates)
    assert {gate.name for gate in by_hand.gates} == {
        "point_pairs",
        "point_spread_percent",
        "point_residual_percent",
        "point_left_out_percent",
        "rotation_deg",
        "size_error",
        "overlap",
        "outline_overlap",
    }


def test_exact_points_leave_less_than_a_hundredth_of_the_width(scene: Scene) -> None:
    result = scene.align(scene.set_by_hand(10))
    assert np.median(scene.tre_percent(result)) < 0.4
    assert result.residual_px < 0.01 * scene.features[1].head_width_px


def test_resampled_transforms_scatter_as_far_as_points_err(
    scene: Scene, by_hand: Registration
) -> None:
    """The truth lies within the scatter, which is no wider than hands are."""
    here, _ = true_points(scene.reference, scene.moving)
    mapped = [transform.map_points(here) for transform in by_hand.resampled]
    seen = np.isfinite(mapped).all(axis=(0, 2))
    variance = np.var(np.array(mapped)[:, seen], axis=0).sum(axis=1)
    scatter = 100.0 * np.sqrt(np.median(variance)) / scene.features[1].head_width_px
    assert len(by_hand.resampled) == 12
    assert 0.3 < scatter < 3.0
    assert np.median(scene.tre_percent(by_hand)) < 2.5 * scatter


def test_the_same_seed_gives_the_same_transforms(scene: Scene, by_hand: Registration) -> None:
    pairs = scene.set_by_hand(SIX, noise=CAREFUL)
    again, other = scene.align(pairs), scene.align(pairs, seed=2)
    assert again.transform == by_hand.transform
    assert again.resampled == by_hand.resampled
    assert other.transform == by_hand.transform
    assert other.resampled != by_hand.resampled


def test_three_pairs_are_too_few(scene: Scene) -> None:
    pairs = scene.set_by_hand(3)
    off_the_head = np.array([[2.0, 2.0, 3.0, 3.0], [610.0, 5.0, 610.0, 5.0]])
    result = scene.align(np.vstack([pairs, pairs[:1] + 0.5, off_the_head]))
    assert result.tier is Tier.C
    assert result.transform is None
    assert result.reason.code == "too_few_points"
    assert result.reason.message == (
        "could not be aligned with the baseline: 3 pairs of points lie on the head in both "
        "photographs, at least 4 are needed. Set more points on the scalp."
    )


@pytest.mark.parametrize("shape", ["corner", "line"])
def test_points_in_one_corner_or_line_are_refused(scene: Scene, shape: str) -> None:
    here, there = true_points(scene.reference, scene.moving)
    middle = here.mean(axis=0)
    if shape == "corner":
        chosen = np.argsort(np.linalg.norm(here - middle, axis=1))[:40:5]
    else:
        chosen = np.argsort(np.abs(here[:, 1] - middle[1]))[:12]
    result = scene.align(np.column_stack([here[chosen], there[chosen]]))
    assert result.reason.code == "points_too_close"
    assert 0.0 <= _gate(result, "point_spread_percent") < 6.0
    assert "at least 6.0 % is needed" in result.reason.message


@pytest.mark.parametrize("count", [4, 6])
def test_one_wrong_pair_is_found_by_the_others(scene: Scene, count: int) -> None:
    """Moved by a fifth of the head's width, towards its middle."""
    pairs = scene.set_by_hand(count)
    moving = scene.features[1]
    towards = np.array(moving.outline.shape.centre_px) - pairs[1, 2:]
    pairs[1, 2:] += 0.2 * moving.head_width_px * towards / np.linalg.norm(towards)
    result = scene.align(pairs)
    assert result.tier is Tier.C
    assert result.reason.code == "points_disagree"


@pytest.mark.parametrize("how", ["exchanged", "mirrored"])
def test_points_that_contradict_each_other_are_refused(scene: Scene, how: str) -> None:
    pairs = scene.set_by_hand(SIX)
    if how == "exchanged":
        pairs[:, 2:] = pairs[::-1, 2:].copy()
    else:
        pairs[:, 2] = 2.0 * scene.features[1].outline.shape.centre_px[0] - pairs[:, 2]
    result = scene.align(pairs)
    assert result.tier is Tier.C
    assert result.reason.code == "points_disagree"
    assert result.residual_px > 0.04 * scene.features[1].head_width_px


def test_a_pose_that_cannot_be_is_refused(scene: Scene) -> None:
    """Points that agree with each other, on a head turned by 45 degrees in the picture."""
    before, after = scene.features
    spots = np.array([[0.2, 0.0], [0.0, 0.2], [-0.2, 0.05], [0.05, -0.2], [0.1, 0.1]])
    spots = spots * before.head_width_px
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2.0)
    there = spots @ turn.T * after.head_width_px / before.head_width_px
    centres = (before.outline.shape.centre_px, after.outline.shape.centre_px)
    result = scene.align(np.hstack([spots + centres[0], there + centres[1]]))
    assert result.tier is Tier.C
    assert result.reason.code == "implausible_pose"
    assert 35.0 < _gate(result, "rotation_deg") < 60.0


def test_register_takes_a_file_of_pairs(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the command line: the same transform, and a point carried through it."""
    shots = {"first.jpg": scene.reference, "now.jpg": scene.moving}

    def opened(path: Path, _settings: object) -> Opened:
        rendered = shots[path.name]
        capture = CaptureInfo(focal_length_35mm=rendered.shot.focal_35mm)
        return Opened(rendered.image, capture, rendered.segmentation)

    monkeypatch.setattr("scalptrack.single.open_photograph", opened)
    pairs = scene.set_by_hand(SIX)
    listed, marks = tmp_path / "pairs.csv", tmp_path / "marks.csv"
    np.savetxt(listed, pairs, delimiter=",", header="rx,ry,mx,my", comments="")
    np.savetxt(marks, pairs[:1, :2], delimiter=",")
    arguments = ["register", "first.jpg", "now.jpg", "--json", "--points-file", str(listed)]
    result = CliRunner().invoke(main, [*arguments, "--points", str(marks)])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["tier"], document["method"]) == ("B", "points")
    assert document["inliers"] == SIX
    expected = scene.align(pairs)
    assert document["transform"] == json.loads(json.dumps(expected.transform.as_dict()))
    np.testing.assert_allclose(document["points"], pairs[:1, 2:], atol=2.0)
