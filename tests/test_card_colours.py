"""``track --colour-card``: what is segmented, what stays, and what is refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from lab.benchmarks.card_scene import Shot, photograph
from scalptrack import card_colours, pipeline
from scalptrack.card_colours import corrected_by_card
from scalptrack.fiducials import CardColour, CardReading, correct_colours, read_card
from scalptrack.pipeline import analyse_photograph
from scalptrack.records import (
    CaptureInfo,
    Finding,
    Photograph,
    Quality,
    Reason,
    Settings,
    Severity,
    Status,
)
from tests.builders import disc, segmentation_of

CAPTURE = CaptureInfo(focal_length_35mm=26.0)
LAMP = {"gains": (1.0, 0.75, 0.42)}
WORDS = "In a run with --colour-card every photograph needs the card"


@pytest.fixture(scope="module")
def shots():
    """The card in neutral light and in that of a lamp."""
    neutral, lamp = (
        photograph(Shot(size_px=(700, 900), distance_mm=400.0, noise=0.0, **light))
        for light in ({}, LAMP)
    )
    return neutral, lamp


def test_the_light_of_a_lamp_is_taken_out(shots):
    neutral, lamp = shots
    found, reason = corrected_by_card(lamp, CAPTURE)
    assert reason is None
    middle = (slice(200, 500), slice(250, 650))
    before = np.abs(lamp[middle].astype(float) - neutral[middle]).mean()
    after = np.abs(found[middle].astype(float) - corrected_by_card(neutral, CAPTURE)[0][middle])
    assert before > 15
    assert after.mean() < 3
    expected = correct_colours(lamp, read_card(lamp, CAPTURE).colour)
    assert np.array_equal(found[30:], expected[30:])


def test_what_is_burnt_out_stays_white(monkeypatch):
    halved = CardColour((1.0, 1.0, 1.0), 0.5, 1.0, tuple(np.eye(3).tolist()), 9, 1, 20, 0, 0)
    monkeypatch.setattr(card_colours, "read_card", lambda *each: CardReading(colour=halved))
    image = np.full((60, 60, 3), 249, np.uint8)
    image[:20] = 255
    image[20:40] = (255, 250, 249)
    found, _ = corrected_by_card(image, CAPTURE)
    assert (found[:20] == 255).all()
    assert found[20:].max() < 200


def _unusable() -> CardReading:
    finding = Finding("card_colours_unusable", Severity.INFO, 3.0, 10.0, "patches", "Show it all.")
    return CardReading(found=True, findings=(finding,))


@pytest.mark.parametrize(
    ("reading", "code", "words"),
    [
        (CardReading(), "card_missing", "No colour card is seen: lay it flat beside the head"),
        (CardReading(reason=Reason("card_small", "Too small.")), "card_small", "Too small."),
        (_unusable(), "card_colours_unusable", "Show it all."),
    ],
)
def test_each_card_that_cannot_be_read_has_its_reason(monkeypatch, reading, code, words):
    monkeypatch.setattr(card_colours, "read_card", lambda *each: reading)
    found, reason = corrected_by_card(np.zeros((50, 50, 3), np.uint8), CAPTURE)
    assert found is None
    assert reason.code == code
    assert reason.message.startswith(words)
    assert WORDS in reason.message


@pytest.fixture
def segmented(monkeypatch, shots):
    """What is segmented of a photograph, and what is judged, when nothing is wrong with it."""
    seen = {}

    class Segmenter:
        def segment(self, image, *, perturbations=0):
            seen["segmented"] = image
            return segmentation_of(np.zeros((700, 700)), disc(700, 200))

    def judge(image, segmentation, capture):
        seen["judged"] = image
        return Quality(seen.get("findings", ()))

    seen["photograph"] = shots[1]
    monkeypatch.setattr(pipeline, "shared_segmenter", Segmenter)
    monkeypatch.setattr(pipeline, "check_quality", judge)
    monkeypatch.setattr(pipeline, "extract_features", lambda image, *each, **more: image)
    monkeypatch.setattr(
        pipeline, "read_photograph", lambda *each, **more: (seen["photograph"], CAPTURE)
    )
    return seen


def _analysed(**settings):
    photo = Photograph("a", "vertex", date(2026, 1, 1), 1, None, "a.jpg", "0" * 64, 900, 700)
    return analyse_photograph(photo, Settings(**settings))


def test_hair_is_told_in_corrected_colours_and_quality_in_the_cameras(segmented, shots):
    analysis = _analysed(colour_card=True)
    assert analysis.reason is None
    assert np.array_equal(segmented["segmented"], corrected_by_card(shots[1], CAPTURE)[0])
    assert np.array_equal(analysis.features, segmented["segmented"])
    assert segmented["judged"] is shots[1]
    _analysed()
    assert segmented["segmented"] is shots[1]


def test_a_photograph_without_the_card_is_refused_unless_it_is_bad_anyway(segmented):
    segmented["photograph"] = np.full((700, 900, 3), 90, np.uint8)
    analysis = _analysed(colour_card=True)
    assert (analysis.status, analysis.reason.code) == (Status.REFUSED, "card_missing")
    assert analysis.segmentation is None
    segmented["findings"] = (Finding("blurred", Severity.ERROR, 2.0, 0.75, "%", "Hold still."),)
    analysis = _analysed(colour_card=True)
    assert (analysis.status, analysis.reason.code) == (Status.REJECTED, "blurred")
    segmented["findings"] = ()
    assert _analysed().reason is None
