"""How far the coverage of one photograph may be off: the components of the error.

Kept apart and named, so that each can be measured and replaced on its own:

- *perturbation* (of the segmentation) and *registration*, one standard deviation each, come with
  every measurement;
- *replicates*: photographs of the same view and visit, taken again, hold both of these and the
  posing and combing besides; their spread is the within-subject standard deviation;
- *prior*: what that standard deviation is expected to be before a single replicate was seen;
- *doubt*: how far the network expects the coverage to be from the truth; a part of it is an error
  that all photographs of a visit share, so that replicates don't show it and don't lower it.

The within-subject variance of a timeline is the mean of its own replicate variance and the one of
the other timelines of the run, weighted by degrees of freedom; the other timelines are weighted in
the same way against the prior. That is the posterior mean under a scaled inverse chi-square
distribution of the variances between subjects [1]_: two replicates that agree by luck can't give
an absurdly small detectable change.

References
----------
.. [1] Smyth GK. Linear models and empirical Bayes methods for assessing differential expression in
   microarray experiments. Stat Appl Genet Mol Biol 2004;3:3. doi:10.2202/1544-6115.1027
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from scalptrack.longitudinal.intervals import CONFIDENCE, dof_of_sum
from scalptrack.records import ErrorParts, Outcome, Status, Tier, VisitCoverage

WITHIN_SD_PRIOR_FRACTION = 0.020
"""Within-subject SD before any replicate was seen. Provisional: an assumption near the aim of 1.5
points, to be replaced by the re-posed and re-combed phantom pairs of lab/benchmarks."""

WITHIN_SD_PRIOR_DOF = 4
"""Weight of the prior in degrees of freedom. With 4 the SD of 95 % of all subjects lies between
0.6 and 2.9 times the prior; an assumption until enough subjects with replicates are measured."""

MEASURED_VISIT_SD_FRACTION = 0.005
"""The part of the SD that all replicates of a visit share, with the shipped network, that does not
depend on the doubt. The fit below gives none; a little is kept."""

MEASURED_VISIT_SD_PER_DOUBT = 0.65
"""How much of a photograph's doubt its visit shares as SD: other light, background and combing
move the answer for all photographs of a visit alike, and a change comes out wrong.
lab/benchmarks/change.py, 39 follow-ups of 21 series of validation people 8 to 29, one photograph
per visit: root mean square error of a change 1.9, 3.4, 6.9 and 12.1 points in the quarters by
doubt; stated with this value 4.3, 5.6, 7.1 and 9.8, within-subject SD of 0.020 included. The
likelihood asks for 0.49 and would take the largest errors for outliers."""

MEASURED_VISIT_SD_DOF = 12.0
"""Degrees of freedom behind both values, to be set together with them. If all series erred alike,
26 with two changes from one baseline would have about 40; the sums of squares of the series differ
as if they were 10, most of it by a single one. Nearer to the latter."""

MINIMUM_CALIBRATED_DOF = 3
"""Degrees of freedom of replicates from which an SD counts as measured and not as assumed. Below
3, the 95 % interval of an SD alone spans more than a factor of 12 (chi-square distribution)."""

TIER_B_SD_FACTOR = 1.5
"""How much wider the SD of a tier B photograph is (pose from the outline or from points set by
hand). Provisional: an assumption until lab/benchmarks has measured tier B against truth."""


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Everything about the error that does not come from the photographs of the run.

    Attributes
    ----------
    prior_sd_fraction, prior_dof : float, int
        Expected within-subject SD of one photograph, and its weight.
    visit_sd_fraction : float
        SD that all replicates of a visit share (light, camera, grease), so that taking more of
        them does not reduce it. 0: not measured yet, everything is held to be in the replicates.
    visit_sd_per_doubt : float
        By how much that SD grows with the doubt about a photograph's coverage: hair that is hard to
        tell from skin is told from it differently in another light.
    visit_dof : float
        Degrees of freedom of the measurement behind both.
    tier_b_sd_factor : float
        How much wider the SD of a tier B photograph is.
    confidence : float
        Probability that an unchanged timeline shows no verdict of change.
    """

    prior_sd_fraction: float = WITHIN_SD_PRIOR_FRACTION
    prior_dof: int = WITHIN_SD_PRIOR_DOF
    visit_sd_fraction: float = 0.0
    visit_sd_per_doubt: float = 0.0
    visit_dof: float = MEASURED_VISIT_SD_DOF
    tier_b_sd_factor: float = TIER_B_SD_FACTOR
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        """Refuse a model that would make every change detectable.

        Raises
        ------
        ValueError
            If the prior is not positive, or a factor would narrow an interval.
        """
        if not (self.prior_sd_fraction > 0 and min(self.prior_dof, self.visit_dof) >= 1):
            raise ValueError(
                "the prior SD and the degrees of freedom must be positive, got "
                f"{self.prior_sd_fraction}, {self.prior_dof} and {self.visit_dof}"
            )
        if min(self.visit_sd_fraction, self.visit_sd_per_doubt) < 0 or self.tier_b_sd_factor < 1:
            raise ValueError(
                "the shared SDs must be at least 0 and the tier B factor at least 1, got "
                f"{self.visit_sd_fraction}, {self.visit_sd_per_doubt} and {self.tier_b_sd_factor}"
            )

    def shared_variance(self, doubt_fraction: float) -> float:
        """Variance that a visit's photographs share, of which a coverage is so doubtful."""
        return self.visit_sd_fraction**2 + (self.visit_sd_per_doubt * doubt_fraction) ** 2


