"""JSON Schemas (draft 2020-12) of every JSON document that scalptrack writes, one file for each.

``lab/json_schemas.py`` makes the files from the records; a test holds that they are current. Fields
may be added within a version of a document, so that the schemas allow fields that they don't name.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

SUFFIX = ".schema.json"


def file_name(document: str) -> str:
    """Name of the file that describes a document.

    >>> file_name("scalptrack.study.run/1")
    'study.run-1.schema.json'
    """
    return document.removeprefix("scalptrack.").replace("/", "-") + SUFFIX


def schema_names() -> tuple[str, ...]:
    """Names of all documents that have a schema, as their field ``schema`` says them."""
    files = (each.name for each in resources.files(__name__).iterdir())
    return tuple(
        sorted(
            "scalptrack." + name.removesuffix(SUFFIX).replace("-", "/")
            for name in files
            if name.endswith(SUFFIX)
        )
    )


def load_schema(document: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Parameters
    ----------
    document : str
        What the document's field ``schema`` says, e.g. ``"scalptrack.check/1"``.

    Raises
    ------
    KeyError
        If there is no such document.
    """
    if document not in schema_names():
        raise KeyError(document)
    path = resources.files(__name__) / file_name(document)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
