"""Views told from the picture: right or unsure, never left for right; and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from quality.average_head import SIDE, rotation_from, rotation_towards, segmented_head

from scalptrack.filenames import VIEWS
from scalptrack.quality import RecognisedView, judge_view, recognise_view
from scalptrack.quality.polar import ANGLES, OUT_OF_SIGHT, PolarMap, polar_map
from scalptrack.quality.view import SURE_PROBABILITY, fourier
from scalptrack.records import Grid, RegionClass, Severity, Surroundings


def _sure(view: str) -> RecognisedView:
    rest = dict.fromkeys(VIEWS, 0.0)
    return RecognisedView(view, rest | {view: 0.987})


@pytest.mark.parametrize("view", ["frontal", "left-temporal", "right-temporal", "occipital"])
def test_a_head_from_a_usual_direction_is_recognised(view):
    found = recognise_view(segmented_head(rotation_towards(view)))
    assert found.view == view
    assert found.probabilities[view] >= SURE_PROBABILITY
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("view", ["vertex", "mid-pattern"])
def test_a_head_from_above_is_seen_from_above(view):
    found = recognise_view(segmented_head(rotation_towards(view)))
    assert found.probabilities["vertex"] + found.probabilities["mid-pattern"] > 0.9


@pytest.mark.parametrize("view", ["left-temporal", "right-temporal"])
def test_a_mirror_image_is_the_other_side(view):
    seen = segmented_head(rotation_towards(view))
    mirrored = replace(
        seen,
        classes=np.ascontiguousarray(seen.classes[:, ::-1]),
        scalp=np.ascontiguousarray(seen.scalp[:, ::-1]),
        incidence_cosine=np.ascontiguousarray(seen.incidence_cosine[:, ::-1]),
    )
    other = {"left-temporal": "right-temporal", "right-temporal": "left-temporal"}[view]
    assert recognise_view(mirrored).view == other


def test_from_in_between_no_answer_is_given():
    seen = [recognise_view(segmented_head(rotation_from(each, 15))) for each in range(0, 90, 9)]
    answers = [each.view for each in seen]
    unsure = [k for k, answer in enumerate(answers) if answer is None]
    assert unsure
    assert set(answers[: unsure[0]]) == {"frontal"}
    assert set(answers[unsure[-1] + 1 :]) == {"left-temporal"}


def test_too_little_scalp_tells_nothing():
    seen = segmented_head(rotation_towards("frontal"))
    scalp = np.zeros_like(seen.scalp)
    scalp[:10, :10] = True
    assert recognise_view(replace(seen, scalp=scalp)) is None


def test_a_polar_map_tells_frame_and_surroundings_apart():
    seen = segmented_head(rotation_towards("occipital"))
    wide = np.full(seen.classes.shape, RegionClass.OBJECT, np.uint8)
    around = Surroundings(Grid(-SIDE / 2, -SIDE / 2, 2.0, SIDE, SIDE), seen.hair_fraction, wide)
    # The photograph goes on below its grid, and ends at the grid's other sides.
    found = polar_map(replace(seen, photograph_shape=(2 * SIDE, SIDE), surroundings=around))
    down, up = ANGLES // 4, 3 * ANGLES // 4
    assert found.codes[0, down] == RegionClass.SCALP_SKIN
    assert found.codes[-1, down] == RegionClass.OBJECT
    assert found.codes[-1, up] == OUT_OF_SIGHT
    assert found.cosine[0, down] > 0.5
    assert not found.cosine[found.codes != RegionClass.SCALP_SKIN].any()


def test_waves_turn_with_the_picture_and_are_conjugate_in_a_mirror():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 6, (17, ANGLES)).astype(np.uint8)
    cosine = rng.random((17, ANGLES)).astype(np.float32)
    waves = fourier(PolarMap(codes, cosine))
    order = np.arange(waves.shape[1])
    turned = fourier(PolarMap(np.roll(codes, 2, axis=1), np.roll(cosine, 2, axis=1)))
    np.testing.assert_allclose(turned, waves * np.exp(1j * order * np.radians(20)), atol=1e-6)
    across = (ANGLES // 2 - np.arange(ANGLES)) % ANGLES
    mirrored = fourier(PolarMap(codes[:, across], cosine[:, across]))
    np.testing.assert_allclose(mirrored, np.conj(waves) * (-1.0) ** order, atol=1e-6)


def test_a_sure_view_that_differs_from_the_name_is_a_warning():
    finding = judge_view(_sure("vertex"), "frontal")
    assert finding.code == "view_mismatch"
    assert finding.severity is Severity.WARNING
    assert (finding.value, finding.limit) == (0.987, SURE_PROBABILITY)
    assert finding.advice == (
        "This looks like the vertex view, and its name says frontal: move it, or say in a manifest "
        "which view it is."
    )


@pytest.mark.parametrize(
    ("recognised", "named"),
    [
        (None, "frontal"),
        (RecognisedView(None, dict.fromkeys(VIEWS, 1 / 6)), "frontal"),
        (_sure("frontal"), "frontal"),
        (_sure("mid-pattern"), "vertex"),
        (_sure("vertex"), "donor area"),
        (_sure("vertex"), ""),
    ],
)
def test_nothing_is_said_of_a_view_that_may_be_right(recognised, named):
    assert judge_view(recognised, named) is None
