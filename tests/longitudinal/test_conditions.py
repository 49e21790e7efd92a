import csv
import datetime as dt
import io
import math

import pytest

from scalptrack.longitudinal import build_timelines
from scalptrack.longitudinal.conditions import barrier, unmatched
from scalptrack.records import Change, Outcome, Timeline, Verdict, VisitConditions
from scalptrack.tables import measurements_csv
from tests.longitudinal.series import FIRST_DAY, measured, refused, replicated
from tests.longitudinal.test_timeline import CAUSAL_WORDS

FIRST = "10 January 2024"


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=number)


def at(number: int, *, subject: str = "anna", **stated: object) -> VisitConditions:
    return VisitConditions(subject, day(number), **stated)  # type: ignore[arg-type]


def timeline_of(outcomes: list[Outcome], *conditions: VisitConditions) -> Timeline:
    (timeline,) = build_timelines(outcomes, conditions=conditions)
    return timeline


def change_at(timeline: Timeline, number: int) -> Change:
    (change,) = [c for c in timeline.changes if c.visit_date == day(number)]
    return change


@pytest.fixture
def year() -> list[Outcome]:
    """Four visits, 90 days apart; the third is far above the others."""
    return replicated([[0.40, 0.41], [0.41, 0.42], [0.80, 0.81], [0.42, 0.41]])


def test_without_conditions_or_with_harmless_ones_no_number_changes(year: list[Outcome]) -> None:
    plain = timeline_of(year)
    harmless = [
        at(0, wet=False, fibres=False, parting="left", note="quiet", days_since_haircut=10.0),
        at(90, micropigmentation=False, parting="Left ", days_since_haircut=23.0),
        at(180, days_since_haircut=12.0),
        at(270, days_since_haircut=0.0),
    ]
    stated = timeline_of(year, *harmless, at(0, subject="ben", fibres=True))
    assert stated.visits == plain.visits
    assert stated.changes == plain.changes
    assert stated.trend == plain.trend
    assert stated.conditions == tuple(harmless)


def test_fibres_make_a_visit_not_comparable_and_a_gap(year: list[Outcome]) -> None:
    timeline = timeline_of(year, at(180, fibres=True))
    change = change_at(timeline, 180)
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert math.isnan(change.change_fraction)
    assert change.sentence == (
        "Not comparable with the first visit: Hair fibres were in the hair at this visit "
        "(visits.csv); they look like hair."
    )
    assert [visit.visit_date for visit in timeline.visits] == [day(0), day(90), day(270)]
    assert [(gap.visit_date, gap.reason.code) for gap in timeline.gaps] == [
        (day(180), "fibres")
    ] * 2


def test_a_visit_set_aside_takes_part_in_no_other_number(year: list[Outcome]) -> None:
    without = timeline_of([o for o in year if o.visit_date != day(180)])
    aside = timeline_of(year, at(180, fibres=True))
    assert aside.visits == without.visits
    assert aside.trend == without.trend
    assert aside.within_sd_fraction == without.within_sd_fraction
    assert tuple(c for c in aside.changes if c.visit_date != day(180)) == without.changes


def test_fibres_at_both_visits_are_not_comparable_either(year: list[Outcome]) -> None:
    timeline = timeline_of(year, *(at(number, fibres=True) for number in (0, 90, 180, 270)))
    assert timeline.visits == ()
    assert {c.verdict for c in timeline.changes} == {Verdict.NOT_COMPARABLE}
    assert timeline.summary == (
        "No change can be stated: no visit of this view can be compared with another."
    )


def test_a_first_visit_with_fibres_is_no_baseline(year: list[Outcome]) -> None:
    timeline = timeline_of(year, at(0, fibres=True))
    assert timeline.baseline_date == day(90)
    assert timeline.notes[0].startswith(
        f"The first visit ({FIRST}) can't be compared, so changes are counted from 9 April 2024, "
        "the earliest visit that can. Hair fibres were in the hair"
    )
    assert "higher than at the visit of 9 April 2024" in change_at(timeline, 180).sentence


@pytest.mark.parametrize(
    ("wet", "baseline", "gone"), [((180,), 0, (180,)), ((0,), 90, (0,)), ((0, 180), 90, (0, 180))]
)
def test_wet_and_dry_are_not_compared_and_dry_is_the_baseline(
    year: list[Outcome], wet: tuple[int, ...], baseline: int, gone: tuple[int, ...]
) -> None:
    timeline = timeline_of(year, *(at(number, wet=True) for number in wet))
    assert timeline.baseline_date == day(baseline)
    refused_days = [c.visit_date for c in timeline.changes if c.verdict == "not comparable"]
    assert refused_days == [day(number) for number in gone]
    assert "Hair was wet at this visit and dry on" in change_at(timeline, gone[-1]).sentence


