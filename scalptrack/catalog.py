"""A folder or a manifest becomes photographs, and rejected files that say why.

Every file is accounted for: it is a photograph, or a rejected file with its reason, or (side
files, hidden files, outputs of scalptrack) it is named or counted in a note. Files are opened
read-only. The identity of a photograph is its content, never its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from scalptrack.dating import settle_date
from scalptrack.errors import ImageReadError, InputError
from scalptrack.filenames import UNSPECIFIED_VIEW, PathReading, natural_key, read_path, view_named
from scalptrack.folders import (
    is_output_folder,
    left_out_note,
    list_files,
    outside_link_message,
    shown_name,
)
from scalptrack.images import (
    PHOTOGRAPH_SUFFIXES,
    RAW_SUFFIXES,
    sha256_of_file,
    verify_photograph,
)
from scalptrack.manifest import (
    ManifestRow,
    raise_lost_references,
    raise_table_errors,
    read_events,
    read_manifest,
    unconfirmed_view,
    write_manifest,
)
from scalptrack.records import Catalog, Photograph, Reason, RejectedFile
from scalptrack.translation import tr
from scalptrack.twins import Twin, is_same_exposure

__all__ = ["catalog_folder", "catalog_manifest", "read_events", "write_manifest"]

# Of photographs that could be decoded, but not placed in the study.
_UNPLACED_CODES = frozenset({"no_date", "ambiguous_date", "impossible_date", "ambiguous_view"})

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A photograph that can be decoded and whose place in the study is known, but its replicate."""

    photograph: Photograph
    replicate: int | None
    is_link: bool
    date_in_name: bool


def catalog_folder(
    root: Path,
    *,
    max_megapixels: float = 150.0,
    skip: Collection[Path] = (),
    today: date | None = None,
    on_progress: Progress | None = None,
) -> Catalog:
    """Understand a folder of photographs; every file is decoded once.

    Parameters
    ----------
    root : Path
        The folder; `scalptrack.filenames` says which layouts are understood.
    max_megapixels : float
        Larger photographs are rejected.
    skip : collection of Path
        Files and folders that are left out (an output folder, an event table).
    today : date, optional
        Later dates are impossible; the computer's date when not given.
    on_progress : callable, optional
        Called with (files done, files in all).

    Returns
    -------
    Catalog
        Photographs by subject, view, date, replicate and name; rejected files by name.

    Raises
    ------
    InputError
        If the root is no folder, or holds the outputs of scalptrack itself.
    """
    if not root.is_dir():
        msg = f"{root} is not a folder. Give the folder that holds the photographs."
        raise InputError(msg)
    if is_output_folder(root):
        msg = (
            f"{root} holds results of scalptrack (provenance.json). Give the folder of the "
            "photographs, and write results into another one."
        )
        raise InputError(msg)
    listing = list_files(root, skip=skip)
    root_name = shown_name(root.resolve().name) or "subject"

    def examined(path: Path) -> _Candidate | RejectedFile:
        name = path.relative_to(root).as_posix()
        reading = read_path(name.split("/"), root_name=root_name)
        return _examine(path, name, reading, max_megapixels, today or _today())

    outcomes: dict[Path, _Candidate | RejectedFile] = {}
    for index, path in enumerate(listing.files):
        outcomes[path] = examined(path)
        if on_progress is not None:
            on_progress(index + 1, len(listing.files))
    left_out: Counter[str] = Counter()
    for twin in listing.twins:
        if _is_seen_in(twin, outcomes, max_megapixels):
            left_out[twin.kind] += 1
        else:
            outcomes[twin.path] = examined(twin.path)
    rejected = [each for each in outcomes.values() if isinstance(each, RejectedFile)]
    candidates, strangers = _reject_misfiled(
        [each for each in outcomes.values() if isinstance(each, _Candidate)], root_name
    )
    notes = [*listing.notes, *(left_out_note(*each) for each in left_out.items())]
    notes += _clock_notes(candidates)
    photographs, duplicates = _accept(sorted(candidates, key=_preference))
    return Catalog(
        root=root,
        photographs=photographs,
        rejected=_sorted_by_name([*listing.rejected, *rejected, *strangers, *duplicates]),
        notes=tuple(notes),
    )


