"""What is said beside every number that rests on an alignment of tier B."""

from __future__ import annotations

from dataclasses import replace

from scalptrack.records import Finding, Registration, Severity
from scalptrack.registration import by_outline, by_strip
from scalptrack.translation import marked, tr

OUTLINE_ONLY = Finding(
    code="outline_only",
    severity=Severity.WARNING,
    value=by_outline.TURN_SD_DEG,
    limit=0.0,
    unit=marked("degrees"),
    advice=marked(
        "Aligned by the outline of the head alone, which can't tell "
        "another person, or a mirrored photograph, from this one: make "
        "sure whose photograph it is."
    ),
)
STRIP_ONLY = Finding(
    code="strip_only",
    severity=Severity.WARNING,
    value=by_strip.TURN_SD_DEG,
    limit=0.0,
    unit=marked("degrees"),
    advice=marked(
        "Aligned by the printed headband (tier B), which can't tell "
        "another person who wears the same band from this one, nor a "
        "band that was put on a little beside: make sure whose "
        "photograph it is, and that the band lies where it lay before."
    ),
)
POINTS_BY_HAND = Finding(
    code="points_by_hand",
    severity=Severity.WARNING,
    value=0.0,
    limit=0.0,
    unit="",
    advice=marked(
        "Aligned by points that a person set on both photographs (tier "
        "B): whose photograph it is rests on that person's word."
    ),
)

_DOUBTS = {"outline": OUTLINE_ONLY, "strip": STRIP_ONLY, "points": POINTS_BY_HAND}


def doubts_of(registration: Registration) -> tuple[Finding, ...]:
    """The warning that goes with an alignment; none with one by features, and none if refused."""
    if not registration.registered or registration.method not in _DOUBTS:
        return ()
    doubt = _DOUBTS[registration.method]
    return (replace(doubt, advice=tr(doubt.advice)),)
