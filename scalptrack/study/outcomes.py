"""Outcomes from the plain values that the database keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from scalptrack.records import (
    Finding,
    Gate,
    Measurement,
    Outcome,
    Quality,
    Reason,
    Severity,
    Status,
    Tier,
    ZoneMeasurement,
)


def outcome_from_plain(record: Mapping[str, Any]) -> Outcome:
    """The outcome that `scalptrack.plain.to_plain` made the record of.

    A number that was not finite comes back as NaN.
    """
    quality, measurement, reason = record["quality"], record["measurement"], record["reason"]
    values = dict(record) | {
        "visit_date": date.fromisoformat(record["visit_date"]) if record["visit_date"] else None,
        "status": Status(record["status"]),
        "reason": Reason(**reason) if reason else None,
        "quality": Quality(_findings(quality["findings"])) if quality else None,
        "measurement": _measurement(measurement) if measurement else None,
        "tier": Tier(record["tier"]) if record["tier"] else None,
        "gates": tuple(
            Gate(each["name"], _number(each["value"]), _number(each["limit"]), each["passed"])
            for each in record["gates"]
        ),
        "warnings": _findings(record["warnings"]),
    }
    return Outcome(**values)


def _findings(records: list[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code=each["code"],
            severity=Severity(each["severity"]),
            value=_number(each["value"]),
            limit=_number(each["limit"]),
            unit=each["unit"],
            advice=each["advice"],
        )
        for each in records
    )


def _measurement(record: dict[str, Any]) -> Measurement:
    zones = tuple(ZoneMeasurement(**each) for each in record["zones"])
    return Measurement(**(record | {"zones": zones}))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
