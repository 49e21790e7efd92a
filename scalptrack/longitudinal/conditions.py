"""What a user states of the visits: which of them can be compared, and what to know where they can.

Hair fibres and micropigmentation can't be told from hair in a photograph, and wet hair clumps and
shows scalp: with such a difference there is no comparison. Longer hair covers more scalp, and so
on: such a difference is said beside the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from scalptrack.records import Outcome, Reason, VisitConditions
from scalptrack.wording import long_date, points

FILE = "visits.csv"

CONDITION_CODES = frozenset({"fibres", "wet_or_dry", "micropigmentation"})
"""Codes of reasons why a photograph that has a number can't be compared."""

NOTABLE_LENGTH_RATIO = 1.1
"""From here a difference of hair length is said: at 50 % coverage hair that is 10 % longer adds 3.3
points (``1 - (1 - C) ** 1.1``), and a drug about 5 in a year."""

NOTABLE_HAIRCUT_DAYS = 14
"""From here a difference of days since the haircut is said: about 5 mm of hair at 0.35 mm a day."""


def conditions_by_date(
    conditions: Iterable[VisitConditions], subject: str, dates: Iterable[date]
) -> dict[date, VisitConditions]:
    """Conditions of each visit of a subject; micropigmentation stays until it is denied.

    Parameters
    ----------
    conditions : iterable of VisitConditions
        Of any subjects.
    dates : iterable of date
        All visits of the timeline, also those of which nothing is stated.
    """
    stated = {each.visit_date: each for each in conditions if each.subject == subject}
    found: dict[date, VisitConditions] = {}
    pigmented: bool | None = None
    for day in sorted({*stated, *dates}):
        each = stated.get(day) or VisitConditions(subject, day)
        if each.micropigmentation is not None:
            pigmented = each.micropigmentation
        found[day] = replace(each, micropigmentation=pigmented)
    return found


def baseline_among(dates: Sequence[date], stated: Mapping[date, VisitConditions]) -> date | None:
    """Return the visit to count changes from: the earliest dry one without fibres.

    Where only one visit was dry and several were wet it is the earliest wet one: the dry one could
    be compared with none. None where every visit had fibres.
    """
    without_fibres = [day for day in sorted(dates) if not stated[day].fibres]
    wet = [day for day in without_fibres if stated[day].wet]
    dry = [day for day in without_fibres if not stated[day].wet]
    if len(dry) == 1 and len(wet) > 1:
        return wet[0]
    return next(iter([*dry, *wet]), None)


def barrier(visit: VisitConditions, baseline: VisitConditions | None) -> Reason | None:
    """Why a visit can't be compared with the baseline visit; None where it can."""
    if visit.fibres:
        return Reason(
            "fibres", f"Hair fibres were in the hair at this visit ({FILE}); they look like hair."
        )
    if baseline is None or baseline.visit_date == visit.visit_date:
        return None
    when = long_date(baseline.visit_date)
    if bool(visit.wet) != bool(baseline.wet):
        here, there = ("wet", "dry") if visit.wet else ("dry", "wet")
        return Reason(
            "wet_or_dry",
            f"Hair was {here} at this visit and {there} on {when} ({FILE}); wet hair clumps and "
            "shows more scalp.",
        )
    if bool(visit.micropigmentation) != bool(baseline.micropigmentation):
        where = f"at this visit and not on {when}"
        if baseline.micropigmentation:
            where = f"on {when} and no longer at this visit"
        return Reason(
            "micropigmentation",
            f"There was micropigmentation {where} ({FILE}); it looks like hair. To follow the hair "
            "from here on, give these photographs a subject name of their own.",
        )
    return None


