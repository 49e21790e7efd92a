"""Decisions as corrections of a run: what they exclude, set and draw among its photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from scalptrack.corrections import Corrections, DrawnRegion, HandSetPoints
from scalptrack.records import Catalog, Event, Photograph, Reason
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision, DecisionLog
from scalptrack.wording import plural, printable

Decisions = Mapping[Target, Decision]

NUMBERLESS = ("note",)
"""What is decided without any effect on a number."""


def effective(decisions: Decisions) -> list[dict[str, Any]]:
    """Decisions that change what a run gives, in a fixed order, as plain values."""
    found = []
    for (kind, name, what), decision in sorted(decisions.items()):
        value = decision.value
        if what in NUMBERLESS or (what == "verdict" and value["verdict"] != "excluded"):
            continue
        found.append(
            {kind: name, "what": what, "value": value, "who": decision.who, "at": decision.at}
        )
    return found


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
    by_hash = {each.sha256: each for each in catalog.photographs}
    subjects = {each.subject for each in catalog.photographs}
    catalog, notes = _with_references(catalog, decisions, by_hash)
    hashes = {*by_hash, *(each.sha256 for each in catalog.rejected)}
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
            f"{source}: {plural(lost, 'decision')} on photographs or people that aren't among "
            "these; nothing was done with them."
        )
    if applied:
        notes.insert(0, f"{source}: {plural(len(applied), 'decision')} of a reviewer applied.")
    corrections = Corrections(
        excluded=_excluded(known),
        regions=_regions(known),
        points=_points(known),
        events=_events(known),
        notes=tuple(notes),
        record=record,
    )
    return catalog, corrections


def _of(decisions: Decisions, what: str) -> dict[str, Decision]:
    return {name: each for (_, name, about), each in decisions.items() if about == what}


def _with_references(
    catalog: Catalog, decisions: Decisions, by_hash: Mapping[str, Photograph]
) -> tuple[Catalog, list[str]]:
    """The catalog with the chosen references; the later choice where there are two."""
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
                f"{printable(chosen[place].name)} and {printable(photograph.name)} were both "
                "marked as the reference of one view; the later mark counts."
            )
        chosen[place] = photograph
    photographs = tuple(
        replace(each, set_as_reference=each is chosen[each.subject, each.view])
        if (each.subject, each.view) in chosen
        else each
        for each in catalog.photographs
    )
    return replace(catalog, photographs=photographs), notes


def _excluded(decisions: Decisions) -> dict[str, Reason]:
    found = {}
    for sha256, each in _of(decisions, "verdict").items():
        if each.value["verdict"] == "excluded":
            sentence = f"Excluded by {each.who}: {each.value['reason']}"
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
