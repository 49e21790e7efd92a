"""Zones of heads that are known exactly, and the reasons where a zone can't be told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from zones.heads import head, turned

from lab.phantom.head import ZONE_NAMES, scalp_zone
from scalptrack.measurement import scalp_region
from scalptrack.zones import OFFERED, ZONES, find_zones
from scalptrack.zones import finding as finding_module
from scalptrack.zones.anatomy import HALF_AXES_CM, above_border_deg, zone_areas_cm2, zone_of
from scalptrack.zones.frame import HeadFrame, fit_frame, nominal_rotation, sight

VERTEX = 1 + ZONES.index("vertex")
OCCIPITAL = 1 + ZONES.index("occipital")


def _iou(ours: np.ndarray, true: np.ndarray) -> float:
    return float((ours & true).sum() / (ours | true).sum())


def _frame(misfit: float, agreement: float = 0.95) -> HeadFrame:
    return HeadFrame(
        nominal_rotation("vertex"),
        np.array([0.0, 0.0, 60.0]),
        np.asarray(HALF_AXES_CM),
        misfit,
        agreement,
    )


def test_zones_have_the_renderers_borders():
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ours = [ZONES[index - 1] for index in zone_of(directions)]
    assert ours == [ZONE_NAMES[index] for index in scalp_zone(directions)]


@pytest.mark.parametrize(
    ("direction", "inside"),
    [((0, 0, 1), True), ((0, 1, 0), False), ((0, -1, -0.4), True), ((0, -1, -0.8), False)],
)
def test_the_border_of_the_scalp_lies_between_crown_face_and_nape(direction, inside):
    unit = np.array([direction]) / np.linalg.norm(direction)
    assert (above_border_deg(unit)[0] > 0) is np.bool_(inside)


def test_areas_of_zones_grow_with_the_square_of_the_size_and_are_the_same_on_both_sides():
    axes = np.asarray(HALF_AXES_CM)
    once, twice = zone_areas_cm2(axes), zone_areas_cm2(2 * axes)
    for zone in ZONES:
        assert twice[zone] == pytest.approx(4 * once[zone], rel=1e-9)
    assert once["left-temporal"] == pytest.approx(once["right-temporal"], rel=0.01)


def test_areas_of_zones_add_up_to_the_scalp_of_a_sphere():
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(20_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    share = np.mean(above_border_deg(directions) > 0)
    total = sum(zone_areas_cm2(np.full(3, 10.0)).values())
    assert total == pytest.approx(4 * np.pi * 100 * share, rel=0.03)


def test_a_ray_to_the_middle_of_a_sphere_meets_it_in_front_and_one_beside_it_misses():
    axes = np.full(3, 9.0)
    rays = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 1.0]])
    seen = sight(rays, np.eye(3), np.array([0.0, 0.0, 60.0]), axes)
    assert seen.directions[0] == pytest.approx([0.0, 0.0, -1.0])
    assert seen.distance_cm[0] == pytest.approx(51.0)
    assert seen.cosine[0] == pytest.approx(1.0)
    # Distance of the second line from the centre: 60 sin(atan 0.5) = 26.83 cm, 2.98 radii.
    assert seen.nearness == pytest.approx([0.0, 26.8328 / 9.0], abs=1e-5)


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (8.0, -4.0, 6.0), (-6.0, 6.0, -8.0)])
def test_the_front_of_a_head_seen_from_behind_is_found(turn):
    segmentation, focal, _, rotation = head(11, "occipital", turn)
    frame = fit_frame(segmentation, "occipital", focal)
    off = Rotation.from_matrix(frame.camera_from_head @ rotation.T).magnitude()
    assert np.degrees(off) < 9.0
    assert frame.agreement > 0.93


@pytest.mark.parametrize("seed", [11, 12])
def test_zones_from_behind_agree_with_the_true_ones(seed):
    segmentation, focal, true, _ = head(seed, "occipital", (5.0, 3.0, -4.0))
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="occipital", focal_px=focal)
    assert sorted(found.regions) == ["occipital", "vertex"]
    assert _iou(found.regions["occipital"], region & (true == OCCIPITAL)) > 0.8
    assert _iou(found.regions["vertex"], region & (true == VERTEX)) > 0.7
    assert not (found.regions["vertex"] & found.regions["occipital"]).any()
    assert all(0.4 <= share <= 1.0 for share in found.seen_fraction.values())
    assert sorted(found.withheld) == sorted(set(ZONES) - {"occipital", "vertex"})
    assert {reason.code for reason in found.withheld.values()} == {"border_uncertain"}


def test_the_vertex_from_above_agrees_with_the_true_one():
    segmentation, focal, true, _ = head(12, "vertex", (4.0, 0.0, 5.0))
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="vertex", focal_px=focal, forehead="top")
    assert list(found.regions) == ["vertex"]
    assert _iou(found.regions["vertex"], region & (true == VERTEX)) > 0.75


def test_a_picture_taken_the_other_way_round_has_its_zones_turned():
    segmentation, focal, true, _ = head(12, "vertex", (4.0, 0.0, 5.0))
    flipped = turned(segmentation)
    region = scalp_region(flipped, max_incidence_deg=60.0)
    found = find_zones(flipped, region, view="vertex", focal_px=focal, forehead="bottom")
    assert _iou(found.regions["vertex"], region & (true[::-1, ::-1] == VERTEX)) > 0.75


@pytest.mark.parametrize(
    ("upright", "other", "stated", "code"),
    [
        (10.0, 11.0, "", "forehead_unknown"),
        (11.0, 10.0, "", "forehead_unknown"),
        (10.0, 16.5, "", "forehead_unknown"),
        (10.0, 14.5, "bottom", "forehead_contradicted"),
        (14.5, 10.0, "top", "forehead_contradicted"),
        (21.0, 22.0, "top", "no_head_frame"),
    ],
)
def test_from_above_the_zone_is_withheld_where_the_forehead_is_not_known(
    monkeypatch, upright, other, stated, code
):
    monkeypatch.setattr(finding_module, "fit_frame", lambda *_: _frame(upright))
    monkeypatch.setattr(finding_module, "fit_upside_down", lambda *_: _frame(other))
    segmentation, focal, _, _ = head(12, "vertex", (4.0, 0.0, 5.0))
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="vertex", focal_px=focal, forehead=stated)
    assert found.regions == {}
    assert found.withheld["vertex"].code == code


@pytest.mark.parametrize(("upright", "other"), [(10.0, 14.5), (10.0, 10.0), (13.0, 10.0)])
def test_from_above_a_statement_is_enough_where_the_fit_does_not_contradict_it(
    monkeypatch, upright, other
):
    monkeypatch.setattr(finding_module, "fit_frame", lambda *_: _frame(upright))
    monkeypatch.setattr(finding_module, "fit_upside_down", lambda *_: _frame(other))
    segmentation, focal, _, _ = head(12, "vertex", (4.0, 0.0, 5.0))
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="vertex", focal_px=focal, forehead="top")
    assert list(found.regions) == ["vertex"]


def test_a_zone_of_which_little_is_seen_is_withheld():
    segmentation, focal, true, _ = head(11, "occipital", (5.0, 3.0, -4.0))
    region = scalp_region(segmentation, max_incidence_deg=60.0) & (true == OCCIPITAL)
    found = find_zones(segmentation, region, view="occipital", focal_px=focal)
    assert list(found.regions) == ["occipital"]
    assert found.withheld["vertex"].code == "zone_too_small"
    assert found.withheld["vertex"].message.endswith("; 40 % are needed.")


def test_a_scalp_that_has_not_the_shape_of_a_head_gives_no_zone():
    segmentation, focal, _, _ = head(11, "left-temporal")
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="occipital", focal_px=focal)
    assert found.regions == {}
    assert found.withheld["occipital"].code == "no_head_frame"


def test_a_view_whose_camera_position_is_not_known_has_no_zones():
    segmentation, focal, _, _ = head(11, "occipital")
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view="donor area", focal_px=focal)
    assert (found.regions, found.withheld) == ({}, {})


@pytest.mark.parametrize("view", ["frontal", "left-temporal", "right-temporal", "mid-pattern"])
def test_views_whose_borders_could_not_be_told_say_so(view):
    segmentation, focal, _, _ = head(11, view)
    region = scalp_region(segmentation, max_incidence_deg=60.0)
    found = find_zones(segmentation, region, view=view, focal_px=focal)
    assert view not in OFFERED
    assert found.regions == {}
    assert {reason.code for reason in found.withheld.values()} == {"border_uncertain"}