def test_one_dry_visit_among_wet_ones_is_the_odd_one(year: list[Outcome]) -> None:
    """As the baseline it could be compared with none, and the wet visits with none either."""
    timeline = timeline_of(year, *(at(number, wet=True) for number in (90, 180, 270)))
    assert timeline.baseline_date == day(90)
    assert timeline.notes[0].startswith(
        f"The first visit ({FIRST}) can't be compared, so changes are counted from 9 April 2024"
    )
    assert change_at(timeline, 0).sentence.endswith(
        "Hair was dry at this visit and wet on 9 April 2024 (visits.csv); wet hair clumps and "
        "shows more scalp."
    )
    assert change_at(timeline, 180).verdict is Verdict.INCREASE
    assert "Hair was wet at both visits" in change_at(timeline, 180).sentence
    late = timeline_of(year, *(at(number, wet=True) for number in (0, 90, 180)))
    assert late.baseline_date == day(0)
    assert change_at(late, 270).verdict is Verdict.NOT_COMPARABLE


def test_two_dry_visits_are_enough_however_many_were_wet(year: list[Outcome]) -> None:
    """Dry hair compares better: what was compared once stays when wet visits join."""
    joined = [*year, *(measured(0.3, day=360 + 90 * number) for number in range(4))]
    wet = (*range(180, 631, 90),)
    timeline = timeline_of(joined, *(at(number, wet=True) for number in wet))
    assert timeline.baseline_date == day(0)
    assert [visit.visit_date for visit in timeline.visits] == [day(0), day(90)]
    fibres = timeline_of(year, at(0, fibres=True), *(at(n, wet=True) for n in (180, 270)))
    assert fibres.baseline_date == day(180)


def test_wet_at_all_visits_is_compared_and_said(year: list[Outcome]) -> None:
    timeline = timeline_of(year, *(at(number, wet=True) for number in (0, 90, 180, 270)))
    assert len(timeline.visits) == 4
    assert change_at(timeline, 180).verdict is Verdict.INCREASE
    assert "Hair was wet at both visits" in change_at(timeline, 180).sentence


def test_micropigmentation_stays_until_it_is_denied(year: list[Outcome]) -> None:
    timeline = timeline_of(year, at(90, micropigmentation=True), at(270, micropigmentation=False))
    verdicts = [c.verdict for c in timeline.changes]
    assert verdicts[:2] == [Verdict.NOT_COMPARABLE] * 2
    assert verdicts[2] is Verdict.NO_DETECTABLE_CHANGE
    assert (
        f"There was micropigmentation at this visit and not on {FIRST} (visits.csv); it looks "
        "like hair."
    ) in change_at(timeline, 180).sentence


def test_micropigmentation_at_all_visits_is_compared_and_said(year: list[Outcome]) -> None:
    timeline = timeline_of(year, at(0, micropigmentation=True))
    assert change_at(timeline, 180).caveats == (
        "Micropigmentation was there at both visits and counts as hair.",
    )
    removed = timeline_of(year, at(0, micropigmentation=True), at(90, micropigmentation=False))
    assert f"on {FIRST} and no longer at this visit" in change_at(removed, 90).sentence


def test_another_length_is_said_with_what_it_does_alone(year: list[Outcome]) -> None:
    timeline = timeline_of(
        year, *(at(n, hair_length_mm=mm) for n, mm in ((0, 10.0), (90, 10.5), (180, 20.0)))
    )
    change = change_at(timeline, 180)
    assert change.verdict is Verdict.INCREASE
    alone = 100 * ((1 - 0.405) - (1 - 0.405) ** 2)
    assert change.caveats == (
        "Hair was 20 mm long at this visit and 10 mm at the first visit: the length alone could "
        f"raise coverage by about {alone:.1f} points.",
    )
    assert change.sentence.endswith(change.caveats[0])
    assert change_at(timeline, 90).caveats == ()
    shorter = timeline_of(year, at(0, hair_length_mm=20.0), at(180, hair_length_mm=10.0))
    assert "could lower coverage by about 17.6 points" in change_at(shorter, 180).sentence
    shaved = timeline_of(year, at(0, hair_length_mm=0.0), at(180, hair_length_mm=10.0))
    assert change_at(shaved, 180).sentence.endswith("first visit: longer hair covers more scalp.")


@pytest.mark.parametrize(("length", "days", "said"), [(10.9, 13.0, 0), (11.0, 14.0, 1)])
def test_small_differences_are_not_said(
    year: list[Outcome], length: float, days: float, said: int
) -> None:
    lengths = timeline_of(year, at(0, hair_length_mm=10.0), at(90, hair_length_mm=length))
    assert len(change_at(lengths, 90).caveats) == said
    cuts = timeline_of(year, at(0, days_since_haircut=0.0), at(90, days_since_haircut=days))
    assert len(change_at(cuts, 90).caveats) == said


def test_haircut_dye_and_parting_are_said_in_order(year: list[Outcome]) -> None:
    timeline = timeline_of(
        year,
        at(0, days_since_haircut=3.0, parting="left"),
        at(90, days_since_haircut=40.0, parting="middle", dyed=True),
        at(180, dyed=False, days_since_haircut=4.0),
    )
    assert change_at(timeline, 90).caveats == (
        "The last haircut was 40 days before this visit and 3 days before the first visit: longer "
        "hair covers more scalp.",
        "Hair was dyed at this visit and not at the first visit: another colour stands out from "
        "the scalp in another way.",
        "The parting was “middle” at this visit and “left” at the first visit: another parting "
        "shows another piece of scalp.",
    )
    assert change_at(timeline, 180).caveats == ()
    undyed = timeline_of(year, at(0, dyed=True))
    assert "dyed at the first visit and not at this visit" in change_at(undyed, 90).sentence


