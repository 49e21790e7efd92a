"""What was already computed, kept by content: a rerun reads it instead of computing it again.

Records are stored as NPZ archives of their arrays and one JSON document; nothing that is read can
execute, so that a results folder from somebody else is safe to open.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from scalptrack.errors import OutputError
from scalptrack.images import write_bytes_atomic


class RecordCache:
    """Records by key in one folder.

    Parameters
    ----------
    folder : Path or None
        Where the entries lie; None keeps nothing.
    record_types : mapping of str to type
        The dataclasses and enumerations that an entry may hold.
    fingerprint : str
        Everything beside the key that decides a result: versions, settings, model checksum.
    """

    def __init__(
        self, folder: Path | None, record_types: Mapping[str, type], *, fingerprint: str
    ) -> None:
        self._folder = folder
        self._types = dict(record_types)
        self._fingerprint = fingerprint

    def load(self, *key: str) -> Any:
        """The record stored under the key, or None; a damaged entry counts as missing."""
        path = self._path(key)
        if path is None or not path.exists():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                tree = json.loads(str(arrays["tree"]))
                return self._decode(tree, arrays)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None

    def save(self, record: Any, *key: str) -> None:
        """Store a record; a folder that can't be written only costs time later."""
        path = self._path(key)
        if path is None:
            return
        arrays: dict[str, Any] = {}
        tree = self._encode(record, arrays)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, tree=np.array(json.dumps(tree)), **arrays)
        try:
            write_bytes_atomic(path, buffer.getvalue())
        except OutputError:
            return

    def _path(self, key: tuple[str, ...]) -> Path | None:
        if self._folder is None:
            return None
        text = "\x1f".join((self._fingerprint, *key))
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"

    def _encode(self, value: Any, arrays: dict[str, Any]) -> Any:
        name = type(value).__name__
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, np.ndarray):
            arrays[f"a{len(arrays)}"] = value
            return {"array": f"a{len(arrays) - 1}"}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Enum):
            return {"enum": name, "value": value.value}
        if isinstance(value, datetime):
            return {"datetime": value.isoformat()}
        if isinstance(value, date):
            return {"date": value.isoformat()}
        if isinstance(value, tuple):
            return {"tuple": [self._encode(each, arrays) for each in value]}
        if dataclasses.is_dataclass(value) and self._types.get(name) is type(value):
            return {
                "record": name,
                "fields": {
                    each.name: self._encode(getattr(value, each.name), arrays)
                    for each in dataclasses.fields(value)
                    if each.init
                },
            }
        message = f"A {name} can't be stored in the cache"
        raise TypeError(message)

    def _decode(self, tree: Any, arrays: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        if "array" in tree:
            return arrays[tree["array"]]
        if "enum" in tree:
            return self._types[tree["enum"]](tree["value"])
        if "datetime" in tree:
            return datetime.fromisoformat(tree["datetime"])
        if "date" in tree:
            return date.fromisoformat(tree["date"])
        if "tuple" in tree:
            return tuple(self._decode(each, arrays) for each in tree["tuple"])
        fields = {name: self._decode(each, arrays) for name, each in tree["fields"].items()}
        return self._types[tree["record"]](**fields)
