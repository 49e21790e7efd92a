"""Photographs as they are given: files, captures, findings, settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from scalptrack.records.codes import Reason, Severity


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """What the file says about how it was taken; never a place, a name or a serial number.

    Attributes
    ----------
    taken_at : datetime or None
        Capture time written by the camera (naive: cameras rarely know their zone).
    focal_length_35mm : float or None
        Focal length in mm, equivalent on the 43.27 mm diagonal of 35 mm film.
    camera : str or None
        Make and model of the camera.
    view_hint : str or None
        One of the program's own views that the file names (DICOM only); never free text.
    copied_by : str or None
        ``"messenger"``, ``"screenshot"`` or ``"recompressed"`` where the file isn't the original;
        ``"annotated"`` where it says that text is written into the picture (DICOM only).
    date_doubt : str or None
        Why the only date that the file holds is not taken for that of the exposure.
    """

    taken_at: datetime | None = None
    focal_length_35mm: float | None = None
    camera: str | None = None
    view_hint: str | None = None
    copied_by: str | None = None
    date_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file that is a photograph of one view of one subject at one visit.

    ``path`` is where the original lies (read-only), ``name`` its path relative to the catalogued
    folder with forward slashes, ``sha256`` the identity of its content. ``set_as_reference`` is
    True where the user chose it as the reference of its subject and view.
    """

    subject: str
    view: str
    visit_date: date
    replicate: int
    path: Path
    name: str
    sha256: str
    width_px: int
    height_px: int
    capture: CaptureInfo = field(default_factory=CaptureInfo)
    set_as_reference: bool = False


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that is not a usable photograph, with what is known of it."""

    path: Path
    name: str
    reason: Reason
    subject: str = ""
    view: str = ""
    visit_date: date | None = None
    replicate: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that lies in the folder: photographs, and rejected files with their reasons."""

    root: Path
    photographs: tuple[Photograph, ...]
    rejected: tuple[RejectedFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the quality check.

    Attributes
    ----------
    code : str
        Stable name, e.g. ``"blurred"``.
    value, limit : float
        What was measured and where the limit lies, in ``unit``.
    advice : str
        One sentence that says what to do differently when retaking.
    """

    code: str
    severity: Severity
    value: float
    limit: float
    unit: str
    advice: str


COPY_CODES = frozenset({"messenger_copy", "screenshot", "recompressed_copy", "burned_in_text"})
"""Codes of findings that say that a file isn't the camera's own; they only inform."""


@dataclass(frozen=True, slots=True)
class Quality:
    """All findings about one photograph."""

    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """True when no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a result; built once from the options and stored with the results."""

    seed: int = 20260101
    max_megapixels: float = 150.0
    perturbations: int = 4
    resamples: int = 12
    max_incidence_deg: float = 60.0
    min_overlap: float = 0.5
    allow_outline: bool = False
    forehead: str = ""
    colour_card: bool = False
    strip: bool = False
    language: str = "en"
    """Of all texts for a person; the cache keeps some of them, so it decides what is kept."""