def test_no_sentence_claims_a_cause(year: list[Outcome]) -> None:
    timeline = timeline_of(
        [*year, measured(0.5, day=300), measured(0.5, day=330), refused(day=360)],
        at(0, hair_length_mm=5.0, parting="a"),
        at(90, hair_length_mm=9.0, dyed=True, parting="b"),
        at(180, fibres=True),
        at(270, wet=True),
        at(300, micropigmentation=True),
        at(330, micropigmentation=False),
    )
    texts = [c.sentence for c in timeline.changes] + [timeline.summary, *timeline.notes]
    for text in texts:
        assert not any(word in text.lower() for word in CAUSAL_WORDS), text


def test_summary_and_mixed_visits_name_what_is_not_compared(year: list[Outcome]) -> None:
    late = timeline_of(year, at(270, fibres=True))
    assert late.summary.endswith(" 1 later visit can't be compared.")
    lonely = timeline_of(year[:4], at(90, fibres=True))
    assert lonely.summary == (
        f"No change can be stated: only the visit of {FIRST} can be compared, and 1 other visit "
        "can't be compared with it. 9 April 2024: Hair fibres were in the hair at this visit "
        "(visits.csv); they look like hair."
    )
    mixed = timeline_of([*year, refused(day=180, replicate=3)], at(180, fibres=True))
    assert change_at(mixed, 180).sentence.endswith(
        "they look like hair. The photograph is blurred."
    )


def test_table_marks_photographs_that_are_not_compared(year: list[Outcome]) -> None:
    timeline = timeline_of(year, at(180, fibres=True))
    rows = list(csv.DictReader(io.StringIO(measurements_csv(year, [timeline]))))
    assert [row["not_compared"] for row in rows] == ["", "", "", "", "fibres", "fibres", "", ""]
    assert rows[4]["coverage_percent"] == "80.000"
    assert rows[4]["status"] == "measured"


def test_order_of_the_conditions_does_not_matter(year: list[Outcome]) -> None:
    stated = (at(270, wet=True), at(0, micropigmentation=True), at(90, micropigmentation=False))
    assert repr(timeline_of(year, *stated)) == repr(timeline_of(year, *reversed(stated)))


def test_lines_without_a_photograph_are_named(year: list[Outcome]) -> None:
    found = unmatched(
        [at(0, line=2), at(1, line=3, fibres=True), at(0, subject="Anna", line=4)], year
    )
    assert found == (
        "visits.csv, line 3: there is no photograph of anna on 11 January 2024, so nothing was "
        "done with it.",
        "visits.csv, line 4: there is no photograph of anybody called Anna, so nothing was done "
        "with it.",
    )


def test_a_barrier_stands_in_both_directions() -> None:
    reason = barrier(at(90, wet=False), at(0, wet=True))
    assert reason is not None
    assert reason.message.startswith(f"Hair was dry at this visit and wet on {FIRST} (visits.csv)")
    both = barrier(at(90, fibres=True), at(0, fibres=True))
    assert both is not None
    assert barrier(at(90), at(0)) is None


def test_a_line_says_that_what_was_stated_moves_it(year: list[Outcome]) -> None:
    grown = timeline_of(year, at(0, hair_length_mm=20.0), at(270, hair_length_mm=60.0))
    assert grown.trend is not None
    assert grown.trend.sentence.endswith(
        " What is stated beside the changes (visits.csv) moves it too."
    )
    alike = timeline_of(year, at(0, hair_length_mm=20.0), at(270, hair_length_mm=20.0))
    assert alike.trend is not None
    assert "visits.csv" in alike.trend.sentence  # Visits between them state nothing.
    plain = timeline_of(year)
    assert plain.trend is not None
    assert "visits.csv" not in plain.trend.sentence


def test_length_or_haircut_of_one_visit_alone_is_said(year: list[Outcome]) -> None:
    def caveats_of(*stated: VisitConditions) -> tuple[str, ...]:
        return change_at(timeline_of(year, *stated), 90).caveats

    assert caveats_of(at(0, hair_length_mm=20.0)) == (
        "Hair length or haircut is stated of the first visit and not of this visit (visits.csv): "
        "whether hair was longer is not known, and longer hair covers more scalp.",
    )
    assert caveats_of(at(90, days_since_haircut=20.0))[0].startswith(
        "Hair length or haircut is stated of this visit and not of the first visit"
    )
    assert caveats_of(at(0, hair_length_mm=20.0), at(90, days_since_haircut=20.0)) == (
        "Hair length is stated of one of this visit and the first visit, and the last haircut of "
        "the other (visits.csv): whether hair was longer is not known, and longer hair covers more "
        "scalp.",
    )
    both = (at(0, hair_length_mm=20.0, days_since_haircut=9.0), at(90, days_since_haircut=9.0))
    assert caveats_of(*both) == ()
