"""The table of copies without names: one row for each photograph, kept from run to run.

A folder of copies grows: next month's photographs come to those of today. What an earlier run
listed stays listed, and a photograph that was copied keeps the name of its copy.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from itertools import chain, count

from scalptrack.errors import OutputError
from scalptrack.outputs import OutputFolder

TABLE_NAME = "deidentified.csv"


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One row, as it is written; no field names an original.

    Attributes
    ----------
    copy : str
        Of the copy, relative to the folder of the copies; empty where there is none.
    photograph : str
        Keyed identity of the photograph's content, the same in every run with this key.
    """

    copy: str
    status: str
    subject: str
    view: str
    visit_date: str
    face: str
    covered_percent: str
    photograph: str


_COLUMNS = tuple(each.name for each in fields(CopyRow))


class CopyTable:
    """What earlier runs and this one copied into a folder, or withheld.

    Raises
    ------
    OutputError
        When the table was not written by the program, or was changed since.
    """

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        folder.require_free((TABLE_NAME,))
        self._earlier = _read_rows(folder)
        self._taken: set[str] = set()

    def stem_for(self, photograph: str, folder: str, day: str, number: int) -> str:
        """Name without suffix for a photograph's copy: as before, else the next number free.

        Parameters
        ----------
        photograph : str
            Its keyed identity.
        folder, day : str
            What the name is made of.
        number : int
            The first number to try.
        """
        start = f"{folder}/{day}_"
        own = [
            _stem(row.copy)
            for row in self._earlier
            if row.photograph == photograph and row.copy.startswith(start)
        ]
        others = {_stem(row.copy) for row in self._earlier if row.photograph != photograph}
        numbered = (f"{start}{each}" for each in count(number))
        stem = next(each for each in chain(own, numbered) if each not in self._taken | others)
        self._taken.add(stem)
        return stem

    def copies_of(self, photograph: str) -> tuple[str, ...]:
        """Copies of a photograph that earlier runs listed and that are still there."""
        return tuple(
            row.copy
            for row in self._earlier
            if row.photograph == photograph and row.copy and (self._folder.root / row.copy).exists()
        )

    def write(self, rows: Iterable[CopyRow]) -> None:
        """Write the rows of this run and those of earlier ones that it doesn't replace.

        A copy that lies in the folder stays listed, also where this run would have withheld it.
        """
        written = {(row.photograph, row.copy): row for row in (*self._earlier, *rows)}
        copied = {photograph for photograph, copy in written if copy}
        kept = [row for row in written.values() if row.copy or row.photograph not in copied]
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(astuple(row) for row in sorted(kept, key=_order))
        self._folder.write_text(TABLE_NAME, buffer.getvalue())


def _read_rows(folder: OutputFolder) -> list[CopyRow]:
    path = folder.root / TABLE_NAME
    if not path.exists():
        return []
    header, *lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    if tuple(header) != _COLUMNS:
        message = f"{path} is the table of another version. Choose another --out."
        raise OutputError(message)
    return [CopyRow(*line) for line in lines]


def _order(row: CopyRow) -> tuple[str, ...]:
    return row.subject, row.view, row.copy, row.photograph


def _stem(copy: str) -> str:
    return copy.rpartition(".")[0]
