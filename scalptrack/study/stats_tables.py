"""Columns of the statistics' tables, and the paragraph that says how they were made."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version

from scalptrack import __version__
from scalptrack.longitudinal.agreement import Estimate
from scalptrack.records import Settings
from scalptrack.study.decision_states import in_results
from scalptrack.study.tidy import Field, Row, StudyResults, TidyTable


@dataclass(frozen=True, slots=True)
class StatsSettings:
    """What decides the statistics beside the measurements.

    Attributes
    ----------
    control : str
        The arm that the others are compared with; empty for a study of one arm.
    views, visits : tuple of str
        What is tested; empty: all views, and all visits after the baseline.
    covariates : tuple of str
        Columns of the manifest that adjust the ANCOVA, by their value at baseline.
    difference_points : float or None
        Difference that a next study should show; None: no sample size.
    power, alpha, dropout : float
        Of that next study.
    """

    control: str
    views: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    difference_points: float | None = None
    power: float = 0.8
    alpha: float = 0.05
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class StudyStatistics:
    """All tables of the statistics, and how many photographs each analysis left out."""

    tables: tuple[TidyTable, ...]
    left_out: dict[str, int]
    settings: StatsSettings


ANALYSIS = Field("analysis", "text", "main, without tier B, or without flagged photographs")
VIEW = Field("view", "text", "the view of the head")
VISIT = Field("visit", "text", "the planned visit; all: every visit of the model")
ARM = Field("arm", "text", "the arm")


def _interval(name: str, meaning: str, unit: str) -> tuple[Field, ...]:
    return (
        Field(name, "number", meaning, unit),
        Field(f"{name}_low", "number", "lower end of its 95 % interval", unit),
        Field(f"{name}_high", "number", "upper end of its 95 % interval", unit),
    )


def interval_row(name: str, estimate: Estimate) -> Row:
    """Return an estimate as the three columns of `_interval`."""
    return {
        name: stated(estimate.value),
        f"{name}_low": stated(estimate.low),
        f"{name}_high": stated(estimate.high),
    }


def stated(value: float) -> float | None:
    """Eight significant digits, which every machine agrees about; None for no number."""
    return float(f"{float(value):.8g}") if math.isfinite(value) else None


CONTRAST_FIELDS = (
    ANALYSIS,
    Field("model", "text", "ANCOVA: change in points; mixed model: slope in points per year"),
    VIEW,
    VISIT,
    ARM,
    Field("control", "text", "the arm that it is compared with"),
    Field("subjects", "integer", "subjects of the arm in the model"),
    Field("control_subjects", "integer", "subjects of the control in the model"),
    *_interval("difference", "arm minus control", "points, or points per year"),
    Field("standard_error", "number", "of the difference", "points, or points per year"),
    Field("dof", "number", "degrees of freedom of Student's t"),
    Field("p_value", "number", "two-sided, not adjusted"),
    Field("p_holm", "number", "adjusted by Holm for all tests of its family"),
    Field("tests_in_family", "integer", "tests of this analysis and model"),
    Field("reason", "text", "why there is no number, or what was left out"),
)
MEAN_FIELDS = (
    ANALYSIS,
    VIEW,
    VISIT,
    ARM,
    Field("subjects", "integer", "subjects with a change"),
    Field("baseline_mean", "number", "mean coverage at baseline of these subjects", "percent"),
    Field("baseline_sd", "number", "its SD between subjects", "points"),
    Field("change_mean", "number", "mean change from baseline, not adjusted", "points"),
    Field("change_sd", "number", "its SD between subjects", "points"),
    *_interval("adjusted", "mean change adjusted by the ANCOVA", "points"),
)
RESPONDER_FIELDS = (
    ANALYSIS,
    VIEW,
    VISIT,
    ARM,
    Field("subjects", "integer", "subjects with a comparable change"),
    Field("responders", "integer", "those whose change is an increase beyond mdc_points"),
    *_interval("share", "share of responders, exact interval", "percent"),
    *_interval("difference", "share minus that of the control, Newcombe's interval", "points"),
    Field("p_value", "number", "Fisher's exact test, two-sided, not adjusted"),
    Field("p_holm", "number", "adjusted by Holm for all tests of the analysis"),
    Field("tests_in_family", "integer", "tests of this analysis"),
)
MISSING_DATA_FIELDS = (
    VIEW,
    VISIT,
    ARM,
    Field("subjects", "integer", "subjects of the arm in the manifest"),
    Field("photographed", "integer", "those with a photograph of this view and visit"),
    Field("with_a_number", "integer", "those with a coverage"),
    Field("with_a_change", "integer", "those with a change from baseline"),
    Field("reasons", "text", "photographs without a number by reason"),
)
SAMPLE_SIZE_FIELDS = (
    ANALYSIS,
    VIEW,
    VISIT,
    Field("difference_points", "number", "difference to be shown", "points"),
    Field("power", "number", "probability to show it"),
    Field("alpha", "number", "two-sided level of one comparison, divided by their number"),
    Field("dropout_percent", "number", "subjects expected to have no number", "percent"),
    *_interval("sd", "SD between subjects that the ANCOVA leaves", "points"),
    Field("subjects", "integer", "subjects per arm to be recruited"),
    Field("subjects_low", "integer", "the same for the lower end of the SD's interval"),
    Field("subjects_high", "integer", "the same for the upper end of the SD's interval"),
    Field("reason", "text", "why a number is missing"),
)

_BIAS = "second photograph minus the first, over the subjects (Bland-Altman)"
REPEATABILITY_FIELDS = (
    ANALYSIS,
    VIEW,
    Field("subjects", "integer", "subjects with two numbers at one visit; the earliest counts"),
    Field("photographs", "integer", "photographs of these visits"),
    *_interval("sem", "standard error of measurement: SD within a subject's visit", "points"),
    *_interval("sdc", "smallest detectable change of single photographs: 1.96 √2 SEM", "points"),
    Field(
        "between_subject_sd", "number", "SD of the subjects' levels; no ICC without it", "points"
    ),
    *_interval("icc_agreement", "ICC(2,1) of the first and the second photograph", ""),
    *_interval("icc_consistency", "ICC(3,1) of the first and the second photograph", ""),
    *_interval("bias", _BIAS, "points"),
    *_interval("lower_limit", "lower limit of agreement: bias minus 1.96 SD", "points"),
    *_interval("upper_limit", "upper limit of agreement: bias plus 1.96 SD", "points"),
    Field("reason", "text", "why there is no number"),
)


def methods_text(
    results: StudyResults,
    statistics: StudyStatistics,
    *,
    measuring: Settings,
    segmentation: str,
    manifest_sha256: str,
) -> str:
    """The paragraph for the methods section, with every setting filled in."""
    settings = statistics.settings
    subjects = {each.subject for each in results.photographs}
    sentences = [
        f"Visible hair coverage was measured with scalptrack {__version__} (segmentation "
        f"{segmentation}; seed {measuring.seed}, {measuring.perturbations} perturbations, "
        f"{measuring.resamples} resamples, scalp seen at less than "
        f"{measuring.max_incidence_deg:g} degrees, overlap of at least "
        f"{measuring.min_overlap:g}) in {len(results.photographs)} photographs of {len(subjects)} "
        f"subjects (manifest SHA-256 {manifest_sha256[:12]}), in the arms "
        f"{', '.join(results.arms)} at the visits {', '.join(results.visits)}; "
        f"{len(results.missing)} planned visits had no photograph. Photographs of one visit were "
        "averaged. Subjects without a number at baseline or at a visit have no change there and "
        "were not imputed (missing_data table).",
        _by_hand(results),
    ]
    if settings.control:
        extra = f", and {', '.join(settings.covariates)}" if settings.covariates else ""
        sentences.append(
            f"Changes from {results.visits[0]} at {', '.join(settings.visits)} in the views "
            f"{', '.join(settings.views)} were compared with {settings.control} by analysis of "
            f"covariance, adjusted for the baseline coverage{extra} (least squares, Student's t). "
            "Slopes were compared by a linear mixed model of all visits (coverage on arm, years, "
            "and their product; random intercept and slope of each subject, correlated; REML; "
            "Student's t with the number of subjects minus the number of arms as degrees of "
            "freedom). Shares of responders were compared by Fisher's exact test with Newcombe's "
            "interval. P-values are two-sided; within each analysis Holm's procedure adjusted "
            "those of all arms, visits and views of the ANCOVA, of the mixed model, and of the "
            "responders, each as one family."
        )
    sentences.append(
        "A responder is a subject whose coverage rose beyond the minimal detectable change of "
        "that subject and visit, which considers the replicates, the doubt about what is hair, and "
        "how many visits are looked at; intervals of shares are Clopper and Pearson's. Intervals "
        "are 95 % intervals."
    )
    sentences.append(
        "How well photographs of one visit agree is stated for the earliest visit of each subject "
        "that has two: standard error of measurement and smallest detectable change of all of its "
        "photographs; ICC(2,1), ICC(3,1) and limits of agreement of the first two, with the exact "
        "intervals of their distributions. What photographs of a visit share is not in them."
    )
    sentences.append(_left_out(statistics.left_out))
    if settings.difference_points is not None:
        sentences.append(
            f"Sample sizes are for a difference of {settings.difference_points:g} points, power "
            f"{settings.power:g}, a two-sided level of {settings.alpha:g} divided by the number of "
            f"comparisons with the control, and {100 * settings.dropout:g} % dropout, by the "
            "noncentral t distribution."
        )
    libraries = ", ".join(f"{name} {version(name)}" for name in ("statsmodels", "scipy", "numpy"))
    return "\n\n".join([*sentences, f"Computed with {libraries}."]) + "\n"


def _by_hand(results: StudyResults) -> str:
    """What a reviewer decided that the results rest on."""
    used = [each for decisions in results.used.values() for each in in_results(decisions)]
    if not used:
        return "No photograph was excluded, and no reference, region or points were set, by hand."
    counts = Counter(each["what"] for each in used)
    reviewers = ", ".join(sorted({each["who"] for each in used}))
    return (
        f"Decided by hand, and in the results: photographs excluded {counts['verdict']}, "
        f"references chosen {counts['reference']}, regions drawn {counts['region']}, photographs "
        f"aligned by points {counts['points']} (reviewers: {reviewers}; decisions SHA-256 "
        f"{results.log.head[:12]}; the columns drawn_region and decisions of the tables say which "
        "results)."
    )


def _left_out(counts: dict[str, int]) -> str:
    """What the sensitivity analyses left out."""
    parts = []
    for name, count in counts.items():
        if name == "main":
            continue
        parts.append(
            f"{name} ({count} photographs left out)"
            if count
            else f"{name} (there are none, so it is the main analysis)"
        )
    return (
        "The analyses were repeated " + " and ".join(parts) + "; the compared region of the scalp "
        "was not chosen anew."
    )
