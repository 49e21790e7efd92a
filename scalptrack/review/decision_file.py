"""The file of decisions beside results: one line of JSON for each line of the log.

The file is replaced as a whole under a lock, so that nobody sees half a line and two processes wait
for each other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from scalptrack.errors import InputError, OutputError
from scalptrack.images import write_bytes_atomic, write_new_bytes
from scalptrack.review.log import SCHEMA, DecisionLog, Entry, checked_log
from scalptrack.review.store import Addition, DecisionStore, Pen
from scalptrack.translation import tr

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

DECISIONS_NAME = "decisions.jsonl"


class DecisionFile(DecisionStore):
    """Decisions in a file.

    Parameters
    ----------
    path : Path
        The file; made with the first decision.
    now : callable
        The present time (UTC); another one in tests.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(tz=UTC)
    ) -> None:
        super().__init__(path.name, path.as_posix(), now=now)
        self.path = path

    def read(self) -> DecisionLog:
        """The log as it is now (see `read_log`)."""
        return read_log(self.path)

    @contextmanager
    def _writing(self) -> Iterator[Pen]:
        with _locked(self.path):
            yield _FilePen(self.path)


@dataclass(frozen=True, slots=True)
class _FilePen(Pen):
    """The file while its lock is held."""

    path: Path

    def read(self) -> DecisionLog:
        return read_log(self.path)

    def add(self, addition: Addition) -> None:
        write_bytes_atomic(self.path, log_bytes(addition.grown))


def log_bytes(log: DecisionLog) -> bytes:
    """A log as the content of a file."""
    return "".join(f"{each.line()}\n" for each in log.entries).encode("utf-8")


def export_log(log: DecisionLog, path: Path) -> None:
    """Write a log as a file of its own, or add what is new to one that was written before.

    Raises
    ------
    OutputError
        If the file holds anything that would be lost, or can't be written.
    """
    content = log_bytes(log)
    if not path.exists() and write_new_bytes(path, content):
        return
    with _locked(path):
        if not _is_beginning(path, content):
            msg = (
                f"{path} exists and holds something else than the beginning of these decisions. "
                "Move it away, or choose another name."
            )
            raise OutputError(msg)
        write_bytes_atomic(path, content)


def _is_beginning(path: Path, content: bytes) -> bool:
    try:
        return content.startswith(path.read_bytes())
    except OSError:
        return False


def read_log(path: Path) -> DecisionLog:
    """Every line of a file of decisions; a file that isn't there holds none.

    Raises
    ------
    InputError
        If a line was changed, taken out or put in by something else than scalptrack.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return DecisionLog()
    except (OSError, UnicodeDecodeError) as error:
        msg = tr(
            "{path} can't be read: {error}. Restore it from a backup, or move it away.",
            path=path,
            error=error,
        )
        raise InputError(msg) from error

    def broken(number: int) -> InputError:
        return InputError(
            tr(
                "{path} was changed at its line {number}: it no longer says who decided what. "
                "Restore it from a backup, or move it away.",
                path=path,
                number=number,
            )
        )

    lines = text.splitlines()
    log = checked_log(_entries(path, lines, broken), broken)
    if text and not text.endswith("\n"):
        raise broken(len(lines))
    return log


def _entries(
    path: Path, lines: Iterable[str], broken: Callable[[int], InputError]
) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            _require_schema(path, number, values["schema"])
            entry = Entry.from_dict(values)
            same = entry.line() == line
        except (ValueError, KeyError, TypeError) as error:
            raise broken(number) from error
        if not same:
            raise broken(number)
        yield entry


def _require_schema(path: Path, number: int, schema: object) -> None:
    if schema != SCHEMA:
        msg = tr(
            "{path} has the schema {schema!r} in its line {number}, and this program knows "
            "{known}. Update scalptrack.",
            path=path,
            schema=schema,
            number=number,
            known=SCHEMA,
        )
        raise InputError(msg)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock for writing; the system lets go of it when a process is killed."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+b")
    except OSError as error:
        msg = tr(
            "{path} can't be written: {error}. Nothing was saved.",
            path=lock,
            error=error.strerror or error,
        )
        raise OutputError(msg) from error
    with file:
        _take(file)
        try:
            yield
        finally:
            _release(file)


if sys.platform == "win32":

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _release(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
