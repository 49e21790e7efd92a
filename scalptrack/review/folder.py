"""The results of `track` as a reviewer sees them."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from scalptrack.errors import ImageReadError, InputError
from scalptrack.images import sha256_of_file
from scalptrack.review.applying import effective
from scalptrack.review.decision_file import DECISIONS_NAME
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision
from scalptrack.review.places import decisions_at
from scalptrack.review.reviewed import shown_photographs
from scalptrack.review.store import DecisionStore
from scalptrack.run_record import read_run_record
from scalptrack.translation import tr


@dataclass(frozen=True, slots=True)
class ReviewFolder:
    """What `track` wrote into a folder.

    Attributes
    ----------
    root : Path
        The folder.
    photographs : tuple of dict
        One for each row of ``measurements.csv``, with what a reviewer is shown of it.
    changes : tuple of dict
        Rows of ``changes.csv``.
    outputs : frozenset of str
        Names of the files that the run wrote.
    applied : list or None
        Decisions that the run applied; None when it applied none.
    photo_root : Path or None
        Where the photographs are.
    arguments : tuple of str
        Of the run, to do it again; empty when they aren't known.
    """

    root: Path
    photographs: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, str], ...]
    outputs: frozenset[str]
    applied: list[dict[str, Any]] | None
    photo_root: Path | None
    arguments: tuple[str, ...]

    @property
    def title(self) -> str:
        """Name of the folder."""
        return self.root.resolve().name

    @property
    def photographs_known(self) -> bool:
        """Whether it is known where the photographs are."""
        return self.photo_root is not None

    @property
    def decisions_path(self) -> Path:
        """The file of decisions that a rerun into this folder applies."""
        words = self.arguments
        named = [words[i + 1] for i, each in enumerate(words[:-1]) if each == "--decisions"]
        return Path(named[0]) if named else self.root / DECISIONS_NAME

    def photograph_path(self, sha256: str) -> Path:
        """Where a photograph of the run lies, whose content is still the same.

        Raises
        ------
        InputError
            If it isn't there, or is another one by now.
        """
        row = next((each for each in self.photographs if each["sha256"] == sha256), None)
        name = PurePosixPath(row["photo"]) if row else None
        if name is None or self.photo_root is None or name.is_absolute() or ".." in name.parts:
            msg = tr("This photograph can't be found. Say where they are: --photos FOLDER.")
            raise InputError(msg)
        path = self.photo_root / name
        try:
            same = sha256_of_file(path) == sha256
        except ImageReadError as error:
            msg = tr(
                "{path} can't be read. Say where the photographs are: --photos FOLDER.", path=path
            )
            raise InputError(msg) from error
        if not same:
            msg = tr(
                "{path} has another content than when it was measured. Run `track` again.",
                path=path,
            )
            raise InputError(msg)
        return path

    def picture(self, name: str) -> bytes:
        """A picture that the run wrote.

        Raises
        ------
        InputError
            If the run wrote no such picture.
        """
        path = PurePosixPath(name)
        sound = path.suffix in {".jpg", ".png"} and not path.is_absolute()
        if not sound or ".." in path.parts or name not in self.outputs:
            msg = tr("There is no such picture.")
            raise InputError(msg)
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            msg = tr("{path} can't be read: {error}.", path=name, error=error.strerror or error)
            raise InputError(msg) from error

    def is_stale(self, decisions: Mapping[Target, Decision]) -> bool:
        """Whether the numbers in the folder rest on other decisions than those of now."""
        names = {each["sha256"] for each in self.photographs}
        names |= {each["subject"] for each in self.photographs}
        known = {target: each for target, each in decisions.items() if target[1] in names}
        return _values(effective(known)) != _values(self.applied or [])

    def rerun_command(self, decisions: Mapping[Target, Decision]) -> str:
        """The command that brings the numbers up to date."""
        words = list(self.arguments)
        if not words:
            return f"scalptrack track PHOTOS --out {shlex.quote(str(self.root.resolve()))}"
        decided = {
            (each["subject"], each["view"])
            for each in self.photographs
            if ("photo", each["sha256"], "reference") in decisions
        }
        places = {each["photo"]: (each["subject"], each["view"]) for each in self.photographs}
        kept: list[str] = []
        index = 0
        while index < len(words):
            if words[index] == "--reference" and index + 1 < len(words):
                # A reference that was chosen on the page replaces the one of the command line.
                if places.get(words[index + 1]) not in decided:
                    kept += words[index : index + 2]
                index += 2
                continue
            kept.append(words[index])
            index += 1
        return shlex.join(["scalptrack", *kept])


class FolderPlace:
    """Results of `track`, and the decisions that a rerun into their folder applies.

    Parameters
    ----------
    root : Path
        Where `track` wrote its results.
    photos : Path or None
        Where the photographs are, if not where the run found them.

    Raises
    ------
    InputError
        If the folder holds no results.
    """

    def __init__(self, root: Path, *, photos: Path | None = None) -> None:
        self._root, self._photos = root, photos
        self.store: DecisionStore = decisions_at(self.read().decisions_path)

    def read(self) -> ReviewFolder:
        """The results as they are now (see `read_folder`)."""
        return read_folder(self._root, photos=self._photos)


def read_folder(root: Path, *, photos: Path | None = None) -> ReviewFolder:
    """Read the results in a folder.

    Parameters
    ----------
    root : Path
        Where `track` wrote its results.
    photos : Path, optional
        Where the photographs are, if not where the run found them.

    Raises
    ------
    InputError
        If there are no results.
    """
    rows, changes = (_table(root, name) for name in ("measurements.csv", "changes.csv"))
    try:
        record = json.loads((root / "provenance.json").read_text(encoding="utf-8"))
        outputs = frozenset(str(each) for each in record["outputs"])
        decisions = record.get("decisions")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_results(root) from error
    run = read_run_record(root)
    stored = run.get("photographs")
    if photos is not None:
        photos = photos if photos.is_dir() else photos.parent
    return ReviewFolder(
        root=root,
        photographs=shown_photographs(rows, outputs, run.get("findings", {})),
        changes=tuple(changes),
        outputs=outputs,
        applied=decisions.get("applied") if isinstance(decisions, dict) else None,
        photo_root=photos or (Path(stored) if isinstance(stored, str) else None),
        arguments=tuple(str(each) for each in run.get("arguments", ())),
    )


def _table(root: Path, name: str) -> list[dict[str, str]]:
    try:
        with (root / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_results(root) from error


def _no_results(root: Path) -> InputError:
    return InputError(
        tr(
            "{folder} holds no results of `scalptrack track`. Run it first: scalptrack track "
            "PHOTOS --out {folder}",
            folder=root,
        )
    )


def _values(applied: Iterable[Mapping[str, Any]]) -> list[str]:
    """Decisions that were applied; who made them again meanwhile changes no number."""
    return sorted(
        json.dumps({k: v for k, v in each.items() if k != "at"}, sort_keys=True) for each in applied
    )
