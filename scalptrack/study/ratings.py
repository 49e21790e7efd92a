"""What readers hand in: read, checked against the key, and turned the right way round."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalptrack.errors import ImageReadError, InputError
from scalptrack.images import sha256_of_file
from scalptrack.study.blinding import KEY_SCHEMA, KeyItem, PackKey
from scalptrack.study.form import CANNOT_JUDGE, RATINGS_SCHEMA, SCALE
from scalptrack.study.store import StudyStore

CATEGORIES = tuple(value for value, _ in SCALE)


@dataclass(frozen=True, slots=True)
class Rating:
    """One reader's answer to one item.

    Attributes
    ----------
    as_given : int or None
        Right compared with left; None where the reader could not judge.
    of_after : int or None
        After compared with before.
    """

    reader: str
    item: KeyItem
    as_given: int | None

    @property
    def of_after(self) -> int | None:
        """The rating as it counts: positive is more hair after."""
        if self.as_given is None:
            return None
        return self.as_given if self.item.after_on_right else -self.as_given


@dataclass(frozen=True, slots=True)
class ReaderFile:
    """A file that a reader handed in."""

    path: Path
    sha256: str
    reader: str
    pack: str
    ratings: dict[str, Any]


def read_key(store: StudyStore, pack: str) -> PackKey:
    """The key of a pack, as it was when the pack was made.

    Raises
    ------
    InputError
        If the study has no such pack, or its key is lost or was changed.
    """
    commitment = store.packs().get(pack)
    if commitment is None:
        there = ", ".join(sorted(store.packs())) or "none"
        message = f"The study {store.folder} has no pack {pack}; it has {there}."
        raise InputError(message)
    path = store.key_folder / f"{pack}.json"
    try:
        if sha256_of_file(path) != commitment:
            message = (
                f"{path} is not the key that was made with the pack. Restore it from a backup."
            )
            raise InputError(message)
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ImageReadError) as error:
        message = f"The key {path} can't be read: {error}. Without it the pack stays blinded."
        raise InputError(message) from error
    if document.pop("schema") != KEY_SCHEMA:
        message = f"{path} is not a key of this version of scalptrack."
        raise InputError(message)
    items = tuple(KeyItem(**each) for each in document.pop("items"))
    return PackKey(**document, items=items)


def read_reader_files(paths: Sequence[Path]) -> tuple[ReaderFile, ...]:
    """Files that readers saved.

    Raises
    ------
    InputError
        If one is not such a file, or they are of several packs; names all of them.
    """
    files = []
    problems = []
    for path in paths:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            files.append(
                ReaderFile(
                    path=path,
                    sha256=sha256_of_file(path),
                    reader=str(document["reader"]).strip(),
                    pack=str(document["pack"]),
                    ratings=dict(document["ratings"]),
                )
            )
            if document["schema"] != RATINGS_SCHEMA or not files[-1].reader:
                problems.append(f"{path}: it names no reader, or is of another version")
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(
                f"{path}: it is not a file of ratings ({type(error).__name__}: {error})"
            )
    packs = sorted({each.pack for each in files})
    if len(packs) > 1:
        problems.append(f"the files are of several packs ({', '.join(packs)}); give those of one")
    _raise(problems)
    return tuple(files)


def merged_ratings(files: Sequence[ReaderFile], key: PackKey) -> tuple[Rating, ...]:
    """All ratings of all readers, in order of reader and item.

    An item without a rating is left out; one that could not be judged is kept without a number.

    Raises
    ------
    InputError
        If a file has an item or a rating that doesn't exist, or a reader rates an item in two ways.
    """
    items = {each.item: each for each in key.items}
    found: dict[tuple[str, str], Rating] = {}
    problems = []
    for file in files:
        for item, value in file.ratings.items():
            if item not in items:
                problems.append(f"{file.path}: there is no item {item} in pack {key.pack}")
                continue
            if value is None:
                continue
            if value != CANNOT_JUDGE and (type(value) is not int or value not in CATEGORIES):
                problems.append(f"{file.path}: item {item} has the rating {value!r}")
                continue
            rating = Rating(file.reader, items[item], None if value == CANNOT_JUDGE else value)
            if found.setdefault((file.reader, item), rating) != rating:
                problems.append(f"{file.path}: {file.reader} rates item {item} in two ways")
    if not found and not problems:
        problems.append("no item of these files has a rating")
    _raise(problems)
    return tuple(found[place] for place in sorted(found))


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise InputError("The ratings can't be merged:\n  " + "\n  ".join(problems))