MEASURED_ERRORS = ErrorModel(
    visit_sd_fraction=MEASURED_VISIT_SD_FRACTION,
    visit_sd_per_doubt=MEASURED_VISIT_SD_PER_DOUBT,
)
"""The errors of the shipped network's coverages."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The coverage read from one photograph, with what its own record says of the error."""

    name: str
    sha256: str
    visit_date: date
    replicate: int
    coverage_fraction: float
    perturbation_sd_fraction: float
    registration_sd_fraction: float
    doubt_fraction: float
    tier: Tier
    aligned_by: str = ""

    @property
    def component_sd_fraction(self) -> float:
        """SD that the photograph's own record states: perturbed copies and alignment together."""
        return math.hypot(self.perturbation_sd_fraction, self.registration_sd_fraction)

    def relative_sd(self, model: ErrorModel) -> float:
        """SD of this photograph relative to one of tier A."""
        return model.tier_b_sd_factor if self.tier is Tier.B else 1.0


@dataclass(frozen=True, slots=True)
class SpreadOfReplicates:
    """Weighted sum of squared deviations of replicates from their visits' means."""

    squares: float = 0.0
    dof: int = 0

    def __add__(self, other: SpreadOfReplicates) -> SpreadOfReplicates:
        """Pool two sets of replicates."""
        return SpreadOfReplicates(self.squares + other.squares, self.dof + other.dof)

    def __sub__(self, other: SpreadOfReplicates) -> SpreadOfReplicates:
        """Take a subset of the replicates out again."""
        return SpreadOfReplicates(max(self.squares - other.squares, 0.0), self.dof - other.dof)


@dataclass(frozen=True, slots=True)
class WithinSubject:
    """Within-subject SD of one tier A photograph, its degrees of freedom and where it is from.

    ``replicate_sd_fraction`` is what replicates and the prior alone say; ``sd_fraction`` is larger
    where the photographs' own components are.
    """

    sd_fraction: float
    dof: int
    source: str
    replicate_sd_fraction: float = math.nan


def reading_of(outcome: Outcome) -> Reading | None:
    """Coverage of a measured photograph; None when the outcome holds no number to be believed.

    A record that says "measured" and carries a tier C, no date or a coverage outside [0, 1] is
    not believed. A measured photograph without a tier counts as tier B, unless it is the
    reference, which needs no alignment.
    """
    measurement = outcome.measurement
    if outcome.status is not Status.MEASURED or measurement is None or outcome.visit_date is None:
        return None
    if outcome.tier is Tier.C or measurement.region_px <= 0:
        return None
    coverage = measurement.coverage_fraction
    components = math.hypot(
        measurement.segmentation_sd_fraction, measurement.registration_sd_fraction
    )
    known = math.isfinite(components) and measurement.doubt_fraction >= 0.0
    if not (0.0 <= coverage <= 1.0 and known):
        return None
    return Reading(
        name=outcome.name,
        sha256=outcome.sha256,
        visit_date=outcome.visit_date,
        replicate=outcome.replicate if outcome.replicate is not None else 1,
        coverage_fraction=float(coverage),
        perturbation_sd_fraction=measurement.segmentation_sd_fraction,
        registration_sd_fraction=measurement.registration_sd_fraction,
        doubt_fraction=measurement.doubt_fraction,
        tier=outcome.tier or (Tier.A if outcome.is_reference else Tier.B),
        aligned_by=outcome.aligned_by,
    )


def by_visit(readings: Iterable[Reading]) -> dict[date, tuple[Reading, ...]]:
    """Readings of each visit in order of date, replicates in order of number and name."""
    visits: dict[date, list[Reading]] = {}
    for reading in sorted(readings, key=lambda r: (r.visit_date, r.replicate, r.name)):
        visits.setdefault(reading.visit_date, []).append(reading)
    return {day: tuple(members) for day, members in visits.items()}


def spread_of_replicates(readings: Sequence[Reading], *, model: ErrorModel) -> SpreadOfReplicates:
    """Spread of the replicates around their visits' means, pooled over the visits.

    A tier B photograph is expected to scatter more and weighs less, so that the spread estimates
    the variance of a tier A photograph.
    """
    spread = SpreadOfReplicates()
    for members in by_visit(readings).values():
        weights = [reading.relative_sd(model) ** -2 for reading in members]
        values = [reading.coverage_fraction for reading in members]
        mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        squares = sum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True))
        spread = spread + SpreadOfReplicates(squares, len(members) - 1)
    return spread


