import cv2
import numpy as np
import pytest

from scalptrack.overlay import (
    FULL_SCALE_FRACTION,
    SILENT_FRACTION,
    change_opacity,
    gain_loss_map,
    hair_overlay,
    side_by_side,
    smoothed_difference,
)
from scalptrack.records import BoolArray, ImageArray

SIZE = 300
# Fitzpatrick I to VI (skin), and hair from black over red and blond to white: rough sRGB.
SKINS = [
    (244, 214, 195),
    (228, 185, 150),
    (198, 149, 112),
    (160, 110, 78),
    (110, 70, 48),
    (60, 38, 28),
]
HAIRS = [(18, 14, 12), (90, 60, 40), (150, 80, 40), (200, 170, 120), (225, 225, 225)]


def plain(colour: tuple[int, int, int]) -> ImageArray:
    return np.full((SIZE, SIZE, 3), colour, dtype=np.uint8)


def disc(radius: float, x: float = SIZE / 2, y: float = SIZE / 2) -> BoolArray:
    rows, columns = np.indices((SIZE, SIZE))
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def lab_distance(one: np.ndarray, other: np.ndarray) -> float:
    pixels = np.array([[one, other]], dtype=np.float32) / 255.0
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]
    return float(np.linalg.norm(lab[0] - lab[1]))


NOTHING = np.zeros((SIZE, SIZE), dtype=bool)
BALD = np.zeros((SIZE, SIZE), dtype=np.float32)


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("hair", HAIRS)
def test_hair_tint_stands_out_from_every_skin_and_hair(
    skin: tuple[int, int, int], hair: tuple[int, int, int]
) -> None:
    region, strand = disc(120), disc(30)
    image = np.where(strand[..., None], np.uint8(hair), np.uint8(skin)).astype(np.uint8)
    shown = hair_overlay(image, strand.astype(np.float32), region, NOTHING)
    tinted, untouched = shown[150, 150], shown[150, 220]
    assert lab_distance(tinted, np.array(skin)) > 25
    assert lab_distance(tinted, np.array(hair)) > 25
    assert np.array_equal(untouched, skin)


@pytest.mark.parametrize("skin", SKINS)
def test_outline_has_a_light_and_a_dark_line(skin: tuple[int, int, int]) -> None:
    shown = hair_overlay(plain(skin), BALD, disc(100), NOTHING)
    row = shown[150, 40:62].astype(int).sum(axis=1)
    assert row.max() > 700
    assert row.min() < 130
    assert np.array_equal(shown[150, 150], skin)
    assert np.array_equal(shown[10, 10], skin)


def test_hair_outside_the_region_is_fainter() -> None:
    image = plain((200, 160, 130))
    shown = hair_overlay(image, np.ones_like(BALD), disc(80), NOTHING).astype(int)
    inside = np.abs(shown[150, 150] - image[0, 0]).sum()
    outside = np.abs(shown[20, 20] - image[0, 0]).sum()
    assert inside > 3 * outside > 0


def test_excluded_is_hatched_and_only_there() -> None:
    image = plain((120, 90, 70))
    excluded = disc(25, x=60, y=60)
    shown = hair_overlay(image, BALD, disc(50, x=200, y=200), excluded)
    touched = np.any(shown != image, axis=2)
    assert 0.15 < touched[excluded].mean() < 0.8
    brightness = shown[excluded].sum(axis=1)
    assert brightness.max() > image[0, 0].sum() + 100
    assert brightness.min() < image[0, 0].sum() - 40
    assert not touched[~excluded & ~disc(60, x=200, y=200)].any()


def test_the_region_is_never_hatched() -> None:
    image = plain((120, 90, 70))
    shown = hair_overlay(image, BALD, disc(80), disc(140))
    assert np.all(shown[disc(70)] == image[0, 0])


def test_the_photograph_is_not_changed_in_place() -> None:
    image = plain((120, 90, 70))
    fraction = np.ones_like(BALD)
    hair_overlay(image, fraction, disc(50), disc(10))
    gain_loss_map(image, fraction, BALD, disc(50))
    assert np.all(image == (120, 90, 70))
    assert np.all(fraction == 1.0)


def test_nan_fraction_is_no_hair() -> None:
    image = plain((120, 90, 70))
    shown = hair_overlay(image, np.full_like(BALD, np.nan), disc(50), NOTHING)
    assert np.array_equal(shown[150, 150], image[0, 0])


