"""Copies of photographs that don't say whose head it is.

A copy holds pixels and nothing else: it is encoded anew from the upright sRGB array, so that no
metadata, thumbnail or hidden picture of the original can travel along. Its name is made of a keyed
pseudonym, a view and a date. What is written into the folder of the copies names no original.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scalptrack.errors import HeadNotFoundError, ImageReadError, OutputError
from scalptrack.faces import EXPOSING_COPIES, FaceCover, FaceOutcome, covered, face_cover
from scalptrack.filenames import UNSPECIFIED_VIEW, VIEWS
from scalptrack.images import encode_image, read_header, read_photograph, write_bytes_atomic
from scalptrack.pseudonyms import PseudonymKey
from scalptrack.records import Catalog, ImageArray, Photograph, RejectedFile
from scalptrack.segmentation import shared_segmenter

TABLE_NAME = "deidentified.csv"
JPEG_QUALITY = 95
"""Of copies of compressed photographs; others become PNG."""

_COMPRESSED = frozenset({"JPEG", "HEIF", "AVIF", "WEBP", "JPEG2000"})
_UNDATED_CODES = frozenset({"no_date", "ambiguous_date", "impossible_date"})


@dataclass(frozen=True, slots=True)
class CopySettings:
    """How copies are made.

    Attributes
    ----------
    shift_days : int
        Dates are moved back by 1 to so many days, keyed per subject; 0 leaves them.
    keep_uncovered : bool
        Also write photographs whose face, or text in them, could not be covered.
    """

    shift_days: int = 0
    keep_uncovered: bool = False
    max_megapixels: float = 150.0


@dataclass(frozen=True, slots=True)
class Copy:
    """What became of one file. ``name`` and ``reason`` may name a person; the others don't.

    Attributes
    ----------
    name : str
        Of the original, relative to its folder.
    status : str
        ``"copied"``, ``"withheld"`` (its face, or text in it, could not be covered) or
        ``"rejected"``.
    copy : str or None
        Of the copy, relative to the folder of the copies.
    face : FaceOutcome or None
        What became of the face; None for a rejected file.
    covered_fraction : float
        Share of the picture that is covered.
    reason : str or None
        Why there is no copy, or why the face in it is not covered.
    """

    name: str
    status: str
    copy: str | None
    subject: str
    view: str
    visit_date: date | None
    face: FaceOutcome | None
    covered_fraction: float
    reason: str | None


def deidentify(
    catalogs: Sequence[Catalog],
    out: Path,
    *,
    key: PseudonymKey,
    settings: CopySettings,
    on_step: Callable[[str], None] = lambda _name: None,
) -> tuple[Copy, ...]:
    """Write a copy of every photograph, and a table of them; originals are only read.

    Raises
    ------
    OutputError
        If a copy can't be written, or another file has its name.
    """
    copies: list[Copy] = []
    taken: set[str] = set()
    for catalog in catalogs:
        files: list[Photograph | RejectedFile] = [*catalog.photographs, *catalog.rejected]
        for file in files:
            copies.append(_copy_of(file, out, taken, key=key, settings=settings))
            on_step(file.name)
    _write_once(out / TABLE_NAME, _table(copies).encode("utf-8"), replace=True)
    return tuple(copies)


def _copy_of(
    file: Photograph | RejectedFile,
    out: Path,
    taken: set[str],
    *,
    key: PseudonymKey,
    settings: CopySettings,
) -> Copy:
    """Copy one file, or say why not."""
    if isinstance(file, RejectedFile) and file.reason.code not in _UNDATED_CODES:
        return _rejected(file, key, file.reason.message)
    try:
        header = read_header(file.path, max_megapixels=settings.max_megapixels)
        image, _ = read_photograph(file.path, max_megapixels=settings.max_megapixels)
    except ImageReadError as error:
        return _rejected(file, key, str(error))
    view = _safe_view(file.view, key)
    day = None if isinstance(file, RejectedFile) else file.visit_date
    if day is not None and settings.shift_days:
        day = key.shifted(day, file.subject, max_days=settings.shift_days)
    copied_by = header.capture.copied_by
    cover = _find_cover(image, file.view, copied_by)
    uncovered = cover.outcome is FaceOutcome.NOT_COVERED
    what = "Text" if copied_by in EXPOSING_COPIES else "The face"
    name = None
    if not uncovered or settings.keep_uncovered:
        suffix = ".jpg" if header.format in _COMPRESSED else ".png"
        name = _free_name(file, key, view, day, taken) + suffix
        content = encode_image(covered(image, cover), suffix=suffix, quality=JPEG_QUALITY)
        _write_once(out / name, content)
    return Copy(
        name=file.name,
        status="withheld" if name is None else "copied",
        copy=name,
        subject=key.subject(file.subject),
        view=view,
        visit_date=day,
        face=cover.outcome,
        covered_fraction=float(cover.mask.mean()),
        reason=f"{what} could not be covered: {cover.reason}." if uncovered else None,
    )


def _find_cover(image: ImageArray, view: str, copied_by: str | None) -> FaceCover:
    shape = (image.shape[0], image.shape[1])
    try:
        segmentation = shared_segmenter().segment(image)
    except HeadNotFoundError:
        segmentation = None
    return face_cover(segmentation, view, shape, copied_by=copied_by)


def _rejected(file: Photograph | RejectedFile, key: PseudonymKey, reason: str) -> Copy:
    return Copy(
        name=file.name,
        status="rejected",
        copy=None,
        subject=key.subject(file.subject) if file.subject else "",
        view=_safe_view(file.view, key) if file.view else "",
        visit_date=None,
        face=None,
        covered_fraction=0.0,
        reason=reason,
    )


def _safe_view(view: str, key: PseudonymKey) -> str:
    """A view under its own name if it is one of the program's: any other may hold a name."""
    return view if view in (*VIEWS, UNSPECIFIED_VIEW) else key.label("view", view)


def _free_name(
    file: Photograph | RejectedFile,
    key: PseudonymKey,
    view: str,
    day: date | None,
    taken: set[str],
) -> str:
    """Name without suffix of a copy that no other copy of this run has."""
    folder = f"{key.subject(file.subject)}/{view}"
    if day is None:
        return f"{folder}/{key.label('undated', file.sha256)}"
    number = file.replicate or 1
    while f"{folder}/{day.isoformat()}_{number}" in taken:
        number += 1
    stem = f"{folder}/{day.isoformat()}_{number}"
    taken.add(stem)
    return stem


def _write_once(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file, unless it is there already; another file of that name is never replaced."""
    if path.exists() and not replace:
        if path.is_file() and path.read_bytes() == content:
            return
        msg = f"{path} exists and differs from this copy. Choose an empty folder for --out."
        raise OutputError(msg)
    write_bytes_atomic(path, content)


def _table(copies: Sequence[Copy]) -> str:
    """CSV of the copies and of what was withheld; it names no original and gives no free text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("copy", "status", "subject", "view", "visit_date", "face", "covered_percent"))
    for each in _table_rows(copies):
        writer.writerow(each)
    return buffer.getvalue()


def _table_rows(copies: Sequence[Copy]) -> Iterator[tuple[object, ...]]:
    shown = [each for each in copies if each.status != "rejected"]
    for each in sorted(shown, key=lambda each: (each.subject, each.view, each.copy or "")):
        yield (
            each.copy or "",
            each.status,
            each.subject,
            each.view,
            each.visit_date or "",
            each.face or "",
            f"{100 * each.covered_fraction:.1f}",
        )
