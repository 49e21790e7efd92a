"""The phantom's NumPy parts; nothing here needs Blender."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from lab.phantom.covisible import DenseTruth, covisible_coverage, project
from lab.phantom.datasets import bench_specs, dev_specs
from lab.phantom.hair import carries_hair, grow
from lab.phantom.head import (
    SCALP,
    ZONE_NAMES,
    RadiusTable,
    build_parts,
    is_scalp,
    radius,
    sample_head_shape,
    surface_normals,
    unit,
)
from lab.phantom.phone import develop, write_photograph
from lab.phantom.samples import sample_specs
from lab.phantom.subject import Subject, sample_follicles, sample_subject, stream
from lab.phantom.truth import Surface, region_classes, trace_surface, true_coverage
from lab.phantom.visit import VIEW_TARGETS, camera_of, sample_visit

BALD = {"pattern": "male-vertex", "severity": 0.9, "curl": "straight", "density_per_cm2": 20.0}


def directions(count: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, 3)))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return sample_subject(3, BALD)


def test_no_module_of_the_phantom_imports_blender_before_it_renders():
    program = (
        "import sys, lab.phantom.scene, lab.phantom.render, lab.phantom.__main__;"
        "sys.exit('bpy' in sys.modules or 'mathutils' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_same_seeds_give_the_same_hair_and_other_seeds_do_not(subject):
    visit = sample_visit(5)
    first = grow(subject, visit, sample_follicles(subject))
    again_subject = sample_subject(3, BALD)
    again = grow(again_subject, sample_visit(5), sample_follicles(again_subject))
    np.testing.assert_array_equal(first.points, again.points)
    other = sample_follicles(sample_subject(4, BALD))
    assert len(other.rank) != len(first.follicle)


def test_hair_is_the_same_whatever_the_order_of_the_streams():
    value = stream(9, "follicles").random()
    stream(9, "traits").random(1000)
    assert stream(9, "follicles").random() == value
    assert stream(9, "traits").random() != value


def test_a_milder_visit_keeps_every_hair_of_a_more_severe_one(subject):
    follicles = sample_follicles(subject)
    severe = carries_hair(subject, sample_visit(1), follicles)
    mild = carries_hair(subject, sample_visit(2, {"severity_change": -0.3}), follicles)
    assert not np.any(severe & ~mild)
    assert mild.sum() > severe.sum() * 1.02


def test_hair_starts_on_the_scalp_and_stays_outside_the_head(subject):
    strands = grow(subject, sample_visit(1), sample_follicles(subject))
    points = strands.points.astype(float)
    root = points[:, 0]
    assert is_scalp(subject.shape, unit(root)).mean() > 0.999
    rest = points[:, 1:].reshape(-1, 3)
    height = np.linalg.norm(rest, axis=1) - RadiusTable.of(subject.shape)(unit(rest))
    assert height.min() > -0.001
    assert np.percentile(height, 99) < 2.0


def test_strands_have_the_length_of_the_visit(subject):
    visit = sample_visit(1, {"length_cm": 2.0, "lock_strength": 0.0})
    follicles = sample_follicles(subject)
    strands = grow(subject, visit, follicles)
    length = np.linalg.norm(np.diff(strands.points, axis=1), axis=2).sum(axis=1)
    wanted = 2.0 * follicles.growth[strands.follicle]
    assert np.median(length / wanted) == pytest.approx(1.0, abs=0.08)


def test_the_head_is_not_an_ellipsoid_but_has_the_size_of_a_head():
    for seed in range(4):
        shape = sample_head_shape(stream(seed, "shape"))
        d = directions(4000)
        points = d * radius(shape, d)[:, None]
        upper = points[points[:, 2] > 0]
        design = upper**2
        solution, *_ = np.linalg.lstsq(design, np.ones(len(design)), rcond=None)
        off = np.abs(1.0 / np.sqrt(design @ solution) - 1.0) * np.linalg.norm(upper, axis=1)
        assert off.mean() > 0.05
        width = 2.0 * radius(shape, np.array([[1.0, 0.0, 0.0]]))[0]
        assert 14.0 < width < 17.0


def test_normals_are_those_of_the_tabulated_surface():
    shape = sample_head_shape(stream(1, "shape"))
    d = directions(300)
    d = d[d[:, 2] > 0.2]
    normals = surface_normals(shape, d)
    h = 1e-3
    nearby = unit(d + h * unit(np.cross(d, [0.0, 0.0, 1.0])))
    step = nearby * radius(shape, nearby)[:, None] - d * radius(shape, d)[:, None]
    assert np.abs(np.sum(unit(step) * normals, axis=1)).max() < 0.01


def test_the_mature_hairline_lies_six_to_eight_centimetres_above_the_brows():
    for seed in range(6):
        shape = sample_head_shape(stream(seed, "shape"))
        elevation = np.radians(np.linspace(0.0, 85.0, 2000))
        d = np.stack([np.zeros_like(elevation), np.cos(elevation), np.sin(elevation)], axis=1)
        points = d * radius(shape, d)[:, None]
        first = int(np.argmax(is_scalp(shape, d)))
        brow = int(np.argmax(points[:, 2] > 0.8))
        arc = np.linalg.norm(np.diff(points[brow : first + 1], axis=0), axis=1).sum()
        assert 6.0 < arc < 8.0
        assert arc == pytest.approx(shape.hairline_arc_cm, abs=0.2)


def test_the_optical_axis_meets_the_middle_of_the_picture():
    straight = {"rotation_deg": (0.0, 0.0, 0.0), "shift_cm": (0.0, 0.0), "view": "vertex"}
    camera = camera_of(sample_visit(1, straight), width=150, height=200)
    middle, _ = camera.project(np.array([VIEW_TARGETS["vertex"]]))
    np.testing.assert_allclose(middle, [[74.5, 99.5]], atol=1e-9)


def test_every_pixel_knows_the_point_that_it_sees(subject):
    visit = sample_visit(2)
    camera = camera_of(visit, width=150, height=200)
    parts = build_parts(subject.shape)
    surface = trace_surface(subject.shape, parts, camera)
    rows, columns = np.nonzero(surface.label == SCALP)
    assert len(rows) > 4000
    points = surface.position[rows, columns].astype(float)
    back, _ = camera.project(points)
    np.testing.assert_allclose(back, np.stack([columns, rows], axis=1), atol=0.01)
    exact = radius(subject.shape, unit(points))
    assert np.abs(np.linalg.norm(points, axis=1) - exact).max() < 0.02
    towards = unit(camera.position - points)
    normals = surface_normals(subject.shape, unit(points))
    assert np.sum(towards * normals, axis=1).min() > -0.05


def test_the_nearest_surface_wins(subject):
    camera = camera_of(sample_visit(2, {"view": "frontal"}), width=150, height=200)
    surface = trace_surface(subject.shape, build_parts(subject.shape), camera)
    points = surface.position[surface.label == SCALP].astype(float)
    depth = camera.project(points)[1]
    centre = camera.project(np.zeros((1, 3)))[1][0]
    assert np.all(depth < centre + 3.0)


def test_two_photographs_agree_on_where_a_point_is(subject):
    parts = build_parts(subject.shape)
    cameras = [camera_of(sample_visit(seed), width=150, height=200) for seed in (11, 12)]
    first, second = (trace_surface(subject.shape, parts, camera) for camera in cameras)
    mask = (first.label == SCALP) & (first.incidence_cosine > 0.7)
    points = first.position[mask].astype(float)
    xy = np.round(cameras[1].project(points)[0]).astype(int)
    seen = second.position[xy[:, 1], xy[:, 0]]
    distance = np.linalg.norm(seen - points, axis=1)
    assert np.median(distance) < 0.12


def test_classes_follow_the_design():
    label = np.array([[0, 1, 2, 3, 4, 5, 1, 0]], dtype=np.uint8)
    surface = Surface(
        np.zeros((1, 8, 3), np.float32), label, np.zeros((1, 8), np.uint8), np.ones((1, 8))
    )
    fraction = np.array([[0.0, 0.49, 0, 0, 0, 0, 0.5, 1.0]], dtype=np.float32)
    assert region_classes(surface, fraction).tolist() == [[0, 1, 3, 3, 3, 4, 2, 2]]


def test_true_coverage_counts_only_scalp_seen_at_less_than_sixty_degrees():
    label = np.array([[1, 1, 1, 2]], dtype=np.uint8)
    zone = np.array([[3, 3, 1, 0]], dtype=np.uint8)
    cosine = np.array([[0.9, 0.49, 0.51, 1.0]], dtype=np.float32)
    surface = Surface(np.zeros((1, 4, 3), np.float32), label, zone, cosine)
    fraction = np.array([[0.25, 1.0, 0.75, 1.0]], dtype=np.float32)
    coverage = true_coverage(surface, fraction)
    assert coverage["scalp"] == {"region_px": 2, "hair_px": 1.0, "coverage_fraction": 0.5}
    assert coverage["vertex"]["coverage_fraction"] == 0.25
    assert coverage["occipital"]["coverage_fraction"] is None
    assert set(coverage) == {"scalp", *ZONE_NAMES[1:]}


def test_covisible_region_leaves_out_what_one_photograph_does_not_see(subject):
    parts = build_parts(subject.shape)
    series = []
    for seed, turn in ((21, (0.0, -20.0, 0.0)), (22, (0.0, 20.0, 0.0))):
        camera = camera_of(sample_visit(seed, {"rotation_deg": turn}), width=150, height=200)
        surface = trace_surface(subject.shape, parts, camera)
        record = {
            "camera": {
                "focal_px": camera.focal_px,
                "cx": camera.cx,
                "cy": camera.cy,
                "camera_from_head_rotation": camera.rotation.tolist(),
                "camera_from_head_translation_cm": camera.translation.tolist(),
            }
        }
        region = (surface.label == SCALP) & (surface.incidence_cosine > 0.5)
        hair = (surface.position[..., 0] > 0).astype(np.float32)
        series.append(DenseTruth(record, surface.position, region, hair))
        points = surface.position[region].astype(float)
        np.testing.assert_allclose(project(record, points), camera.project(points)[0], atol=1e-6)
    coverage = covisible_coverage(series)
    for one, result in zip(series, coverage, strict=True):
        assert 0.3 * one.region.sum() < result["region_px"] < 0.9 * one.region.sum()
    own = [one.hair_fraction[one.region].mean() for one in series]
    common = [result["coverage_fraction"] for result in coverage]
    assert abs(common[0] - common[1]) < 0.5 * abs(own[0] - own[1])


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_photograph_is_upright_once_its_orientation_is_applied(tmp_path, orientation):
    visit = sample_visit(1, {"orientation": orientation, "date": "2024-05-06", "focal_35mm": 56.0})
    picture = np.zeros((60, 40, 3), dtype=np.uint8)
    picture[:20, :10] = 255
    write_photograph(tmp_path / "a.jpg", picture, visit)
    with Image.open(tmp_path / "a.jpg") as stored:
        exif = stored.getexif()
        upright = np.asarray(ImageOps.exif_transpose(stored))
        assert stored.size == ((40, 60) if orientation == 1 else (60, 40))
    details = exif.get_ifd(0x8769)
    assert details[0x9003].startswith("2024:05:06 ")
    assert details[0xA405] == 56
    assert (exif[0x010F], exif[0x0110]) == ("Phantom", "P1")
    assert upright.shape == (60, 40, 3)
    assert upright[:18, :8].mean() > 200
    assert upright[30:].mean() < 20


def test_a_darker_head_stays_darker_and_blur_removes_detail():
    rng = np.random.default_rng(0)
    scene = (0.1 * rng.uniform(0.5, 1.5, (80, 60, 1)) * np.ones(3)).astype(np.float32)
    visit = sample_visit(1, {"noise": 0.0})
    light, dark = develop(scene, visit), develop(scene * 0.2, visit)
    assert light.mean() > dark.mean() + 10
    assert dark.mean() > light.mean() * 0.3
    blurred = develop(scene, sample_visit(1, {"noise": 0.0, "blur_px": 5.0, "motion_px": 30.0}))
    assert blurred.std() < 0.3 * light.std()


def test_unknown_names_are_refused_with_what_is_known():
    with pytest.raises(ValueError, match=r"unknown subject fields \['colour'\]"):
        sample_subject(1, {"colour": "green"})
    with pytest.raises(ValueError, match="pattern is 'moth-eaten'"):
        sample_subject(1, {"pattern": "moth-eaten"})
    with pytest.raises(ValueError, match="view is 'below'"):
        sample_visit(1, {"view": "below"})


def test_benchmark_subjects_are_used_nowhere_else():
    bench = {spec.subject_seed for spec in bench_specs()}
    others = {spec.subject_seed for spec in [*dev_specs(), *sample_specs()]}
    assert not bench & others
    for specs in (bench_specs(), dev_specs(), sample_specs()):
        names = [spec.name for spec in specs]
        assert len(set(names)) == len(names)
        for spec in specs:
            sample_subject(spec.subject_seed, spec.subject)
            sample_visit(spec.visit_seed, spec.visit)
            json.dumps(spec.visit)
