"""Decisions of a reviewer: what they may say, checked before any of it is written.

A decision is the value of one target. A target is something said of one photograph, which is named
by the SHA-256 of its content, or of one subject. A value of None takes the decision back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from scalptrack.errors import InputError
from scalptrack.translation import marked, tr

OF_PHOTOGRAPHS = ("verdict", "reference", "region", "points", "note")
OF_SUBJECTS = ("events",)
NAMES = {
    "verdict": marked("verdict"),
    "reference": marked("reference"),
    "region": marked("region"),
    "points": marked("points"),
    "note": marked("note"),
    "events": marked("events"),
}
"""What messages call a thing that is decided; English, to be translated where it is used."""

MIN_POINT_PAIRS = 4
MAX_TEXT = 500
MAX_VERTICES = 400
MAX_POLYGONS = 12
MAX_PAIRS = 60
MAX_EVENTS = 200
_HIGHEST_PX = 200_000.0

Target = tuple[str, str, str]
"""``("photo", sha256, what)`` or ``("subject", name, what)``."""


@dataclass(frozen=True, slots=True)
class Change:
    """One target with the value that it had and the one that it gets."""

    target: Target
    before: Any
    after: Any

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the file and comes from the page."""
        kind, name, what = self.target
        return {kind: name, "what": what, "before": self.before, "after": self.after}

    @classmethod
    def from_dict(cls, values: Any) -> Change:
        """Inverse of `as_dict`; the value is checked and brought into its one form.

        Raises
        ------
        InputError
            If it isn't a decision.
        """
        if not isinstance(values, Mapping) or "after" not in values:
            msg = tr("A change has to be an object with a target, `what`, `before` and `after`.")
            raise InputError(msg)
        target = _target(values)
        return cls(target, values.get("before"), checked(target[2], values["after"]))


def _target(values: Mapping[str, Any]) -> Target:
    what = values.get("what")
    photo, subject = values.get("photo"), values.get("subject")
    if isinstance(photo, str) and subject is None and what in OF_PHOTOGRAPHS:
        if re.fullmatch(r"[0-9a-f]{64}", photo):
            return ("photo", photo, str(what))
        msg = tr(
            "{photo!r} is not the SHA-256 of a photograph (64 hexadecimal digits).",
            photo=photo[:80],
        )
        raise InputError(msg)
    if isinstance(subject, str) and subject and photo is None and what in OF_SUBJECTS:
        return ("subject", subject, str(what))
    msg = tr(
        "{what!r} is nothing that can be decided here; {known} are.",
        what=what,
        known=OF_PHOTOGRAPHS + OF_SUBJECTS,
    )
    raise InputError(msg)


def checked(what: str, value: Any) -> Any:
    """Return a decision's value in its one form, or raise.

    Raises
    ------
    InputError
        If the value is not one that can be decided; says what is wrong with it.
    """
    if value is None:
        return None
    match what:
        case "verdict":
            return _verdict(value)
        case "reference":
            return True if value is True else _refuse(what, value, marked("true or null"))
        case "region":
            return _region(value)
        case "points":
            return _points(value)
        case "note":
            return text_of(value, marked("the note")) or None
        case "events":
            return _events(value)
    return _refuse(marked("decision"), what, marked("one of those that are known"))


