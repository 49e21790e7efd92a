"""The headband in pictures in which every corner's place is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scalptrack.fiducials import find_strip, layout, read_card, strip, strip_filled
from scalptrack.fiducials.markers import marker_cells, strip_picture
from scalptrack.records import NO_MARKERS, CaptureInfo, Grid, StripMarkers

PX_PER_MM = 4
SIZE = (900, 1200)
SHOWN = range(206, 216)
"""Markers of the piece of band that lies in the picture."""

START_MM = (SHOWN.start - layout.HEADBAND_IDS.start) * strip.PITCH_MM
SKIN = np.array([205, 160, 135], np.float64)


@pytest.fixture(scope="module")
def photograph_from_band() -> np.ndarray:
    """Homography from pixels of the piece of band to pixels of the photograph."""
    wide, high = len(SHOWN) * strip.PITCH_MM * PX_PER_MM, strip.BAND_MM * PX_PER_MM
    band = np.float32([(0, 0), (wide, 0), (wide, high), (0, high)])
    there = np.float32([(150, 420), (1050, 300), (1090, 400), (130, 520)])
    return cv2.getPerspectiveTransform(band, there)


@pytest.fixture(scope="module")
def photograph(photograph_from_band) -> np.ndarray:
    """The band, seen aslant, on something mottled."""
    rng = np.random.default_rng(1)
    mottle = cv2.GaussianBlur(rng.normal(0.0, 1.0, SIZE), (0, 0), 4.0)
    ground = np.clip(SKIN + 10 * (mottle / mottle.std())[..., None], 0, 255).astype(np.uint8)
    first = round(START_MM * PX_PER_MM)
    piece = strip.headband_picture(PX_PER_MM)[:, first:]
    piece = piece[:, : round(len(SHOWN) * strip.PITCH_MM * PX_PER_MM)]
    flags = {"dsize": (SIZE[1], SIZE[0]), "flags": cv2.INTER_AREA}
    there = cv2.warpPerspective(piece, photograph_from_band, **flags)
    alpha = cv2.warpPerspective(np.full(piece.shape, 255, np.uint8), photograph_from_band, **flags)
    return np.where(alpha > 127, there, ground).astype(np.uint8)


def _true_corners(photograph_from_band: np.ndarray) -> np.ndarray:
    """Where the corners (N, 4, 2) of the markers lie in the photograph."""
    places = strip.headband_markers()
    side = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * strip.MARKER_MM
    mm = np.array([np.array(places[n]) - (START_MM, 0) + side for n in SHOWN])
    pixels = mm.reshape(1, -1, 2) * PX_PER_MM - 0.5
    return cv2.perspectiveTransform(pixels, photograph_from_band).reshape(-1, 4, 2)


def _on_band(photograph_from_band: np.ndarray) -> np.ndarray:
    high, wide = strip.BAND_MM * PX_PER_MM, len(SHOWN) * strip.PITCH_MM * PX_PER_MM
    full = np.full((round(high), round(wide)), 255, np.uint8)
    return cv2.warpPerspective(full, photograph_from_band, (SIZE[1], SIZE[0])) > 127


def test_markers_are_found_where_they_are(photograph, photograph_from_band):
    found = find_strip(photograph)
    assert found.ids == tuple(SHOWN)
    assert found.mirrored == 0
    gaps = np.linalg.norm(found.corners - _true_corners(photograph_from_band), axis=2)
    assert gaps.max() < 2.0
    assert np.median(gaps) < 0.8


def test_a_mirrored_band_shows_no_marker_and_says_how_many_when_flipped(photograph):
    found = find_strip(np.ascontiguousarray(photograph[:, ::-1]))
    assert found.ids == ()
    assert found.mirrored == len(SHOWN)


def test_no_marker_of_a_band_is_another_ones_mirror_image():
    ids = [*layout.HEADBAND_IDS, *layout.strip_markers()]
    for number in ids:
        cells = np.where(marker_cells(number)[:, ::-1], 0, 255).astype(np.uint8)
        picture = cv2.copyMakeBorder(cells, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255)
        large = cv2.resize(picture, None, fx=12, fy=12, interpolation=cv2.INTER_NEAREST)
        assert find_strip(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)).ids == ()
        right = cv2.cvtColor(np.ascontiguousarray(large[:, ::-1]), cv2.COLOR_GRAY2RGB)
        assert find_strip(right).ids == (number,)


def test_the_band_is_no_card_and_no_version_of_it_owns_its_markers(photograph):
    of_cards = {
        number
        for version in (1, 2, 3, 4)
        for number in (*layout.board_markers(version), *layout.strip_markers(version))
    }
    assert not of_cards & set(layout.HEADBAND_IDS)
    reading = read_card(photograph, CaptureInfo())
    assert (reading.found, reading.reason, reading.strip_markers) == (False, None, 0)


def test_the_short_strip_of_the_cards_page_is_found_too():
    picture = cv2.copyMakeBorder(strip_picture(5), 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=0)
    found = find_strip(picture)
    assert found.ids == tuple(sorted(layout.strip_markers()))
    covered = strip.covered_by_strip(found, _grid(picture.shape))
    inside = np.zeros(picture.shape[:2], bool)
    inside[60:-60, 60:-60] = True
    assert covered[inside].mean() > 0.97


def test_a_marker_that_is_there_twice_counts_as_not_seen(photograph):
    twice = np.concatenate([photograph, photograph], axis=0)
    twice[900 + 300 : 900 + 520, : 1200 // 2] = 120
    ids = find_strip(twice).ids
    assert 0 < len(ids) < len(SHOWN)
    assert set(ids) < set(SHOWN)


def _grid(shape: tuple[int, ...]) -> Grid:
    return Grid(0.0, 0.0, 1.0, shape[1], shape[0])


@pytest.mark.parametrize("step", [1.0, 4.0])
def test_the_whole_band_is_left_out_and_little_else(photograph, photograph_from_band, step):
    size = (round(SIZE[1] / step), round(SIZE[0] / step))
    grid = Grid((step - 1) / 2, (step - 1) / 2, step, *size)
    covered = strip.covered_by_strip(find_strip(photograph), grid)
    truth = _on_band(photograph_from_band).astype(np.float32)
    truth = cv2.resize(truth, size, interpolation=cv2.INTER_AREA) > 0.5
    assert covered[truth].mean() > 0.995
    assert truth.sum() < covered.sum() < 1.5 * truth.sum()


def test_what_lies_inside_a_bent_band_is_not_left_out():
    """Markers around a circle: the chord past a marker stays free."""
    corners = []
    for angle in np.radians(np.arange(0, 180, 25.0)):
        out = np.array([np.cos(angle), np.sin(angle)])
        along = np.array([-out[1], out[0]])
        middle = np.array([300.0, 100.0]) + 160.0 * out
        offsets = ((-1, -1), (-1, 1), (1, 1), (1, -1))
        corners.append([middle + 22.0 * (a * out + b * along) for a, b in offsets])
    bent = StripMarkers(tuple(range(200, 200 + len(corners))), np.array(corners))
    covered = strip.covered_by_strip(bent, _grid((400, 600)))
    y, x = np.mgrid[:400, :600]
    away = np.hypot(x - 300.0, y - 100.0)
    ring = (np.abs(away - 160.0) < 20.0) & (y > 110)
    assert covered[ring].mean() > 0.97
    assert not covered[away < 100.0].any()


def test_a_stray_square_beside_the_band_parts_no_markers(photograph, photograph_from_band):
    found = find_strip(photograph)
    kept = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    stray = found.corners[3:4] * 0.6 + (found.corners[3].mean(axis=0) - (0, 60)) * 0.4
    without = StripMarkers(tuple(found.ids[i] for i in kept), found.corners[kept], stray)
    covered = strip.covered_by_strip(without, _grid(SIZE))
    assert covered[_on_band(photograph_from_band)].mean() > 0.995


def test_the_band_between_two_markers_is_left_out_though_one_cannot_be_read(
    photograph, photograph_from_band
):
    corners = _true_corners(photograph_from_band)
    grown = corners[4].mean(axis=0) + 1.1 * (corners[4] - corners[4].mean(axis=0))
    hidden = cv2.fillConvexPoly(photograph.copy(), grown.round().astype(np.int32), (255, 255, 255))
    found = find_strip(hidden)
    assert found.ids == tuple(n for n in SHOWN if n != SHOWN[4])
    assert len(found.unread) == 0
    covered = strip.covered_by_strip(found, _grid(SIZE))
    assert covered[_on_band(photograph_from_band)].mean() > 0.995


def test_a_narrow_square_at_the_end_of_the_row_belongs_to_the_band(
    photograph, photograph_from_band
):
    corners = _true_corners(photograph_from_band)
    last = corners[-1]
    blank = cv2.fillConvexPoly(photograph.copy(), last.round().astype(np.int32), (12, 12, 12))
    found = find_strip(blank)
    assert found.ids == tuple(SHOWN[:-1])
    gaps = [np.hypot(*(each.mean(axis=0) - last.mean(axis=0))) for each in found.unread]
    assert min(gaps) < 3.0
    far = blank.copy()
    far[750:800, 100:150] = 0
    assert all(each.mean(axis=0)[1] < 700 for each in find_strip(far).unread)


def test_the_band_is_painted_over_and_nothing_else(photograph, photograph_from_band):
    found = find_strip(photograph)
    filled = strip_filled(photograph, found)
    covered = strip.covered_by_strip(found, _grid(SIZE))
    np.testing.assert_array_equal(filled[~covered], photograph[~covered])
    inside = _on_band(photograph_from_band)
    away = np.abs(filled[inside].astype(float) - SKIN)
    assert away.mean() < 20.0
    assert np.abs(photograph[inside].astype(float) - SKIN).mean() > 60.0
    assert filled[inside].astype(float).std(axis=0).min() > 2.0
    np.testing.assert_array_equal(strip_filled(photograph, found), filled)


def test_without_a_band_the_photograph_stays_what_it_is(photograph):
    assert strip_filled(photograph, NO_MARKERS) is photograph
    plain = np.full((300, 400, 3), 128, np.uint8)
    assert find_strip(plain).ids == ()
    assert not strip.covered_by_strip(NO_MARKERS, _grid((300, 400))).any()