def caveats(
    visit: VisitConditions, baseline: VisitConditions, *, coverage_fraction: float, named: str
) -> tuple[str, ...]:
    """Sentences on differences that change coverage without any growth, in a fixed order.

    Parameters
    ----------
    visit, baseline : VisitConditions
        Of two visits that can be compared.
    coverage_fraction : float
        Coverage at the baseline visit.
    named : str
        What the baseline visit is called, e.g. ``"the first visit"``.
    """
    found = _length_caveat(visit, baseline, coverage_fraction, named)
    found = found or _haircut_caveat(visit, baseline, named)
    found = found or _half_known_caveat(visit, baseline, named)
    sentences = [found] if found else []
    if visit.wet and baseline.wet:
        sentences.append("Hair was wet at both visits, which shows more scalp, never twice alike.")
    if bool(visit.dyed) != bool(baseline.dyed):
        dyed, natural = ("at this visit", named) if visit.dyed else (named, "at this visit")
        dyed, natural = (_at(each) for each in (dyed, natural))
        sentences.append(
            f"Hair was dyed {dyed} and not {natural}: another colour stands out from the scalp "
            "in another way."
        )
    if visit.parting and baseline.parting and not _same_word(visit.parting, baseline.parting):
        sentences.append(
            f"The parting was “{visit.parting}” at this visit and “{baseline.parting}” at {named}: "
            "another parting shows another piece of scalp."
        )
    if visit.micropigmentation and baseline.micropigmentation:
        sentences.append("Micropigmentation was there at both visits and counts as hair.")
    return tuple(sentences)


def _length_caveat(
    visit: VisitConditions, baseline: VisitConditions, coverage: float, named: str
) -> str:
    """Say what another length does alone, where hair lies at random: the hair index scales."""
    here, there = visit.hair_length_mm, baseline.hair_length_mm
    if here is None or there is None or here == there:
        return ""
    if max(here, there) < NOTABLE_LENGTH_RATIO * min(here, there):
        return ""
    lengths = f"Hair was {here:g} mm long at this visit and {there:g} mm at {named}: "
    if min(here, there) == 0.0:
        return lengths + "longer hair covers more scalp."
    alone = (1.0 - coverage) - (1.0 - coverage) ** (here / there)
    direction = "raise" if here > there else "lower"
    return f"{lengths}the length alone could {direction} coverage by about {points(alone)} points."


def _haircut_caveat(visit: VisitConditions, baseline: VisitConditions, named: str) -> str:
    """Say that the haircuts were not equally long ago."""
    here, there = visit.days_since_haircut, baseline.days_since_haircut
    if here is None or there is None or abs(here - there) < NOTABLE_HAIRCUT_DAYS:
        return ""
    return (
        f"The last haircut was {here:g} days before this visit and {there:g} days before {named}: "
        "longer hair covers more scalp."
    )


def _half_known_caveat(visit: VisitConditions, baseline: VisitConditions, named: str) -> str:
    """Say that length or haircut is known of one visit alone, so that nothing follows from it."""
    pairs = (
        (visit.hair_length_mm, baseline.hair_length_mm),
        (visit.days_since_haircut, baseline.days_since_haircut),
    )
    if any(here is not None and there is not None for here, there in pairs):
        return ""
    here = any(value is not None for value, _ in pairs)
    there = any(value is not None for _, value in pairs)
    if not (here or there):
        return ""
    if here and there:
        return (
            f"Hair length is stated of one of this visit and {named}, and the last haircut of the "
            f"other ({FILE}): whether hair was longer is not known, and longer hair covers more "
            "scalp."
        )
    known, unknown = ("this visit", named) if here else (named, "this visit")
    return (
        f"Hair length or haircut is stated of {known} and not of {unknown} ({FILE}): whether hair "
        "was longer is not known, and longer hair covers more scalp."
    )


def _at(visit: str) -> str:
    return visit if visit.startswith("at ") else f"at {visit}"


def _same_word(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def unmatched(
    conditions: Iterable[VisitConditions], outcomes: Iterable[Outcome]
) -> tuple[str, ...]:
    """Sentences on stated visits of which there is no photograph: perhaps a name is misspelt."""
    visits = {(each.subject, each.visit_date) for each in outcomes}
    subjects = {subject for subject, _ in visits}
    sentences = []
    for each in conditions:
        if (each.subject, each.visit_date) in visits:
            continue
        who = f"of anybody called {each.subject}"
        if each.subject in subjects:
            who = f"of {each.subject} on {long_date(each.visit_date)}"
        sentences.append(
            f"{FILE}, line {each.line}: there is no photograph {who}, so nothing was done with it."
        )
    return tuple(sentences)
