"""A study's coverages as a FHIR R4 bundle of observations, for systems that read nothing else.

One observation for each subject, view and planned visit: a number with its interval, or the reason
why there is none. Nothing in it says more than was measured: no diagnosis, no interpretation, no
arm, no name of a file, and of the subject only the study's own pseudonym. The same results give the
same bytes.

References
----------
.. [1] HL7 FHIR Release 4, https://hl7.org/fhir/R4/observation.html
.. [2] The Unified Code for Units of Measure, https://ucum.org
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalptrack import __version__
from scalptrack.errors import OutputError
from scalptrack.images import sha256_of_file, write_bytes_atomic
from scalptrack.records import Status, Tier
from scalptrack.segmentation import model_checksum, shared_segmenter
from scalptrack.study.design import StudyPhotograph
from scalptrack.study.status import require_complete
from scalptrack.study.store import StudyStore
from scalptrack.study.tidy import Row, StudyResults, visit_table
from scalptrack.wording import SAME_HEAD, less_sure

Resource = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT_REASONS = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OUR_CODES = "urn:scalptrack:code"
"""No LOINC or SNOMED code says visible hair coverage; these codes are this program's own."""

SUBJECTS = "urn:scalptrack:study:"
CONTENT = "urn:scalptrack:photograph:sha256"
SCALP = {"system": SNOMED, "code": "41695006", "display": "Scalp structure"}
LOGGED_AS = "fhir"
NOT_A_DEVICE = (
    "scalptrack is not a medical device. Visible hair coverage is measured in photographs; it says "
    "nothing about the cause of a change and is no diagnosis."
)


@dataclass(frozen=True, slots=True)
class Method:
    """What the coverages were measured with.

    Attributes
    ----------
    segmentation : str
        Method of the segmentation, as in the methods paragraph.
    model_sha256 : str
        Checksum of the segmentation model.
    study : str
        SHA-256 of the manifest, which tells one study from another.
    """

    segmentation: str
    model_sha256: str
    study: str


def write_fhir(store: StudyStore, results: StudyResults, path: Path) -> int:
    """Write the bundle of a study; how many observations it holds.

    Raises
    ------
    InputError
        If the study is not measured to its end, by this version of scalptrack.
    OutputError
        If the file exists and is not what this study wrote, or can't be written.
    """
    require_complete(store)
    method = Method(shared_segmenter().method, model_checksum(), store.manifest_sha256)
    bundle = fhir_bundle(results, method)
    content = (json.dumps(bundle, indent=1, ensure_ascii=False) + "\n").encode()
    _require_ours(store, path)
    count = len(bundle["entry"]) - 1
    # The log goes first: wherever the program is killed, what lies there is known to be ours.
    digest = hashlib.sha256(content).hexdigest()
    store.log(LOGGED_AS, {"file": path.name, "sha256": digest, "observations": count})
    write_bytes_atomic(path, content)
    return count


def _require_ours(store: StudyStore, path: Path) -> None:
    """Only what this study wrote, and nobody changed, is written again."""
    if not path.exists():
        return
    written = {each.details["sha256"] for each in store.log_lines() if each.action == LOGGED_AS}
    if sha256_of_file(path) not in written:
        message = (
            f"{path} exists and was not written by this study, or was changed since. Move it away, "
            "or choose another --fhir."
        )
        raise OutputError(message)


def fhir_bundle(results: StudyResults, method: Method) -> Resource:
    """FHIR R4 ``Bundle`` of type collection [1]_: the software as a device, then observations.

    Parameters
    ----------
    results : StudyResults
        A study that is measured to its end.
    method : Method
        What it was measured with.

    Returns
    -------
    dict
        The bundle as JSON values. Quantities have UCUM units [2]_; coverages are percentages.
    """
    device = _device(method)
    members: dict[tuple[str, str, str], list[StudyPhotograph]] = {}
    for each in results.photographs:
        members.setdefault((each.subject, each.view, each.visit), []).append(each)
    codes = {each.name: each.reason.code for each in results.outcomes if each.reason}
    measured = {each.name for each in results.outcomes if each.status is Status.MEASURED}
    observations = [
        _observation(
            row, members[row["subject"], row["view"], row["visit"]], method, codes, measured
        )
        for row in visit_table(results).rows
    ]
    observations += [_missing(*place, method) for place in results.missing]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{SUBJECTS}{method.study}"},
        "type": "collection",
        "entry": [
            {"fullUrl": f"urn:uuid:{each['id']}", "resource": each}
            for each in (device, *observations)
        ],
    }