def _verdict(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or value.get("verdict") not in {"accepted", "excluded"}:
        _refuse("verdict", value, marked("'accepted' or 'excluded'"))
    if value["verdict"] == "accepted":
        seen = value.get("seen")
        if not isinstance(seen, Mapping):
            _refuse("verdict", value, marked("accepted with what was seen"))
        keys = ("status", "tier", "reason_code", "coverage_percent")
        return {"verdict": "accepted", "seen": {key: str(seen.get(key, ""))[:80] for key in keys}}
    reason = text_of(value.get("reason"), marked("the reason"))
    if not reason:
        msg = tr(
            "Give a reason for excluding this photograph: it is shown wherever its number was."
        )
        raise InputError(msg)
    return {"verdict": "excluded", "reason": reason}


def text_of(value: Any, name: str) -> str:
    """One line of text without surrounding blanks.

    Parameters
    ----------
    value : object
        What should be text.
    name : str
        What messages call it; English, translated where it is said.

    Raises
    ------
    InputError
        If it is no text, or too long.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        msg = tr(
            "Of {name}: at most {most} characters of text can be kept.",
            name=tr(name),
            most=MAX_TEXT,
        )
        raise InputError(msg)
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _region(value: Any) -> dict[str, Any]:
    polygons = value.get("polygons") if isinstance(value, Mapping) else None
    if not isinstance(polygons, list) or not 1 <= len(polygons) <= MAX_POLYGONS:
        return {"polygons": _refuse("region", value, marked("1 to {size} polygons"), MAX_POLYGONS)}
    return {"polygons": [_polygon(each) for each in polygons]}


def _polygon(value: Any) -> list[list[float]]:
    points = _rows(value, 2, marked("vertex"))
    if not 3 <= len(points) <= MAX_VERTICES:
        msg = tr(
            "A region needs 3 to {most} corners; this one has {count}.",
            most=MAX_VERTICES,
            count=len(points),
        )
        raise InputError(msg)
    if crosses_itself(points):
        msg = tr("The border of the region crosses itself. Move or delete a corner.")
        raise InputError(msg)
    return points


def _rows(value: Any, length: int, name: str) -> list[list[float]]:
    """Rows of finite numbers, rounded to a hundredth of a pixel."""
    if not isinstance(value, list):
        _refuse(name, value, marked("a list"))
    rows = []
    for row in value:
        numbers = isinstance(row, list) and all(
            isinstance(each, int | float)
            and not isinstance(each, bool)
            and math.isfinite(each)
            and abs(each) <= _HIGHEST_PX
            for each in row
        )
        if not numbers or len(row) != length:
            _refuse(name, row, marked("{size} numbers in pixels"), length)
        rows.append([round(float(each), 2) for each in row])
    return rows


def crosses_itself(points: list[list[float]]) -> bool:
    """Whether two sides of a closed polygon that aren't neighbours meet, or a corner repeats."""
    count = len(points)
    if len({(x, y) for x, y in points}) < count:
        return True
    sides = [(points[i], points[(i + 1) % count]) for i in range(count)]
    return any(
        _meet(*sides[i], *sides[j])
        for i in range(count)
        for j in range(i + 2, count)
        if not (i == 0 and j == count - 1)
    )


def _meet(a: list[float], b: list[float], c: list[float], d: list[float]) -> bool:
    """Whether the segments a-b and c-d have a point in common."""

    def side(p: list[float], q: list[float], r: list[float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def within(p: list[float], q: list[float], r: list[float]) -> bool:
        inside_x = min(p[0], q[0]) <= r[0] <= max(p[0], q[0])
        return inside_x and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])

    first, second = side(a, b, c), side(a, b, d)
    third, fourth = side(c, d, a), side(c, d, b)
    if first * second < 0 and third * fourth < 0:
        return True
    ends = ((first, a, b, c), (second, a, b, d), (third, c, d, a), (fourth, c, d, b))
    return any(turn == 0 and within(p, q, r) for turn, p, q, r in ends)


def _points(value: Any) -> dict[str, Any]:
    reference = value.get("reference") if isinstance(value, Mapping) else None
    if not isinstance(reference, str) or not re.fullmatch(r"[0-9a-f]{64}", reference):
        name = marked("reference of the points")
        _refuse(name, reference, marked("the SHA-256 of a photograph"))
    pairs = _rows(value.get("pairs"), 4, marked("pair of points"))
    if not MIN_POINT_PAIRS <= len(pairs) <= MAX_PAIRS:
        msg = tr(
            "At least {least} and at most {most} pairs of points are needed; there are {count}.",
            least=MIN_POINT_PAIRS,
            most=MAX_PAIRS,
            count=len(pairs),
        )
        raise InputError(msg)
    for columns in ((0, 1), (2, 3)):
        if len({tuple(pair[i] for i in columns) for pair in pairs}) < len(pairs):
            msg = tr("Two of the points lie on the same spot. Each pair has to mark another one.")
            raise InputError(msg)
    return {"reference": reference, "pairs": pairs}


def _events(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > MAX_EVENTS:
        _refuse("events", value, marked("a list of at most {size}"), MAX_EVENTS)
    events = []
    for each in value:
        label = text_of(each.get("label"), marked("the event")) if isinstance(each, Mapping) else ""
        day = each.get("date") if isinstance(each, Mapping) else None
        if not label or not isinstance(day, str):
            msg = tr("An event needs a date and a few words.")
            raise InputError(msg)
        try:
            events.append({"date": date.fromisoformat(day).isoformat(), "label": label})
        except ValueError as error:
            msg = tr("{day!r} is not a date like 2026-03-12.", day=day[:40])
            raise InputError(msg) from error
    return sorted(events, key=lambda each: (each["date"], each["label"]))


def _refuse(name: str, value: Any, wanted: str, size: int = 0) -> Any:
    """Say what a value has to be; name and what is wanted are translated here."""
    msg = tr(
        "The {name} {value!r} can't be kept: it has to be {wanted}.",
        name=tr(NAMES.get(name, name)),
        value=str(value)[:80],
        wanted=tr(wanted, size=size),
    )
    raise InputError(msg)
