"""Holds every JSON document that any test makes the program print or write against its schema.

Stricter than the schemas themselves: a field that a schema doesn't describe is an error here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

WRITERS = (
    "scalptrack.outputs",
    "scalptrack.review.decision_file",
    "scalptrack.run_record",
    "scalptrack.study.blinding",
    "scalptrack.study.database",
)
"""Modules that write files; each holds its own name of `write_bytes_atomic`."""


def strict(schema: Any) -> Any:
    """The schema without the permission for fields that it doesn't name."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(each) for key, each in schema.items()}
    if isinstance(found.get("properties"), dict) and "required" in found:
        found.setdefault("additionalProperties", False)
    return found


@cache
def _validator(document: str) -> Any:
    from jsonschema import Draft202012Validator

    from scalptrack.schemas import load_schema

    schema = strict(load_schema(document))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def problems_of(document: Any) -> list[str]:
    """What is wrong with a document that names its schema; nothing for others."""
    if not isinstance(document, dict) or not isinstance(document.get("schema"), str):
        return []
    name = document["schema"]
    try:
        validator = _validator(name)
    except KeyError:
        return [f"{name} has no schema: describe it in lab/json_schemas.py"]
    return [f"{name}: {each.json_path}: {each.message}" for each in validator.iter_errors(document)]


@pytest.fixture(scope="session", autouse=True)
def watched_documents() -> Iterator[list[str]]:
    """Problems of all documents so far; the program is watched from here on."""
    import importlib

    from scalptrack.cli import common

    found: list[str] = []
    patches = pytest.MonkeyPatch()
    plain = common.to_plain

    def printed(document: Any) -> Any:
        values = plain(document)
        found.extend(problems_of(values))
        return values

    patches.setattr(common, "to_plain", printed)
    for name in WRITERS:
        module = importlib.import_module(name)
        patches.setattr(module, "write_bytes_atomic", _watched(module.write_bytes_atomic, found))
    yield found
    patches.undo()


def _watched(write: Any, found: list[str]) -> Any:
    def watching(path: Any, content: bytes) -> Any:
        if path.suffix in {".json", ".jsonl"}:
            documents = [content] if path.suffix == ".json" else content.splitlines()
            found.extend(each for text in documents for each in problems_of(json.loads(text)))
        return write(path, content)

    return watching


@pytest.fixture(autouse=True)
def documents_are_as_described(watched_documents: list[str]) -> Iterator[None]:
    """Fail the test that made a document which its schema doesn't describe."""
    yield
    problems = watched_documents.copy()
    watched_documents.clear()
    assert not problems, problems[:5]
