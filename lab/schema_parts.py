"""What JSON Schemas are made of: small words, and schemas of the program's records."""

from __future__ import annotations

import inspect
import re
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

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


def merged(first: Schema, second: Schema) -> Schema:
    """One object with the fields of both."""
    return second | {
        "properties": first["properties"] | second["properties"],
        "required": first["required"] + second["required"],
    }


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
