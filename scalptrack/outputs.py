"""The output folder: written atomically, and never over what the program did not write."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from pathlib import Path

from scalptrack.errors import OutputError
from scalptrack.images import sha256_of_file, write_bytes_atomic

STATE_FOLDER = ".scalptrack"
LEDGER_NAME = "written.json"


class OutputFolder:
    """A folder for results, with a ledger of what was written into it.

    A file that exists and is not in the ledger, or whose content is no longer what was written, is
    the user's: writing over it raises.

    Parameters
    ----------
    root : Path
        The folder; made when it doesn't exist.

    Raises
    ------
    OutputError
        When the folder can't be made or its ledger can't be read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stems: dict[str, str] = {}
        self._ledger_path = root / STATE_FOLDER / LEDGER_NAME
        try:
            self._ledger_path.parent.mkdir(parents=True, exist_ok=True)
            self._ledger: dict[str, list[str]] = (
                json.loads(self._ledger_path.read_text(encoding="utf-8"))
                if self._ledger_path.exists()
                else {}
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            message = f"The output folder {root} can't be used: {why}. Choose another --out."
            raise OutputError(message) from error

    @property
    def state_folder(self) -> Path:
        """Where the program keeps what speeds up a rerun."""
        return self.root / STATE_FOLDER

    def require_free(self, names: tuple[str, ...]) -> None:
        """Raise before long work when one of the names is taken by a file of the user's.

        Raises
        ------
        OutputError
        """
        for name in names:
            self._require_ours(name)

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file; the name is relative, with forward slashes.

        Raises
        ------
        OutputError
            When the file is the user's, or the disk refuses.
        """
        self._require_ours(name)
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The ledger goes first and keeps the old hash beside the new one: wherever the program
            # is killed, what lies there is known to be ours.
            sha256 = hashlib.sha256(content).hexdigest()
            before = [each for each in self._ledger.get(name, [])[-1:] if each != sha256]
            self._ledger[name] = [*before, sha256]
            self._save_ledger()
            write_bytes_atomic(path, content)
        except OSError as error:
            message = f"{path} can't be written: {error.strerror or error}. Choose another --out."
            raise OutputError(message) from error
        return path

    def write_text(self, name: str, content: str) -> Path:
        """Write a UTF-8 file; see `write_bytes`."""
        return self.write_bytes(name, content.encode("utf-8"))

    def claim_stem(self, stem: str, sha256: str) -> str:
        """A stem for outputs about one photograph; two `a.jpg` never share their outputs.

        The stem stays as it is for the first photograph that claims it in this run, and gets a
        piece of the content's hash for every other one.
        """
        owner = self._stems.setdefault(stem, sha256)
        return stem if owner == sha256 else f"{stem}-{sha256[:8]}"

    def _save_ledger(self) -> None:
        text = json.dumps(self._ledger, indent=1, sort_keys=True)
        write_bytes_atomic(self._ledger_path, text.encode("utf-8"))

    def _require_ours(self, name: str) -> None:
        path = self.root / name
        if not path.exists():
            return
        if sha256_of_file(path) not in self._ledger.get(name, ()):
            message = (
                f"{path} exists and was not written by scalptrack, or was changed since. "
                "Move it away, or choose another --out."
            )
            raise OutputError(message)


def folder_name(label: str) -> str:
    """A label as the name of a folder, on any file system; different labels stay different.

    >>> folder_name("subject-01")
    'subject-01'
    >>> folder_name("a/b")
    'a_b-c14cddc0'
    """
    normal = unicodedata.normalize("NFC", label)
    safe = re.sub(r"[^\w\-. ]", "_", normal).strip(" .") or "_"
    if safe == label and len(safe) <= 80:
        return safe
    return f"{safe[:60]}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def series_folder(subject: str, view: str) -> str:
    """Folder of one timeline's files, relative to the output folder."""
    return f"{folder_name(subject)}/{folder_name(view)}"
