"""Copies of photographs that don't say whose head it is.

A copy holds pixels and nothing else: it is encoded anew from the upright sRGB array, so that no
metadata, thumbnail or hidden picture of the original can travel along. Its name is made of a keyed
pseudonym, a view and a date. What is written into the folder of the copies names no original.
A second run into the same folder adds to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scalptrack.copy_table import CopyRow, CopyTable
from scalptrack.errors import HeadNotFoundError, ImageReadError, OutputError
from scalptrack.faces import EXPOSING_COPIES, FaceCover, FaceOutcome, covered, face_cover
from scalptrack.filenames import UNSPECIFIED_VIEW, VIEWS
from scalptrack.images import encode_image, read_header, read_photograph, write_bytes_atomic
from scalptrack.outputs import OutputFolder
from scalptrack.pseudonyms import PseudonymKey
from scalptrack.records import Catalog, ImageArray, Photograph, RejectedFile
from scalptrack.segmentation import shared_segmenter

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
    photograph : str or None
        Keyed identity of the original's content, as in the table of the copies and, with this key,
        the ``sha256`` of ``track --deidentify``; None where the file can't be read.
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
    photograph: str | None


def deidentify(
    catalogs: Sequence[Catalog],
    out: Path,
    *,
    key: PseudonymKey,
    settings: CopySettings,
    on_step: Callable[[str], None] = lambda _name: None,
) -> tuple[Copy, ...]:
    """Write a copy of every photograph, and a table of them; originals are only read.

    The table keeps what earlier runs listed, and is also written when this one ends early.

    Raises
    ------
    OutputError
        If a copy can't be written, another file has its name, or the table is not the program's.
    """
    copies: list[Copy] = []
    table = CopyTable(OutputFolder(out))
    try:
        for catalog in catalogs:
            files: list[Photograph | RejectedFile] = [*catalog.photographs, *catalog.rejected]
            for file in files:
                copies.append(_copy_of(file, out, table, key=key, settings=settings))
                on_step(file.name)
    finally:
        table.write(map(_row, (each for each in copies if each.status != "rejected")))
    return tuple(copies)


def _copy_of(
    file: Photograph | RejectedFile,
    out: Path,
    table: CopyTable,
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
    reason = f"{what} could not be covered: {cover.reason}." if uncovered else None
    identity = key.identity(file.sha256)
    name = None
    if not uncovered or settings.keep_uncovered:
        suffix = ".jpg" if header.format in _COMPRESSED else ".png"
        name = _name_without_suffix(file, key, view, day, table) + suffix
        content = encode_image(covered(image, cover), suffix=suffix, quality=JPEG_QUALITY)
        _write_once(out / name, content)
    elif earlier := table.copies_of(identity):
        reason = f"{reason} The copy of an earlier run is still there: {', '.join(earlier)}."
    return Copy(
        name=file.name,
        status="withheld" if name is None else "copied",
        copy=name,
        subject=key.subject(file.subject),
        view=view,
        visit_date=day,
        face=cover.outcome,
        covered_fraction=float(cover.mask.mean()),
        reason=reason,
        photograph=identity,
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
        photograph=key.identity(file.sha256) if file.sha256 else None,
    )


def _safe_view(view: str, key: PseudonymKey) -> str:
    """A view under its own name if it is one of the program's: any other may hold a name."""
    return view if view in (*VIEWS, UNSPECIFIED_VIEW) else key.label("view", view)


def _name_without_suffix(
    file: Photograph | RejectedFile,
    key: PseudonymKey,
    view: str,
    day: date | None,
    table: CopyTable,
) -> str:
    """Name of a copy that no other copy in the folder has."""
    folder = f"{key.subject(file.subject)}/{view}"
    if day is None:
        return f"{folder}/{key.label('undated', file.sha256)}"
    identity = key.identity(file.sha256)
    return table.stem_for(identity, folder, day.isoformat(), file.replicate or 1)


def _write_once(path: Path, content: bytes) -> None:
    """Write a file, unless it is there already; another file of that name is never replaced."""
    if path.exists():
        if path.is_file() and path.read_bytes() == content:
            return
        msg = f"{path} exists and differs from this copy. Choose an empty folder for --out."
        raise OutputError(msg)
    write_bytes_atomic(path, content)


def _row(copy: Copy) -> CopyRow:
    """A copy as a row of the table: it names no original and gives no free text."""
    return CopyRow(
        copy=copy.copy or "",
        status=copy.status,
        subject=copy.subject,
        view=copy.view,
        visit_date=copy.visit_date.isoformat() if copy.visit_date else "",
        face=str(copy.face or ""),
        covered_percent=f"{100 * copy.covered_fraction:.1f}",
        photograph=copy.photograph or "",
    )
