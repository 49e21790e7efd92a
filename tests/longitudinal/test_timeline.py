import csv
import datetime as dt
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from scalptrack.longitudinal import MEASURED_ERRORS, ErrorModel, build_timelines
from scalptrack.longitudinal.intervals import MDC95_FACTOR, dof_of_sum
from scalptrack.longitudinal.timeline import UNCALIBRATED
from scalptrack.records import Change, Event, Outcome, Reason, Status, Tier, Timeline, Verdict
from scalptrack.tables import changes_csv, coverage_interval, measurements_csv
from tests.longitudinal.series import FIRST_DAY, measured, refused, replicated

CAUSAL_WORDS = ("because", "due to", "caused", "thanks", "effect", "response", "works", "treatment")


def only(outcomes: list[Outcome], **options: object) -> Timeline:
    (timeline,) = build_timelines(outcomes, **options)  # type: ignore[arg-type]
    return timeline


def change_at(timeline: Timeline, day: int) -> Change:
    date = FIRST_DAY + dt.timedelta(days=day)
    (change,) = [c for c in timeline.changes if c.visit_date == date]
    return change


def test_visit_is_the_mean_of_its_replicates() -> None:
    timeline = only(replicated([[0.40, 0.42], [0.60, 0.61, 0.65]]))
    first, second = timeline.visits
    assert first.coverage_fraction == pytest.approx(0.41)
    assert second.coverage_fraction == pytest.approx(0.62)
    assert (first.replicates, second.replicates) == (2, 3)
    assert second.replicate_fractions == pytest.approx((0.60, 0.61, 0.65))
    assert first.sd_fraction == pytest.approx(timeline.within_sd_fraction / math.sqrt(2))
    half = stats.t.ppf(0.975, timeline.sd_degrees_of_freedom) * first.sd_fraction
    assert first.low_fraction == pytest.approx(0.41 - half)
    assert first.high_fraction == pytest.approx(0.41 + half)


def test_mdc_is_that_of_two_single_photographs() -> None:
    timeline = only(replicated([[0.40], [0.45]]))
    assert timeline.within_sd_fraction == pytest.approx(0.02)
    assert timeline.mdc_fraction == pytest.approx(1.96 * math.sqrt(2) * 0.02)
    assert timeline.sd_source == "prior"
    assert UNCALIBRATED in timeline.notes


def test_mdc_is_as_uncertain_as_its_degrees_of_freedom() -> None:
    """Ten pairs leave a factor of 0.70 to 1.76; here with a prior that weighs next to nothing."""
    model = ErrorModel(prior_sd_fraction=0.01, prior_dof=1)
    timeline = only(replicated([[0.4, 0.41 + 0.001 * n] for n in range(9)]), error_model=model)
    assert timeline.sd_degrees_of_freedom == 10
    low = timeline.mdc_low_fraction / timeline.mdc_fraction
    high = timeline.mdc_high_fraction / timeline.mdc_fraction
    assert (low, high) == pytest.approx((0.70, 1.755), abs=0.002)
    reach = []
    for visit_dof in (2.5, 60.0):
        shared = ErrorModel(prior_sd_fraction=0.01, visit_sd_fraction=0.03, visit_dof=visit_dof)
        one = only(replicated([[0.4, 0.41]]), error_model=shared)
        reach.append(one.mdc_high_fraction / one.mdc_fraction)
    assert reach[0] > 2.0
    assert 1.1 < reach[1] < 1.4


def test_limit_knows_replicates_and_looks() -> None:
    model = ErrorModel(prior_sd_fraction=0.02, prior_dof=4)
    one = only(replicated([[0.40], [0.45]]), error_model=model)
    assert change_at(one, 90).mdc_fraction == pytest.approx(
        stats.t.ppf(0.975, 4) * 0.02 * math.sqrt(2)
    )
    four = only(replicated([[0.40]] + [[0.45]] * 4), error_model=model)
    # Dunnett's two-sided 5 % point for four comparisons and 4 degrees of freedom (scipy oracle).
    correlation = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    limit = change_at(four, 90).mdc_fraction / (0.02 * math.sqrt(2))
    inside = stats.multivariate_t(shape=correlation, df=4, seed=1).cdf(
        np.full(4, limit), lower_limit=np.full(4, -limit)
    )
    assert inside == pytest.approx(0.95, abs=5e-4)
    pairs = only(replicated([[0.40, 0.42], [0.45, 0.43]]), error_model=model)
    change = change_at(pairs, 90)
    assert change.mdc_fraction == pytest.approx(
        stats.t.ppf(0.975, 6) * pairs.within_sd_fraction, rel=1e-9
    )