def catalog_manifest(
    manifest: Path,
    *,
    max_megapixels: float = 150.0,
    on_progress: Progress | None = None,
    today: date | None = None,
) -> Catalog:
    """Read the photographs that a manifest CSV lists.

    Columns are photo (relative to the manifest), subject, view, visit_date (YYYY-MM-DD) and, if
    wanted, replicate, reference (yes) and view_confirmed (no: the view was recognised in the
    picture, and waits for the user). What can't be decoded or isn't confirmed is a rejected file.

    Raises
    ------
    InputError
        If the manifest has mistakes (all are named, with their lines), or lists a photograph that
        doesn't exist.
    """
    rows = read_manifest(manifest)
    today = today or _today()
    errors = []
    for row in rows:
        if not (manifest.parent / row.photo).exists():
            errors.append(f"line {row.line}: {row.photo} does not exist")
        if row.visit_date > today + timedelta(days=1):
            errors.append(f"line {row.line}: visit_date {row.visit_date} lies in the future")
    raise_table_errors(manifest, errors)
    outcomes: list[_Candidate | RejectedFile] = []
    for index, row in enumerate(rows):
        outcomes.append(_examine_row(manifest.parent / row.photo, row, max_megapixels))
        if on_progress is not None:
            on_progress(index + 1, len(rows))
    rejected = [each for each in outcomes if isinstance(each, RejectedFile)]
    photographs, duplicates = _accept([each for each in outcomes if isinstance(each, _Candidate)])
    everything = _sorted_by_name([*rejected, *duplicates])
    raise_lost_references(manifest, rows, everything)
    return Catalog(root=manifest.parent, photographs=photographs, rejected=everything)


def _today() -> date:
    return datetime.now(tz=UTC).date()


def _rejected(path: Path, name: str, code: str, message: str) -> RejectedFile:
    return RejectedFile(path=path, name=name, reason=Reason(code, message))


def _sorted_by_name(files: Iterable[RejectedFile]) -> tuple[RejectedFile, ...]:
    return tuple(sorted(files, key=lambda each: each.name))


def _examine(
    path: Path, name: str, reading: PathReading, max_megapixels: float, today: date
) -> _Candidate | RejectedFile:
    """Decode one file of a folder and place it in the study."""
    is_link = path.is_symlink()
    # The folder above a file was reached without links, so only the file itself can be one.
    root = path.parents[name.count("/")]
    if is_link and not path.resolve().is_relative_to(root.resolve()):
        return _rejected(path, name, "outside_link", outside_link_message(name))
    if not path.is_file() and path.exists():
        message = tr(
            "{name} is neither a file nor a folder (a pipe or a device). Remove it.", name=name
        )
        return _rejected(path, name, "not_a_photograph", message)
    placed = RejectedFile(
        path=path,
        name=name,
        reason=Reason("", ""),
        subject=reading.subject,
        view=reading.view,
        visit_date=reading.dates[0] if len(reading.dates) == 1 else None,
        replicate=reading.replicate,
    )
    try:
        placed = replace(placed, sha256=sha256_of_file(path))
        header = verify_photograph(path, max_megapixels=max_megapixels)
    except ImageReadError as error:
        return _undecodable(placed, error)
    capture = header.capture
    settled = settle_date(name, reading, capture, today)
    if len(reading.views) > 1:
        settled = Reason(
            "ambiguous_view",
            tr(
                "{name} names more than one view ({views}). Rename it.",
                name=name,
                views=", ".join(reading.views),
            ),
        )
    if isinstance(settled, Reason):
        return replace(placed, reason=settled, visit_date=None)
    photograph = Photograph(
        subject=reading.subject,
        view=reading.view_beside(capture.view_hint) or UNSPECIFIED_VIEW,
        visit_date=settled,
        replicate=0,
        path=path,
        name=name,
        sha256=placed.sha256,
        width_px=header.width_px,
        height_px=header.height_px,
        capture=capture,
    )
    return _Candidate(photograph, reading.replicate, is_link, bool(reading.dates))


def _is_seen_in(
    twin: Twin, outcomes: Mapping[Path, _Candidate | RejectedFile], max_megapixels: float
) -> bool:
    """Whether a photograph beside a file could be decoded and is the same exposure."""
    for outcome in [outcomes[path] for path in twin.beside if path in outcomes]:
        if isinstance(outcome, RejectedFile):
            same = outcome.reason.code in _UNPLACED_CODES
        else:
            taken_at = outcome.photograph.capture.taken_at
            same = is_same_exposure(twin.path, taken_at, max_megapixels=max_megapixels)
        if same:
            return True
    return False


def _undecodable(placed: RejectedFile, error: ImageReadError) -> RejectedFile:
    """Rejected file for one that can't be decoded; a text file has no subject or view."""
    message = str(error).replace(str(placed.path), placed.name)
    suffix = placed.path.suffix.lower()
    if error.code == "not_an_image" and suffix not in PHOTOGRAPH_SUFFIXES | RAW_SUFFIXES:
        kind = tr("a {suffix} file", suffix=suffix) if suffix else tr("a file of another kind")
        message = tr(
            "{name} is not a photograph, but {kind}. Move it out of the folder.",
            name=placed.name,
            kind=kind,
        )
        return replace(
            placed,
            reason=Reason("not_a_photograph", message),
            subject="",
            view="",
            visit_date=None,
            replicate=None,
        )
    return replace(placed, reason=Reason(error.code, message))


