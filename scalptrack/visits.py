"""``visits.csv``: what a user states of the visits, because no photograph can tell it."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

from scalptrack.manifest import raise_table_errors, read_date, read_table
from scalptrack.records import VisitConditions

VISIT_COLUMNS = (
    "subject",
    "visit_date",
    "days_since_haircut",
    "hair_length_mm",
    "wet",
    "fibres",
    "dyed",
    "parting",
    "micropigmentation",
    "note",
)
"""Columns of ``visits.csv``; all but the first two may be missing or empty."""

_SWITCHES = ("wet", "fibres", "dyed", "micropigmentation")
_HIGHEST = {"days_since_haircut": 36_525.0, "hair_length_mm": 3_000.0}
_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
    "": None,
}


def read_visits(path: Path) -> tuple[VisitConditions, ...]:
    """Conditions of the visits in a ``visits.csv``, by subject and date.

    A column that is not known is a mistake: a misspelt ``fibres`` must not be overlooked.

    Raises
    ------
    InputError
        If the table can't be read; names every mistake with its line.
    """
    table = read_table(path, required=VISIT_COLUMNS[:2], known=VISIT_COLUMNS)
    errors = list(table.errors)
    found: dict[tuple[str, date], VisitConditions] = {}
    for line, cells in table.lines:
        conditions, problems = _read_row(line, cells)
        if conditions is not None:
            key = (conditions.subject, conditions.visit_date)
            first = found.setdefault(key, conditions)
            if first is not conditions:
                problems.append(f"this visit is already in line {first.line}")
        if problems:
            errors.append(f"line {line}: {'; '.join(problems)}")
    raise_table_errors(path, errors)
    return tuple(found[key] for key in sorted(found))


def _read_row(line: int, cells: dict[str, str]) -> tuple[VisitConditions | None, list[str]]:
    """One visit, None without subject and date, and what is wrong with the line."""
    problems = [f"{column} is empty" for column in VISIT_COLUMNS[:2] if not cells.get(column)]
    visit_date, problem = read_date(cells.get("visit_date", ""), "visit_date")
    problems += [problem] if problem else []
    numbers: dict[str, float | None] = {}
    for column, highest in _HIGHEST.items():
        numbers[column], problem = _read_number(cells.get(column, ""), column, highest)
        problems += [problem] if problem else []
    answers: dict[str, bool | None] = {}
    for column in _SWITCHES:
        text = cells.get(column, "")
        answers[column] = _ANSWERS.get(text.casefold())
        if text.casefold() not in _ANSWERS:
            problems.append(f"{column} {text!r} is neither yes nor no")
    if visit_date is None or not cells.get("subject"):
        return None, problems
    conditions = VisitConditions(
        subject=cells["subject"],
        visit_date=visit_date,
        days_since_haircut=numbers["days_since_haircut"],
        hair_length_mm=numbers["hair_length_mm"],
        wet=answers["wet"],
        fibres=answers["fibres"],
        dyed=answers["dyed"],
        parting=cells.get("parting", ""),
        micropigmentation=answers["micropigmentation"],
        note=cells.get("note", ""),
        line=line,
    )
    return conditions, problems


def _read_number(text: str, column: str, highest: float) -> tuple[float | None, str]:
    """A number from 0 with a point or a comma, None when empty, or what is wrong with it."""
    if not text:
        return None, ""
    if re.fullmatch(r"[0-9]+([.,][0-9]+)?", text):
        value = float(text.replace(",", "."))
        if math.isfinite(value) and value <= highest:
            return value, ""
    return None, f"{column} {text!r} is not a number from 0 to {highest:.0f}"
