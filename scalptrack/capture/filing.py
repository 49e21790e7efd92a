"""Where a photograph that was taken goes: SUBJECT/VIEW/DATE_N.jpg, and never over another file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scalptrack.errors import InputError, OutputError
from scalptrack.filenames import read_path
from scalptrack.images import write_new_bytes

MAX_REPLICATES = 99
"""The catalog reads numbers of two digits as replicates."""

FORBIDDEN = frozenset('/\\:*?"<>|')
"""In names of folders, on one file system or another."""


@dataclass(frozen=True, slots=True)
class Filing:
    """The place of one subject, view and visit in a folder of photographs.

    Parameters
    ----------
    root : Path
        The folder that ``scalptrack track`` is given.

    Raises
    ------
    InputError
        When the catalog would read another subject, view or date from such a path.
    """

    root: Path
    subject: str
    view: str
    visit_date: date

    def __post_init__(self) -> None:
        for label, what in ((self.subject, "subject"), (self.view, "view")):
            if not label.strip(" .") or any(
                c in '/\\:*?"<>|' or not c.isprintable() for c in label
            ):
                message = f"{label!r} can't be a folder's name. Choose another --{what}."
                raise InputError(message)
        reading = read_path(self.name(1).split("/"), root_name="")
        understood = (reading.subject, reading.view, reading.dates)
        if understood != (self.subject, self.view, (self.visit_date,)):
            message = (
                f"A photograph in {self.subject}/{self.view} would be read as one of the subject "
                f"{reading.subject or 'without a name'} and the view {reading.view}. Choose "
                "another --subject or --view."
            )
            raise InputError(message)

    def name(self, replicate: int) -> str:
        """Path of a replicate relative to the folder, with forward slashes."""
        return f"{self.subject}/{self.view}/{self.visit_date.isoformat()}_{replicate}.jpg"

    def file(self, content: bytes) -> tuple[str, int]:
        """Write a photograph under the next free number.

        Returns
        -------
        tuple of str and int
            Its path relative to the folder, and the number.

        Raises
        ------
        OutputError
            When it can't be written, or the visit has too many photographs.
        """
        for number in range(self._first_number(), MAX_REPLICATES + 1):
            name = self.name(number)
            if write_new_bytes(self.root / name, content):
                return name, number
        message = f"{self.subject}/{self.view} holds {MAX_REPLICATES} photographs of this date."
        raise OutputError(message)

    def _first_number(self) -> int:
        """One more than the largest number of this date that the folder holds, of any suffix."""
        folder = self.root / self.subject / self.view
        if not folder.is_dir():
            return 1
        names = [each.name for each in folder.iterdir() if not each.name.startswith(".")]
        readings = [read_path([self.subject, self.view, name], root_name="") for name in names]
        same_day = [each for each in readings if each.dates == (self.visit_date,)]
        return max((each.replicate or 1 for each in same_day), default=0) + 1
