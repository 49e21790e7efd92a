"""The SALT estimate: its weights, its interval, and that it needs all four views."""

from __future__ import annotations

import math

import pytest
from longitudinal.series import FIRST_DAY, measured

from scalptrack.longitudinal import build_timelines
from scalptrack.longitudinal.salt import (
    ABSOLUTE_SD_FRACTION,
    estimate_salt,
    withheld_salt,
)
from scalptrack.records import Tier, VisitConditions

COVERAGES = {
    "vertex": 0.5,
    "occipital": 0.9,
    "left-temporal": 0.8,
    "right-temporal": 0.6,
}


def _timelines(coverages: dict[str, float], days: tuple[int, ...] = (0,)):
    return build_timelines(
        [measured(value, view=view, day=day) for view, value in coverages.items() for day in days]
    )


def test_the_weights_are_those_of_the_tool():
    (estimate,) = estimate_salt(_timelines(COVERAGES))
    # 40 % of 50 + 24 % of 10 + 18 % of 20 + 18 % of 40.
    assert estimate.salt == pytest.approx(20.0 + 2.4 + 3.6 + 7.2)
    assert estimate.loss_percent == pytest.approx(
        {"top": 50.0, "back": 10.0, "left": 20.0, "right": 40.0}
    )
    assert (estimate.subject, estimate.visit_date) == ("anna", FIRST_DAY)


def test_the_interval_knows_the_error_of_the_absolute_coverage():
    timelines = _timelines(COVERAGES)
    (estimate,) = estimate_salt(timelines)
    sd = {each.view: each.visits[0].sd_fraction for each in timelines}
    weights = {"vertex": 0.4, "occipital": 0.24, "left-temporal": 0.18, "right-temporal": 0.18}
    variance = sum((weights[view] * sd[view]) ** 2 for view in weights) + ABSOLUTE_SD_FRACTION**2
    half = 100 * 1.959964 * math.sqrt(variance)
    assert estimate.high - estimate.salt == pytest.approx(half, rel=1e-3)
    assert estimate.salt - estimate.low == pytest.approx(half, rel=1e-3)
    assert half > 21.5


def test_full_hair_and_none_stay_within_the_scale():
    (none,) = estimate_salt(_timelines(dict.fromkeys(COVERAGES, 0.0)))
    (full,) = estimate_salt(_timelines(dict.fromkeys(COVERAGES, 1.0)))
    assert (none.salt, none.high) == pytest.approx((100.0, 100.0))
    assert (full.salt, full.low) == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("missing", sorted(COVERAGES))
def test_without_one_of_the_views_there_is_no_estimate(missing):
    some = {view: value for view, value in COVERAGES.items() if view != missing}
    assert estimate_salt(_timelines(some)) == ()


def test_the_midline_serves_as_the_top_where_there_is_no_vertex():
    coverages = dict(COVERAGES, **{"mid-pattern": 0.25})
    del coverages["vertex"]
    (estimate,) = estimate_salt(_timelines(coverages))
    assert estimate.loss_percent["top"] == pytest.approx(75.0)


def test_only_dates_with_all_views_count():
    outcomes = [measured(value, view=view) for view, value in COVERAGES.items()]
    outcomes += [measured(0.5, view="vertex", day=90), measured(0.5, view="occipital", day=90)]
    assert [each.visit_date for each in estimate_salt(build_timelines(outcomes))] == [FIRST_DAY]


def test_an_estimate_says_that_it_rests_on_less_sure_alignments():
    outcomes = [measured(value, view=view) for view, value in COVERAGES.items()]
    rough = measured(0.9, view="occipital", tier=Tier.B, aligned_by="outline")
    (estimate,) = estimate_salt(build_timelines([*outcomes[:1], rough, *outcomes[2:]]))
    assert (estimate.tier, estimate.aligned_by) == (Tier.B, ("outline",))
    (sure,) = estimate_salt(build_timelines(outcomes))
    assert (sure.tier, sure.aligned_by) == (Tier.A, ())


def test_pigment_is_not_taken_for_hair():
    outcomes = [
        measured(value, view=view, day=day) for view, value in COVERAGES.items() for day in (0, 90)
    ]
    # It stays until it is denied, also where the second visit states nothing.
    stated = [VisitConditions("anna", FIRST_DAY, micropigmentation=True)]
    timelines = build_timelines(outcomes, conditions=stated)
    assert estimate_salt(timelines) == ()
    assert withheld_salt(timelines) == (
        "SALT is not estimated for anna on 10 January 2024, 9 April 2024: there was "
        "micropigmentation (visits.csv), which looks like hair, so that loss would be taken for "
        "hair.",
    )
    for timeline in timelines:
        assert timeline.notes[0] == (
            "Micropigmentation was there at all compared visits (visits.csv). It counts as hair: "
            "there is less hair than these coverages say."
        )
    plain = build_timelines(outcomes)
    assert len(estimate_salt(plain)) == 2
    assert withheld_salt(plain) == ()
    assert not any("pigment" in note for each in plain for note in each.notes)
