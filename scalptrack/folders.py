"""Which files of a folder are to be examined, and what is said of the others."""

from __future__ import annotations

import json
import os
import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from scalptrack.copy_table import TABLE_NAME as COPY_TABLE
from scalptrack.images import PHOTOGRAPH_SUFFIXES, RAW_SUFFIXES
from scalptrack.outputs import LEDGER_NAME, STATE_FOLDER
from scalptrack.records import Reason, RejectedFile
from scalptrack.translation import marked, tr
from scalptrack.twins import Twin

_SIDE_FILES = frozenset(
    {"readme", "readme.md", "readme.txt", "truth.json", "sha256sums", "checksums.txt", "license"}
    | {"events.csv", "visits.csv", "manifest.csv", "dicomdir", COPY_TABLE}
)
_MOVIE_SUFFIXES = frozenset({".mov", ".mp4"})
_SIDECAR_SUFFIXES = frozenset({".aae", ".xmp", ".json", ".thm", ".lrv"})
_HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
_DEVELOPED_SUFFIXES = PHOTOGRAPH_SUFFIXES - {".dcm", ".dicom"}
_SYSTEM_NAMES = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"}
    | {"system volume information", "lost+found"}
)


@dataclass(slots=True)
class _Listing:
    """What a walk through a folder collects."""

    root: Path
    skip: frozenset[Path]
    files: list[Path] = field(default_factory=list)
    twins: list[Twin] = field(default_factory=list)
    rejected: list[RejectedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: int = 0

    def name_of(self, path: Path) -> str:
        """Path relative to the root, with forward slashes, in letters that can be shown."""
        return shown_name(path.relative_to(self.root).as_posix())

    def leaves_out(self, path: Path) -> bool:
        """Whether a file or folder is hidden, of the system, or left out as asked."""
        if is_system_name(path.name):
            self.hidden += 1
            return True
        if path.resolve() in self.skip:
            self.notes.append(tr("{path} was left out as asked.", path=self.name_of(path)))
            return True
        return False

    def places(self, suffixes: Collection[str]) -> dict[tuple[Path, str], list[Path]]:
        """The listed files with one of the suffixes, by folder and stem."""
        found: dict[tuple[Path, str], list[Path]] = {}
        for path in self.files:
            if path.suffix.lower() in suffixes:
                found.setdefault((path.parent, path.stem.casefold()), []).append(path)
        return found

    def reject(self, path: Path, code: str, message: str) -> None:
        """Account for what can't be followed or opened."""
        self.rejected.append(RejectedFile(path, self.name_of(path), Reason(code, message)))

    def refuse_folder(self, error: OSError) -> None:
        """Account for a folder that can't be opened."""
        path = Path(error.filename)
        message = tr(
            "The folder {path} can't be opened. Check its permissions.", path=self.name_of(path)
        )
        self.reject(path, "unreadable", message)

    def enters(self, folder: Path) -> bool:
        """Whether the walk goes on into a folder; accounts for it where not."""
        if self.leaves_out(folder):
            return False
        name = self.name_of(folder)
        if folder.is_symlink():
            if folder.resolve().is_relative_to(self.root.resolve()):
                self.notes.append(
                    tr("{name} was left out: it is a link to a folder of this folder.", name=name)
                )
            else:
                self.reject(folder, "outside_link", outside_link_message(name))
            return False
        if is_output_folder(folder):
            self.notes.append(tr("{name} was left out: it holds results of scalptrack.", name=name))
            return False
        return True

    def add_file(self, path: Path) -> None:
        """List a file, or note why it is left out."""
        if self.leaves_out(path):
            return
        name = path.relative_to(self.root).as_posix()
        if path.parent == self.root and path.name.casefold() in _SIDE_FILES:
            self.notes.append(_side_file_note(path.name))
        elif name != shown_name(name):
            self.reject(path, "unreadable_name", _name_message(name))
        else:
            self.files.append(path)


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What a folder holds.

    Attributes
    ----------
    files : tuple of Path
        What may be photographs, by name.
    twins : tuple of Twin
        What is left out if it is the same exposure as one of the files; raw files last.
    rejected : tuple of RejectedFile
        Links that lead outside, folders that can't be opened, names that are no text.
    notes : tuple of str
        What was left out: hidden files, side files, outputs of scalptrack, what is in ``skip``.
    """

    files: tuple[Path, ...]
    twins: tuple[Twin, ...]
    rejected: tuple[RejectedFile, ...]
    notes: tuple[str, ...]


def list_files(root: Path, *, skip: Collection[Path] = ()) -> FolderListing:
    """List the files below a folder that may be photographs; no link to a folder is followed."""
    listing = _Listing(root, frozenset(path.resolve() for path in skip))
    for folder_name, folders, names in os.walk(root, onerror=listing.refuse_folder):
        folder = Path(folder_name)
        folders[:] = [name for name in sorted(folders) if listing.enters(folder / name)]
        for name in sorted(names):
            listing.add_file(folder / name)
    _leave_out_companions(listing)
    if listing.hidden:
        listing.notes.append(
            tr("Hidden and system files and folders left out: {hidden}.", hidden=listing.hidden)
        )
    twins = sorted(listing.twins, key=lambda each: each.path.suffix.lower() in RAW_SUFFIXES)
    files = sorted(listing.files, key=listing.name_of)
    return FolderListing(tuple(files), tuple(twins), tuple(listing.rejected), tuple(listing.notes))


def _leave_out_companions(listing: _Listing) -> None:
    """Take out what a phone or a program put beside a photograph.

    A live photo's film and a sidecar of edits or of an export belong to the photograph beside them;
    how many there are is noted. The raw file of a photograph that lies there developed, and the
    JPEG that was exported of a HEIC (the same exposure is no replicate), become twins. Without a
    photograph beside them they stay, with their own outcome.
    """
    developed = listing.places(_DEVELOPED_SUFFIXES)
    heifs = listing.places(_HEIF_SUFFIXES)
    photographs = developed.keys() | listing.places(RAW_SUFFIXES).keys()
    kept: list[Path] = []
    counts: Counter[str] = Counter()
    for path in listing.files:
        suffix, place = path.suffix.lower(), (path.parent, path.stem.casefold())
        if suffix in _MOVIE_SUFFIXES and place in photographs:
            counts[marked("films of live photos")] += 1
        elif suffix in _SIDECAR_SUFFIXES and _belongs_to(path, photographs):
            counts[marked("sidecar files")] += 1
        elif suffix in RAW_SUFFIXES and place in developed:
            kind = marked("raw files with a developed copy")
            listing.twins.append(Twin(path, tuple(developed[place]), kind))
        elif suffix in _JPEG_SUFFIXES and place in heifs:
            kind = marked("JPEG exports of HEIC photographs")
            listing.twins.append(Twin(path, tuple(heifs[place]), kind))
        else:
            kept.append(path)
    listing.files[:] = kept
    listing.notes += [left_out_note(what, count) for what, count in counts.items()]


def left_out_note(what: str, count: int) -> str:
    """Note on files that lie beside the photographs that they belong to."""
    return tr("Left out beside their photographs: {what} ({count}).", what=tr(what), count=count)


def _belongs_to(sidecar: Path, photographs: set[tuple[Path, str]]) -> bool:
    """Whether a sidecar is named like a photograph, with or without the photograph's suffix.

    Google's exports write ``IMG_1.jpg.supplemental-metadata.json`` for ``IMG_1.jpg``.
    """
    stem = sidecar.stem.casefold()
    return any((sidecar.parent, name) in photographs for name in (stem, *_shorter_stems(stem)))


def _shorter_stems(stem: str) -> list[str]:
    """What remains of a name when its last, and its last two suffixes are taken off."""
    first = stem.rpartition(".")[0]
    return [name for name in (first, first.rpartition(".")[0]) if name]


def is_system_name(name: str) -> bool:
    """Whether a name is hidden or belongs to an operating system."""
    return name.startswith(".") or name.casefold() in _SYSTEM_NAMES


def shown_name(name: str) -> str:
    r"""A name as text: bytes that are no UTF-8, and control characters, as their numbers.

    Examples
    --------
    >>> shown_name("J\udcf6rg"), shown_name("a\nb"), shown_name("Jörg")
    ('J\\xf6rg', 'a\\x0ab', 'Jörg')
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) == "Cc" else c for c in text)