def test_gain_is_blue_and_loss_is_orange() -> None:
    image = plain((150, 120, 100))
    reference = np.where(disc(30, x=220), 0.8, 0.1).astype(np.float32)
    follow_up = np.where(disc(30, x=80), 0.8, 0.1).astype(np.float32)
    shown = gain_loss_map(image, reference, follow_up, disc(130)).astype(int)
    gain, loss, same = shown[150, 80], shown[150, 220], shown[150, 150]
    assert gain[2] - gain[0] > 60
    assert loss[0] - loss[2] > 60
    assert same.max() - same.min() == 0
    slight = gain_loss_map(image, BALD, BALD + 0.05, disc(130)).astype(int)
    assert np.ptp(slight[150, 150]) == 0


def test_difference_is_smoothed_without_losing_its_size() -> None:
    rng = np.random.default_rng(4)
    noise = 0.5 * rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    region = disc(130)
    difference, known = smoothed_difference(BALD, BALD + 0.2 + noise, region)
    assert np.array_equal(known, region)
    assert difference[region].mean() == pytest.approx(0.2, abs=0.01)
    assert difference[region].std() < 0.06
    assert not difference[~region].any()


def test_outside_does_not_bleed_into_the_region() -> None:
    region = disc(100)
    follow_up = np.where(region, 0.0, 1.0).astype(np.float32)
    difference, _ = smoothed_difference(BALD, follow_up, region)
    assert np.abs(difference).max() == pytest.approx(0.0, abs=1e-6)


def test_unknown_parts_are_hatched_not_called_a_change() -> None:
    image = plain((150, 120, 100))
    follow_up = np.where(disc(40), np.nan, 0.0).astype(np.float32)
    shown = gain_loss_map(image, BALD, follow_up, disc(120))[:SIZE].astype(int)
    centre = shown[disc(35)]
    assert np.ptp(centre, axis=1).max() == 0
    assert np.ptp(centre[:, 0]) > 60
    nowhere = gain_loss_map(image, BALD, np.full_like(BALD, np.nan), disc(120))
    assert np.ptp(nowhere[:SIZE].astype(int), axis=2).max() == 0


def test_small_changes_stay_grey_and_large_ones_saturate() -> None:
    sizes = np.array([0.0, SILENT_FRACTION, 0.2, FULL_SCALE_FRACTION, 1.0])
    opacity = change_opacity(np.concatenate([sizes, -sizes]))
    assert opacity[:2].tolist() == [0.0, 0.0]
    assert 0.1 < opacity[2] < opacity[3] == opacity[4] == pytest.approx(0.9)
    assert np.array_equal(opacity[:5], opacity[5:])


def test_map_has_a_legend_below() -> None:
    shown = gain_loss_map(plain((150, 120, 100)), BALD, BALD, disc(100))
    strip = shown[SIZE:].astype(int)
    assert strip.shape[0] > 30
    assert strip.shape[1] == SIZE
    bar = strip[round(0.05 * SIZE)]
    assert bar[65][0] - bar[65][2] > 80
    assert bar[235][2] - bar[235][0] > 80
    # Letters end before the edges: nothing is cut off.
    assert np.all(strip[:, :3] == 255)
    assert np.all(strip[:, -3:] == 255)
    assert (strip.sum(axis=2) < 200).sum() > 100


def test_side_by_side_keeps_both_pictures_untouched() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.integers(0, 255, (2, SIZE, SIZE, 3), dtype=np.uint8)
    sheet = side_by_side(one, other, labels=("2024-01-10", "2024-04-09"))
    assert np.array_equal(sheet[-SIZE:, :SIZE], one)
    assert np.array_equal(sheet[-SIZE:, -SIZE:], other)
    strip = sheet[:-SIZE]
    assert (strip[:, :SIZE].sum(axis=2) < 300).sum() > 50
    assert (strip[:, -SIZE:].sum(axis=2) < 300).sum() > 50


def test_labels_differ_and_may_be_empty_or_in_any_script() -> None:
    image = plain((100, 100, 100))
    written = [
        side_by_side(image, image, labels=(label, "x")) for label in ("A", "B", "", "é 2024")
    ]
    assert not np.array_equal(written[0], written[1])
    assert np.all(written[2][:-SIZE, :SIZE] == 255)
    side_by_side(image, image, labels=("山田", "$\\frac$"))


def test_shapes_must_belong_together() -> None:
    image = plain((1, 2, 3))
    with pytest.raises(ValueError, match=r"all arrays must have the image's shape \(300, 300\)"):
        hair_overlay(image, BALD[:-1], disc(5), NOTHING)
    with pytest.raises(ValueError, match=r"the image must have the shape \(H, W, 3\)"):
        gain_loss_map(image[..., 0], BALD, BALD, disc(5))
    with pytest.raises(ValueError, match="both pictures must have the same size"):
        side_by_side(image, image[:-1])
