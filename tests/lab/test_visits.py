"""Another photograph of a person of the fast renderer: the same head, other hair and light."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lab.phantom.covisible import covisible_coverage, read_dense_truth
from lab.strands.camera import held_anew, look
from lab.strands.hair import sample_style
from lab.strands.head import FACE, NOTHING, SCALP
from lab.strands.light import sample_lighting
from lab.strands.scene import (
    Visit,
    _carried,
    _wetted,
    camera_of,
    head_and_camera_of,
    is_plain,
    render,
    view_of,
)
from lab.strands.visits import (
    DATES,
    RETEST,
    RETEST_VIEWS,
    retested,
    visits_of,
    wanted,
    write,
)

SIZE = 128
SEED = next(seed for seed in range(950_001, 950_100) if wanted(seed))


def _seen(scene):
    return scene.region & (scene.cosine > 0.5)


def test_a_visit_shows_the_same_head_with_hair_and_light_drawn_anew() -> None:
    first, again = (render(SEED, SIZE, Visit(number)) for number in (1, 2))
    np.testing.assert_array_equal(first.surface.label, again.surface.label)
    np.testing.assert_array_equal(first.cosine, again.cosine)
    common = _seen(first) & _seen(again)
    assert np.abs(first.fraction - again.fraction)[common].mean() > 0.02
    assert abs(first.fraction[common].mean() - again.fraction[common].mean()) < 0.05
    same = render(SEED, SIZE, Visit(1))
    np.testing.assert_array_equal(same.light, first.light)


def test_fewer_hairs_cover_less() -> None:
    first, fewer = (render(SEED, SIZE, Visit(1, kept)) for kept in (1.0, 0.3))
    common = _seen(first) & _seen(fewer)
    assert fewer.fraction[common].mean() < first.fraction[common].mean() - 0.03


def test_what_is_written_is_read_as_truth_of_one_surface(tmp_path) -> None:
    scenes = [render(SEED, SIZE, visit) for visit in visits_of(SEED)]
    for scene, visit, date in zip(scenes, visits_of(SEED), DATES, strict=True):
        write(scene, visit, tmp_path / date)
    truths = [read_dense_truth(tmp_path / date) for date in DATES]
    common = np.logical_and.reduce([_seen(scene) for scene in scenes])
    for scene, found in zip(scenes, covisible_coverage(truths), strict=True):
        assert found["region_px"] == pytest.approx(common.sum(), rel=0.02)
        assert found["coverage_fraction"] == pytest.approx(scene.fraction[common].mean(), abs=0.01)
    record = json.loads((tmp_path / f"{DATES[2]}.json").read_text(encoding="utf-8"))
    assert record["kept"] == visits_of(SEED)[2].kept != 1


def test_what_lies_on_the_scalp_is_not_seen(tmp_path) -> None:
    scene = render(SEED, SIZE, Visit(1))
    open_half = scene.region & (np.arange(SIZE) < SIZE // 2)
    write(replace(scene, region=open_half), Visit(1), tmp_path / "2024-01-01")
    np.testing.assert_array_equal(
        read_dense_truth(tmp_path / "2024-01-01").region, open_half & (scene.cosine > 0.5)
    )


def test_wet_hair_is_another_photograph_of_the_same_head() -> None:
    dry, wet = (render(SEED, SIZE, Visit(1, wet=wet)) for wet in (False, True))
    np.testing.assert_array_equal(dry.surface.label, wet.surface.label)
    assert np.abs(wet.light - dry.light)[_seen(dry)].mean() > 0.01


def test_water_changes_how_hair_lies_and_not_how_much_of_it_there_is() -> None:
    rng = np.random.default_rng(1)
    style, lighting = sample_style(rng), sample_lighting(rng, camera_of(SEED), plain=True)
    (dry, _), (wet, shone) = (_wetted(style, lighting, wet=wet) for wet in (False, True))
    assert (dry.clump, wet.clump) == (0, 0.95)
    assert (wet.count, wet.length_mm, wet.calibre_mm) == (dry.count, dry.length_mm, dry.calibre_mm)
    assert (wet.rgb < dry.rgb).all()
    assert shone.hair_shine >= 0.4


def test_a_head_that_is_posed_anew_is_the_same_head_from_nearly_the_same_place() -> None:
    first, again, other = (render(SEED, SIZE, visit) for visit in RETEST)
    turn = Rotation.from_matrix(first.camera.axes.T @ again.camera.axes).magnitude()
    assert 0.5 < np.degrees(turn) < 25
    for scene in (again, other):
        xy, _ = scene.camera.project(first.surface.point_mm)
        column, row = (np.clip(np.round(xy[..., axis]), 0, SIZE - 1).astype(int) for axis in (0, 1))
        there = (first.surface.label > 0) & (first.cosine > 0.7)
        assert (scene.surface.label[row, column] == first.surface.label)[there].mean() > 0.9
    assert not first.region[first.surface.label != SCALP].any()


def test_the_skin_of_a_head_that_is_posed_anew_carries_its_marks() -> None:
    head, camera = head_and_camera_of(SEED, SIZE)
    moved = held_anew(np.random.default_rng(3), camera)
    before, after = look(head, camera), look(head, moved)
    painted = np.sin(before.point_mm / 9).astype(np.float32)
    carried = _carried(painted, before, camera, after, np.full_like(painted, 9))
    seen = (after.label == SCALP) & (after.cosine > 0.7) & (carried[..., 0] < 2)
    assert seen.sum() > 500
    expected = np.sin(after.point_mm / 9)
    assert np.abs(carried - expected)[seen].max() < 0.25
    assert (carried[after.label == NOTHING] == 9).all()


def test_light_that_is_still_there_is_the_same_light() -> None:
    shades = []
    for visit in (Visit(1), Visit(2, light_of=1), Visit(2)):
        scene = render(SEED, SIZE, visit)
        bare = (scene.classes == 3) & (scene.surface.label == FACE)
        shades.append((scene.light, bare))
    common = np.logical_and.reduce([bare for _, bare in shades])
    assert common.sum() > 20
    first, same, other = (np.median(light[common], axis=0) for light, _ in shades)
    assert np.abs(np.log(same / first)).max() < 0.1
    assert np.abs(np.log(other / first)).max() > 0.15


def test_only_people_taken_as_the_protocol_asks_are_retested() -> None:
    chosen = [seed for seed in range(990_001, 990_030) if retested(seed)]
    assert len(chosen) >= 5
    for seed in chosen:
        assert is_plain(seed)
        assert view_of(seed) in RETEST_VIEWS
    assert any(is_plain(seed) for seed in range(990_001, 990_030) if seed not in chosen)
    assert not all(is_plain(seed) for seed in range(990_001, 990_030))


def test_the_head_turns_in_front_of_the_camera() -> None:
    _, camera = head_and_camera_of(SEED, SIZE)
    moved = held_anew(np.random.default_rng(3), camera)
    head, before = (-each.axes @ each.position_mm for each in (moved, camera))
    np.testing.assert_allclose(
        head / np.linalg.norm(head), before / np.linalg.norm(before), atol=1e-5
    )
    assert 0.8 < np.linalg.norm(head) / np.linalg.norm(before) < 1.25
    assert (moved.size, moved.view, moved.focal_px) == (camera.size, camera.view, camera.focal_px)
