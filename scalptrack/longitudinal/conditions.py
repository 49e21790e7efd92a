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
from scalptrack.translation import tr
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
        words = tr(
            "Hair fibres were in the hair at this visit ({file}); they look like hair.", file=FILE
        )
        return Reason("fibres", words)
    if baseline is None or baseline.visit_date == visit.visit_date:
        return None
    when = long_date(baseline.visit_date)
    if bool(visit.wet) != bool(baseline.wet):
        return Reason("wet_or_dry", _wet_or_dry(when, wet=bool(visit.wet)))
    if bool(visit.micropigmentation) != bool(baseline.micropigmentation):
        where = tr("at this visit and not on {day}", day=when)
        if baseline.micropigmentation:
            where = tr("on {day} and no longer at this visit", day=when)
        words = tr(
            "There was micropigmentation {where} ({file}); it looks like hair. To follow the hair "
            "from here on, give these photographs a subject name of their own.",
            where=where,
            file=FILE,
        )
        return Reason("micropigmentation", words)
    return None


def _wet_or_dry(when: str, *, wet: bool) -> str:
    """Say that hair was wet at one visit alone: at this one, or at the baseline."""
    if wet:
        return tr(
            "Hair was wet at this visit and dry on {day} ({file}); wet hair clumps and shows more "
            "scalp.",
            day=when,
            file=FILE,
        )
    return tr(
        "Hair was dry at this visit and wet on {day} ({file}); wet hair clumps and shows more "
        "scalp.",
        day=when,
        file=FILE,
    )


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
        sentences.append(
            tr("Hair was wet at both visits, which shows more scalp, never twice alike.")
        )
    if bool(visit.dyed) != bool(baseline.dyed):
        sentences.append(_dye_caveat(named, dyed=bool(visit.dyed)))
    if visit.parting and baseline.parting and not _same_word(visit.parting, baseline.parting):
        sentences.append(
            tr(
                "The parting was “{here}” at this visit and “{there}” at {baseline}: another "
                "parting shows another piece of scalp.",
                here=visit.parting,
                there=baseline.parting,
                baseline=named,
            )
        )
    if visit.micropigmentation and baseline.micropigmentation:
        sentences.append(tr("Micropigmentation was there at both visits and counts as hair."))
    return tuple(sentences)


def _dye_caveat(named: str, *, dyed: bool) -> str:
    """Say that hair was dyed at one visit alone: at this one, or at the baseline."""
    if dyed:
        return tr(
            "Hair was dyed at this visit and not at {baseline}: another colour stands out from the "
            "scalp in another way.",
            baseline=named,
        )
    return tr(
        "Hair was dyed at {baseline} and not at this visit: another colour stands out from the "
        "scalp in another way.",
        baseline=named,
    )


def _length_caveat(
    visit: VisitConditions, baseline: VisitConditions, coverage: float, named: str
) -> str:
    """Say what another length does alone, where hair lies at random: the hair index scales."""
    here, there = visit.hair_length_mm, baseline.hair_length_mm
    if here is None or there is None or here == there:
        return ""
    if max(here, there) < NOTABLE_LENGTH_RATIO * min(here, there):
        return ""
    if min(here, there) == 0.0:
        effect = tr("longer hair covers more scalp.")
    else:
        alone = points((1.0 - coverage) - (1.0 - coverage) ** (here / there))
        effect = (
            tr("the length alone could raise coverage by about {points} points.", points=alone)
            if here > there
            else tr("the length alone could lower coverage by about {points} points.", points=alone)
        )
    return tr(
        "Hair was {here:g} mm long at this visit and {there:g} mm at {baseline}: {effect}",
        here=here,
        there=there,
        baseline=named,
        effect=effect,
    )


def _haircut_caveat(visit: VisitConditions, baseline: VisitConditions, named: str) -> str:
    """Say that the haircuts were not equally long ago."""
    here, there = visit.days_since_haircut, baseline.days_since_haircut
    if here is None or there is None or abs(here - there) < NOTABLE_HAIRCUT_DAYS:
        return ""
    return tr(
        "The last haircut was {here:g} days before this visit and {there:g} days before "
        "{baseline}: longer hair covers more scalp.",
        here=here,
        there=there,
        baseline=named,
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
        return tr(
            "Hair length is stated of one of this visit and {baseline}, and the last haircut of "
            "the other ({file}): whether hair was longer is not known, and longer hair covers more "
            "scalp.",
            baseline=named,
            file=FILE,
        )
    known, unknown = (tr("this visit"), named) if here else (named, tr("this visit"))
    return tr(
        "Hair length or haircut is stated of {known} and not of {unknown} ({file}): whether hair "
        "was longer is not known, and longer hair covers more scalp.",
        known=known,
        unknown=unknown,
        file=FILE,
    )


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
        who = tr("of anybody called {subject}", subject=each.subject)
        if each.subject in subjects:
            day = long_date(each.visit_date)
            who = tr("of {subject} on {day}", subject=each.subject, day=day)
        sentences.append(
            tr(
                "{file}, line {line}: there is no photograph {who}, so nothing was done with it.",
                file=FILE,
                line=each.line,
                who=who,
            )
        )
    return tuple(sentences)
