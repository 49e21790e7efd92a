"""Files of a study: tidy CSV and Parquet, the data dictionary and the JSON schema."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from scalptrack.outputs import OutputFolder
from scalptrack.study.decision_table import decision_table
from scalptrack.study.parquet import parquet_bytes
from scalptrack.study.tidy import (
    Field,
    Row,
    StudyResults,
    TidyTable,
    missing_table,
    photograph_table,
    visit_table,
)

DICTIONARY_FIELDS = (
    Field("table", "text", "name of the table"),
    Field("column", "text", "name of the column"),
    Field("type", "text", "text, date, number, integer or yes/no"),
    Field("unit", "text", "unit of the numbers"),
    Field("meaning", "text", "what the column holds"),
)

JSON_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "yes/no": {"type": ["boolean", "null"]},
}


def export_study(results: StudyResults, out: Path) -> tuple[str, ...]:
    """Write the tables of a study; the same results give the same bytes.

    Returns
    -------
    tuple of str
        Names of the files, relative to the folder.

    Raises
    ------
    OutputError
        If a file would overwrite what scalptrack did not write, or can't be written.
    """
    tables = (
        photograph_table(results),
        visit_table(results),
        missing_table(results),
        decision_table(results),
    )
    return write_tables(tables, out, schema_name="scalptrack.study.tables/1")


def write_tables(tables: Sequence[TidyTable], out: Path, *, schema_name: str) -> tuple[str, ...]:
    """Write tables as CSV, Parquet and JSON with their dictionary and JSON schema."""
    folder = OutputFolder(out)
    dictionary = TidyTable("dictionary", "", DICTIONARY_FIELDS, tuple(_dictionary(tables)))
    document = {"schema": schema_name} | {table.name: _plain_rows(table) for table in tables}
    files: dict[str, bytes] = {}
    for table in tables:
        files[f"{table.name}.csv"] = csv_text(table).encode()
        kinds = {field.name: field.kind for field in table.fields}
        files[f"{table.name}.parquet"] = parquet_bytes(kinds, table.rows, name=table.meaning)
    files["data_dictionary.csv"] = csv_text(dictionary).encode()
    files["tables.json"] = _json(document)
    files["tables.schema.json"] = _json(json_schema(tables, schema_name))
    folder.require_free(tuple(files))
    for name, content in files.items():
        folder.write_bytes(name, content)
    return tuple(files)


def csv_text(table: TidyTable) -> str:
    """A table as CSV: empty where there is no value, yes or no, dates as YYYY-MM-DD."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(field.name for field in table.fields)
    for row in table.rows:
        writer.writerow(_csv_cell(row.get(field.name)) for field in table.fields)
    return buffer.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _dictionary(tables: Iterable[TidyTable]) -> Iterable[Row]:
    for table in tables:
        for field in table.fields:
            yield {
                "table": table.name,
                "column": field.name,
                "type": field.kind,
                "unit": field.unit,
                "meaning": field.meaning,
            }


def _plain_rows(table: TidyTable) -> list[Row]:
    """Rows as JSON holds them: every column is there, null where it has no value."""
    return [
        {
            field.name: value.isoformat() if isinstance(value, date) else value
            for field in table.fields
            for value in [row.get(field.name)]
        }
        for row in table.rows
    ]


def json_schema(tables: Sequence[TidyTable], schema_name: str) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the document that holds the tables."""
    properties: dict[str, Any] = {"schema": {"const": schema_name}}
    for table in tables:
        columns = {
            field.name: JSON_TYPES[field.kind] | {"description": _described(field)}
            for field in table.fields
        }
        properties[table.name] = {
            "type": "array",
            "description": table.meaning,
            "items": {
                "type": "object",
                "properties": columns,
                "required": list(columns),
                "additionalProperties": False,
            },
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema_name,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(field: Field) -> str:
    return f"{field.meaning} ({field.unit})" if field.unit else field.meaning


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
