"""A study as tidy tables: one row per photograph, per subject and visit, per missing visit.

A table is a list of rows and a list of columns that say what each holds; the files, the data
dictionary and the JSON schema are all made of these columns, so that they can't disagree.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from scalptrack.longitudinal import MEASURED_ERRORS, build_timelines
from scalptrack.records import Outcome, Status, Tier, Timeline, Verdict, VisitCoverage
from scalptrack.review.log import DecisionLog
from scalptrack.study.decision_states import Used, in_results
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.design import StudyPhotograph
from scalptrack.study.series import Key
from scalptrack.study.store import StudyStore
from scalptrack.tables import coverage_interval, warning_codes

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, type (``text``, ``date``, ``number``, ``integer``, ``yes/no``)."""

    name: str
    kind: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TidyTable:
    """A table of the study."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class StudyResults:
    """What was measured, in memory: what all tables and statistics are made of."""

    photographs: tuple[StudyPhotograph, ...]
    outcomes: tuple[Outcome, ...]
    timelines: tuple[Timeline, ...]
    visits: tuple[str, ...]
    arms: tuple[str, ...]
    covariates: tuple[str, ...]
    missing: tuple[tuple[str, str, str], ...]
    log: DecisionLog = field(default_factory=DecisionLog)
    used: Used = field(default_factory=dict)

    @property
    def arm_of(self) -> dict[str, str]:
        """Arm of each subject."""
        return {each.subject: each.arm for each in self.photographs}


PLACE = (
    Field("subject", "text", "the subject, as in the manifest"),
    Field("arm", "text", "the subject's arm"),
    Field("site", "text", "the subject's site; empty where none was given"),
    Field("view", "text", "the view of the head"),
    Field("visit", "text", "the planned visit"),
    Field("visit_date", "date", "when the photograph was taken, as in the manifest"),
)
PHOTOGRAPH_FIELDS = (
    *PLACE,
    Field("replicate", "integer", "number of the photograph within its view and visit"),
    Field("photo", "text", "path of the file as in the manifest, or its URL"),
    Field("sha256", "text", "content of the file"),
    Field("status", "text", "measured, refused, rejected, or to do"),
    Field("reason_code", "text", "why there is no number"),
    Field("reason", "text", "the same as a sentence"),
    Field("tier", "text", "A: aligned by features; B: in another way, wider interval; C: refused"),
    Field("flags", "text", "doubts that did not prevent the measurement, separated by ;"),
    Field("coverage_percent", "number", "visible hair coverage of the compared scalp", "percent"),
    Field("coverage_low", "number", "lower end of its 95 % interval", "percent"),
    Field("coverage_high", "number", "upper end of its 95 % interval", "percent"),
    Field("hair_px", "number", "numerator of the coverage", "pixels"),
    Field("region_px", "integer", "denominator of the coverage", "pixels"),
    Field("drawn_region", "yes/no", "the compared scalp is a region that a person drew"),
    Field(
        "decisions",
        "text",
        "lines of the table decisions, on any photograph of this subject and view, that the result "
        "was made with, separated by ;",
    ),
    Field("own_decisions", "text", "those of them that are on this photograph"),
)
VISIT_FIELDS = (
    *PLACE,
    Field("days", "integer", "days since the subject's baseline visit", "days"),
    Field("photographs", "integer", "photographs of this view and visit"),
    Field("replicates", "integer", "how many of them have a number"),
    Field("coverage_percent", "number", "mean over the replicates", "percent"),
    Field("coverage_low", "number", "lower end of its 95 % interval", "percent"),
    Field("coverage_high", "number", "upper end of its 95 % interval", "percent"),
    Field("coverage_sd", "number", "its standard error, all components together", "points"),
    Field("baseline_percent", "number", "the same at the baseline visit", "percent"),
    Field("change_points", "number", "coverage minus baseline", "points"),
    Field("change_low", "number", "lower end of its 95 % interval", "points"),
    Field("change_high", "number", "upper end of its 95 % interval", "points"),
    Field("mdc_points", "number", "smallest change that counts, for this visit", "points"),
    Field("verdict", "text", "increase, decrease, no detectable change, or not comparable"),
    Field("responder", "yes/no", "the change is an increase beyond mdc_points"),
    Field("tier", "text", "the worst tier among the replicates, as of a photograph"),
    Field("aligned_by", "text", "what those of tier B are aligned by: outline, points, strip"),
    Field("change_tier", "text", "the worse tier of this visit and the baseline visit"),
    Field("change_aligned_by", "text", "what those of tier B are aligned by"),
    Field("drawn_region", "yes/no", "the compared scalp is a region that a person drew"),
    Field(
        "decisions",
        "text",
        "lines of the table decisions that the results of this subject and view were made with, "
        "separated by ;",
    ),
)
MISSING_FIELDS = (
    Field("subject", "text", "the subject, as in the manifest"),
    Field("arm", "text", "the subject's arm"),
    Field("view", "text", "the view of the head"),
    Field("visit", "text", "the planned visit that has no photograph"),
)


def load_results(store: StudyStore) -> StudyResults:
    """Everything that was measured so far."""
    photographs, outcomes = store.photographs(), store.outcomes()
    return StudyResults(
        photographs=photographs,
        outcomes=outcomes,
        timelines=_timelines(outcomes),
        visits=store.visits,
        arms=store.arms,
        covariates=store.covariates,
        missing=tuple((each.subject, each.view, each.visit) for each in store.missing_visits()),
        log=StudyDecisions(store).read(),
        used=store.used_decisions(),
    )


def without(results: StudyResults, names: Collection[str]) -> StudyResults:
    """The same results as if these photographs had no number; the compared scalp stays."""
    outcomes = tuple(each for each in results.outcomes if each.name not in names)
    return replace(results, outcomes=outcomes, timelines=_timelines(outcomes))


def _timelines(outcomes: Sequence[Outcome]) -> tuple[Timeline, ...]:
    return build_timelines(outcomes, error_model=MEASURED_ERRORS)


def tier_b_names(results: StudyResults) -> frozenset[str]:
    """Measured photographs that were not aligned by features."""
    return frozenset(
        each.name
        for each in results.outcomes
        if each.status is Status.MEASURED and each.tier is Tier.B
    )


def flagged_names(results: StudyResults) -> frozenset[str]:
    """Measured photographs with any doubt about their quality or segmentation."""
    return frozenset(
        each.name
        for each in results.outcomes
        if each.status is Status.MEASURED and warning_codes(each)
    )


def photograph_table(results: StudyResults) -> TidyTable:
    """One row for each photograph of the manifest, whatever became of it."""
    outcomes = {each.name: each for each in results.outcomes}
    timelines = {(each.subject, each.view): each for each in results.timelines}
    rows = tuple(
        _photograph_row(each, outcomes.get(each.name), timelines.get((each.subject, each.view)))
        | _decided(results, (each.subject, each.view), each.sha256)
        for each in results.photographs
    )
    fields = PHOTOGRAPH_FIELDS + _covariate_fields(results)
    return TidyTable("photographs", "one row for each photograph", fields, rows)


def _decided(results: StudyResults, series: Key, sha256: str = "") -> Row:
    """Which decisions the results of a subject and view rest on, and those on one photograph."""
    used = in_results(results.used.get(series, ()))
    row: Row = {
        "drawn_region": any(each["what"] == "region" for each in used),
        "decisions": _lines(used),
    }
    own = [each for each in used if each["photo"] == sha256]
    return row | {"own_decisions": _lines(own)} if sha256 else row


def _lines(decisions: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(str(number) for number in sorted({each["number"] for each in decisions}))


def _covariate_fields(results: StudyResults) -> tuple[Field, ...]:
    return tuple(
        Field(f"covariate_{name}", "text", f"the manifest's column {name}")
        for name in results.covariates
    )


def _place(each: StudyPhotograph) -> Row:
    row: Row = {
        "subject": each.subject,
        "arm": each.arm,
        "site": each.site,
        "view": each.view,
        "visit": each.visit,
        "visit_date": each.visit_date,
    }
    return row | {f"covariate_{name}": value for name, value in each.covariates.items()}


def _photograph_row(
    each: StudyPhotograph, outcome: Outcome | None, timeline: Timeline | None
) -> Row:
    row = _place(each) | {
        "replicate": each.replicate,
        "photo": each.name,
        "sha256": each.sha256,
        "status": outcome.status.value if outcome else "to do",
    }
    if outcome is None:
        return row
    row |= {
        "reason_code": outcome.reason.code if outcome.reason else "",
        "reason": outcome.reason.message if outcome.reason else "",
        "tier": outcome.tier.value if outcome.tier else "",
        "flags": "; ".join(warning_codes(outcome)),
    }
    if outcome.measurement is None:
        return row
    low, high = coverage_interval(outcome, timeline)
    return row | {
        "coverage_percent": _rounded(100 * outcome.measurement.coverage_fraction),
        "coverage_low": _rounded(100 * low),
        "coverage_high": _rounded(100 * high),
        "hair_px": _rounded(outcome.measurement.hair_px),
        "region_px": outcome.measurement.region_px,
    }


def visit_table(results: StudyResults) -> TidyTable:
    """One row for each subject, view and visit with a photograph; change from the baseline visit.

    The baseline is the study's first planned visit. Where a subject has no number there, no change
    is stated: another visit in its place would be another question.
    """
    timelines = {(each.subject, each.view): each for each in results.timelines}
    groups: dict[tuple[str, str, date], list[StudyPhotograph]] = {}
    for each in results.photographs:
        groups.setdefault((each.subject, each.view, each.visit_date), []).append(each)
    first: dict[str, date] = {}
    for each in results.photographs:
        if each.visit == results.visits[0]:
            first[each.subject] = each.visit_date
    rows = tuple(
        _visit_row(members, timelines.get((subject, view)), first.get(subject))
        | _decided(results, (subject, view))
        for (subject, view, _), members in groups.items()
    )
    fields = VISIT_FIELDS + _covariate_fields(results)
    return TidyTable("visits", "one row for each subject, view and visit", fields, rows)


def _visit_row(
    members: Sequence[StudyPhotograph], timeline: Timeline | None, baseline_date: date | None
) -> Row:
    day = members[0].visit_date
    covered: dict[date, VisitCoverage] = (
        {each.visit_date: each for each in timeline.visits} if timeline else {}
    )
    here = covered.get(day)
    baseline = covered.get(baseline_date) if baseline_date else None
    row = _place(members[0]) | {
        "days": (day - baseline_date).days if baseline_date else None,
        "photographs": len(members),
        "replicates": here.replicates if here else 0,
        "coverage_percent": _rounded(100 * here.coverage_fraction) if here else None,
        "coverage_low": _rounded(100 * here.low_fraction) if here else None,
        "coverage_high": _rounded(100 * here.high_fraction) if here else None,
        "coverage_sd": _rounded(100 * here.sd_fraction) if here else None,
        "baseline_percent": _rounded(100 * baseline.coverage_fraction) if baseline else None,
        "tier": here.tier.value if here else None,
        "aligned_by": " and ".join(here.aligned_by) if here else None,
    }
    changes = timeline.changes if timeline else ()
    change = next((each for each in changes if each.visit_date == day), None)
    if baseline is None or change is None or change.baseline_date != baseline_date:
        if day != baseline_date:
            row["verdict"] = Verdict.NOT_COMPARABLE.value
        return row
    comparable = change.verdict is not Verdict.NOT_COMPARABLE
    return row | {
        "change_points": _rounded(100 * change.change_fraction),
        "change_low": _rounded(100 * change.low_fraction),
        "change_high": _rounded(100 * change.high_fraction),
        "mdc_points": _rounded(100 * change.mdc_fraction),
        "verdict": change.verdict.value,
        "responder": change.verdict is Verdict.INCREASE if comparable else None,
        "change_tier": change.tier.value if change.tier else None,
        "change_aligned_by": " and ".join(change.aligned_by) if comparable else None,
    }


def missing_table(results: StudyResults) -> TidyTable:
    """One row for each planned visit of a subject and view without a photograph."""
    arms = results.arm_of
    rows = tuple(
        {"subject": subject, "arm": arms[subject], "view": view, "visit": visit}
        for subject, view, visit in results.missing
    )
    meaning = "one row for each planned visit without a photograph"
    return TidyTable("missing_visits", meaning, MISSING_FIELDS, rows)


def _rounded(value: float) -> float | None:
    """Six decimals: more than any error leaves, and the same text on every machine."""
    return round(value, 6) if math.isfinite(value) else None
