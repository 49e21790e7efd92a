"""The content of the photographs that a study's manifest lists: are they there, what is in them.

Photographs at a URL are copied into a folder by their content, and looked at there. What the store
says of their version is kept beside the copies, so that a manifest that was corrected doesn't fetch
everything again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from scalptrack.errors import ImageReadError
from scalptrack.images import read_header, sha256_of_file, write_bytes_atomic
from scalptrack.study.addresses import PhotoRoot, shown
from scalptrack.study.design import ManifestLine
from scalptrack.study.fetching import OUTAGE_CODES, RemoteFile, examine, fetched, most_bytes

Problems = list[tuple[int, str]]
"""Line and text of every mistake."""

COPIES_FOLDER = "photographs"
_VERSIONS_FOLDER = "versions"
_GIVE_UP_AFTER = 3
"""So many photographs of a store can't be reached, one after the other: no more are tried."""

Answer = TypeVar("Answer")

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def copy_path(folder: Path, name: str, sha256: str) -> Path:
    """Where the copy of a photograph at a URL lies; the suffix is that of its name."""
    suffix = PurePosixPath(shown(name)).suffix
    return folder / f"{sha256}{suffix if _SUFFIX.fullmatch(suffix) else ''}"


class PhotographFiles:
    """The files of a manifest's photographs.

    Parameters
    ----------
    root : PhotoRoot
        Where their names begin.
    copies : Path
        Where photographs at URLs are copied to.
    max_megapixels : float
        Limits how large a file at a URL may be.
    """

    def __init__(self, root: PhotoRoot, copies: Path, *, max_megapixels: float) -> None:
        self._root = root
        self._copies = copies
        self._max_megapixels = max_megapixels
        self._known: dict[int, RemoteFile] = {}
        self._unreached: Counter[str] = Counter()
        self._given_up: dict[str, int] = {}
        self._untried: Counter[str] = Counter()

    def find(self, lines: Sequence[ManifestLine], problems: Problems) -> None:
        """Report photographs that are named twice, or aren't there."""
        first: dict[str, ManifestLine] = {}
        for each in lines:
            before = first.setdefault(each.photo, each)
            if before is not each:
                why = "" if before.source == each.source else " (what follows ? is not kept)"
                problems.append((each.line, f"{each.photo} is already in line {before.line}{why}"))
            elif self._root.leaves(each.source):
                text = f"{each.photo} leads out of --photos: write the whole address"
                problems.append((each.line, text))
            elif (url := self._root.url_of(each.source)) is not None:
                self._find_remote(each, url, problems)
            else:
                problems += self._missing(each)
        self._report_untried(problems)

    def _missing(self, each: ManifestLine) -> Problems:
        """What is to be said of a photograph of this computer that isn't there."""
        try:
            there = self._root.path_of(each.photo).is_file()
        except PermissionError as error:
            return [(each.line, f"{each.photo} can't be opened: {error.strerror}")]
        return [] if there else [(each.line, f"{each.photo} does not exist")]

    def _find_remote(self, each: ManifestLine, url: str, problems: Problems) -> None:
        limit = most_bytes(self._max_megapixels)
        found = self._asked(each, url, problems, lambda: examine(url, max_bytes=limit))
        if found is not None:
            self._known[each.line] = found

    def _asked(
        self, each: ManifestLine, url: str, problems: Problems, ask: Callable[[], Answer]
    ) -> Answer | None:
        """Answer of a store, or of the disk; None with a mistake reported.

        A store that doesn't answer is not asked for thousands of photographs: each would wait.
        """
        store = store_of(url)
        if store in self._given_up:
            self._untried[store] += 1
            return None
        try:
            answer = ask()
        except ImageReadError as error:
            problems.append((each.line, str(error)))
            unreached = error.code in OUTAGE_CODES
            self._unreached[store] = self._unreached[store] + 1 if unreached else 0
            if error.code == "missing_package" or self._unreached[store] >= _GIVE_UP_AFTER:
                self._given_up[store] = len(problems) - 1
            return None
        self._unreached[store] = 0
        return answer

    def _report_untried(self, problems: Problems) -> None:
        for store, count in self._untried.items():
            line, text = problems[self._given_up[store]]
            text = f"{text.rstrip('.')}. {count} more photographs of {store} were not asked for."
            problems[self._given_up[store]] = (line, text)

    def hashes(
        self,
        lines: Sequence[ManifestLine],
        problems: Problems,
        on_step: Callable[[str], None],
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """Content of every photograph, and notes; the same content twice is a mistake."""
        hashes: dict[str, str] = {}
        first: dict[str, ManifestLine] = {}
        notes: list[str] = []
        for each in lines:
            url = self._root.url_of(each.source) or ""
            found = self._asked(each, url, problems, partial(self._content, each))
            if found is None:
                continue
            path, hashes[each.photo] = found
            same = first.setdefault(hashes[each.photo], each)
            if same is not each:
                text = f"{each.photo} is the same file as {same.photo} in line {same.line}"
                problems.append((each.line, text))
            notes += self._notes(each, path)
            on_step(each.photo)
        self._report_untried(problems)
        return hashes, tuple(notes)

    def _content(self, each: ManifestLine) -> tuple[Path, str]:
        """File of this computer with a photograph's content, and its SHA-256."""
        if each.line not in self._known:
            path = self._root.path_of(each.photo)
            return path, sha256_of_file(path)
        remote = self._known[each.line]
        versions = self._copies / _VERSIONS_FOLDER
        record = versions / f"{_hash(shown(remote.url), remote.version)}.json"
        known = _read_record(record)
        path = copy_path(self._copies, each.photo, known)
        if known and path.is_file() and sha256_of_file(path) == known:
            return path, known
        limit = most_bytes(self._max_megapixels)
        with fetched(remote.url, self._copies, max_bytes=limit) as (copy, sha256):
            path = copy_path(self._copies, each.photo, sha256)
            copy.replace(path)
        if remote.version:
            write_bytes_atomic(record, json.dumps({"sha256": sha256}).encode())
        return path, sha256

    def _notes(self, each: ManifestLine, path: Path) -> Iterator[str]:
        """What a photograph's header says against the manifest."""
        try:
            taken = read_header(path, max_megapixels=self._max_megapixels).capture.taken_at
        except ImageReadError as error:
            sentence = str(error)
            if each.line in self._known:
                sentence = sentence.replace(str(path), each.photo)
            yield f"line {each.line}: {sentence}"
            return
        if taken is not None and abs((taken.date() - each.visit_date).days) > 1:
            yield (
                f"line {each.line}: the camera wrote {taken.date()} into {each.photo}, the "
                f"manifest says {each.visit_date}; the manifest is believed."
            )


def store_of(url: str) -> str:
    """The store of a photograph, e.g. ``s3://bucket``."""
    scheme, _, rest = shown(url).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _read_record(path: Path) -> str:
    """SHA-256 of a version that was fetched before; empty where it isn't known."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) and re.fullmatch(r"[0-9a-f]{64}", found) else ""
