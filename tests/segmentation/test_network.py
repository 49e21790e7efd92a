"""The shipped network: verified, repeatable, and silent where there is no head."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from scalptrack.errors import HeadNotFoundError, ModelError
from scalptrack.images import read_photograph
from scalptrack.segmentation import NetworkSegmenter, crops, network
from scalptrack.segmentation.maps import (
    COSINE_CHANNEL,
    DOUBT_CHANNEL,
    FRACTION_CHANNEL,
    SCALP_CHANNEL,
)
from scalptrack.segmentation.perturb import RECIPES, perturbed
from scalptrack.segmentation.uncertainty import PER_FORETOLD_HAIR, doubt_of
from scalptrack.single import photograph_maps


@pytest.fixture(scope="module")
def segmenter() -> NetworkSegmenter:
    return NetworkSegmenter()


@pytest.fixture(scope="module")
def photograph(samples) -> np.ndarray:
    path = sorted((samples / "subject-03" / "vertex").glob("2024-06-03*.jpg"))[0]
    return read_photograph(path)[0]


@pytest.fixture
def model_copy(tmp_path, monkeypatch):
    for path in network.MODEL_FOLDER.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    monkeypatch.setattr(network, "MODEL_FOLDER", tmp_path)
    network.model_checksum.cache_clear()
    yield tmp_path
    network.model_checksum.cache_clear()


def test_the_checksum_is_that_of_the_models_list(model_copy):
    content = (model_copy / "CHECKSUM").read_bytes()
    assert network.model_checksum() == hashlib.sha256(content).hexdigest()
    assert [line.split()[1] for line in content.decode().splitlines()] == [*network.MODEL_NAMES]


@pytest.mark.parametrize("name", network.MODEL_NAMES)
def test_a_changed_model_is_refused(model_copy, name):
    path = model_copy / name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=f"{name} is not the released one"):
        NetworkSegmenter()


@pytest.mark.parametrize("name", network.MODEL_NAMES)
def test_a_missing_model_is_refused(model_copy, name):
    (model_copy / name).unlink()
    with pytest.raises(ModelError, match="missing"):
        NetworkSegmenter()


def test_maps_lie_on_one_grid_and_keep_their_ranges(segmenter, photograph):
    found = segmenter.segment(photograph)
    shape = (found.grid.height, found.grid.width)
    for array in (found.hair_fraction, found.classes, found.scalp, found.incidence_cosine):
        assert array.shape == shape
    assert found.hair_fraction.dtype == np.float32
    assert 0 <= found.hair_fraction.min() <= found.hair_fraction.max() <= 1
    assert found.photograph_shape == photograph.shape[:2]
    assert found.scalp.mean() > 0.1


def test_the_same_photograph_gives_the_same_bytes(segmenter, photograph):
    first, second = segmenter.segment(photograph), NetworkSegmenter().segment(photograph)
    np.testing.assert_array_equal(first.hair_fraction, second.hair_fraction)
    assert first.grid == second.grid


def test_what_was_segmented_before_changes_nothing(photograph):
    segmenter, small = NetworkSegmenter(), cv2.resize(photograph, None, fx=0.6, fy=0.6)
    sides = {crops.finer_side(segmenter.find_head(each).crop) for each in (photograph, small)}
    assert len(sides) == 2
    for picture in (photograph, small, photograph):
        expected = NetworkSegmenter().segment(picture).hair_fraction
        np.testing.assert_array_equal(segmenter.segment(picture).hair_fraction, expected)


def test_threads_that_share_a_segmenter_see_their_own_pictures(segmenter, photograph):
    pictures = [photograph, np.ascontiguousarray(photograph[:, ::-1])] * 2
    alone = [segmenter.segment(each, perturbations=2).hair_fraction for each in pictures]
    with ThreadPoolExecutor(len(pictures)) as pool:
        together = pool.map(lambda each: segmenter.segment(each, perturbations=2), pictures)
        for found, expected in zip(together, alone, strict=True):
            np.testing.assert_array_equal(found.hair_fraction, expected)


def test_more_room_around_the_head_hardly_changes_the_coverage(segmenter, photograph):
    roomy = np.pad(photograph, ((200, 200), (200, 200), (0, 0)), mode="edge")
    close, far = segmenter.segment(photograph), segmenter.segment(roomy)
    coverages = [float(each.hair_fraction[each.scalp].mean()) for each in (close, far)]
    assert coverages[0] == pytest.approx(coverages[1], abs=0.05)
    centres = [
        each.grid.to_photograph(np.argwhere(each.scalp)[:, ::-1].mean(axis=0)[np.newaxis])[0]
        for each in (close, far)
    ]
    assert centres[1] - centres[0] == pytest.approx([200, 200], abs=25)


def test_perturbation_gives_a_spread_and_none_gives_none(segmenter, photograph):
    assert segmenter.segment(photograph).coverage_sd_fraction == 0
    spread = segmenter.segment(photograph, perturbations=4).coverage_sd_fraction
    assert 0 < spread < 0.1


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.25])
def test_maps_of_a_zoomed_look_come_back_to_their_place(zoom) -> None:
    crop = crops.Crop(-37, 52, 700)
    looked = crop.zoomed(zoom)

    def ramp(grid):
        x, y = grid.photograph_points().T
        return (0.3 * x - 0.2 * y).reshape(grid.height, grid.width).astype(np.float32)

    (found,) = crops.resampled(ramp(looked.grid())[np.newaxis], looked.grid(), crop.grid())
    inner = np.s_[60:-60, 60:-60]
    np.testing.assert_allclose(found[inner], ramp(crop.grid())[inner], atol=0.02)


@pytest.mark.parametrize(
    ("own", "side"), [(200, 320), (560, 320), (655, 416), (719, 480), (760, 512), (4000, 512)]
)
def test_hair_is_looked_at_as_finely_as_the_photograph_allows(own, side) -> None:
    assert crops.finer_side(crops.Crop(0, 0, own)) == side


def test_hair_comes_from_the_second_network_and_doubt_from_both(segmenter, monkeypatch) -> None:
    sides = []

    def scalp_alone(_segmenter, picture):
        maps = _red_is_scalp(_segmenter, picture)
        maps[FRACTION_CHANNEL] = maps[DOUBT_CHANNEL] = 0.2
        return maps

    def hairy(_segmenter, picture):
        sides.append(len(picture))
        maps = np.zeros((9, *picture.shape[:2]), np.float32)
        maps[FRACTION_CHANNEL] = maps[DOUBT_CHANNEL] = 0.5
        return maps

    monkeypatch.setattr(NetworkSegmenter, "_predict", scalp_alone)
    monkeypatch.setattr(NetworkSegmenter, "_predict_hair", hairy)
    for radius, side in ((100, crops.INPUT_PX), (400, crops.FINER_PX)):
        image = np.zeros((1000, 1000, 3), np.uint8)
        cv2.circle(image, (500, 500), radius, (240, 0, 0), -1)
        found = segmenter.segment(image, perturbations=7)
        assert sides == 5 * [side]
        sides.clear()
        np.testing.assert_allclose(found.hair_fraction[found.scalp], 0.5, atol=1e-5)
        doubt = float(doubt_of(np.float32(0.2)) + doubt_of(np.float32(0.5), PER_FORETOLD_HAIR)) / 2
        np.testing.assert_allclose(found.doubt[found.scalp], doubt, atol=1e-5)
        assert found.scalp.sum() == pytest.approx(np.pi * 120**2, rel=0.1)
        assert found.coverage_sd_fraction < 1e-6  # Of looks of one network, not between both.


def test_maps_of_a_finer_picture_are_averaged() -> None:
    fine = np.random.default_rng(2).random((3, 640, 640)).astype(np.float32)
    coarse = crops.averaged(fine)
    assert coarse.shape == (3, 320, 320)
    np.testing.assert_allclose(coarse[1, 5, 7], fine[1, 10:12, 14:16].mean(), rtol=1e-6)
    assert crops.averaged(coarse) is coarse


def _red_is_scalp(_segmenter, picture):
    """Maps of a network to which red is the probability of scalp, facing the camera."""
    maps = np.zeros((9, *picture.shape[:2]), np.float32)
    maps[SCALP_CHANNEL] = picture[..., 0] / 255
    maps[1] = maps[COSINE_CHANNEL] = 1
    return maps


def test_of_several_candidates_the_likeliest_is_taken(segmenter, monkeypatch) -> None:
    monkeypatch.setattr(NetworkSegmenter, "_predict", _red_is_scalp)
    image = np.zeros((600, 900, 3), np.uint8)
    cv2.circle(image, (650, 300), 200, (200, 0, 0), -1)
    cv2.circle(image, (200, 300), 90, (240, 0, 0), -1)
    centre = _centre(segmenter.segment(image))
    assert centre == pytest.approx([200, 300], abs=5)
    image[image == 240] = 150
    assert _centre(segmenter.segment(image)) == pytest.approx([650, 300], abs=5)


def _red_scalp_of_some_size(segmenter, picture):
    """As `_red_is_scalp`, but doubtful while it fills less than a hundredth of what is seen."""
    maps = _red_is_scalp(segmenter, picture)
    if (maps[SCALP_CHANNEL] > 0.5).mean() < 0.01:
        maps[SCALP_CHANNEL] *= 0.4
    return maps


@pytest.mark.parametrize("at", [(120, 90), (880, 130), (500, 560)])
def test_a_small_head_is_found_by_looking_at_parts(segmenter, monkeypatch, at) -> None:
    monkeypatch.setattr(NetworkSegmenter, "_predict", _red_scalp_of_some_size)
    image = np.zeros((660, 1000, 3), np.uint8)
    cv2.circle(image, at, 40, (255, 0, 0), -1)
    assert _centre(segmenter.segment(image)) == pytest.approx(at, abs=3)


def test_what_lies_around_the_head_is_seen_in_a_wider_look(segmenter, monkeypatch) -> None:
    def green_is_hair(segmenter, picture):
        maps = _red_is_scalp(segmenter, picture)
        maps[FRACTION_CHANNEL] = picture[..., 1] / 255
        maps[2] = 2 * maps[FRACTION_CHANNEL]
        return maps

    monkeypatch.setattr(NetworkSegmenter, "_predict", green_is_hair)
    image = np.zeros((900, 900, 3), np.uint8)
    cv2.circle(image, (450, 300), 120, (255, 0, 0), -1)
    cv2.rectangle(image, (420, 500), (480, 620), (0, 255, 0), -1)
    fraction, classes = photograph_maps(segmenter.segment(image))
    assert fraction[510:610, 430:470].mean() == pytest.approx(1, abs=0.02)
    assert set(np.unique(classes[510:610, 430:470])) == {2}
    assert fraction[640:].max() < 0.05
    cropped = image[180:420, 330:570]
    assert segmenter.segment(cropped).surroundings is None


def _centre(found):
    """Centre of the scalp in the photograph."""
    at = np.argwhere(found.scalp)[:, ::-1].mean(axis=0)
    return found.grid.to_photograph(at[np.newaxis])[0]


@pytest.mark.parametrize(("skin_share", "refused"), [(0.5, False), (1.0, True)])
def test_what_has_skin_all_around_is_a_chin(segmenter, monkeypatch, skin_share, refused) -> None:
    def blue_is_skin(segmenter, picture):
        maps = _red_is_scalp(segmenter, picture)
        maps[3] = 2 * (picture[..., 2] / 255)
        return maps

    monkeypatch.setattr(NetworkSegmenter, "_predict", blue_is_skin)
    image = np.zeros((600, 600, 3), np.uint8)
    cv2.ellipse(image, (300, 300), (200, 200), 0, 0, 360 * skin_share, (0, 0, 255), -1)
    cv2.circle(image, (300, 300), 120, (240, 0, 0), -1)
    if refused:
        with pytest.raises(HeadNotFoundError, match=r"skin along (99|100) % of its border"):
            segmenter.segment(image)
    else:
        assert segmenter.segment(image).scalp.mean() > 0.1


def test_what_is_no_scalp_when_seen_from_farther_is_not_taken_for_one(
    segmenter, monkeypatch
) -> None:
    def chin_from_near(segmenter, picture):
        maps = _red_is_scalp(segmenter, picture)
        chin = picture[..., 0] == 250
        if chin.mean() < 0.12:
            maps[SCALP_CHANNEL][chin] = 0.02
        return maps

    monkeypatch.setattr(NetworkSegmenter, "_predict", chin_from_near)
    image = np.zeros((600, 900, 3), np.uint8)
    cv2.circle(image, (600, 420), 150, (250, 0, 0), -1)
    with pytest.raises(HeadNotFoundError, match="not certain"):
        segmenter.segment(image)
    cv2.circle(image, (200, 150), 90, (220, 0, 0), -1)
    assert _centre(segmenter.segment(image)) == pytest.approx([200, 150], abs=5)


def test_a_scalp_that_moves_from_look_to_look_is_none(segmenter, monkeypatch) -> None:
    looks = iter(range(100))

    def restless(segmenter, picture):
        maps = _red_is_scalp(segmenter, picture)
        if next(looks) > 2:
            maps[SCALP_CHANNEL] = np.roll(maps[SCALP_CHANNEL], 90, axis=1)
        return maps

    image = np.zeros((600, 600, 3), np.uint8)
    cv2.circle(image, (300, 300), 120, (240, 0, 0), -1)
    monkeypatch.setattr(NetworkSegmenter, "_predict", _red_is_scalp)
    assert segmenter.segment(image, perturbations=4).scalp.mean() > 0.1
    monkeypatch.setattr(NetworkSegmenter, "_predict", restless)
    with pytest.raises(HeadNotFoundError, match="not certain"):
        segmenter.segment(image, perturbations=4)


def test_every_look_is_different_from_the_photograph_itself() -> None:
    picture = np.random.default_rng(1).integers(40, 200, (32, 32, 3), dtype=np.uint8)
    copies = [perturbed(picture, recipe) for recipe in RECIPES]
    assert all(not np.array_equal(copy, picture) for copy in copies)
    brighter = next(recipe for recipe in RECIPES if recipe.exposure_ev > 0)
    assert perturbed(picture, brighter).mean() > picture.mean() + 5


@pytest.mark.parametrize("shape", [(64, 64), (300, 900), (1200, 800)])
def test_a_plain_wall_has_no_head(segmenter, shape):
    wall = np.full((*shape, 3), 170, np.uint8)
    with pytest.raises(HeadNotFoundError):
        segmenter.segment(wall)


def test_a_glance_shows_a_person_and_lets_nothing_be_measured(segmenter, monkeypatch) -> None:
    def coloured(_segmenter, picture):
        maps = np.zeros((9, *picture.shape[:2]), np.float32)
        red, green, blue = (picture[..., channel] > 127 for channel in range(3))
        maps[3], maps[2], maps[4] = red, green, blue
        maps[0] = ~(red | green | blue)
        maps[FRACTION_CHANNEL] = np.where(green, 1.0, np.where(blue, 0.7, 0.0))
        return maps

    monkeypatch.setattr(NetworkSegmenter, "_predict", coloured)
    image = np.zeros((600, 900, 3), np.uint8)
    cv2.circle(image, (650, 300), 120, (255, 0, 0), -1)
    cv2.rectangle(image, (560, 130), (740, 240), (0, 255, 0), -1)
    cv2.rectangle(image, (50, 350), (250, 550), (0, 0, 255), -1)
    seen = segmenter.glance(image)
    assert not seen.scalp.any()
    # The person fills the grid, and what lies elsewhere is seen from farther.
    assert seen.grid.step_px * seen.grid.width == pytest.approx(290 / 0.75, rel=0.05)
    fraction, classes = photograph_maps(seen)
    assert fraction[140:230, 570:730].min() == pytest.approx(1)
    assert classes[300, 650] == 3
    assert classes[450, 150] == 4
    # Cloth that looks like hair holds none; without the class it would hold 0.7.
    assert fraction[360:540, 60:240].max() == 0