def test_verdicts_and_their_sentences() -> None:
    timeline = only(replicated([[0.40], [0.60], [0.20], [0.41]]))
    up, down, same = timeline.changes
    assert [c.verdict for c in timeline.changes] == [
        Verdict.INCREASE,
        Verdict.DECREASE,
        Verdict.NO_DETECTABLE_CHANGE,
    ]
    assert up.sentence == (
        "Visible hair coverage is 20.0 points higher than at the first visit (95 % interval 12.1 "
        "to 27.9); changes below 10.2 points can't be told from measurement error."
    )
    assert down.sentence.startswith(
        "Visible hair coverage is 20.0 points lower than at the first visit (95 % interval 12.1 to"
    )
    assert same.sentence == (
        "No detectable change: visible hair coverage is 1.0 points higher than at the first visit "
        "(95 % interval 6.9 lower to 8.9 higher), and changes below 10.2 points can't be told "
        "from measurement error."
    )
    assert timeline.summary == f"6 October 2024: {same.sentence}"


def test_no_sentence_claims_a_cause() -> None:
    outcomes = [*replicated([[0.4], [0.6], [0.2], [0.4]]), refused(day=500)]
    timeline = only(outcomes, events=[Event(FIRST_DAY, "start of minoxidil")])
    texts = [c.sentence for c in timeline.changes] + [timeline.summary, *timeline.notes]
    for text in texts:
        assert not any(word in text.lower() for word in CAUSAL_WORDS), text


def test_equal_coverage_is_called_the_same() -> None:
    timeline = only(replicated([[0.40], [0.4002]]))
    assert (
        "is the same as at the first visit, to a tenth of a point" in timeline.changes[0].sentence
    )


def test_refused_visit_is_not_comparable_and_a_gap() -> None:
    timeline = only([measured(0.4), refused(day=90), measured(0.5, day=180)])
    change = change_at(timeline, 90)
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert change.sentence == "Not comparable with the first visit: The photograph is blurred."
    for number in (change.change_fraction, change.low_fraction, change.high_fraction):
        assert math.isnan(number)
    assert math.isnan(change.mdc_fraction)
    assert [gap.visit_date for gap in timeline.gaps] == [FIRST_DAY + dt.timedelta(days=90)]
    assert len(timeline.visits) == 2


def test_refused_visit_changes_no_other_number() -> None:
    clean = only([measured(0.4), measured(0.5, day=180)])
    with_gap = only([measured(0.4), refused(day=90), measured(0.5, day=180)])
    assert clean.visits == with_gap.visits
    assert clean.changes == tuple(c for c in with_gap.changes if c.verdict != "not comparable")


def test_one_good_replicate_makes_a_visit_comparable() -> None:
    timeline = only([measured(0.4), measured(0.5, day=90), refused(day=90, replicate=2)])
    assert change_at(timeline, 90).verdict is not Verdict.NOT_COMPARABLE
    assert len(timeline.gaps) == 1


def test_baseline_without_a_number_moves_on_and_says_so() -> None:
    timeline = only([refused(day=0), measured(0.4, day=90), measured(0.6, day=180)])
    assert timeline.baseline_date == FIRST_DAY + dt.timedelta(days=90)
    assert change_at(timeline, 0).verdict is Verdict.NOT_COMPARABLE
    assert "higher than at the visit of 9 April 2024" in change_at(timeline, 180).sentence
    assert timeline.notes[0] == (
        "The first visit (10 January 2024) has no number, so changes are counted from 9 April "
        "2024, the earliest visit that has one. The photograph is blurred."
    )


def test_nothing_measured_is_still_a_timeline() -> None:
    timeline = only([refused(day=0), refused(day=90), refused(day=None, replicate=3)])
    assert timeline.visits == ()
    assert len(timeline.gaps) == 3
    assert timeline.gaps[-1].visit_date is None
    assert [c.verdict for c in timeline.changes] == [Verdict.NOT_COMPARABLE]
    assert timeline.baseline_date is None
    assert timeline.trend is None
    assert timeline.summary == (
        "No coverage can be stated: all 3 photographs of this view gave no number."
    )


