"""A store that fsspec reads, with faults: it stands in for a server that is far away."""

from __future__ import annotations

import io
from typing import ClassVar

import fsspec
from fsspec.spec import AbstractFileSystem


class HttpError(Exception):
    """What a library raises that knows nothing of Python's own errors."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class FaultyFileSystem(AbstractFileSystem):
    """Files in memory; each may have a fault, and what was asked is counted.

    A fault is an exception, or an exception and how often it is raised.
    """

    protocol = "faulty"
    root_marker = ""
    files: ClassVar[dict[str, bytes]] = {}
    faults: ClassVar[dict[str, Exception]] = {}
    times: ClassVar[dict[str, int]] = {}
    facts: ClassVar[dict[str, dict[str, object]]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []
    made: ClassVar[list[int]] = []

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.made.append(1)

    @classmethod
    def reset(cls) -> None:
        for each in (cls.files, cls.faults, cls.times, cls.facts, cls.asked, cls.made):
            each.clear()
        cls.clear_instance_cache()

    @classmethod
    def fail(cls, path: str, error: Exception, *, times: int = 1000) -> None:
        cls.faults[path] = error
        cls.times[path] = times

    def info(self, path, **options):
        path = self._named(path)
        self.asked.append(("info", path))
        if self.times.get(path, 0) > 0:
            self.times[path] -= 1
            raise self.faults[path]
        if path not in self.files:
            raise FileNotFoundError(path)
        about = {"name": path, "size": len(self.files[path]), "type": "file"}
        return about | self.facts.get(path, {})

    def open(self, path, mode="rb", **options):
        assert mode == "rb", "the store is only read"
        self.asked.append(("open", self._named(path)))
        return io.BytesIO(self.files[self._named(path)])

    def _named(self, path: str) -> str:
        return self._strip_protocol(path).partition("?")[0].rpartition("@")[2]


for _name in (
    "rm",
    "rm_file",
    "_rm",
    "mkdir",
    "makedirs",
    "mv",
    "cp_file",
    "put_file",
    "pipe_file",
):

    def _refused(self, *arguments, _name=_name, **options):
        message = f"{_name}: the store is only read"
        raise AssertionError(message)

    setattr(FaultyFileSystem, _name, _refused)

fsspec.register_implementation("faulty", FaultyFileSystem, clobber=True)