def within_subject(
    own: SpreadOfReplicates,
    others: SpreadOfReplicates,
    *,
    floor_sd_fraction: float,
    model: ErrorModel,
) -> WithinSubject:
    """Within-subject SD of a timeline from its replicates, the run's and the prior.

    Parameters
    ----------
    own, others : SpreadOfReplicates
        Replicates of this timeline and of all other timelines of the run.
    floor_sd_fraction : float
        What the photographs' own components say: the SD is never smaller.
    model : ErrorModel
        The prior and its weight.

    Returns
    -------
    WithinSubject
        Degrees of freedom are those of the prior plus the timeline's own: what other subjects
        show says where the SD of this one is to be expected, not what it is.
    """
    weight = model.prior_dof
    expected = (weight * model.prior_sd_fraction**2 + others.squares) / (weight + others.dof)
    variance = (weight * expected + own.squares) / (weight + own.dof)
    if own.dof >= MINIMUM_CALIBRATED_DOF:
        source = "subject"
    elif own.dof + others.dof >= MINIMUM_CALIBRATED_DOF:
        source = "pooled"
    else:
        source = "prior"
    replicates = math.sqrt(variance)
    sd = max(replicates, floor_sd_fraction)
    return WithinSubject(sd, weight + own.dof, source, replicates)


def floor_of_components(readings: Sequence[Reading]) -> float:
    """Root mean square of the photographs' own components; 0 when there are none."""
    return _root_mean_square([each.component_sd_fraction for each in readings])


def _root_mean_square(values: Sequence[float]) -> float:
    """Root mean square; 0 when there are no values."""
    return math.sqrt(sum(value**2 for value in values) / len(values)) if values else 0.0


def visit_variance(members: Sequence[Reading], within: WithinSubject, model: ErrorModel) -> float:
    """Variance of the mean coverage of one visit's photographs.

    Each photograph has the within-subject variance, or its own components where they are larger,
    times the factor of its tier; the part that a visit's photographs share is added once.
    """
    variances = [
        (max(within.sd_fraction, r.component_sd_fraction) * r.relative_sd(model)) ** 2
        for r in members
    ]
    return sum(variances) / len(members) ** 2 + shared_variance(members, model)


def shared_variance(members: Sequence[Reading], model: ErrorModel) -> float:
    """Mean of the variances that some photographs share with others of their visits."""
    if not members:
        return model.shared_variance(0.0)
    return sum(model.shared_variance(each.doubt_fraction) for each in members) / len(members)


def worst_tier(tiers: Iterable[Tier]) -> Tier:
    """The tier of a number that rests on several alignments."""
    return max(tiers, key=list(Tier).index)


def rough_alignments(visits: Iterable[VisitCoverage]) -> tuple[str, ...]:
    """What the tier B photographs of some visits are aligned by."""
    return tuple(sorted({each for visit in visits for each in visit.aligned_by}))


def error_parts(
    readings: Sequence[Reading], within: WithinSubject, model: ErrorModel
) -> ErrorParts | None:
    """What the interval of one tier A photograph is made of; None when there are no readings."""
    if not readings:
        return None
    shared = shared_variance(readings, model)
    return ErrorParts(
        replicate_sd_fraction=within.replicate_sd_fraction,
        perturbation_sd_fraction=_root_mean_square([r.perturbation_sd_fraction for r in readings]),
        registration_sd_fraction=_root_mean_square([r.registration_sd_fraction for r in readings]),
        shared_sd_fraction=math.sqrt(shared),
        shared_degrees_of_freedom=float(model.visit_dof),
        photograph_sd_fraction=math.sqrt(within.sd_fraction**2 + shared),
    )


def effective_dof(
    visit_variances: Sequence[float],
    shared_variances: Sequence[float],
    within: WithinSubject,
    model: ErrorModel,
) -> float:
    """Degrees of freedom of a timeline's errors: the within-subject and the shared part together.

    Parameters
    ----------
    visit_variances : sequence of float
        Variance of each visit's mean, as `visit_variance` gives it.
    shared_variances : sequence of float
        The part of each that the visit's photographs share, as `shared_variance` gives it.
    within : WithinSubject
        Its degrees of freedom are the answer where nothing is shared.
    model : ErrorModel
        The degrees of freedom of the shared part.
    """
    shared = sum(shared_variances)
    total = sum(visit_variances)
    if shared == 0.0 or total == 0.0:
        return float(within.dof)
    own_share = max(1.0 - shared / total, 0.0)
    return dof_of_sum(round(own_share, 2), float(within.dof), float(model.visit_dof))
