"""What can be said of the photographs of one subject and view together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from scalptrack.records.codes import Reason, Tier, Verdict


@dataclass(frozen=True, slots=True)
class VisitCoverage:
    """Coverage at one visit: the mean over its measured replicates.

    Attributes
    ----------
    sd_fraction : float
        Standard error of the visit's mean, all components together.
    low_fraction, high_fraction : float
        95 % interval, clipped to [0, 1].
    tier : Tier
        The worst tier among the replicates.
    aligned_by : tuple of str
        What the alignment of its tier B photographs rests on: ``"points"`` set by hand, the
        ``"strip"`` (a printed headband), the ``"outline"``; empty for tier A.
    replicate_fractions : tuple of float
        Coverage of each measured replicate, in the order of their numbers.
    hair_index, hair_index_low, hair_index_high : float
        ``-ln(1 - coverage)`` and its 95 % interval; NaN where coverage is too near to 1.
    """

    visit_date: date
    coverage_fraction: float
    sd_fraction: float
    low_fraction: float
    high_fraction: float
    replicates: int
    tier: Tier
    replicate_fractions: tuple[float, ...] = ()
    hair_index: float = math.nan
    hair_index_low: float = math.nan
    hair_index_high: float = math.nan
    aligned_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A photograph without a number, or with one that can't be compared: a gap, marked as one."""

    visit_date: date | None
    replicate: int | None
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Change:
    """Change of coverage from baseline at one follow-up visit, in fractions (0.05 = 5 points).

    ``mdc_fraction`` is the limit that was applied at this visit: it knows the replicates of both
    visits and how many visits of the timeline are compared with baseline. All numbers are NaN when
    the verdict is NOT_COMPARABLE. ``hair_index_change`` is the difference of the visits' hair
    indices, NaN also where one of them is; its interval is not corrected for several looks either.
    ``caveats`` are the differences that the user stated of the two visits; they end the sentence.
    ``tier`` is the worse one of the two visits, and ``aligned_by`` what their tier B photographs
    are aligned by; None and empty when nothing was compared.
    """

    subject: str
    view: str
    baseline_date: date | None
    visit_date: date
    change_fraction: float
    low_fraction: float
    high_fraction: float
    mdc_fraction: float
    verdict: Verdict
    sentence: str
    hair_index_change: float = math.nan
    hair_index_change_low: float = math.nan
    hair_index_change_high: float = math.nan
    caveats: tuple[str, ...] = ()
    tier: Tier | None = None
    aligned_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """Straight line through a timeline, in fractions per year, with its 95 % interval.

    Attributes
    ----------
    detectable_per_year : float
        Slope that these visits would show (interval without zero) with probability ``power``.
    visits, span_days : int
        How many visits the line goes through, and the days from the first to the last.
    sentence : str
        All of it for a person. It claims no cause, no forecast and no point in time at which
        anything changed.
    tier : Tier or None
        The worst tier among the visits.
    rough_visits : int
        How many of the visits are of tier B.
    aligned_by : tuple of str
        What those are aligned by.
    """

    slope_per_year: float
    low_per_year: float
    high_per_year: float
    method: str
    standard_error_per_year: float = math.nan
    detectable_per_year: float = math.nan
    power: float = math.nan
    visits: int = 0
    span_days: int = 0
    sentence: str = ""
    tier: Tier | None = None
    rough_visits: int = 0
    aligned_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something the user wants to see on the time axis (a treatment, a haircut)."""

    event_date: date
    label: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class VisitConditions:
    """What the user states of one visit of a subject: what changes coverage without any growth.

    Attributes
    ----------
    days_since_haircut, hair_length_mm : float or None
        None where it is not stated.
    wet, fibres, dyed, micropigmentation : bool or None
        None counts as no, but for micropigmentation, which stays until a later visit denies it.
    parting : str
        Any word, e.g. ``"left"``; empty where it is not stated.
    line : int
        Line in the table, from 1.
    """

    subject: str
    visit_date: date
    days_since_haircut: float | None = None
    hair_length_mm: float | None = None
    wet: bool | None = None
    fibres: bool | None = None
    dyed: bool | None = None
    parting: str = ""
    micropigmentation: bool | None = None
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ErrorParts:
    """What the interval of one tier A photograph is made of, each part as one SD in fractions.

    Attributes
    ----------
    replicate_sd_fraction : float
        What photographs of one visit, taken again, differ by: estimated from replicates and the
        prior.
    perturbation_sd_fraction : float
        Spread of a photograph's coverage over copies with other exposure, white balance, blur and
        scale; root mean square over the photographs.
    registration_sd_fraction : float
        What the doubt about the alignment moves the coverage by; root mean square likewise.
        Together with ``perturbation_sd_fraction`` it is the least that ``within_sd_fraction`` of
        the timeline can be, and of a single photograph its own are.
    shared_sd_fraction : float
        What all photographs of a visit share, so that more of them don't lower it: the doubt about
        what is hair and what is skin (``doubt_fraction``), scaled to the errors of changes that
        were seen on rendered people; root mean square over the photographs.
    shared_degrees_of_freedom : float
        Those of ``shared_sd_fraction``.
    photograph_sd_fraction : float
        One photograph with all of it; `Timeline.mdc_fraction` is 1.96·√2 times this.
    """

    replicate_sd_fraction: float
    perturbation_sd_fraction: float
    registration_sd_fraction: float
    shared_sd_fraction: float
    shared_degrees_of_freedom: float
    photograph_sd_fraction: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is said about one subject and view.

    Attributes
    ----------
    within_sd_fraction : float
        Within-subject SD of one photograph's coverage: what replicates of one visit differ by, and
        at least what perturbed copies and the alignment say. Without the part that all photographs
        of a visit share (``error_parts``).
    sd_source : str
        ``"subject"`` (its own replicates), ``"pooled"`` (all replicates of the run) or ``"prior"``
        (too few replicates: uncalibrated).
    mdc_fraction, mdc_low_fraction, mdc_high_fraction : float
        Minimal detectable change (MDC95) between two single photographs, and the 95 % interval
        that the degrees of freedom behind it leave.
    baseline_date : date or None
        The visit that changes are counted from: the earliest one with a number.
    summary : str
        One sentence that says where this timeline stands, for a person.
    notes : tuple of str
        What a reader has to know to read the numbers, e.g. that the first visit has none.
    conditions : tuple of VisitConditions
        What the user stated of this subject's visits, by date.
    effective_degrees_of_freedom : float
        Degrees of freedom of all intervals and limits: ``sd_degrees_of_freedom`` together with
        those of the error that a visit's photographs share. 0: as ``sd_degrees_of_freedom``.
    error_parts : ErrorParts or None
        What intervals and detectable changes are made of; None without a visit that has a number.
    trend_reason : Reason or None
        Why no yearly trend is stated; None where ``trend`` is one.
    """

    subject: str
    view: str
    reference_name: str
    visits: tuple[VisitCoverage, ...]
    gaps: tuple[Gap, ...]
    changes: tuple[Change, ...]
    within_sd_fraction: float
    sd_source: str
    sd_degrees_of_freedom: int
    mdc_fraction: float
    trend: Trend | None = None
    events: tuple[Event, ...] = ()
    baseline_date: date | None = None
    summary: str = ""
    notes: tuple[str, ...] = ()
    conditions: tuple[VisitConditions, ...] = ()
    effective_degrees_of_freedom: float = 0.0
    mdc_low_fraction: float = math.nan
    mdc_high_fraction: float = math.nan
    error_parts: ErrorParts | None = None
    trend_reason: Reason | None = None

    @property
    def trend_words(self) -> str:
        """Sentence on the trend, or on why none is stated; empty while there are too few visits.

        That a line needs more visits is plain from a chart of one or two.
        """
        if self.trend is not None:
            return self.trend.sentence
        reason = self.trend_reason
        return "" if reason is None or reason.code == "few_visits" else reason.message


@dataclass(frozen=True, slots=True)
class ZoneTimeline:
    """What is said about one named zone of a subject and view.

    Attributes
    ----------
    zone : str
        One of `scalptrack.zones.ZONES`.
    seen_fraction : float
        Share of the zone's surface, of an average head, that all photographs show; NaN when the
        zone is not given.
    timeline : Timeline or None
        Coverage of the zone; None when it is not given.
    reason : Reason or None
        Why it is not given.
    """

    subject: str
    view: str
    zone: str
    seen_fraction: float = math.nan
    timeline: Timeline | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class SaltEstimate:
    """Estimate of the Severity of Alopecia Tool at one date, from four views; 0 to 100.

    ``low`` and ``high`` are its 95 % interval, ``loss_percent`` the part of the scalp without
    visible hair per area (``top``, ``back``, ``left``, ``right``). ``tier`` is the worst one among
    the four views, and ``aligned_by`` what those of tier B are aligned by.
    """

    subject: str
    visit_date: date
    salt: float
    low: float
    high: float
    loss_percent: dict[str, float]
    tier: Tier = Tier.A
    aligned_by: tuple[str, ...] = ()