def _name_message(name: str) -> str:
    """Why a file whose name is no text is left out: no table could name it, or its subject."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        why = tr("its name is not UTF-8; an archive from an old Windows computer may have made it")
    else:
        why = tr("its name holds control characters")
    return tr(
        "{name}: {why}. Rename the file, or the folder with these letters.",
        name=shown_name(name),
        why=why,
    )


def is_output_folder(folder: Path) -> bool:
    """Whether scalptrack wrote results into this folder; copies without names are photographs."""
    state = folder / STATE_FOLDER
    if state.exists() and not _knows_copies_alone(state):
        return True
    try:
        provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    schema = provenance.get("schema") if isinstance(provenance, dict) else None
    return isinstance(schema, str) and schema.startswith("scalptrack")


def _knows_copies_alone(state: Path) -> bool:
    """Whether nothing but the table of `deidentify` was written beside this state folder."""
    try:
        ledger = json.loads((state / LEDGER_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(ledger, dict) and set(ledger) == {COPY_TABLE}


def outside_link_message(name: str) -> str:
    """Why a link is not followed."""
    return tr(
        "{name} is a link that leads out of the folder. Copy the photographs into the folder.",
        name=name,
    )


def _side_file_note(name: str) -> str:
    """Note on a file that belongs to the folder, but is no photograph."""
    if name.casefold() == "manifest.csv":
        return tr(
            "{name} was left out: give it instead of the folder to use what it says.", name=name
        )
    return tr("{name} was left out: it goes with the photographs, but is none.", name=name)