def test_single_visit_and_later_gap_are_summarised() -> None:
    single = only([measured(0.4)])
    assert single.changes == ()
    assert single.summary == (
        "Only the visit of 10 January 2024 has a number so far; a change needs a second one."
    )
    late = only([measured(0.4), measured(0.6, day=90), refused(day=180)])
    assert late.summary.endswith(" 1 later visit gave no number.")


def test_visits_made_in_vain_are_counted_with_their_reason() -> None:
    vain = only([measured(0.4), refused(day=90), refused(day=180)])
    assert vain.summary == (
        "No change can be stated: only the visit of 10 January 2024 has a number, and 2 other "
        "visits gave no number. The latest of them, 8 July 2024: The photograph is blurred."
    )
    other = replace(refused(day=180), reason=Reason("no_agreement", "Another head"))
    mixed = only([measured(0.4), refused(day=90), other])
    assert mixed.summary.endswith("The latest of them, 8 July 2024: Another head.")
    once = only([measured(0.4), refused(day=0, replicate=2), refused(day=90)])
    assert once.summary.endswith(
        "1 other visit gave no number. 9 April 2024: The photograph is blurred."
    )


def test_files_without_subject_or_view_belong_to_no_timeline() -> None:
    stray = refused(subject="", view="", status=Status.REJECTED)
    assert build_timelines([stray]) == ()
    assert build_timelines([]) == ()


def test_every_subject_and_view_has_its_own_timeline_in_order() -> None:
    outcomes = [
        measured(0.4, subject="b"),
        measured(0.4, subject="a", view="vertex"),
        refused(subject="a", view="frontal"),
    ]
    found = [(t.subject, t.view) for t in build_timelines(outcomes)]
    assert found == [("a", "frontal"), ("a", "vertex"), ("b", "vertex")]


def test_order_of_the_outcomes_does_not_matter() -> None:
    outcomes = [*replicated([[0.4, 0.41], [0.5], [0.45, 0.44]]), refused(day=30), refused(day=31)]
    outcomes += [
        measured(0.4, day=300 + n, replicate=r, sha256="x") for n in (0, 1) for r in (1, 2)
    ]
    shuffled = outcomes.copy()
    random.Random(2).shuffle(shuffled)
    assert shuffled != outcomes
    assert repr(build_timelines(outcomes)) == repr(build_timelines(shuffled))


def test_a_copied_file_is_no_replicate() -> None:
    pair = [measured(0.4, sha256="same"), measured(0.4, replicate=2, sha256="same")]
    timeline = only([*pair, measured(0.5, day=90)])
    assert timeline.visits[0].replicates == 1
    assert timeline.sd_degrees_of_freedom == 4
    assert "is the same file as" in timeline.notes[0]


def test_own_replicates_are_not_counted_twice() -> None:
    timeline = only(replicated([[0.40, 0.43], [0.40, 0.44], [0.40, 0.42]]))
    squares = (0.03**2 + 0.04**2 + 0.02**2) / 2
    assert timeline.within_sd_fraction**2 == pytest.approx((4 * 0.02**2 + squares) / 7)


def test_the_worst_tier_of_a_visit_counts() -> None:
    timeline = only([measured(0.4), measured(0.4, replicate=2, tier=Tier.B), measured(0.4, day=9)])
    assert [visit.tier for visit in timeline.visits] == [Tier.B, Tier.A]


def test_other_subjects_replicates_are_pooled() -> None:
    others = [
        outcome
        for index in range(6)
        for outcome in replicated([[0.40, 0.41], [0.40, 0.41]], subject=f"s{index}")
    ]
    alone = only([measured(0.4), measured(0.45, day=90)])
    together = build_timelines([*others, measured(0.4), measured(0.45, day=90)])[0]
    assert (alone.sd_source, together.sd_source) == ("prior", "pooled")
    assert together.within_sd_fraction < alone.within_sd_fraction


