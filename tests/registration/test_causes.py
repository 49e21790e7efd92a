"""A refusal says what most likely caused it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalptrack.records import Reason
from scalptrack.registration import HeadFeatures
from scalptrack.registration.camera import Camera
from scalptrack.registration.causes import focal_35mm, lens_cause, side_cause, with_cause
from tests.registration.conftest import FOCAL_35MM

ANOTHER_PERSON = (
    "The outlines of both heads agree, so another person, or skin that looks different now, is "
    "likelier than another view."
)


def _seen_from_another_side(features: HeadFeatures) -> HeadFeatures:
    """The outline of a longer head, as from the side."""
    shape = features.outline.shape
    m11, m12, m22 = shape.outline
    longer = replace(shape, outline=(m11 * 1.2, m12, m22 / 1.2))
    return replace(features, outline=replace(features.outline, shape=longer))


def _with_lens(features: HeadFeatures, focal_length_35mm: float) -> HeadFeatures:
    camera = Camera.of_photograph(features.photograph_shape, focal_length_35mm)
    return replace(features, camera=camera)


def test_outlines_that_agree_speak_for_another_person(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    assert side_cause(reference_features, moved_features) == ANOTHER_PERSON


def test_outlines_that_differ_speak_for_another_view(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    aside = _seen_from_another_side(moved_features)
    said = side_cause(reference_features, aside)
    assert said.startswith("The outlines of the heads differ (their proportions by a factor of 1.")
    assert said.endswith("at most 1.13 is expected): likely another view.")


def test_outlines_that_the_frame_cuts_say_nothing(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    cut = replace(moved_features.outline, cut_fraction=0.3)
    assert side_cause(reference_features, replace(moved_features, outline=cut)) == ""


@pytest.mark.parametrize(("focal_35mm_now", "named"), [(77.0, True), (55.0, False)])
def test_another_lens_is_named_with_both_focal_lengths(
    reference_features: HeadFeatures, focal_35mm_now: float, named: bool
) -> None:
    assert focal_35mm(reference_features) == pytest.approx(FOCAL_35MM, abs=0.01)
    said = lens_cause(reference_features, _with_lens(reference_features, focal_35mm_now))
    expected = (
        "The zoom or the lens changed: 77 mm now, 50 mm at the baseline (35 mm equivalent). Use "
        "the same lens, without zoom."
    )
    assert said == (expected if named else "")


def test_a_lens_that_no_file_states_is_not_named(reference_features: HeadFeatures) -> None:
    other = replace(_with_lens(reference_features, 77.0), focal_known=False)
    assert lens_cause(reference_features, other) == ""


def test_causes_follow_the_sentence_and_keep_the_code(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    reason = Reason("no_agreement", "could not be aligned.")
    other = _with_lens(moved_features, 100.0)
    found = with_cause(reason, reference_features, other)
    assert found.code == "no_agreement"
    assert found.message.startswith("could not be aligned. The zoom or the lens changed: 100 mm")
    assert found.message.endswith("another view.")
    hair = Reason("hair_covers_scalp", "Hair.")
    assert with_cause(hair, reference_features, other) == hair
