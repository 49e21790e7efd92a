"""What a person corrected, through the stages: exclusions, drawn regions, points, the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import Shift, disc, segmentation_of

from scalptrack import aligning, pipeline
from scalptrack.aligning import Analysis, Member
from scalptrack.cache import RecordCache
from scalptrack.correction_notes import (
    lost_corrections,
    with_correction_notes,
    without_drawn_regions,
)
from scalptrack.corrections import Corrections, DrawnRegion, HandSetPoints, drawn_mask
from scalptrack.longitudinal import build_timelines
from scalptrack.measurement import co_visible_region
from scalptrack.pipeline import measure_series
from scalptrack.records import Grid, Quality, Reason, RegionClass, Registration, Status, Tier
from scalptrack.records import Settings as Everything
from tests.test_pipeline import Features, _photograph

SIZE = 120
HALF = DrawnRegion((((60.0, 10.0), (110.0, 10.0), (110.0, 110.0), (60.0, 110.0)),), "Dr. Grey")
PAIRS = tuple((x, y, x + 1, y) for x, y in ((40.0, 40.0), (80.0, 40.0), (40.0, 80.0), (80.0, 80.0)))


def _member(number: int, person: str = "anna") -> Member:
    """Left half bald, right half covered."""
    fraction = np.zeros((SIZE, SIZE))
    fraction[:, 60:] = 0.8
    segmentation = segmentation_of(fraction, disc(SIZE, 45))
    return Member(_photograph(number), Analysis(Quality(()), segmentation, Features(person)))


@pytest.fixture(autouse=True)
def registering(monkeypatch):
    """Automatic registration knows persons; points by hand align everybody unless they say not."""

    def fake_register(reference, moving, *, seed, resamples):
        if reference.person == moving.person:
            return Registration(Tier.A, Shift(), (), 0.5, 80, 0.9, ())
        reason = Reason("no_agreement", "Another person.")
        return Registration(Tier.C, None, (), float("nan"), 3, 0.0, (), reason)

    def fake_by_hand(reference, moving, pairs, *, seed, resamples):
        if moving.person == "refused":
            reason = Reason("points_disagree", "could not be aligned.")
            return Registration(Tier.C, None, (), 9.0, 0, 0.0, (), reason, "points")
        spread = (Shift(dx=-3.0), Shift(dx=3.0))
        return Registration(Tier.B, Shift(), spread, 2.0, len(pairs), 0.9, (), None, "points")

    monkeypatch.setattr(pipeline, "identity", lambda _features: Shift())
    monkeypatch.setattr(aligning, "register", fake_register)
    monkeypatch.setattr(aligning, "register_by_points", fake_by_hand)


def _measure(members, corrections):
    cache = RecordCache(None, {}, fingerprint="")
    return measure_series(
        "s", "vertex", members, Everything(), cache=cache, corrections=corrections
    )


def _hash(number: int) -> str:
    return _photograph(number).sha256


def test_an_excluded_photograph_stays_with_its_reason_and_changes_no_other_number():
    reason = Reason("excluded", "Excluded by Dr. Grey: wet hair")
    members = [_member(n) for n in (1, 2, 3)]
    series = _measure(members, Corrections(excluded={_hash(1): reason}))
    assert series.outcomes[0].status is Status.REFUSED
    assert series.outcomes[0].reason == reason
    assert series.outcomes[0].quality == Quality(())
    assert series.reference == 1
    alone = _measure(members[1:], Corrections())
    assert [each.measurement for each in series.outcomes[1:]] == [
        each.measurement for each in alone.outcomes
    ]


def test_a_drawn_region_replaces_the_automatic_one():
    members = [_member(1), _member(2)]
    whole = _measure(members, Corrections())
    drawn = _measure(members, Corrections(regions={_hash(1): HALF}))
    for each in drawn.outcomes:
        assert each.measurement.coverage_fraction == pytest.approx(0.8, abs=0.01)
    assert whole.outcomes[0].measurement.coverage_fraction == pytest.approx(0.4, abs=0.02)
    elsewhere = _measure(members, Corrections(regions={_hash(2): HALF}))
    np.testing.assert_array_equal(elsewhere.region, whole.region)


def test_a_drawn_region_is_scalp_whatever_its_skin_was_taken_for():
    scalp = disc(SIZE, 45)
    scalp[:40] = False
    reference = segmentation_of(np.zeros((SIZE, SIZE)), scalp)
    reference.classes[:40] = RegionClass.OTHER_SKIN
    drawn = np.zeros((SIZE, SIZE), bool)
    drawn[30:60, 40:80] = True
    others = [(Shift(), reference)]
    region = co_visible_region(reference, others, max_incidence_deg=60, drawn=drawn)
    np.testing.assert_array_equal(region, drawn)
    assert not co_visible_region(reference, others, max_incidence_deg=60)[:40].any()


def test_beyond_the_scalp_that_was_found_the_head_tells_what_faces_the_camera(monkeypatch):
    members = [_member(1), _member(2)]
    for each in members:
        segmentation = each.analysis.segmentation
        segmentation.scalp[:, :50] = False
        segmentation.classes[:, :50] = RegionClass.OTHER_SKIN
        segmentation.incidence_cosine[:, :50] = 0.0
    square = ((30.0, 40.0), (80.0, 40.0), (80.0, 80.0), (30.0, 80.0))
    corrections = Corrections(regions={_hash(1): DrawnRegion((square,))})
    region = _measure(members, corrections).region
    assert region.sum() == pytest.approx(50 * 40, rel=0.06)
    assert region[60, 35]
    monkeypatch.setattr(pipeline, "identity", lambda _features: Shift(cosine=0.3))
    aside = _measure(members, corrections).region
    assert not aside[:, :50].any()
    assert aside[60, 60]


def test_what_another_photograph_hides_is_taken_out_of_a_drawn_region():
    reference = segmentation_of(np.zeros((SIZE, SIZE)), disc(SIZE, 45))
    hidden = segmentation_of(np.zeros((SIZE, SIZE)), disc(SIZE, 45))
    hidden.scalp[:, :50] = False
    hidden.classes[:, :50] = RegionClass.OBJECT
    reference.glare[70:75, 70:75] = True
    drawn = np.zeros((SIZE, SIZE), bool)
    drawn[40:90, 40:90] = True
    region = co_visible_region(reference, [(Shift(), hidden)], max_incidence_deg=60, drawn=drawn)
    assert not region[:, :50].any()
    assert not region[70:75, 70:75].any()
    assert region[60, 60]
    assert not (region & ~drawn).any()


def test_corners_are_in_pixels_of_the_photograph():
    grid = Grid(100.0, 50.0, 4.0, 30, 20)
    square = DrawnRegion((((108.0, 58.0), (132.0, 58.0), (132.0, 82.0), (108.0, 82.0)),))
    mask = drawn_mask(square, grid)
    assert mask.shape == (20, 30)
    rows, columns = np.nonzero(mask)
    assert 2 <= columns.min() <= 3
    assert 7 <= columns.max() <= 8
    assert 25 <= mask.sum() <= 49
    assert (rows.min(), rows.max()) == (columns.min(), columns.max())


def test_points_set_by_hand_bring_a_refused_photograph_back_as_tier_b():
    members = [_member(1), _member(2, "bert")]
    assert _measure(members, Corrections()).outcomes[1].status is Status.REFUSED
    points = {_hash(2): HandSetPoints(_hash(1), PAIRS, "Dr. Grey")}
    outcome = _measure(members, Corrections(points=points)).outcomes[1]
    assert (outcome.status, outcome.tier, outcome.inliers) == (Status.MEASURED, Tier.B, 4)
    assert [each.code for each in outcome.warnings] == ["points_by_hand"]
    assert outcome.aligned_by == "points"
    assert outcome.measurement.registration_sd_fraction > 0.005


def test_points_that_contradict_the_automatic_alignment_win_also_as_a_refusal():
    members = [_member(1, "refused"), _member(2, "refused")]
    assert _measure(members, Corrections()).outcomes[1].tier is Tier.A
    points = {_hash(2): HandSetPoints(_hash(1), PAIRS)}
    outcome = _measure(members, Corrections(points=points)).outcomes[1]
    assert (outcome.status, outcome.reason.code) == (Status.REFUSED, "points_disagree")


def test_points_against_another_photograph_are_not_used_and_said_so():
    members = [_member(1), _member(2, "bert")]
    corrections = Corrections(
        points={_hash(2): HandSetPoints(_hash(9), PAIRS)}, regions={_hash(2): HALF}
    )
    series = _measure(members, corrections)
    assert series.outcomes[1].status is Status.REFUSED
    assert lost_corrections([series], corrections) == (
        "The region drawn on s/vertex/2.jpg was not used, because s/vertex/2.jpg is not the "
        "reference.",
        "The points set on s/vertex/2.jpg were not used: the photograph that they were set against "
        "is not the reference.",
    )


def test_the_timeline_says_whose_region_it_is_and_how_much_of_it_is_seen():
    corrections = Corrections(regions={_hash(1): HALF})
    series = _measure([_member(1), _member(2)], corrections)
    (timeline,) = with_correction_notes(build_timelines(series.outcomes), [series], corrections)
    share = series.region.sum() / drawn_mask(HALF, Grid(0, 0, 1, SIZE, SIZE)).sum()
    assert 0.4 < share < 0.8
    assert timeline.notes[-1] == (
        f"Coverage is of the region that Dr. Grey drew on s/vertex/1.jpg; {share:.0%} of it can be "
        "measured in all photographs of this series. It is given no part in a SALT estimate, which "
        "needs the whole scalp of a view."
    )
    assert without_drawn_regions([timeline], [series], corrections) == ()
    assert without_drawn_regions([timeline], [series], Corrections()) == (timeline,)
    untouched = build_timelines(series.outcomes)
    assert with_correction_notes(untouched, [series], Corrections()) == untouched
    assert replace(timeline, notes=untouched[0].notes) == untouched[0]