def _id(*parts: str) -> str:
    """An identifier that the same study, program and place always get."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join((OUR_CODES, *parts))))


def _device_id(method: Method) -> str:
    return _id("device", __version__, method.segmentation, method.model_sha256)


def _device(method: Method) -> Resource:
    """The software as a FHIR ``Device``."""
    return {
        "resourceType": "Device",
        "id": _device_id(method),
        "deviceName": [{"name": "scalptrack", "type": "model-name"}],
        "version": [
            {"type": {"text": "software"}, "value": __version__},
            {"type": {"text": "segmentation"}, "value": method.segmentation},
            {"type": {"text": "segmentation model, SHA-256"}, "value": method.model_sha256},
        ],
        "note": [{"text": NOT_A_DEVICE}],
    }


def _head(subject: str, view: str, visit: str, method: Method) -> Resource:
    """What every observation says, with or without a number."""
    return {
        "resourceType": "Observation",
        "id": _id("coverage", method.study, subject, view, visit),
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": "imaging", "display": "Imaging"}]}],
        "code": _code("visible-hair-coverage", "Visible hair coverage of the compared scalp"),
        "subject": {
            "type": "Patient",
            "identifier": {"system": f"{SUBJECTS}{method.study}", "value": subject},
        },
        "bodySite": {"coding": [SCALP], "text": f"scalp, view: {view}"},
        "method": {
            "text": f"scalptrack {__version__}; segmentation {method.segmentation}; model SHA-256 "
            f"{method.model_sha256}"
        },
        "device": {"reference": f"urn:uuid:{_device_id(method)}"},
    }


def _missing(subject: str, view: str, visit: str, method: Method) -> Resource:
    """A planned visit without a photograph."""
    return _head(subject, view, visit, method) | {
        "dataAbsentReason": _absent("not-performed", "Not Performed", "no photograph"),
        "note": [{"text": f"planned visit: {visit}"}],
    }


def _observation(
    row: Row,
    members: Sequence[StudyPhotograph],
    method: Method,
    codes: dict[str, str],
    measured: set[str],
) -> Resource:
    """A visit with photographs; ``row`` is that of `visit_table`."""
    without = Counter(codes.get(each.name, "") for each in members if each.name not in measured)
    reasons = "; ".join(f"{number} x {code}" for code, number in sorted(without.items()))
    notes = [f"planned visit: {row['visit']}"]
    if row["drawn_region"]:
        notes.append("the compared scalp is a region that a person drew")
    if reasons:
        notes.append(
            f"{sum(without.values())} of {len(members)} photographs have no number: {reasons}"
        )
    resource = _head(row["subject"], row["view"], row["visit"], method) | {
        "effectiveDateTime": row["visit_date"].isoformat(),
        "derivedFrom": [
            {"type": "Media", "identifier": {"system": CONTENT, "value": each.sha256}}
            for each in members
        ],
        "note": [{"text": text} for text in notes],
    }
    if row["coverage_percent"] is None:
        return resource | {"dataAbsentReason": _absent("unknown", "Unknown", reasons)}
    return resource | {
        "valueQuantity": _quantity(row["coverage_percent"]),
        "component": list(_components(row)),
    }


def _components(row: Row) -> Iterator[Resource]:
    """Interval of the coverage, and the change from baseline where there is a follow-up."""
    yield _component("coverage-interval-95", "95 % interval of the coverage") | {
        "valueRange": _range(row["coverage_low"], row["coverage_high"])
    }
    yield _component("replicates", "Photographs in the mean") | {"valueInteger": row["replicates"]}
    yield _component("alignment", "What the number's alignment rests on") | {
        "valueString": _alignment(row["tier"], row["aligned_by"])
    }
    if row.get("verdict") is None:
        return
    change = _component("coverage-change", "Change of coverage from baseline")
    if row.get("change_points") is None:
        absent = _absent("unknown", "Unknown", "there is no comparable number at baseline")
        yield change | {"dataAbsentReason": absent}
        return
    points = "percentage points"
    yield change | {"valueQuantity": _quantity(row["change_points"], points)}
    yield _component("coverage-change-interval-95", "95 % interval of the change") | {
        "valueRange": _range(row["change_low"], row["change_high"], points)
    }
    yield _component("minimal-detectable-change", "Smallest change that counts at this visit") | {
        "valueQuantity": _quantity(row["mdc_points"], points)
    }
    yield _component("verdict", "Whether the change is beyond the error of measurement") | {
        "valueString": row["verdict"]
    }
    yield _component("coverage-change-alignment", "What the change's alignments rest on") | {
        "valueString": _alignment(row["change_tier"], row["change_aligned_by"])
    }


def _alignment(tier: str, aligned_by: str) -> str:
    """The tier in words: a receiver must not take a less sure number for another."""
    if tier != Tier.B:
        return f"tier {tier}: by features of the scalp"
    return f"{less_sure(aligned_by.split(' and '))}, which {SAME_HEAD}"


def _component(code: str, text: str) -> Resource:
    return {"code": _code(code, text)}


def _code(code: str, text: str) -> Resource:
    return {"coding": [{"system": OUR_CODES, "code": code, "display": text}], "text": text}


def _absent(code: str, display: str, text: str) -> Resource:
    return {
        "coding": [{"system": ABSENT_REASONS, "code": code, "display": display}],
        "text": text or display,
    }


def _quantity(value: float, unit: str = "%") -> Resource:
    """A percentage, or a difference of two; UCUM has one unit for both."""
    return {"value": value, "unit": unit, "system": UCUM, "code": "%"}


def _range(low: float, high: float, unit: str = "%") -> Resource:
    return {"low": _quantity(low, unit), "high": _quantity(high, unit)}
