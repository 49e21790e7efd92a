"""A run whose outputs don't say whose heads they are.

Everything that could name a person is replaced before the run begins, so that nothing that is
written, also no message about a file, can hold it: photographs are opened through links whose
names are pseudonyms, and free text is left out. The numbers are those of the originals.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from scalptrack.corrections import Corrections
from scalptrack.errors import OutputError
from scalptrack.filenames import UNSPECIFIED_VIEW, VIEWS
from scalptrack.images import PHOTOGRAPH_SUFFIXES, RAW_SUFFIXES, write_text_atomic
from scalptrack.outputs import STATE_FOLDER
from scalptrack.pseudonyms import PseudonymKey
from scalptrack.records import (
    Catalog,
    Event,
    Photograph,
    Reason,
    RejectedFile,
    VisitConditions,
)
from scalptrack.translation import marked, tr

MARKER = "deidentified"
"""Beside the ledger: what made this folder of results nameless."""

PARTINGS = frozenset({"left", "right", "middle", "centre", "center", "none", "zigzag"})
"""Any other word of the user's for a parting becomes a pseudonym."""

EXCLUDED = marked("Excluded by a reviewer.")


@dataclass(frozen=True, slots=True)
class Disguise:
    """How names and dates are replaced.

    Attributes
    ----------
    shift_days : int
        Dates are moved back by 1 to so many days, keyed per subject; 0 leaves them.
    """

    key: PseudonymKey
    shift_days: int = 0

    def view(self, view: str) -> str:
        """A view under its own name if it is one of the program's: any other may hold a name."""
        known = not view or view in (*VIEWS, UNSPECIFIED_VIEW)
        return view if known else self.key.label("view", view)

    def day(self, day: date, subject: str) -> date:
        """The date that is shown for a subject's date."""
        if not self.shift_days:
            return day
        return self.key.shifted(day, subject, max_days=self.shift_days)

    def claim(self, out: Path) -> None:
        """Make an output folder one of this disguise.

        Raises
        ------
        OutputError
            When it holds anything else: what is left there could name, or date, a person.
        """
        marker = out / STATE_FOLDER / MARKER
        mine = self.key.label("results", str(self.shift_days)) + "\n"
        if marker.is_file() and marker.read_bytes() == mine.encode():
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            message = (
                f"{out} holds other files than results that were de-identified with this key and "
                "these dates. Choose an empty folder for --out."
            )
            raise OutputError(message)
        write_text_atomic(marker, mine)


def require_named(out: Path) -> None:
    """Raise when an output folder holds results without names, which must not get any.

    Raises
    ------
    OutputError
    """
    if (out / STATE_FOLDER / MARKER).exists():
        message = f"{out} holds de-identified results. Choose another folder for --out."
        raise OutputError(message)


@contextmanager
def disguised(catalog: Catalog, disguise: Disguise) -> Iterator[Catalog]:
    """The same photographs under other names, for as long as the context lasts.

    The paths of the photographs lead to the originals and are gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="scalptrack-") as folder:
        photographs = [_photograph(each, disguise, Path(folder)) for each in catalog.photographs]
        photographs.sort(
            key=lambda each: (each.subject, each.view, each.visit_date, each.replicate, each.name)
        )
        rejected = sorted(
            (_rejected(each, disguise) for each in catalog.rejected), key=lambda each: each.name
        )
        yield Catalog(Path("photographs"), tuple(photographs), tuple(rejected))


def _photograph(photograph: Photograph, disguise: Disguise, folder: Path) -> Photograph:
    subject = disguise.key.subject(photograph.subject)
    view = disguise.view(photograph.view)
    day = disguise.day(photograph.visit_date, photograph.subject)
    suffix = _suffix(photograph.path)
    name = f"{subject}/{view}/{day.isoformat()}_{photograph.replicate}{suffix}"
    link = folder / name
    link.parent.mkdir(parents=True, exist_ok=True)
    _link(photograph.path.resolve(), link)
    return replace(
        photograph,
        subject=subject,
        view=view,
        visit_date=day,
        path=link,
        name=name,
        sha256=disguise.key.identity(photograph.sha256),
        capture=replace(photograph.capture, taken_at=None, date_doubt=None),
    )


def _link(original: Path, link: Path) -> None:
    """A link to a file, or a copy of it where links aren't allowed (as on many Windows PCs)."""
    try:
        link.symlink_to(original)
    except OSError:
        shutil.copyfile(original, link)


def _rejected(file: RejectedFile, disguise: Disguise) -> RejectedFile:
    """A rejected file with its code; its sentence may quote names, and is left out."""
    name = disguise.key.label("file", file.name) + _suffix(file.path)
    words = file.reason.code.replace("_", " ")
    sentence = tr(
        "Rejected: {words}. The full reason names the file: see `scalptrack catalog`.", words=words
    )
    day = file.visit_date
    return replace(
        file,
        path=Path(name),
        name=name,
        reason=Reason(file.reason.code, sentence),
        subject=disguise.key.subject(file.subject) if file.subject else "",
        view=disguise.view(file.view),
        visit_date=None if day is None else disguise.day(day, file.subject),
        sha256=disguise.key.identity(file.sha256) if file.sha256 else "",
    )


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in PHOTOGRAPH_SUFFIXES | RAW_SUFFIXES else ""


def disguised_events(
    events: Sequence[Event], disguise: Disguise, subjects: Sequence[str]
) -> tuple[Event, ...]:
    """Events with numbers for labels, which are free text.

    One that belongs to all subjects is given to each, as their dates may be moved differently.
    """
    labels = {label: f"event {k}" for k, label in enumerate(_distinct(events), start=1)}
    found = [
        Event(
            disguise.day(each.event_date, subject),
            labels[each.label],
            disguise.key.subject(subject),
        )
        for each in events
        for subject in ([each.subject] if each.subject else sorted(set(subjects)))
    ]
    return tuple(sorted(found, key=lambda each: (each.event_date, each.subject, each.label)))


def disguised_corrections(
    corrections: Corrections, disguise: Disguise, subjects: Sequence[str]
) -> Corrections:
    """What a reviewer decided, without the reviewer's name and words.

    Geometry and exclusions stay; of the record, how many decisions were applied.
    """
    name = disguise.key.identity
    record = corrections.record
    return Corrections(
        excluded={
            name(sha256): replace(reason, message=tr(EXCLUDED))
            for sha256, reason in corrections.excluded.items()
        },
        regions={name(key): replace(each, who="") for key, each in corrections.regions.items()},
        points={
            name(key): replace(each, who="", reference_sha256=name(each.reference_sha256))
            for key, each in corrections.points.items()
        },
        events=disguised_events(corrections.events, disguise, subjects),
        record={"applied_count": len(record["applied"])} if record else {},
    )


def _distinct(events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.label for each in events))


def disguised_conditions(
    conditions: Sequence[VisitConditions], disguise: Disguise
) -> tuple[VisitConditions, ...]:
    """What is stated of visits, without notes and without the user's own words."""
    return tuple(
        replace(
            each,
            subject=disguise.key.subject(each.subject),
            visit_date=disguise.day(each.visit_date, each.subject),
            parting=_parting(each.parting, disguise),
            note="",
        )
        for each in conditions
    )


def _parting(word: str, disguise: Disguise) -> str:
    plain = word.strip().casefold()
    return word if not plain or plain in PARTINGS else disguise.key.label("parting", plain)