def test_tier_b_is_wider_and_labelled() -> None:
    model = ErrorModel(prior_sd_fraction=0.02, tier_b_sd_factor=1.5)
    plain = only([measured(0.4), measured(0.5, day=90)], error_model=model)
    by_hand = only([measured(0.4), measured(0.5, day=90, tier=Tier.B)], error_model=model)
    assert by_hand.visits[1].sd_fraction == pytest.approx(1.5 * plain.visits[1].sd_fraction)
    assert by_hand.visits[1].tier is Tier.B
    assert by_hand.changes[0].mdc_fraction > plain.changes[0].mdc_fraction
    assert by_hand.changes[0].sentence.endswith(
        "Less sure (tier B): this visit is aligned by the outline or by hand. The interval is "
        "wider for it, and such an alignment can't tell whether it is the same head."
    )
    assert "Less sure" not in plain.changes[0].sentence
    assert (plain.changes[0].tier, plain.changes[0].aligned_by) == (Tier.A, ())


def test_a_change_says_what_each_of_its_two_visits_is_aligned_by() -> None:
    first = measured(0.4, tier=Tier.B, aligned_by="outline")
    sure = measured(0.5, day=90, aligned_by="features")
    pair = [
        measured(0.5, day=180, tier=Tier.B, aligned_by="points"),
        measured(0.5, day=180, replicate=2, aligned_by="features"),
    ]
    timeline = only([first, sure, *pair, refused(day=200)])
    assert [visit.aligned_by for visit in timeline.visits] == [("outline",), (), ("points",)]
    baseline_only, both, gap = timeline.changes
    assert (baseline_only.tier, baseline_only.aligned_by) == (Tier.B, ("outline",))
    assert ": the first visit is aligned by the outline of the head. The" in baseline_only.sentence
    assert (both.tier, both.aligned_by) == (Tier.B, ("outline", "points"))
    assert (
        ": this visit is aligned by points set by hand and the first visit is aligned by the "
        "outline of the head. The"
    ) in both.sentence
    assert (gap.tier, gap.aligned_by) == (None, ())


def test_table_and_timeline_widen_a_tier_b_photograph_alike() -> None:
    turned = measured(0.5, day=90, tier=Tier.B, registration_sd=0.05)
    timeline = only([measured(0.4), turned], error_model=MEASURED_ERRORS)
    visit = timeline.visits[1]
    assert coverage_interval(turned, timeline) == pytest.approx(
        (visit.low_fraction, visit.high_fraction)
    )


def test_tables_name_what_a_tier_b_number_is_aligned_by() -> None:
    outcomes = [
        measured(0.4, is_reference=True, aligned_by="reference"),
        measured(0.5, day=90, tier=Tier.B, aligned_by="points"),
    ]
    timeline = only(outcomes)
    photographs = csv.DictReader(measurements_csv(outcomes, [timeline]).splitlines())
    assert [(row["tier"], row["aligned_by"]) for row in photographs] == [
        ("A", "reference"),
        ("B", "points"),
    ]
    (change,) = csv.DictReader(changes_csv([timeline]).splitlines())
    assert (change["tier"], change["aligned_by"]) == ("B", "points")


def test_events_go_to_their_subject() -> None:
    day = dt.date(2024, 2, 1)
    events = [Event(day, "haircut"), Event(FIRST_DAY, "visit", "anna"), Event(day, "x", "bert")]
    timeline = only([measured(0.4)], events=events)
    assert [event.label for event in timeline.events] == ["visit", "haircut"]


def test_reference_is_named() -> None:
    outcomes = [measured(0.4), measured(0.5, day=90, is_reference=True)]
    assert only(outcomes).reference_name == "anna/vertex/2024-04-09_1.jpg"
    assert only([refused(), measured(0.5, day=1)]).reference_name == "anna/vertex/2024-01-11_1.jpg"
    assert only([refused()]).reference_name == ""


def test_trend_needs_three_visits() -> None:
    lonely = only(replicated([[0.4], [0.5]]))
    assert lonely.trend is None
    assert lonely.trend_reason is not None
    assert lonely.trend_reason.code == "few_visits"
    assert lonely.trend_words == ""
    trend = only(replicated([[0.4], [0.45], [0.5]])).trend
    assert trend is not None
    assert trend.slope_per_year == pytest.approx(0.1 / 180 * 365.25)


def series_of(coverages: np.ndarray) -> list[Outcome]:
    return replicated(coverages.tolist())


def unchanged(rng: np.random.Generator, visits: int, replicates: int) -> np.ndarray:
    """Visits of an unchanged head; the SD differs between subjects as the prior says."""
    sd = 0.02 * math.sqrt(4 / rng.chisquare(4))
    return np.clip(0.5 + sd * rng.standard_normal((visits, replicates)), 0.0, 1.0)


