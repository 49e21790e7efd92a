"""The shipped schemas are those that the records make."""

from dataclasses import dataclass

import pytest

from lab.json_schemas import FOLDER, all_schemas, text_of
from lab.schema_parts import Records
from scalptrack.schemas import file_name


def test_the_files_are_current() -> None:
    schemas = all_schemas()
    assert {path.name for path in FOLDER.glob("*.json")} == {file_name(name) for name in schemas}
    for name, schema in schemas.items():
        there = (FOLDER / file_name(name)).read_text(encoding="utf-8")
        assert there == text_of(schema), f"run python -m lab.json_schemas ({name} changed)"


@dataclass(frozen=True)
class Example:
    """An example.

    Attributes
    ----------
    low, high : float
        The ends
        of ``something``.
    """

    low: float
    high: float
    name: str | None
    pair: tuple[int, int]


def test_a_record_becomes_an_object_with_its_docstring() -> None:
    schema = Records().fields(Example)
    ends = {"type": ["number", "null"], "description": "The ends of something."}
    assert schema["description"] == "An example."
    assert schema["properties"] == {
        "low": ends,
        "high": ends,
        "name": {"type": ["string", "null"]},
        "pair": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    }
    assert schema["required"] == ["low", "high", "name", "pair"]
    with pytest.raises(TypeError, match="no schema for"):
        Records().of(bytes)
