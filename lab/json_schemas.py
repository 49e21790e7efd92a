"""Writes the JSON Schemas of ``scalptrack/schemas`` from the records that the documents hold.

Run it after a document got a new field: ``python -m lab.json_schemas``. What a record's docstring
says of a field becomes its description.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from scalptrack.against import Differences
from scalptrack.deidentify import Copy
from scalptrack.fiducials.colour import CardColour
from scalptrack.fiducials.layout import Patch
from scalptrack.guide import Guide
from scalptrack.records import (
    Finding,
    Gate,
    Outcome,
    Reason,
    SaltEstimate,
    Settings,
    Status,
    Tier,
    Timeline,
    VisitConditions,
    ZoneTimeline,
)
from scalptrack.schemas import file_name
from scalptrack.study import export, stats_tables, tidy, unblinding
from scalptrack.study.blinding import Pack, PackKey
from scalptrack.study.design import MissingVisit
from scalptrack.study.form import CANNOT_JUDGE, SCALE
from scalptrack.study.running import RunCounts
from scalptrack.study.status import StudyStatus
from scalptrack.study.tidy import Field

FOLDER = Path(__file__).parents[1] / "scalptrack" / "schemas"

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAMES: Schema = {"type": "array", "items": TEXT}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "format": "date"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
FRACTION: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def enum(*values: Any) -> Schema:
    return {"enum": list(values)}


def array(items: Schema, length: int | None = None) -> Schema:
    size = {} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **size}


def table(values: Schema) -> Schema:
    """An object whose keys are data."""
    return {"type": "object", "additionalProperties": values}


def obj(properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with these fields, all of them required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


class Records:
    """Schemas of dataclasses, each once."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """Schema of the plain values that `scalptrack.plain.to_plain` makes of a type."""
        simple = {str: TEXT, Path: TEXT, int: {"type": "integer"}, bool: YES_NO, date: DATE}
        if kind in simple:
            return dict(simple[kind])
        if kind is float:
            return {"type": ["number", "null"]}
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            (inner,) = [each for each in arguments if each is not type(None)]
            return nullable(self.of(inner)) if inner is not float else self.of(inner)
        if origin is tuple:
            items = self.of(arguments[0])
            return array(items) if arguments[-1] is Ellipsis else array(items, len(arguments))
        if origin is dict:
            return table(self.of(arguments[1]))
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return enum(*(each.value for each in kind))
        if is_dataclass(kind):
            return self.record(kind)
        message = f"no schema for {kind}"
        raise TypeError(message)

    def record(self, kind: Any) -> Schema:
        """Reference to the schema of a dataclass."""
        if kind.__name__ not in self.defs:
            self.defs[kind.__name__] = {}
            self.defs[kind.__name__] = self.fields(kind)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def fields(self, kind: Any) -> Schema:
        """Schema of a dataclass itself."""
        hints = typing.get_type_hints(kind)
        meanings = attribute_texts(kind)
        properties = {}
        for each in fields(kind):
            schema = self.of(hints[each.name])
            if each.name in meanings:
                schema = schema | {"description": meanings[each.name]}
            properties[each.name] = schema
        summary = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        return {"description": summary.replace("``", "")} | obj(properties)


def attribute_texts(kind: Any) -> dict[str, str]:
    """What a numpydoc docstring says of each attribute, as one line without markup."""
    text = inspect.cleandoc(kind.__doc__ or "")
    if "Attributes\n----------\n" not in text:
        return {}
    found: dict[str, str] = {}
    part = text.split("Attributes\n----------\n")[1]
    entry = re.compile(r"^(\w[^\n]*?) : [^\n]*\n((?:    [^\n]*\n?)+)", re.MULTILINE)
    for head, body in entry.findall(part):
        line = " ".join(body.split()).replace("``", "")
        found |= dict.fromkeys(head.split(", "), line)
    return found


def columns(table_fields: tuple[Field, ...], *, complete: bool) -> Schema:
    """Rows of a study's table; without ``complete`` a column without a value may be left out."""
    properties = {
        each.name: export.JSON_TYPES[each.kind]
        | {"description": f"{each.meaning} ({each.unit})" if each.unit else each.meaning}
        for each in table_fields
    }
    return array(obj(properties, optional=() if complete else tuple(properties)))


