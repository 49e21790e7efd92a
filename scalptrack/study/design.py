"""What a study is made of: its photographs, visits and arms, as records without any file access."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One line of a study's manifest, checked on its own.

    Attributes
    ----------
    line : int
        Line in the table, from 1; its header is line 1.
    photo : str
        Path with forward slashes, or a URL without what gives access.
    source : str
        The same as it is written, with what gives access; never stored or shown.
    replicate : int or None
        None where the cell is empty.
    visit : str
        Name of the planned visit; empty where the table has no such column.
    covariates : dict of str to str
        All other columns, as written.
    """

    line: int
    photo: str
    source: str = field(repr=False)
    subject: str
    view: str
    visit_date: date
    replicate: int | None
    arm: str
    site: str
    visit: str
    covariates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyPhotograph:
    """A photograph of the study, in its place.

    Attributes
    ----------
    name : str
        Path relative to the folder or URL of the photographs, with forward slashes, or a URL.
    visit : str
        Name of the planned visit; `StudyDesign.visits` has their order.
    sha256 : str
        Content when the study was made; another content later is an error of that photograph.
    """

    name: str
    sha256: str
    subject: str
    view: str
    visit: str
    visit_date: date
    replicate: int
    arm: str
    site: str
    covariates: dict[str, str]
    line: int


@dataclass(frozen=True, slots=True, order=True)
class MissingVisit:
    """A planned visit of which a subject has no photograph of a view."""

    subject: str
    view: str
    visit: str


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """Everything that the manifest says, when it has no mistake.

    Attributes
    ----------
    visits : tuple of str
        Planned visits in order of time; the first one is the baseline.
    arms : tuple of str
        In alphabetical order; which one is the control is said when the statistics are made.
    covariates : tuple of str
        Names of the further columns.
    missing : tuple of MissingVisit
        Subject, view and planned visit without a photograph.
    notes : tuple of str
        What casts doubt on a photograph and is no mistake of the table.
    photo_root : str
        Absolute folder, or URL without what gives access, where names of photographs begin.
    """

    photographs: tuple[StudyPhotograph, ...]
    visits: tuple[str, ...]
    arms: tuple[str, ...]
    views: tuple[str, ...]
    covariates: tuple[str, ...]
    missing: tuple[MissingVisit, ...] = ()
    notes: tuple[str, ...] = ()
    photo_root: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Planned days of the visits after each subject's first date.

    Attributes
    ----------
    days : tuple of int
        Ascending, from 0.
    window_days : int
        How far from its planned day a visit may lie; windows must not overlap.
    """

    days: tuple[int, ...]
    window_days: int

    def __post_init__(self) -> None:
        """Refuse a schedule in which a date could belong to two visits.

        Raises
        ------
        ValueError
        """
        if len(self.days) < 2 or self.days[0] != 0 or list(self.days) != sorted(set(self.days)):
            message = (
                f"the visits {', '.join(map(str, self.days))} are no schedule: give at least two "
                "days in rising order that begin with 0"
            )
            raise ValueError(message)
        closest = min(b - a for a, b in zip(self.days, self.days[1:], strict=False))
        if self.window_days < 0 or 2 * self.window_days >= closest:
            message = (
                f"a window of {self.window_days} days lets a date belong to two visits that are "
                f"planned {closest} days apart; it has to be below {closest / 2:g} days"
            )
            raise ValueError(message)

    def visit_of(self, day: int) -> str | None:
        """Name of the visit whose window holds the day; None when there is none."""
        for planned in self.days:
            if abs(day - planned) <= self.window_days:
                return f"day {planned}"
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the visits, in order."""
        return tuple(f"day {planned}" for planned in self.days)
