"""The fast renderer: exact coverage, occlusion, anatomy, and the same picture per seed."""

from dataclasses import replace

import numpy as np
import pytest

from lab.strands.camera import Camera, Surface, look, sample_camera
from lab.strands.develop import decode_light, develop, encode_light
from lab.strands.draw import draw_strands
from lab.strands.hair import Strands, fuller, grow, sample_style
from lab.strands.head import FACE, SCALP, sample_head
from lab.strands.light import Lighting
from lab.strands.noise import Volume
from lab.strands.scene import LONG_MM, NO_HEAD_SHARE, has_long_sparse_hair, render
from lab.strands.shards import pack, read_shard, unpack_code, write_shard
from lab.strands.views import view_seen

SIZE = 96


def camera_at(x: float, y: float, z: float, span: float = 0.6) -> Camera:
    """A camera that looks at the origin, with the head `span` of the picture wide."""
    position = np.array([x, y, z], np.float32)
    forward = -position / np.linalg.norm(position)
    up = np.array([0.0, 0, 1]) if abs(forward[2]) < 0.9 else np.array([0.0, 1, 0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward]).astype(np.float32)
    focal = span * SIZE * float(np.linalg.norm(position)) / 172
    return Camera(position, axes, focal, np.full(2, (SIZE - 1) / 2, np.float32), SIZE, "any")


def lighting() -> Lighting:
    one = np.ones(3, np.float32)
    up = np.array([0, 0, 1], np.float32)
    return Lighting(up[None], one[None] * 0.5, one * 0.5, up, 0.2, 0.1, 20.0)


def nothing(depth_mm: float) -> Surface:
    """A wall at a given depth."""
    flat = np.full((SIZE, SIZE), depth_mm, np.float32)
    space = np.zeros((SIZE, SIZE, 3), np.float32)
    return Surface(np.zeros((SIZE, SIZE), np.uint8), flat, space, space, flat * 0)


def bars(width_mm: float, count: int = 1) -> Strands:
    """Straight parallel strands 100 mm long through the origin, across the line of sight."""
    x = np.linspace(-60, 60, count + 2)[1:-1]
    points = np.zeros((count, 11, 3), np.float32)
    points[..., 0] = x[:, None]
    points[..., 2] = np.linspace(-50, 50, 11)
    normal = np.tile(np.array([0, 1, 0], np.float32), (count, 1))
    rgb = np.full((count, 3), 0.2, np.float32)
    return Strands(points, np.full(count, width_mm, np.float32), rgb, normal)


def drawn_area(width_mm: float, wall_mm: float = 2000.0) -> float:
    """Area in mm2 that 40 strands cover."""
    camera = camera_at(0, 1000, 0)
    layer = draw_strands(
        np.random.default_rng(0), camera, nothing(wall_mm), lighting(), bars(width_mm, 40)
    )
    return float(layer.fraction.sum()) * camera.mm_per_px**2


@pytest.mark.parametrize("width_mm", [0.1, 0.5, 1.0, 3.0])
def test_strands_cover_their_length_times_their_width(width_mm: float) -> None:
    # Strands stand apart or abut (40 within 120 mm), so areas add; the ends are square or round.
    expected = 40 * 100 * min(width_mm, 120 / 41)
    assert drawn_area(width_mm) == pytest.approx(expected, rel=0.12)


def test_strands_behind_a_surface_are_not_seen() -> None:
    assert drawn_area(1.0, wall_mm=900.0) == 0


def test_hair_light_is_hair_colour_times_fraction() -> None:
    camera = camera_at(0, 1000, 0)
    layer = draw_strands(
        np.random.default_rng(0), camera, nothing(2000), lighting(), bars(2.0, 30), groups=1
    )
    assert layer.light[layer.fraction == 0].max() == 0
    assert layer.light[layer.fraction > 0.9].min() > 0