@pytest.mark.parametrize(("visits", "replicates"), [(5, 1), (12, 1), (5, 2), (8, 2)])
def test_unchanged_series_rarely_raise_a_false_alarm(visits: int, replicates: int) -> None:
    """At most 5 % of timelines; naive "beyond MDC95 at any visit" raises far more."""
    rng = np.random.default_rng(41)
    alarms, naive = [], []
    for _ in range(400):
        timeline = only(series_of(unchanged(rng, visits, replicates)))
        alarms.append(any(c.verdict != "no detectable change" for c in timeline.changes))
        plain = timeline.mdc_fraction / math.sqrt(replicates)
        naive.append(any(abs(c.change_fraction) > plain for c in timeline.changes))
    # Three binomial standard deviations of 400 series above 5 %, and not absurdly rare either.
    assert 0.02 <= np.mean(alarms) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean(naive) > 2 * np.mean(alarms)


def test_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(43)
    held, changes_held = [], []
    for _ in range(500):
        timeline = only(series_of(unchanged(rng, 3, 2)))
        held += [v.low_fraction <= 0.5 <= v.high_fraction for v in timeline.visits]
        changes_held += [c.low_fraction <= 0.0 <= c.high_fraction for c in timeline.changes]
    assert 0.93 <= np.mean(held) <= 0.97
    assert 0.93 <= np.mean(changes_held) <= 0.97


def test_changes_of_twice_the_limit_are_found() -> None:
    rng = np.random.default_rng(44)
    found = []
    for _ in range(300):
        coverages = 0.4 + 0.02 * rng.standard_normal((5, 2))
        coverages[1:] += 0.04 * MDC95_FACTOR
        timeline = only(series_of(coverages))
        found.append(timeline.changes[-1].verdict is Verdict.INCREASE)
    assert np.mean(found) >= 0.9


def test_the_part_that_a_visit_shares_brings_its_own_degrees_of_freedom() -> None:
    model = ErrorModel(visit_sd_fraction=0.03, visit_dof=20)
    timeline = only(replicated([[0.40], [0.50], [0.45]]), error_model=model)
    variance = 0.02**2 + 0.03**2
    dof = timeline.effective_degrees_of_freedom
    assert dof == dof_of_sum(round(0.02**2 / variance, 2), 4.0, 20.0) > 4
    assert timeline.sd_degrees_of_freedom == 4
    half = stats.t.ppf(0.975, dof) * math.sqrt(variance)
    visit, change = timeline.visits[1], timeline.changes[0]
    assert visit.high_fraction - 0.5 == pytest.approx(half)
    assert change.high_fraction - 0.1 == pytest.approx(half * math.sqrt(2))
    assert change.mdc_fraction > half * math.sqrt(2)
    few = only(
        replicated([[0.40], [0.50], [0.45]]),
        error_model=ErrorModel(visit_sd_fraction=0.03, visit_dof=2.5),
    )
    assert few.changes[0].mdc_fraction > change.mdc_fraction


def test_trend_and_table_know_how_well_the_shared_part_is_known() -> None:
    outcomes = replicated([[0.40], [0.50], [0.45]])
    widths, rows = [], []
    for visit_dof in (2.5, 30.0):
        model = ErrorModel(visit_sd_fraction=0.03, visit_dof=visit_dof)
        timeline = only(outcomes, error_model=model)
        assert timeline.trend is not None
        widths.append(timeline.trend.high_per_year - timeline.trend.low_per_year)
        low, high = coverage_interval(outcomes[0], timeline)
        rows.append(high - low)
        quantile = stats.t.ppf(0.975, timeline.effective_degrees_of_freedom)
        sd = math.hypot(timeline.within_sd_fraction, MEASURED_ERRORS.visit_sd_fraction)
        assert high - low == pytest.approx(2 * quantile * sd)
    assert widths[0] > 1.05 * widths[1]
    assert rows[0] > 1.05 * rows[1]


