"""The hair index of each visit as text: another scale than coverage, and kept apart from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from scalptrack.longitudinal.hair_index import HAIR_INDEX_MAX_COVERAGE
from scalptrack.records import Timeline
from scalptrack.translation import number, tr


def hair_index_rule() -> str:
    """Write what the hair index is, and where there is none."""
    return tr(
        "−ln(1 − coverage), without a unit: not a percentage, and no count. For hair that lies at "
        "random it is proportional to number times length times calibre, so that the same gain of "
        "hair raises it alike at any coverage, where coverage itself rises less the more hair "
        "there is. Differences are from the baseline; intervals are 95 % intervals of one look. "
        "Not given beyond {limit} % coverage, nor is an end of an interval that lies there.",
        limit=f"{100 * HAIR_INDEX_MAX_COVERAGE:.0f}",
    )


@dataclass(frozen=True, slots=True)
class HairIndexRow:
    """A visit, its index and the difference from the baseline with their intervals."""

    visit_date: date
    level: str
    change: str


def hair_index_rows(timeline: Timeline) -> tuple[HairIndexRow, ...]:
    """Write the hair index of every visit with a number."""
    changes = {each.visit_date: each for each in timeline.changes}
    rows = []
    for visit in timeline.visits:
        change = changes.get(visit.visit_date)
        level = _with_interval("", visit.hair_index, visit.hair_index_low, visit.hair_index_high)
        difference = "–"
        if change is not None:
            low, high = change.hair_index_change_low, change.hair_index_change_high
            difference = _with_interval("+", change.hair_index_change, low, high)
        rows.append(HairIndexRow(visit.visit_date, level, difference))
    return tuple(rows)


def _with_interval(sign: str, value: float, low: float, high: float) -> str:
    """Write a number with what is known of its interval; a dash where it is NaN."""
    if math.isnan(value):
        return "–"
    form = f"{sign}.2f"
    ends = ["–" if math.isnan(end) else number(end, form) for end in (low, high)]
    span = tr("{low} to {high}", low=ends[0], high=ends[1])
    return f"{number(value, form)} ({span})".replace("-", "−")
