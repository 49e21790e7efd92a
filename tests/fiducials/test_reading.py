"""The card in pictures whose scale, colours and damage are known exactly."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from lab.benchmarks.card_scene import Shot, developed, linear, photograph, seen_card
from scalptrack.cli.main import main
from scalptrack.fiducials import CardReading, correct_colours, read_card
from scalptrack.fiducials.markers import card_picture, strip_picture
from scalptrack.records import CaptureInfo, Severity

LENS = CaptureInfo(focal_length_35mm=26.0)
CARD_SIZE = {"size_px": (900, 1200), "distance_mm": 330.0, "offset_mm": (20.0, 15.0)}


def shot(**options: object) -> Shot:
    return Shot(**(CARD_SIZE | options))


def read(**options: object) -> CardReading:
    return read_card(photograph(shot(**options)), LENS)


def scale_error(reading: CardReading, **options: object) -> float:
    return reading.geometry.mm_per_px / shot(**options).true_mm_per_px() - 1


@pytest.mark.parametrize(
    "options",
    [
        {"tilt_deg": 0.0, "roll_deg": 0.0},
        {"tilt_deg": 30.0, "roll_deg": 170.0},
        {"tilt_deg": 25.0, "axis_deg": 100.0, "roll_deg": -80.0},
        {"blur_px": 1.5, "noise": 8.0, "quality": 60},
        {"covered": (0.0, 0.0, 48.0, 96.0)},
        {"covered": (0.0, 50.0, 144.0, 46.0)},
        {"gains": (1.0, 0.7, 0.4), "light_stops": 2.0, "exposure": 0.5},
    ],
    ids=["flat", "tilted", "other axis", "blurred", "left hidden", "below hidden", "lamp"],
)
def test_the_scale_is_right_to_half_a_percent(options):
    reading = read(**options)
    assert reading.usable
    assert abs(scale_error(reading, **options)) < 0.005
    assert not reading.geometry.distorted


def test_the_scale_hardly_needs_the_lens():
    picture = photograph(shot(tilt_deg=20.0))
    reading = read_card(picture, CaptureInfo())
    assert abs(scale_error(reading, tilt_deg=20.0)) < 0.01


def test_the_interval_of_the_scale_holds_the_truth_whatever_the_lens():
    taken = shot(focal_mm=52.0, distance_mm=600.0, tilt_deg=30.0)
    truth = taken.true_mm_per_px()
    picture = photograph(taken)
    known = read_card(picture, CaptureInfo(focal_length_35mm=52.0)).geometry
    unknown = read_card(picture, CaptureInfo()).geometry
    for each in (known, unknown):
        assert each.mm_per_px_low < truth < each.mm_per_px_high
    widths = [each.mm_per_px_high / each.mm_per_px_low - 1 for each in (known, unknown)]
    assert 0 < widths[0] < 0.01
    assert widths[1] > 1.5 * widths[0] > 0


def test_the_tilt_is_the_angle_between_normal_and_line_of_sight():
    reading = read(tilt_deg=25.0, axis_deg=0.0, roll_deg=0.0, offset_mm=(0.0, 0.0))
    assert reading.geometry.tilt_deg == pytest.approx(25.0, abs=0.7)


@pytest.mark.parametrize(("stretch", "warns"), [(1.03, True), (0.97, True), (1.004, False)])
def test_a_stretched_print_is_measured_and_warned_of(stretch, warns):
    reading = read(stretch=stretch)
    assert reading.geometry.print_ratio == pytest.approx(stretch, abs=0.005)
    low, high = reading.geometry.print_ratio_low, reading.geometry.print_ratio_high
    assert low < stretch < high
    assert abs(scale_error(reading)) < 0.005
    codes = [each.code for each in reading.findings]
    assert codes == (["card_print_distorted"] if warns else [])


def test_another_version_is_refused_with_the_reason():
    reading = read(version=2)
    assert (reading.found, reading.usable, reading.version) == (True, False, 2)
    assert reading.reason.code == "card_other_version"
    assert reading.reason.message.startswith(
        "The card in the picture has version 2, and this program reads version 1."
    )


def test_two_cards_are_refused():
    one, two = card_picture(5), card_picture(5)
    ground = np.full((1200, 900, 3), 200, np.uint8)
    ground[50:530, 60:780], ground[600:1080, 60:780] = one, two
    assert read_card(ground, LENS).reason.code == "card_twice"
    ground[600:1080, 60:780] = card_picture(5, version=3)
    reading = read_card(ground, LENS)
    assert (reading.reason.code, reading.usable) == ("card_other_version", False)
    assert reading.reason.message.startswith("There are cards of two versions")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"covered": (0.0, 0.0, 104.0, 58.0)}, "card_hidden"),
        (
            {"tilt_deg": 60.0, "axis_deg": 90.0, "roll_deg": 0.0, "distance_mm": 250.0},
            "card_tilted",
        ),
        ({"bend_radius_mm": 90.0}, "card_bent"),
        ({"distance_mm": 700.0}, "card_small"),
    ],
)
def test_a_card_that_is_there_and_tells_nothing_has_its_reason(options, code):
    reading = read(**options)
    assert reading.found
    assert not reading.usable
    assert reading.reason.code == code
    (finding,) = reading.findings
    assert (finding.code, finding.severity) == (code, Severity.WARNING)
    assert finding.advice


def test_a_picture_without_a_card_has_none(samples):
    photo = next((samples / "subject-01" / "vertex").glob("*.jpg"))
    reading = read_card(np.asarray(Image.open(photo)), CaptureInfo())
    assert reading == CardReading()


def test_a_single_marker_is_no_card():
    ground = np.full((600, 800, 3), 200, np.uint8)
    ground[100:265, 100:265] = card_picture(10)[65:230, 195:360]
    assert read_card(ground, LENS) == CardReading()


def test_the_strip_is_counted():
    ground = np.full((600, 1200, 3), 200, np.uint8)
    ground[100:208, 50:1130] = strip_picture(6)
    assert read_card(ground, LENS) == CardReading(strip_markers=12)


def test_what_is_hidden_is_counted():
    assert read().occluded_fraction == 0
    hidden = read(covered=(0.0, 0.0, 48.0, 96.0)).occluded_fraction
    # Ten of 17 markers and three of 25 patches are under the finger.
    assert hidden == pytest.approx(13 / 42, abs=0.03)


@pytest.mark.parametrize(
    "light",
    [
        {"gains": (1.0, 0.75, 0.42)},
        {"gains": (0.7, 0.85, 1.0), "exposure": 0.5},
        {"gains": (0.8, 1.0, 0.75), "mixing": 0.1, "tone": 0.9},
        {"light_stops": 2.0, "exposure": 0.5},
    ],
    ids=["lamp", "window", "tube", "uneven"],
)
def test_colours_that_are_not_on_the_card_come_out_right(light):
    taken = shot(**light)
    reading = read_card(photograph(taken), LENS)
    colours = np.array([[(60, 90, 120), (150, 80, 60), (90, 140, 70), (180, 150, 120)]])
    plain = Shot(**light | {"light_stops": 0.0, "blur_px": 0, "noise": 0, "quality": 100})
    seen = developed(linear(colours.astype(float)), plain)
    before = np.abs(seen.astype(int) - colours).mean()
    after = np.abs(correct_colours(seen, reading.colour).astype(int) - colours).mean()
    assert after < 6
    assert after < 0.5 * before


def test_the_gains_make_greys_neutral():
    colour = read(gains=(1.0, 0.8, 0.5)).colour
    assert colour.gains == pytest.approx((0.8, 1.0, 1.6), abs=0.03)
    assert colour.error_after < 2 < colour.error_before


def test_a_patch_under_a_finger_changes_no_colour():
    free, hidden = (read(gains=(1.0, 0.8, 0.6), covered=each).colour for each in (None, COVER))
    assert hidden.gains == pytest.approx(free.gains, abs=0.02)
    assert np.abs(np.array(hidden.matrix) - free.matrix).max() < 0.06
    assert hidden.patches_used <= free.patches_used - 4


COVER = (100.0, 6.0, 44.0, 24.0)


def test_burnt_out_patches_give_no_colours_and_say_so():
    reading = read(exposure=6.0)
    assert reading.colour is None or reading.colour.patches_used < 20
    dark = read(exposure=0.004, noise=0.0)
    assert dark.colour is None


def test_uneven_light_over_the_card_is_measured():
    taken = shot(light_stops=2.0, exposure=0.5, tilt_deg=0.0, roll_deg=0.0)
    width_share = 144 / taken.true_mm_per_px() / 1200
    stops = read_card(photograph(taken), LENS).colour.light_stops
    assert stops == pytest.approx(2.0 * width_share, abs=0.15)


def test_the_same_picture_gives_the_same_reading():
    picture = photograph(shot())
    assert read_card(picture, LENS) == read_card(picture.copy(), LENS)


def test_check_shows_the_card(samples, tmp_path):
    photo = sorted((samples / "subject-03" / "vertex").glob("2024-06-03*.jpg"))[0]
    image = np.asarray(Image.open(photo))
    taken = Shot(size_px=image.shape[:2], distance_mm=420.0, offset_mm=(80.0, 160.0), exposure=1.0)
    card, share = seen_card(taken)
    scene = card + (1 - share[..., np.newaxis]) * linear(image.astype(float))
    paths = [tmp_path / "with.png", tmp_path / "other.png"]
    Image.fromarray(developed(scene, taken)).save(paths[0])
    wrong = cv2.resize(card_picture(5, version=2), (432, 288), interpolation=cv2.INTER_AREA)
    image = image.copy()
    image[-300:-12, 20:452] = wrong
    Image.fromarray(image).save(paths[1])
    result = CliRunner().invoke(main, ["check", "--json", *map(str, paths)])
    good, other = json.loads(result.stdout)["photographs"]
    assert result.exit_code == 0, result.output
    assert good["card"]["mm_per_px"] == pytest.approx(taken.true_mm_per_px(), rel=0.005)
    assert good["card"]["caveat"].startswith("True for what is as far from the camera as the card")
    assert good["card"]["colour"]["gains"] == pytest.approx([1, 1, 1], abs=0.03)
    assert (other["card"]["found"], other["card"]["usable"]) == (True, False)
    assert "card_other_version" in [each["code"] for each in other["findings"]]
    lines = CliRunner().invoke(main, ["check", str(paths[0])]).stdout.splitlines()
    assert lines[-1].startswith(f"  card: {good['card']['mm_per_px']:.4f} mm per pixel. True for")