def test_the_crown_is_scalp_and_the_face_is_not() -> None:
    for seed in range(4):
        head = sample_head(np.random.default_rng(seed))
        above = look(head, camera_at(0, -1, 900))
        middle = above.label[SIZE // 2 - 3 : SIZE // 2 + 3, SIZE // 2 - 3 : SIZE // 2 + 3]
        assert (middle == SCALP).all()
        face = look(head, camera_at(0, 900, 0))
        middle = face.label[SIZE // 2 - 3 : SIZE // 2 + 3, SIZE // 2 - 3 : SIZE // 2 + 3]
        assert (middle != SCALP).all()
        assert (middle != 0).all()


def test_incidence_is_one_where_the_surface_faces_the_camera() -> None:
    surface = look(sample_head(np.random.default_rng(1)), camera_at(0, -1, 900))
    on = surface.label == SCALP
    assert surface.cosine[on].max() > 0.98
    assert surface.cosine.min() >= 0
    assert surface.cosine.max() <= 1


def test_same_seed_same_picture_and_other_seed_another() -> None:
    first, again, other = render(11, SIZE), render(11, SIZE), render(12, SIZE)
    assert np.array_equal(first.light, again.light)
    assert np.array_equal(first.fraction, again.fraction)
    assert first.facts == again.facts
    assert not np.array_equal(first.light, other.light)


def test_truth_is_consistent() -> None:
    empty = 0
    for seed in range(12):
        scene = render(seed, SIZE)
        assert scene.fraction.min() >= 0
        assert scene.fraction.max() <= 1
        assert set(np.unique(scene.classes)) <= {0, 1, 2, 3, 4}
        bare = scene.classes == 1
        assert not bare.any() or scene.fraction[bare].max() < 0.5
        assert (scene.fraction[scene.classes == 2] >= 0.5).all()
        assert np.isin(scene.classes[scene.region], (1, 2)).all()
        assert np.isfinite(scene.light).all()
        if scene.facts["view"] == "none":
            empty += 1
            assert not scene.region.any()
            assert scene.fraction.sum() == 0
    assert empty <= 12 * NO_HEAD_SHARE * 5


def test_shard_keeps_pictures_and_truth(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 2)
    path = write_shard(tmp_path, 3, SIZE)
    stored = list(read_shard(path))
    assert [facts["seed"] for _, _, facts in stored] == [6, 7]
    scene = render(7, SIZE)
    light, _ = pack(scene)
    assert np.array_equal(stored[1][0], light)
    classes, region = unpack_code(stored[1][1][..., 1])
    assert np.array_equal(classes, scene.classes)
    assert np.array_equal(region, scene.region)
    assert np.abs(stored[1][1][..., 0] / 255 - scene.fraction).max() < 0.003
    before = path.stat().st_mtime_ns
    write_shard(tmp_path, 3, SIZE)
    assert path.stat().st_mtime_ns == before


def test_long_sparse_hair_is_foretold() -> None:
    found = [seed for seed in range(60) if has_long_sparse_hair(seed, SIZE)]
    assert 1 <= len(found) <= 12
    for scene in (render(seed, SIZE) for seed in found):
        assert float(scene.facts["length_mm"]) > LONG_MM
        assert float(scene.facts["coverage"]) < 0.75
    rest = [render(seed, SIZE).facts for seed in range(12) if seed not in found]
    assert max(float(facts["length_mm"]) for facts in rest) > LONG_MM


def test_light_code_keeps_shadows_and_glare() -> None:
    light = np.geomspace(0.004, 2.0, 50, dtype=np.float32)[None, :, None].repeat(3, -1)
    back = decode_light(encode_light(light))
    assert np.abs(back / light - 1).max() < 0.08
    assert decode_light(encode_light(light * 0 + 9)).max() == pytest.approx(2.0)


def test_developing_is_repeatable_and_eight_bit() -> None:
    light = render(5, SIZE).light
    first = develop(np.random.default_rng(1), light)
    assert first.dtype == np.uint8
    assert first.shape == light.shape
    assert np.array_equal(first, develop(np.random.default_rng(1), light))
    assert not np.array_equal(first, develop(np.random.default_rng(2), light))


def test_plain_pictures_mostly_show_the_whole_head_upright() -> None:
    turned = cut = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        head, camera = sample_head(rng), sample_camera(rng, SIZE, plain=True)
        if camera.view == "portrait":  # Of a person, not of a scalp.
            continue
        scalp = look(head, camera).label == SCALP
        assert scalp.mean() > 0.05
        cut += bool(np.concatenate([scalp[0], scalp[-1], scalp[:, 0], scalp[:, -1]]).any())
        if camera.view in ("frontal", "temporal", "occipital"):
            turned += bool(camera.axes[1] @ np.array([0, 0, -1.0]) < 0.5)
    assert cut <= 20
    assert turned <= 6


def test_a_portrait_shows_a_person_from_the_height_of_the_face() -> None:
    seen, spans = 0, []
    for seed in range(80):
        camera = sample_camera(np.random.default_rng(seed), SIZE, plain=seed % 2 == 0)
        if camera.view != "portrait":
            continue
        seen += 1
        away = camera.position_mm / np.linalg.norm(camera.position_mm)
        assert away[2] < 0.7
        spans.append(172 / camera.mm_per_px / SIZE)
    assert seen > 8
    assert min(spans) < 0.3 < 0.5 < max(spans)


def test_a_fade_is_short_at_the_sides_and_long_on_top() -> None:
    rng = np.random.default_rng(4)
    head, volume = sample_head(rng), Volume(rng)
    style = replace(sample_style(rng), length_mm=40.0, curl_mm=0.0, clump=0.0, side_share=0.2)
    high, low = np.array([[0, 0, 110]] * 200), np.array([[80, 0, -10]] * 200)
    roots = np.concatenate([high, low]).astype(np.float32)
    normal = (roots / np.linalg.norm(roots, axis=1, keepdims=True)).astype(np.float32)
    points = grow(rng, head, style, roots, normal, np.ones(400, np.float32), volume).points_mm
    length = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(1)
    assert 0.1 < np.median(length[200:]) / np.median(length[:200]) < 0.35


def test_hair_with_volume_stands_off_from_the_head_and_other_hair_does_not_change() -> None:
    found = {}
    for volume_mm in (0.0, 25.0):
        rng = np.random.default_rng(4)
        head, volume = sample_head(rng), Volume(rng)
        style = replace(
            sample_style(rng), length_mm=80.0, curl_mm=0.0, clump=0.0, volume_mm=volume_mm
        )
        roots = np.repeat(np.array([[0, 0, 110]], np.float32), 300, 0)
        normal = np.repeat(np.array([[0, 0, 1]], np.float32), 300, 0)
        points = grow(rng, head, style, roots, normal, np.ones(300, np.float32), volume).points_mm
        row, column, far = head.cells(points[:, 2])
        found[volume_mm] = far - head.radius_mm[row, column]
    assert np.percentile(found[25.0], 90) > np.percentile(found[0.0], 90) + 8


def test_volume_is_given_to_some_long_hair_and_to_no_stubble() -> None:
    short, long = (
        [
            fuller(
                rng, replace(sample_style(rng), length_mm=length, curl_mm=0.0), longer_share=0.0
            ).volume_mm
            for rng in map(np.random.default_rng, range(40))
        ]
        for length in (5.0, 90.0)
    )
    assert max(short) == 0
    assert 0.2 < np.mean(np.array(long) > 0) < 0.8
    assert max(long) <= 0.35 * 90


@pytest.mark.parametrize(("x", "view"), [(600.0, "right-temporal"), (-600.0, "left-temporal")])
def test_the_subjects_right_side_has_the_face_at_the_right_of_the_picture(x, view):
    camera = camera_at(x, 60.0, 120.0)
    label = look(sample_head(np.random.default_rng(4)), camera).label
    face, scalp = (np.argwhere(label == part)[:, 1].mean() for part in (FACE, SCALP))
    assert (face > scalp + 5) if view == "right-temporal" else (face < scalp - 5)
    assert view_seen(camera) == view
