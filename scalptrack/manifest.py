"""The tables that a user writes by hand: the manifest of photographs, and treatment events.

How such a table is read stands here too, for `scalptrack.visits`.

Tolerated are a byte-order mark, ``;`` or tabs between the columns, and any order and case of the
columns. All mistakes of a table are reported together, each with its line.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from scalptrack.errors import InputError, OutputError
from scalptrack.filenames import view_named
from scalptrack.images import write_bytes_atomic
from scalptrack.records import Catalog, Event, Photograph, Reason, RejectedFile
from scalptrack.translation import tr

MANIFEST_COLUMNS = ("photo", "subject", "view", "visit_date", "replicate", "reference")
"""Columns of a manifest; the last two may be missing or empty."""

CONFIRMED_COLUMN = "view_confirmed"
"""Column that says no where a view was recognised in the picture and nobody has confirmed it."""

_SHOWN_ERRORS = 20


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One line of a manifest, checked but for the photograph itself.

    Attributes
    ----------
    line : int
        Line in the file, from 1.
    photo : str
        As written, with forward slashes.
    is_reference : bool
        Whether it is set as the reference of its subject and view.
    view_is_confirmed : bool
        False where the view was recognised in the picture and waits for the user's yes.
    """

    line: int
    photo: str
    subject: str
    view: str
    visit_date: date
    replicate: int | None
    is_reference: bool = False
    view_is_confirmed: bool = True


def read_manifest(path: Path) -> tuple[ManifestRow, ...]:
    """Rows of a manifest CSV, in its order.

    Raises
    ------
    InputError
        If the table can't be read; names every wrong line.
    """
    table = read_table(path, required=MANIFEST_COLUMNS[:4])
    rows: list[ManifestRow] = []
    errors: list[str] = list(table.errors)
    for line, cells in table.lines:
        problems = [
            f"{column} is empty" for column in MANIFEST_COLUMNS[:4] if not cells.get(column)
        ]
        visit_date, date_problem = read_date(cells.get("visit_date", ""), "visit_date")
        replicate, replicate_problem = _read_replicate(cells.get("replicate", ""))
        is_reference, reference_problem = _read_reference(cells.get("reference", ""))
        confirmed, confirmed_problem = read_confirmed(cells.get(CONFIRMED_COLUMN, ""))
        found = (date_problem, replicate_problem, reference_problem, confirmed_problem)
        problems += [problem for problem in found if problem]
        if problems or visit_date is None:
            errors.append(f"line {line}: {'; '.join(problems)}")
            continue
        photo = cells["photo"].replace("\\", "/")
        rows.append(
            ManifestRow(
                line=line,
                photo=photo,
                subject=cells["subject"],
                view=cells["view"],
                visit_date=visit_date,
                replicate=replicate,
                is_reference=is_reference,
                view_is_confirmed=confirmed,
            )
        )
    errors += _repeated(rows) + _second_references(rows)
    raise_table_errors(path, errors)
    return tuple(rows)


def raise_lost_references(
    path: Path, rows: Sequence[ManifestRow], rejected: Iterable[RejectedFile]
) -> None:
    """Raise when a photograph that is set as a reference was rejected.

    Without it another photograph would silently become the reference.

    Raises
    ------
    InputError
        Naming the line and why the photograph was rejected.
    """
    lines = {row.photo: row.line for row in rows if row.is_reference}
    errors = [
        f"line {lines[each.name]}: {each.name} can't be the reference: {each.reason.message}"
        for each in rejected
        if each.name in lines
    ]
    raise_table_errors(path, errors)


