"""Schemas of what a reviewer decided, and of what `review` and `track` say of it."""

from __future__ import annotations

from typing import Any

from lab.schema_parts import (
    COUNT,
    DATE,
    NAMES,
    NUMBER,
    SHA256,
    TEXT,
    YES_NO,
    Records,
    Schema,
    array,
    enum,
    merged,
    nullable,
    obj,
    table,
)
from scalptrack.records import Finding
from scalptrack.review.decisions import MIN_POINT_PAIRS, OF_PHOTOGRAPHS, OF_SUBJECTS
from scalptrack.review.log import SCHEMA as DECISIONS_SCHEMA

LINE_NUMBER: Schema = {"type": "integer", "minimum": 1}
MOMENT: Schema = {
    "description": "UTC, in seconds.",
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
}
MAYBE_SHA256: Schema = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}


def decided_values() -> dict[str, Schema]:
    """What can be decided, with the values that each has."""
    excluded = obj({"verdict": {"const": "excluded"}, "reason": TEXT})
    seen = obj(dict.fromkeys(("status", "tier", "reason_code", "coverage_percent"), TEXT))
    accepted = obj({"verdict": {"const": "accepted"}, "seen": seen})
    polygon = array(array(NUMBER, 2)) | {"minItems": 3}
    pairs = array(array(NUMBER, 4)) | {"minItems": MIN_POINT_PAIRS}
    values: dict[str, Schema] = {
        "verdict": {"anyOf": [excluded, accepted]},
        "reference": {"const": True},
        "region": obj({"polygons": array(polygon) | {"minItems": 1}}),
        "points": obj({"reference": SHA256, "pairs": pairs}),
        "note": TEXT,
        "events": array(obj({"date": DATE, "label": TEXT})),
    }
    if set(values) != {*OF_PHOTOGRAPHS, *OF_SUBJECTS}:
        message = f"not all that can be decided is described: {sorted(values)}"
        raise ValueError(message)
    return values


def about_targets(of_value: Any) -> Schema:
    """One of the objects that name a target, each with the fields that its value gives it."""
    kinds = []
    for what, value in decided_values().items():
        target = {"photo": SHA256} if what in OF_PHOTOGRAPHS else {"subject": TEXT}
        kinds.append(obj(target | {"what": {"const": what}} | of_value(value)))
    return {"anyOf": kinds}


def add_decisions(known: Records) -> None:
    """Define a decision that holds, and a change of one."""
    held = about_targets(lambda value: {"value": value, "who": TEXT, "at": MOMENT})
    changed = about_targets(lambda value: {"before": nullable(value), "after": nullable(value)})
    known.defs["Decision"] = {
        "description": "What holds for a photograph (by the SHA-256 of its content) or a subject."
    } | held
    known.defs["DecisionChange"] = {
        "description": "A target with the value that it had and the one that it got; null: nothing "
        "decided."
    } | changed


def line() -> Schema:
    """One line of the file of decisions."""
    return obj(
        {
            "schema": {"const": DECISIONS_SCHEMA},
            "number": LINE_NUMBER,
            "at": MOMENT,
            "who": TEXT,
            "action": enum("decide", "undo"),
            "undoes": nullable(LINE_NUMBER),
            "changes": array({"$ref": "#/$defs/DecisionChange"}) | {"minItems": 1},
            "previous": MAYBE_SHA256 | {"description": "Of the line before; empty in the first."},
            "sha256": SHA256,
        }
    )


def applied_decisions() -> Schema:
    """The field ``decisions`` of ``provenance.json``."""
    named = {
        "description": "What was applied of a file of decisions.",
        **obj(
            {
                "file": TEXT,
                "log_sha256": SHA256,
                "log_lines": LINE_NUMBER,
                "applied": array({"$ref": "#/$defs/Decision"}),
            }
        ),
    }
    nameless = {
        "description": "The same of a run without names: how many decisions were applied.",
        **obj({"applied_count": COUNT}),
    }
    return {"anyOf": [named, nameless, {"type": "null"}]}


def review_documents(known: Records) -> dict[str, Schema]:
    """Documents of ``review``, and those that it reads."""
    add_decisions(known)
    return {
        "decisions/1": line(),
        "review/1": obj(
            {
                "decisions_file": TEXT,
                "log_sha256": MAYBE_SHA256 | {"description": "Of the last line; empty: no lines."},
                "decisions": array({"$ref": "#/$defs/Decision"}),
                "log": array(merged(obj({"undone": YES_NO}), line())),
                "photographs": COUNT,
                "need_a_look": COUNT,
                "stale": YES_NO,
                "command": TEXT,
            }
        ),
        "run/1": obj(
            {
                "photographs": TEXT,
                "arguments": NAMES,
                "findings": table(array(known.record(Finding))),
            }
        ),
    }