STATS_TABLES = {
    "contrasts": stats_tables.CONTRAST_FIELDS,
    "means": stats_tables.MEAN_FIELDS,
    "responders": stats_tables.RESPONDER_FIELDS,
    "missing_data": stats_tables.MISSING_DATA_FIELDS,
    "sample_size": stats_tables.SAMPLE_SIZE_FIELDS,
}
READER_TABLES = {
    "ratings": unblinding.RATING_FIELDS,
    "pairs": unblinding.PAIR_FIELDS,
    "agreement": unblinding.AGREEMENT_FIELDS,
}


def rows_of(tables: dict[str, tuple[Field, ...]], *, complete: bool) -> dict[str, Schema]:
    return {name: columns(each, complete=complete) for name, each in tables.items()}


def photograph_documents(known: Records) -> dict[str, Schema]:
    """Documents about photographs: catalog, check, segment, register, deidentify, guide, card."""
    finding = known.record(Finding)
    card = obj(
        {"found": YES_NO, "usable": YES_NO, "version": nullable({"type": "integer"})}
        | {"reason": nullable(TEXT), "reason_code": nullable(TEXT), "caveat": nullable(TEXT)}
        | {
            name: nullable(NUMBER)
            for name in (
                *("mm_per_px", "mm_per_px_low", "mm_per_px_high", "tilt_deg", "print_ratio"),
                *("print_ratio_low", "print_ratio_high", "residual_px", "occluded_fraction"),
            )
        }
        | {"strip_markers": COUNT, "colour": nullable(known.record(CardColour))}
    )
    known.defs["Card"] = {"description": "What a photograph's card tells."} | card
    checked = obj(
        {
            "photo": TEXT,
            "usable": YES_NO,
            "findings": array(finding),
            "card": nullable({"$ref": "#/$defs/Card"}),
            "against": nullable(known.record(Differences)),
        },
        optional=("against",),
    )
    placed = {"subject": TEXT, "view": TEXT}
    catalogued = {"photo": TEXT, **placed, "visit_date": DATE, "replicate": COUNT}
    sizes = {"sha256": SHA256, "width_px": COUNT, "height_px": COUNT}
    rejected = {"photo": TEXT, "reason": TEXT, "reason_code": TEXT}
    return {
        "catalog/1": obj(
            {
                "photographs": array(obj(catalogued | sizes)),
                "rejected": array(obj(rejected)),
                "notes": NAMES,
            }
        ),
        "check/1": obj(
            {
                "usable": YES_NO,
                "findings": array(merged(obj({"photo": TEXT}), known.fields(Finding))),
                "photographs": array(checked),
            }
        ),
        "segment/1": obj({"photographs": array(segmented())}),
        "register/1": registered(known),
        "deidentify/1": obj(
            {
                "counts": obj(dict.fromkeys(("copied", "withheld", "rejected"), COUNT)),
                "photographs": array(known.record(Copy)),
            }
        ),
        "guide/1": obj({"guides": array(known.record(Guide))}),
        "card/1": printed_card(known),
    }


def segmented() -> Schema:
    share = nullable(FRACTION)
    return obj(
        {
            "photo": TEXT,
            "sha256": nullable(SHA256),
            "status": enum(*(each.value for each in Status)),
            "reason": nullable(TEXT),
            "coverage_fraction": share,
            "coverage_low_fraction": share,
            "coverage_high_fraction": share,
            "coverage_sd_fraction": nullable(NUMBER),
            "region_px": nullable(COUNT),
            "excluded_fraction": share,
            "method": nullable(TEXT),
            "files": table(TEXT),
        }
    )


def registered(known: Records) -> Schema:
    return obj(
        {
            "status": enum("registered", "refused"),
            "tier": enum(*(each.value for each in Tier)),
            "method": enum("features", "points", "outline", "close-up", None),
            "reason": nullable(TEXT),
            "reason_code": nullable(TEXT),
            "transform": {"type": ["object", "null"], "required": ["type"]},
            "residual_px": nullable(NUMBER),
            "inliers": COUNT,
            "overlap": nullable(NUMBER),
            "gates": array(known.record(Gate)),
            "points": array(nullable(array(NUMBER, 2))),
        },
        optional=("points",),
    )


def printed_card(known: Records) -> Schema:
    return obj(
        {
            "file": TEXT,
            "paper": enum("a4", "letter"),
            "page_mm": array(NUMBER, 2),
            "version": COUNT,
            "dictionary": TEXT,
            "marker_ids": obj({"board": array(COUNT), "strip": array(COUNT)}),
            "card_mm": array(NUMBER, 2),
            "square_mm": NUMBER,
            "marker_mm": NUMBER,
            "patches": array(known.record(Patch)),
        }
    )