def manifest_text(
    photographs: Iterable[Photograph],
    photo_names: Iterable[str],
    recognised: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """CSV text of a manifest that `read_manifest` reads back.

    Parameters
    ----------
    photographs : iterable of Photograph
        One row each, in this order.
    photo_names : iterable of str
        Paths relative to the manifest's folder, with forward slashes.
    recognised : mapping of str to str
        Views that were recognised in the picture, by the photograph's name in the catalog. They are
        written with ``view_confirmed`` no, and without a replicate, which depends on the view.
    """
    listed = list(zip(photographs, photo_names, strict=True))
    # The last columns only where they say something: most people never set a reference.
    chosen = any(photograph.set_as_reference for photograph, _ in listed)
    columns = [*(MANIFEST_COLUMNS if chosen else MANIFEST_COLUMNS[:-1])]
    columns += [CONFIRMED_COLUMN] if recognised else []
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for photograph, name in listed:
        view = recognised.get(photograph.name)
        writer.writerow(
            {
                "photo": name,
                "subject": photograph.subject,
                "view": view or photograph.view,
                "visit_date": photograph.visit_date.isoformat(),
                "replicate": "" if view else photograph.replicate,
                "reference": "yes" if photograph.set_as_reference else "",
                CONFIRMED_COLUMN: "no" if view else "",
            }
        )
    return buffer.getvalue()


def write_manifest(
    catalog: Catalog,
    path: Path,
    *,
    recognised: Mapping[str, str] = MappingProxyType({}),
    overwrite: bool = False,
) -> None:
    """Write the photographs of a catalog as a manifest that `catalog_manifest` reads.

    Views that were ``recognised`` in the picture (by the photograph's name) wait there for the
    user's confirmation; see `manifest_text`.

    Raises
    ------
    OutputError
        If there is a file already that differs from what would be written (it may hold
        corrections made by hand), unless it may be overwritten; or if a name or the disk can't
        take it.
    """
    folder = path.resolve().parent
    names = [
        Path(os.path.relpath(photograph.path.absolute(), folder)).as_posix()
        for photograph in catalog.photographs
    ]
    text = manifest_text(catalog.photographs, names, recognised)
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        msg = (
            f"A folder above the photographs has a name that is not UTF-8, which {path} can't hold."
            " Rename that folder, or write the manifest into it."
        )
        raise OutputError(msg) from error
    if path.exists() and not overwrite:
        if path.is_file() and path.read_bytes() == content:
            return
        msg = f"{path} exists and differs. Choose another name, or allow to overwrite it."
        raise OutputError(msg)
    write_bytes_atomic(path, content)


def read_events(path: Path) -> tuple[Event, ...]:
    """Treatment events of an ``events.csv`` with the columns date, label and, if wanted, subject.

    Returns
    -------
    tuple of Event
        By date, then subject, then label. An event without a subject belongs to all of them.

    Raises
    ------
    InputError
        If the table can't be read; names every wrong line.
    """
    events: list[Event] = []
    table = read_table(path, required=("date", "label"))
    errors: list[str] = list(table.errors)
    for line, cells in table.lines:
        event_date, problem = read_date(cells.get("date", ""), "date")
        problems = [problem] if problem else []
        problems += [f"{column} is empty" for column in ("date", "label") if not cells.get(column)]
        if problems or event_date is None:
            errors.append(f"line {line}: {'; '.join(problems)}")
            continue
        events.append(Event(event_date, cells["label"], cells.get("subject", "")))
    raise_table_errors(path, errors)
    return tuple(sorted(events, key=lambda each: (each.event_date, each.subject, each.label)))


def raise_table_errors(path: Path, errors: Sequence[str]) -> None:
    """Raise all mistakes of a table together; does nothing when there are none.

    Raises
    ------
    InputError
        If there is any error.
    """
    if not errors:
        return
    shown = list(errors[:_SHOWN_ERRORS])
    if len(errors) > len(shown):
        shown.append(f"and {len(errors) - len(shown)} more")
    count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
    raise InputError(f"{path} has {count}:\n  " + "\n  ".join(shown))


@dataclass(frozen=True, slots=True)
class Table:
    """Line number and cells by column of every line that isn't blank, and what is wrong so far."""

    lines: tuple[tuple[int, dict[str, str]], ...]
    errors: tuple[str, ...]


def read_table(path: Path, *, required: Sequence[str], known: Sequence[str] | None = None) -> Table:
    """Read a CSV table with a header.

    Parameters
    ----------
    required : sequence of str
        Columns that must be there.
    known : sequence of str, optional
        All columns that may be there; without it others are ignored.

    Raises
    ------
    InputError
        If the file can't be read or lacks a required column.
    """
    rows = _read_cells(path)
    if not rows:
        msg = f"{path} is empty. Its first line must name the columns {', '.join(required)}."
        raise InputError(msg)
    header = [cell.strip().casefold() for cell in rows[0][1]]
    missing = [column for column in required if column not in header]
    if missing:
        msg = (
            f"{path}, line {rows[0][0]}: the columns {', '.join(missing)} are missing. "
            f"The first line must name {', '.join(required)}; it names {', '.join(header)}."
        )
        raise InputError(msg)
    table = []
    errors = []
    if known is not None:
        strange = [column for column in header if column and column not in known]
        errors += [
            f"line {rows[0][0]}: there is no column {column!r}; the columns are {', '.join(known)}"
            for column in strange
        ]
    errors += [
        f"line {rows[0][0]}: the column {column!r} is there twice"
        for column in dict.fromkeys(header)
        if column and header.count(column) > 1
    ]
    for line, cells in rows[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            errors.append(
                f"line {line}: {len(cells)} cells for {len(header)} columns; "
                "put quotation marks around a text that holds the separator"
            )
        table.append((line, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
    return Table(tuple(table), tuple(errors))


def _read_cells(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that isn't blank."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror or error}."
        raise InputError(msg) from error
    except UnicodeDecodeError as error:
        msg = f'{path} is not UTF-8 text. Save it as "CSV UTF-8".'
        raise InputError(msg) from error
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}. Check the quotation marks."
        raise InputError(msg) from error
    return rows


def read_date(text: str, column: str) -> tuple[date | None, str]:
    """A date written as YYYY-MM-DD, or what is wrong with it."""
    if not text:
        return None, ""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with suppress(ValueError):
            return date.fromisoformat(text), ""
    return None, f"{column} {text!r} is not a date of the calendar written as YYYY-MM-DD"


def _read_replicate(text: str) -> tuple[int | None, str]:
    """A replicate number from 1, None when it is left to us, or what is wrong with it."""
    if not text:
        return None, ""
    if re.fullmatch(r"0*[1-9][0-9]{0,3}", text):
        return int(text), ""
    return None, f"replicate {text!r} is not a whole number from 1"


def _read_reference(text: str) -> tuple[bool, str]:
    """Whether a photograph is set as the reference, or what is wrong with the answer."""
    if text.casefold() in {"", "no", "yes"}:
        return text.casefold() == "yes", ""
    return False, f"reference {text!r} is neither yes nor no"


def read_confirmed(text: str) -> tuple[bool, str]:
    """Whether a view needs no confirmation any more, or what is wrong with the answer."""
    if text.casefold() in {"", "no", "yes"}:
        return text.casefold() != "no", ""
    return True, f"{CONFIRMED_COLUMN} {text!r} is neither yes nor no"


def unconfirmed_view(photo: str, view: str) -> Reason:
    """Why a photograph isn't used whose recognised view nobody has confirmed."""
    return Reason(
        "unconfirmed_view",
        tr(
            "{photo}: its view, {view}, was recognised in the picture and "
            "is not confirmed. Look at it, correct the view where it is "
            "wrong, and write yes in the column {confirmed_column}.",
            photo=photo,
            view=view,
            confirmed_column=CONFIRMED_COLUMN,
        ),
    )


def _second_references(rows: Sequence[ManifestRow]) -> list[str]:
    """Lines that set a second reference for a subject and view."""
    errors = []
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.is_reference:
            view = view_named(row.view) or row.view
            line = first.setdefault((row.subject, view), row.line)
            if line != row.line:
                errors.append(
                    f"line {row.line}: line {line} already sets the reference of this subject and "
                    "view"
                )
    return errors


def _repeated(rows: Sequence[ManifestRow]) -> list[str]:
    """Lines that name a photograph, or an explicit replicate, for the second time."""
    errors = []
    photos: dict[str, int] = {}
    places: dict[tuple[str, str, date, int], int] = {}
    for row in rows:
        first = photos.setdefault(row.photo, row.line)
        if first != row.line:
            errors.append(f"line {row.line}: {row.photo} is already in line {first}")
        elif row.replicate is not None:
            place = (row.subject, row.view, row.visit_date, row.replicate)
            first = places.setdefault(place, row.line)
            if first != row.line:
                errors.append(
                    f"line {row.line}: replicate {row.replicate} of this subject, view and "
                    f"visit_date is already in line {first}"
                )
    return errors
