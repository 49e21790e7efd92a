"""Writes the JSON Schemas of ``scalptrack/schemas`` from the records that the documents hold.

Run it after a document got a new field: ``python -m lab.json_schemas``. What a record's docstring
says of a field becomes its description.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from lab.review_schemas import applied_decisions, review_documents
from lab.schema_parts import (
    COUNT,
    DATE,
    FRACTION,
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
from scalptrack.against import Differences
from scalptrack.capture.session import HOW
from scalptrack.deidentify import Copy
from scalptrack.fiducials.colour import CardColour
from scalptrack.fiducials.layout import Patch
from scalptrack.guide import Guide
from scalptrack.quality import RecognisedView
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
from scalptrack.study import decision_table, export, stats_tables, tidy, unblinding
from scalptrack.study.blinding import Pack, PackKey
from scalptrack.study.design import MissingVisit
from scalptrack.study.form import CANNOT_JUDGE, SCALE
from scalptrack.study.running import RunCounts
from scalptrack.study.status import StudyStatus
from scalptrack.study.tidy import Field

FOLDER = Path(__file__).parents[1] / "scalptrack" / "schemas"


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
    "repeatability": stats_tables.REPEATABILITY_FIELDS,
}
READER_TABLES = {
    "ratings": unblinding.RATING_FIELDS,
    "pairs": unblinding.PAIR_FIELDS,
    "agreement": unblinding.AGREEMENT_FIELDS,
}


def rows_of(tables: dict[str, tuple[Field, ...]], *, complete: bool) -> dict[str, Schema]:
    return {name: columns(each, complete=complete) for name, each in tables.items()}


def photograph_documents(known: Records) -> dict[str, Schema]:
    """Documents about photographs, from ``catalog`` to ``card``."""
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
            "recognised_view": nullable(known.record(RecognisedView)),
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
                "recognised_views": array(
                    merged(obj({"photo": TEXT}), known.fields(RecognisedView))
                ),
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
        "capture/1": captured(known),
        "card/1": printed_card(known),
        "strip/1": printed_strip(),
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
            "doubt_fraction": nullable(NUMBER),
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
            "method": enum("features", "points", "strip", "outline", "close-up", None),
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


def captured(known: Records) -> Schema:
    kept = {
        "photo": TEXT,
        "replicate": COUNT,
        "sha256": SHA256,
        "how": enum(*HOW),
        "width_px": COUNT,
        "height_px": COUNT,
        "usable": YES_NO,
        "findings": array(known.record(Finding)),
        "against": nullable(known.record(Differences)),
    }
    return obj(
        {
            "subject": TEXT,
            "view": TEXT,
            "visit_date": DATE,
            "reference": nullable(TEXT),
            "reason": nullable(TEXT),
            "photographs": array(obj(kept)),
            "retaken": COUNT,
        }
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


def printed_strip() -> Schema:
    return obj(
        {
            "file": TEXT,
            "paper": enum("a4", "letter"),
            "page_mm": array(NUMBER, 2),
            "version": COUNT,
            "dictionary": TEXT,
            "marker_ids": array(COUNT),
            "pieces": COUNT,
            "band_mm": array(NUMBER, 2),
            "pitch_mm": NUMBER,
            "marker_mm": NUMBER,
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
            "decisions": applied_decisions(),
            "outputs": NAMES,
            "deidentified": YES_NO,
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
        "decisions": columns(decision_table.DECISION_FIELDS, complete=True),
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
    documents = (
        photograph_documents(known)
        | review_documents(known)
        | run_documents(known)
        | study_documents(known)
    )
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
