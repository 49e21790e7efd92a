"""Decisions as corrections of a run: what they exclude, set and draw among its photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from scalptrack.corrections import Corrections, DrawnRegion, HandSetPoints
from scalptrack.records import Catalog, Event, Photograph, Reason
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision, DecisionLog
from scalptrack.translation import tr, trn
from scalptrack.wording import printable

Decisions = Mapping[Target, Decision]

NUMBERLESS = ("note",)
"""What is decided without any effect on a number."""


def has_effect(target: Target, decision: Decision) -> bool:
    """Whether a decision changes what a run gives."""
    what = target[2]
    if what == "verdict":
        return bool(decision.value["verdict"] == "excluded")
    return what not in NUMBERLESS


def as_plain(target: Target, decision: Decision) -> dict[str, Any]:
    """A decision as provenance holds it."""
    kind, name, what = target
    return {
        kind: name,
        "what": what,
        "value": decision.value,
        "who": decision.who,
        "at": decision.at,
    }


def effective(decisions: Decisions) -> list[dict[str, Any]]:
    """Decisions that change what a run gives, in a fixed order, as plain values."""
    return [as_plain(*each) for each in sorted(decisions.items(), key=_target) if has_effect(*each)]


def _target(item: tuple[Target, Decision]) -> Target:
    return item[0]


def apply_decisions(
    catalog: Catalog, log: DecisionLog, *, source: str
) -> tuple[Catalog, Corrections]:
    """Apply what a reviewer decided to a catalog.

    Parameters
    ----------
    catalog : Catalog
        What was understood of the folder.
    log : DecisionLog
        The decisions.
    source : str
        Name of the file, for notes.

    Returns
    -------
    Catalog
        With the references that were chosen.
    Corrections
        What the stages have to know. A decision that fits nothing in the folder is named in the
        notes.
    """
    if not log.entries:
        return catalog, Corrections()
    decisions = log.decisions()
    subjects = {each.subject for each in catalog.photographs}
    photographs, notes = with_references(catalog.photographs, decisions)
    catalog = replace(catalog, photographs=photographs)
    hashes = {each.sha256 for each in photographs} | {each.sha256 for each in catalog.rejected}
    known = {
        target: decision
        for target, decision in decisions.items()
        if target[1] in (hashes if target[0] == "photo" else subjects)
    }
    applied = effective(known)
    record = {
        "file": source,
        "log_sha256": log.head,
        "log_lines": len(log.entries),
        "applied": applied,
    }
    lost = len(effective(decisions)) - len(applied)
    if lost:
        notes.append(
            trn(
                "{source}: {count} decision on photographs or people that aren't among these; "
                "nothing was done with them.",
                "{source}: {count} decisions on photographs or people that aren't among these; "
                "nothing was done with them.",
                lost,
                source=source,
            )
        )
    if applied:
        said = trn(
            "{source}: {count} decision of a reviewer applied.",
            "{source}: {count} decisions of a reviewer applied.",
            len(applied),
            source=source,
        )
        notes.insert(0, said)
    return catalog, replace(corrections_of(known), notes=tuple(notes), record=record)


def corrections_of(decisions: Decisions) -> Corrections:
    """What decisions exclude, draw, set and note, as stages take it."""
    return Corrections(
        excluded=_excluded(decisions),
        regions=_regions(decisions),
        points=_points(decisions),
        events=_events(decisions),
    )


def _of(decisions: Decisions, what: str) -> dict[str, Decision]:
    return {name: each for (_, name, about), each in decisions.items() if about == what}


def with_references(
    photographs: Sequence[Photograph], decisions: Decisions
) -> tuple[tuple[Photograph, ...], list[str]]:
    """Photographs with the references that were chosen; the later choice where there are two.

    Returns
    -------
    tuple of Photograph
        In the same order.
    list of str
        Sentences on places with two choices.
    """
    by_hash = {each.sha256: each for each in photographs}
    chosen: dict[tuple[str, str], Photograph] = {}
    notes = []
    marks = sorted(_of(decisions, "reference").items(), key=lambda each: each[1].number)
    for sha256, _ in marks:
        photograph = by_hash.get(sha256)
        if photograph is None:
            continue
        place = (photograph.subject, photograph.view)
        if place in chosen:
            notes.append(
                tr(
                    "{name} and {other} were both marked as the reference of one "
                    "view; the later mark counts.",
                    name=printable(chosen[place].name),
                    other=printable(photograph.name),
                )
            )
        chosen[place] = photograph
    marked = tuple(
        replace(each, set_as_reference=each is chosen[each.subject, each.view])
        if (each.subject, each.view) in chosen
        else each
        for each in photographs
    )
    return marked, notes


def _excluded(decisions: Decisions) -> dict[str, Reason]:
    found = {}
    for sha256, each in _of(decisions, "verdict").items():
        if each.value["verdict"] == "excluded":
            sentence = tr("Excluded by {who}: {reason}", who=each.who, reason=each.value["reason"])
            found[sha256] = Reason("excluded", sentence)
    return found


def _regions(decisions: Decisions) -> dict[str, DrawnRegion]:
    return {
        sha256: DrawnRegion(
            tuple(
                tuple((float(x), float(y)) for x, y in polygon)
                for polygon in each.value["polygons"]
            ),
            each.who,
        )
        for sha256, each in _of(decisions, "region").items()
    }


def _points(decisions: Decisions) -> dict[str, HandSetPoints]:
    return {
        sha256: HandSetPoints(
            each.value["reference"],
            tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in each.value["pairs"]),
            each.who,
        )
        for sha256, each in _of(decisions, "points").items()
    }


def _events(decisions: Decisions) -> tuple[Event, ...]:
    return tuple(
        Event(date.fromisoformat(event["date"]), event["label"], subject)
        for subject, each in sorted(_of(decisions, "events").items())
        for event in each.value
    )