def _reject_misfiled(
    candidates: Sequence[_Candidate], root_name: str
) -> tuple[list[_Candidate], list[RejectedFile]]:
    """Take out photographs whose own name names another subject of this folder."""
    subjects = {each.photograph.subject.casefold() for each in candidates}
    kept: list[_Candidate] = []
    rejected: list[RejectedFile] = []
    for each in candidates:
        photograph = each.photograph
        named = read_path(photograph.name.split("/"), root_name=root_name).subject_in_name
        own = photograph.subject.casefold()
        if "/" in photograph.name and named.casefold() in subjects and named.casefold() != own:
            message = tr(
                "{name} lies in the folder of {subject}, but its name says "
                "{named}. Move or rename it.",
                name=photograph.name,
                subject=photograph.subject,
                named=named,
            )
            rejected.append(_as_rejected(photograph, Reason("ambiguous_subject", message)))
        else:
            kept.append(each)
    return kept, rejected


def _as_rejected(photograph: Photograph, reason: Reason) -> RejectedFile:
    return RejectedFile(
        path=photograph.path,
        name=photograph.name,
        reason=reason,
        subject=photograph.subject,
        view=photograph.view,
        visit_date=photograph.visit_date,
        replicate=photograph.replicate or None,
        sha256=photograph.sha256,
    )


def _clock_notes(candidates: Sequence[_Candidate]) -> list[str]:
    """Note on photographs whose camera wrote another date than their name."""
    names = [
        each.photograph.name
        for each in candidates
        if each.date_in_name
        and each.photograph.capture.taken_at is not None
        and abs((each.photograph.capture.taken_at.date() - each.photograph.visit_date).days) > 1
    ]
    if not names:
        return []
    shown = ", ".join(names[:3]) + (
        f" {tr('and {names} more', names=len(names) - 3)}" if len(names) > 3 else ""
    )
    return [
        tr(
            "The camera wrote another date than the name, and the name was believed: {shown}.",
            shown=shown,
        )
    ]


def _accept(
    candidates: Sequence[_Candidate],
) -> tuple[tuple[Photograph, ...], list[RejectedFile]]:
    """Reject repeated content (the first one is kept), number the replicates, and sort."""
    first_name: dict[str, str] = {}
    kept: list[_Candidate] = []
    rejected: list[RejectedFile] = []
    for each in candidates:
        photograph = each.photograph
        original = first_name.setdefault(photograph.sha256, photograph.name)
        if original == photograph.name:
            kept.append(each)
            continue
        message = tr(
            "{name} is the same file as {original}, which is used. A "
            "replicate must be another photograph; remove the copy.",
            name=photograph.name,
            original=original,
        )
        reason = Reason("duplicate_of", message)
        rejected.append(replace(_as_rejected(photograph, reason), replicate=each.replicate))
    photographs = _number_replicates(kept)
    order = sorted(
        photographs,
        key=lambda each: (each.subject, each.view, each.visit_date, each.replicate, each.name),
    )
    return tuple(order), rejected


def _preference(candidate: _Candidate) -> tuple[bool, bool, str]:
    """Sort key of copies: files before links, where the camera's date agrees, then by name."""
    photograph = candidate.photograph
    taken_at = photograph.capture.taken_at
    disagrees = taken_at is not None and taken_at.date() != photograph.visit_date
    return candidate.is_link, disagrees, photograph.name


def _number_replicates(candidates: Sequence[_Candidate]) -> list[Photograph]:
    """Give explicit numbers to the first that asks for them, and the lowest free ones to others."""
    places: dict[tuple[str, str, date], set[int]] = {}
    numbered: list[Photograph] = []
    by_name = sorted(candidates, key=lambda each: natural_key(each.photograph.name))
    for each in sorted(by_name, key=lambda each: each.replicate is None):
        photograph = each.photograph
        taken = places.setdefault(
            (photograph.subject, photograph.view, photograph.visit_date), set()
        )
        number = each.replicate
        if number is None or number in taken:
            number = next(n for n in range(1, len(taken) + 2) if n not in taken)
        taken.add(number)
        numbered.append(replace(photograph, replicate=number))
    return numbered


def _examine_row(path: Path, row: ManifestRow, max_megapixels: float) -> _Candidate | RejectedFile:
    """Decode one photograph of a manifest."""
    view = view_named(row.view) or row.view
    placed = RejectedFile(
        path=path,
        name=row.photo,
        reason=Reason("", ""),
        subject=row.subject,
        view=view,
        visit_date=row.visit_date,
        replicate=row.replicate,
    )
    try:
        placed = replace(placed, sha256=sha256_of_file(path))
        header = verify_photograph(path, max_megapixels=max_megapixels)
    except ImageReadError as error:
        message = str(error).replace(str(path), row.photo)
        return replace(placed, reason=Reason(error.code, message))
    if not row.view_is_confirmed:
        return replace(placed, reason=unconfirmed_view(row.photo, view))
    photograph = Photograph(
        subject=row.subject,
        view=view,
        visit_date=row.visit_date,
        replicate=0,
        path=path,
        name=row.photo,
        sha256=placed.sha256,
        width_px=header.width_px,
        height_px=header.height_px,
        capture=header.capture,
        set_as_reference=row.is_reference,
    )
    return _Candidate(photograph, row.replicate, is_link=False, date_in_name=True)