def test_doubtful_photographs_widen_what_is_said_of_their_visits() -> None:
    model = ErrorModel(visit_sd_fraction=0.01, visit_sd_per_doubt=0.5)
    doubts = (0.02, 0.10)
    outcomes = [
        measured(0.4, day=90 * visit, doubt=doubt, segmentation_sd=0.0)
        for visit, doubt in enumerate(doubts)
    ]
    timeline = only(outcomes, error_model=model)
    expected = [0.02**2 + 0.01**2 + (0.5 * doubt) ** 2 for doubt in doubts]
    assert [each.sd_fraction**2 for each in timeline.visits] == pytest.approx(expected)
    mean = sum(expected) / 2
    dof = timeline.effective_degrees_of_freedom
    assert timeline.mdc_fraction == pytest.approx(MDC95_FACTOR * math.sqrt(mean), rel=1e-6)
    change = timeline.changes[0]
    half = stats.t.ppf(0.975, dof) * math.sqrt(sum(expected))
    assert change.high_fraction == pytest.approx(half)


def test_the_parts_of_the_error_make_up_the_interval_and_the_detectable_change() -> None:
    outcomes = [
        measured(0.4, segmentation_sd=0.01, registration_sd=0.002, doubt=0.02),
        measured(0.5, day=90, segmentation_sd=0.019, registration_sd=0.004, doubt=0.06),
    ]
    model = ErrorModel(visit_sd_fraction=0.005, visit_sd_per_doubt=0.65, visit_dof=12)
    timeline = only(outcomes, error_model=model)
    parts = timeline.error_parts
    assert parts is not None
    assert parts.replicate_sd_fraction == timeline.within_sd_fraction == pytest.approx(0.02)
    assert parts.perturbation_sd_fraction == pytest.approx(math.sqrt((0.01**2 + 0.019**2) / 2))
    assert parts.registration_sd_fraction == pytest.approx(math.sqrt((0.002**2 + 0.004**2) / 2))
    shared = [0.005**2 + (0.65 * doubt) ** 2 for doubt in (0.02, 0.06)]
    assert parts.shared_sd_fraction == pytest.approx(math.sqrt(sum(shared) / 2))
    assert parts.shared_degrees_of_freedom == 12
    assert timeline.mdc_fraction == pytest.approx(MDC95_FACTOR * parts.photograph_sd_fraction)
    squares = [visit.sd_fraction**2 for visit in timeline.visits]
    assert sum(squares) / 2 == pytest.approx(parts.photograph_sd_fraction**2)


def test_what_replicates_say_stays_known_where_a_photograph_s_own_record_says_more() -> None:
    timeline = only(
        [measured(0.4, segmentation_sd=0.03), measured(0.5, day=9, segmentation_sd=0.03)]
    )
    assert timeline.error_parts is not None
    assert timeline.within_sd_fraction == pytest.approx(0.03)
    assert timeline.error_parts.replicate_sd_fraction == pytest.approx(0.02)
    assert only([refused()]).error_parts is None


def test_a_change_that_could_not_have_been_seen_is_named() -> None:
    full, bald, middle = (
        only([measured(level), measured(level + 0.01, day=90)]).changes[0]
        for level in (0.97, 0.02, 0.5)
    )
    limit = f"{100 * full.mdc_fraction:.1f}"
    assert full.sentence.endswith(
        "can't be told from measurement error. An increase could not have been seen: coverage at "
        f"the first visit was 97.0 %, nearer to the end of the scale than these {limit} points."
    )
    assert " A decrease could not have been seen: coverage at the first visit was 2.0 %" in (
        bald.sentence
    )
    assert "could not have been seen" not in middle.sentence
    # Where a change was seen, the other direction doesn't matter.
    assert "could not" not in only([measured(0.97), measured(0.5, day=90)]).changes[0].sentence


def test_changes_that_all_rest_on_one_visit_say_so() -> None:
    def of(*coverages: float) -> Timeline:
        return only([measured(value, day=90 * n) for n, value in enumerate(coverages)])

    assert of(0.2, 0.45, 0.46, 0.44).notes[-1] == (
        "All 3 later visits are higher than the first visit, and within 2.0 points of one another. "
        "One unusual visit to begin with (light, combing, wet hair, a hand or a clip) would look "
        "the same: look at its photographs before you believe the change."
    )
    assert of(0.6, 0.35, 0.36, 0.34).notes[-1].startswith("All 3 later visits are lower than")
    for believable in (
        (0.2, 0.35, 0.5, 0.65),  # They differ from one another: it went on.
        (0.4, 0.41, 0.40, 0.42),
        (0.2, 0.45, 0.46),
        (0.4, 0.6, 0.2, 0.6),
    ):
        assert not any("later visits are" in note for note in of(*believable).notes)
