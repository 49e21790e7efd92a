"""Parquet in and out, through pyarrow of the extra ``study``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from scalptrack.errors import InputError
from scalptrack.manifest import Table


def read_parquet_table(path: Path, *, required: Sequence[str]) -> Table:
    """Cells of a Parquet file as `scalptrack.manifest.read_table` gives those of a CSV.

    Line 1 is the header, as in the same table written as CSV.

    Raises
    ------
    InputError
        If the file can't be read, or lacks a required column.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        rows: list[dict[str, Any]] = read_table(path).to_pylist()
        header = [str(name).strip().casefold() for name in read_table(path).column_names]
    except (OSError, ArrowException) as error:
        msg = f"{path} can't be read as Parquet: {error}."
        raise InputError(msg) from error
    missing = [column for column in required if column not in header]
    if missing:
        msg = (
            f"{path}: the columns {', '.join(missing)} are missing. It must have "
            f"{', '.join(required)}; it has {', '.join(header)}."
        )
        raise InputError(msg)
    lines = [
        (number, dict(zip(header, (_cell(value) for value in row.values()), strict=True)))
        for number, row in enumerate(rows, start=2)
    ]
    return Table(tuple(lines), ())


def _cell(value: Any) -> str:
    """A value as a CSV would hold it."""
    if value is None or value != value:  # noqa: PLR0124 (NaN)
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def parquet_bytes(
    columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, name: str
) -> bytes:
    """Rows as a Parquet file; the same rows give the same bytes.

    Parameters
    ----------
    columns : mapping of str to str
        Name and type of each column: ``"text"``, ``"date"``, ``"number"``, ``"integer"`` or
        ``"yes/no"``.
    rows : sequence of mapping
        Values by column; None where there is none.
    name : str
        What the table holds, kept in the file's metadata.
    """
    import pyarrow as pa
    from pyarrow.parquet import write_table

    kinds = {
        "text": pa.string(),
        "date": pa.date32(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "yes/no": pa.bool_(),
    }
    schema = pa.schema(
        [(column, kinds[kind]) for column, kind in columns.items()],
        metadata={"scalptrack": name},
    )
    buffer = io.BytesIO()
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
