"""Reads the content tree of a Structured Report with pydicom alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def concept(item: Any) -> str:
    """Code of an item's concept."""
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def walk(item: Any) -> Iterator[Any]:
    """An item and all below it."""
    yield item
    for each in item.get("ContentSequence", []):
        yield from walk(each)


def groups(report: Any) -> dict[str, Any]:
    """Measurement groups by their tracking identifier."""
    found = [each for each in walk(report) if concept(each) == "125007"]
    return {text(each, "112039"): each for each in found}


def child(item: Any, code: str) -> Any:
    """The one item of a concept right below; None where there is none."""
    found = [each for each in item.get("ContentSequence", []) if concept(each) == code]
    assert len(found) <= 1, (code, len(found))
    return found[0] if found else None


def text(item: Any, code: str) -> str:
    """Text of the item of a concept; empty where there is none."""
    found = child(item, code)
    return "" if found is None else str(found.TextValue)


def coded(item: Any, code: str) -> tuple[str, str]:
    """Code and scheme of the value of a concept."""
    found = child(item, code)
    if found is None:
        return "", ""
    value = found.ConceptCodeSequence[0]
    return str(value.CodeValue), str(value.CodingSchemeDesignator)


def number(item: Any, code: str, unit: str = "%") -> float | None:
    """Value of the measurement of a concept in a unit; both of its representations agree."""
    found = child(item, code)
    if found is None:
        return None
    (value,) = found.MeasuredValueSequence
    assert value.MeasurementUnitsCodeSequence[0].CodeValue == unit
    exact = float(value.get("FloatingPointValue", value.NumericValue))
    assert float(value.NumericValue) == exact
    return exact


def references(item: Any, code: str) -> list[str]:
    """SOP instances of the images of a concept right below."""
    return [
        str(each.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for each in item.get("ContentSequence", [])
        if concept(each) == code
    ]