def run_documents(known: Records) -> dict[str, Schema]:
    """Documents of ``track``."""
    known.record(Outcome)
    outcome = known.defs["Outcome"]
    outcome["properties"] |= {"coverage_fraction": FRACTION, "hair_index": nullable(NUMBER)}
    reference = {"subject": TEXT, "view": TEXT, "photo": TEXT, "sha256": TEXT}
    provenance = obj(
        {
            "schema": {"const": "scalptrack.provenance/1"},
            "versions": table(TEXT),
            "settings": known.record(Settings),
            "segmentation_method": TEXT,
            "model_sha256": SHA256,
            "references": array(obj(reference | {"reason": nullable(known.record(Reason))})),
            "inputs": table(TEXT),
            "visits": array(known.record(VisitConditions)),
            "outputs": NAMES,
        }
    )
    return {
        "track/1": obj(
            {
                "outcomes": array(known.record(Outcome)),
                "timelines": array(known.record(Timeline)),
                "zones": array(known.record(ZoneTimeline)),
                "salt": array(known.record(SaltEstimate)),
                "notes": NAMES,
                "provenance": provenance,
            }
        ),
        "provenance/1": provenance,
    }


def study_documents(known: Records) -> dict[str, Schema]:
    """Documents of ``study``: what its commands print, and what lies in its folders."""
    covariates = {"patternProperties": {"^covariate_": nullable(TEXT)}}
    tables = {
        "photographs": columns(tidy.PHOTOGRAPH_FIELDS, complete=True),
        "visits": columns(tidy.VISIT_FIELDS, complete=True),
        "missing_visits": columns(tidy.MISSING_FIELDS, complete=True),
    }
    for name in ("photographs", "visits"):
        tables[name]["items"] |= covariates
    written = {"folder": TEXT, "files": NAMES}
    rating = enum(None, CANNOT_JUDGE, *(value for value, _ in SCALE))
    return {
        "study.init/1": obj(
            {"photographs": COUNT, "subjects": COUNT, "arms": NAMES, "views": NAMES}
            | {"visits": NAMES, "covariates": NAMES}
            | {"missing_visits": array(known.record(MissingVisit)), "notes": NAMES}
        ),
        "study.run/1": known.fields(RunCounts),
        "study.status/1": merged(obj({"complete": YES_NO}), known.fields(StudyStatus)),
        "study.export/1": obj(written | {"fhir": nullable(TEXT), "observations": nullable(COUNT)}),
        "study.tables/1": obj(tables),
        "study.stats/1": obj(written | rows_of(STATS_TABLES, complete=False)),
        "study.statistics/1": obj(rows_of(STATS_TABLES, complete=True)),
        "study.blind/1": known.fields(Pack),
        "study.key/1": known.fields(PackKey),
        "study.unblind/1": obj(
            {"pack": TEXT, "readers": NAMES} | rows_of(READER_TABLES, complete=False)
        ),
        "study.readers/1": obj(rows_of(READER_TABLES, complete=True)),
        "study.database/1": obj({"url": TEXT}),
        "ratings/1": obj({"pack": TEXT, "form": COUNT, "reader": TEXT, "ratings": table(rating)}),
    }


def merged(first: Schema, second: Schema) -> Schema:
    """One object with the fields of both."""
    return second | {
        "properties": first["properties"] | second["properties"],
        "required": first["required"] + second["required"],
    }


def used(schema: Schema, defs: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions that a schema refers to, directly or not."""
    found: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(waiting.pop())):
            if name not in found:
                found[name] = defs[name]
                waiting.append(defs[name])
    return dict(sorted(found.items()))


def all_schemas() -> dict[str, Schema]:
    """Every schema by the name of its document."""
    known = Records()
    documents = photograph_documents(known) | run_documents(known) | study_documents(known)
    schemas = {}
    for short, schema in documents.items():
        name = f"scalptrack.{short}"
        body = dict(schema)
        body["properties"] = {"schema": {"const": name}} | schema["properties"]
        body["required"] = ["schema", *(each for each in schema["required"] if each != "schema")]
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
        defs = used(body, known.defs)
        schemas[name] = head | body | ({"$defs": defs} if defs else {})
    return schemas


def text_of(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the files; those of documents that no longer exist are taken away."""
    schemas = all_schemas()
    names = {file_name(name) for name in schemas}
    for path in FOLDER.glob("*.schema.json"):
        if path.name not in names:
            path.unlink()
    for name, schema in schemas.items():
        (FOLDER / file_name(name)).write_text(text_of(schema), encoding="utf-8")
    print(f"{len(schemas)} schemas in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
