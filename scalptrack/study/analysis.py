"""The statistics of a study: which rows go into which model, in the main and the other analyses."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scalptrack.errors import InputError
from scalptrack.longitudinal.agreement import Estimate
from scalptrack.records import FloatArray
from scalptrack.study.repeatability import repeatability_rows
from scalptrack.study.statistics import (
    MINIMUM_PER_ARM,
    Ancova,
    Contrast,
    NotEstimableError,
    ancova,
    difference_of_proportions,
    holm,
    mixed_model,
    proportion,
    subjects_per_arm,
)
from scalptrack.study.stats_tables import (
    CONTRAST_FIELDS,
    MEAN_FIELDS,
    MISSING_DATA_FIELDS,
    REPEATABILITY_FIELDS,
    RESPONDER_FIELDS,
    SAMPLE_SIZE_FIELDS,
    StatsSettings,
    StudyStatistics,
    interval_row,
    stated,
)
from scalptrack.study.tidy import (
    Row,
    StudyResults,
    TidyTable,
    flagged_names,
    photograph_table,
    tier_b_names,
    visit_table,
    without,
)
from scalptrack.wording import plural

DAYS_PER_YEAR = 365.25
NOT_STATED = frozenset({"", "na", "n/a", "nan", "null", ".", "?"})
"""What tables write for a value that isn't known, in small letters; "none" may be a value."""

ANCOVA, MIXED = "ANCOVA", "mixed model"


def analyse_study(results: StudyResults, settings: StatsSettings) -> StudyStatistics:
    """Statistics of a study, with the analyses that leave doubtful photographs out.

    Raises
    ------
    InputError
        If a setting names what the study doesn't have.
    """
    settings = _filled(results, settings)
    doubtful = {
        "main": frozenset[str](),
        "without tier B": tier_b_names(results),
        "without flagged photographs": flagged_names(results),
    }
    contrasts: list[Row] = []
    means: list[Row] = []
    responders: list[Row] = []
    sizes: list[Row] = []
    repeated: list[Row] = []
    for name, left_out in doubtful.items():
        if left_out or name == "main":
            part = without(results, left_out) if left_out else results
            rows = visit_table(part).rows
            found = [*_ancova_rows(rows, settings, means, sizes), *_mixed_rows(rows, settings)]
            _adjust(found, "p_value", key=lambda row: row["model"])
            contrasts += _named(name, found)
            answered = list(_responder_rows(rows, settings))
            _adjust(answered, "p_value", key=lambda _row: "")
            responders += _named(name, answered)
            photographs = photograph_table(part).rows
            repeated += _named(name, list(repeatability_rows(photographs, settings.views)))
            means[:] = _named(name, means)
            sizes[:] = _named(name, sizes)
    tables = (
        TidyTable("contrasts", "arms against the control", CONTRAST_FIELDS, tuple(contrasts)),
        TidyTable("means", "changes of each arm", MEAN_FIELDS, tuple(means)),
        TidyTable(
            "responders",
            "subjects beyond the detectable change",
            RESPONDER_FIELDS,
            tuple(responders),
        ),
        TidyTable(
            "missing_data",
            "what is there of each arm and visit",
            MISSING_DATA_FIELDS,
            tuple(_missing_rows(results, settings)),
        ),
        TidyTable("sample_size", "subjects of a next study", SAMPLE_SIZE_FIELDS, tuple(sizes)),
        TidyTable(
            "repeatability",
            "how well photographs of one visit agree",
            REPEATABILITY_FIELDS,
            tuple(repeated),
        ),
    )
    counts = {name: len(names) for name, names in doubtful.items()}
    return StudyStatistics(tables, counts, settings)


def _filled(results: StudyResults, settings: StatsSettings) -> StatsSettings:
    """Settings with the views and visits that are meant, or what is wrong with them."""
    known = {
        "--control": (results.arms, (settings.control,) if settings.control else ()),
        "--view": (tuple(sorted({each.view for each in results.photographs})), settings.views),
        "--visit": (results.visits[1:], settings.visits),
        "--covariate": (results.covariates, settings.covariates),
    }
    for option, (there, asked) in known.items():
        for each in asked:
            if each not in there:
                message = f"{option} {each}: the study has {', '.join(there) or 'none'}."
                raise InputError(message)
    if len(results.arms) > 1 and not settings.control:
        message = (
            f"The study has the arms {', '.join(results.arms)}. Say with --control which one the "
            "others are compared with."
        )
        raise InputError(message)
    _require_one_kind(results, settings.covariates)
    if len(results.visits) < 2:
        message = "The study has one visit only, so there is no change from baseline."
        raise InputError(message)
    return replace(
        settings,
        views=settings.views or known["--view"][0],
        visits=settings.visits or results.visits[1:],
    )


def _named(analysis: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with the name of their analysis, where they have none yet."""
    return [{"analysis": analysis} | row for row in rows]


def _adjust(rows: Sequence[Row], column: str, *, key: Callable[[Row], str]) -> None:
    """Add Holm's p-values to the rows of each family."""
    families: dict[str, list[Row]] = {}
    for row in rows:
        if row.get(column) is not None:
            families.setdefault(key(row), []).append(row)
    for family in families.values():
        for row, adjusted in zip(family, holm([row[column] for row in family]), strict=True):
            row["p_holm"] = stated(adjusted)
            row["tests_in_family"] = len(family)


def _ancova_rows(
    rows: Sequence[Row], settings: StatsSettings, means: list[Row], sizes: list[Row]
) -> Iterator[Row]:
    """Contrasts of every view and visit; adds the arms' means and the sample sizes."""
    at_baseline = {(row["subject"], row["view"]): row for row in rows if row["days"] == 0}
    for view in settings.views:
        for visit in settings.visits:
            here = [
                row
                for row in rows
                if (row["view"], row["visit"]) == (view, visit)
                and row.get("change_points") is not None
            ]
            place: Row = {"view": view, "visit": visit}
            baselines = [at_baseline[row["subject"], view] for row in here]
            here, baselines, columns, lost = _with_covariates(here, baselines, settings.covariates)
            fit: Ancova | None = None
            reason = "a study of one arm has nothing to compare"
            if settings.control:
                try:
                    fit = ancova(
                        _column(here, "change_points"),
                        _column(here, "baseline_percent"),
                        [row["arm"] for row in here],
                        control=settings.control,
                        covariates=columns,
                    )
                except NotEstimableError as error:
                    reason = str(error)
            if lost:
                reason = f"{reason}; {plural(lost, 'subject')} without a covariate left out"
            means += [place | row for row in _mean_rows(here, fit)]
            if fit is None:
                yield place | {"model": ANCOVA, "reason": reason}
                continue
            for each in fit.contrasts:
                note = {"reason": reason.partition("; ")[2]} if lost else {}
                yield place | {"model": ANCOVA} | _contrast_row(each) | note
            subjects = {row["subject"]: row["arm"] for row in here}
            yield from _left_out_arms(place | {"model": ANCOVA}, rows, subjects, fit.contrasts)
            if settings.difference_points is not None:
                sizes.append(place | _size_row(fit.residual_sd, len(fit.contrasts), settings))


def _with_covariates(
    here: list[Row], baselines: list[Row], names: Sequence[str]
) -> tuple[list[Row], list[Row], FloatArray | None, int]:
    """Rows whose covariates are all known, their columns, and how many rows were left out."""
    if not names:
        return here, baselines, None, 0
    full = [
        index
        for index, row in enumerate(baselines)
        if all(is_stated(row[f"covariate_{name}"]) for name in names)
    ]
    lost = len(here) - len(full)
    here, baselines = [here[i] for i in full], [baselines[i] for i in full]
    columns = [
        column
        for name in names
        for column in _numbers_or_levels([row[f"covariate_{name}"] for row in baselines])
    ]
    matrix = np.column_stack(columns) if columns else None
    return here, baselines, matrix, lost


def is_stated(text: str) -> bool:
    """Whether a cell of a covariate holds a value."""
    return text.strip().casefold() not in NOT_STATED


def _require_one_kind(results: StudyResults, names: Sequence[str]) -> None:
    """Refuse a covariate of numbers and words: one slip would make every number a group.

    Raises
    ------
    InputError
    """
    for name in names:
        texts = [(each.covariates.get(name, ""), each) for each in results.photographs]
        stated = [(text, each) for text, each in texts if is_stated(text)]
        words = [(text, each) for text, each in stated if not _is_number(text)]
        if not stated or (words and len(words) < len(stated)):
            found = (
                f"holds numbers and words ({words[0][0]!r}, line {words[0][1].line})"
                if words
                else "holds no value"
            )
            message = (
                f"--covariate {name} {found}. Leave cells empty that aren't known, and write all "
                "others as numbers, or all as words."
            )
            raise InputError(message)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _numbers_or_levels(texts: Sequence[str]) -> list[FloatArray]:
    """A covariate as one column of numbers, or as one column per level but the first."""
    try:
        return [np.array([float(text) for text in texts])]
    except ValueError:
        levels = sorted(set(texts))[1:]
        return [np.array([float(text == level) for text in texts]) for level in levels]


def _mean_rows(rows: Sequence[Row], fit: Ancova | None) -> Iterator[Row]:
    """Unadjusted and adjusted changes of each arm."""
    for arm in sorted({row["arm"] for row in rows}):
        own = [row for row in rows if row["arm"] == arm]
        change, baseline = _column(own, "change_points"), _column(own, "baseline_percent")
        adjusted = fit.adjusted_means.get(arm) if fit else None
        yield {
            "arm": arm,
            "subjects": len(own),
            "baseline_mean": stated(baseline.mean()),
            "baseline_sd": stated(_sd(baseline)),
            "change_mean": stated(change.mean()),
            "change_sd": stated(_sd(change)),
            **(interval_row("adjusted", adjusted) if adjusted else {}),
        }


def _mixed_rows(rows: Sequence[Row], settings: StatsSettings) -> Iterator[Row]:
    """Slopes of every view."""
    if not settings.control:
        return
    for view in settings.views:
        here = [
            row
            for row in rows
            if row["view"] == view
            and row["coverage_percent"] is not None
            and row["days"] is not None
        ]
        place: Row = {"view": view, "visit": "all", "model": MIXED}
        try:
            fit = mixed_model(
                _column(here, "coverage_percent"),
                _column(here, "days") / DAYS_PER_YEAR,
                [row["subject"] for row in here],
                [row["arm"] for row in here],
                control=settings.control,
            )
        except NotEstimableError as error:
            yield place | {"reason": str(error)}
            continue
        for each in fit.contrasts:
            yield place | _contrast_row(each)
        visits = Counter(row["subject"] for row in here)
        subjects = {row["subject"]: row["arm"] for row in here if visits[row["subject"]] > 1}
        yield from _left_out_arms(place, rows, subjects, fit.contrasts)


def _left_out_arms(
    place: Row, rows: Sequence[Row], subjects: dict[str, str], contrasts: Sequence[Contrast]
) -> Iterator[Row]:
    """Arms of the study that a model has too few subjects of: each is stated, none disappears."""
    control = contrasts[0].control
    for arm in sorted({row["arm"] for row in rows} - {control, *(each.arm for each in contrasts)}):
        count = sum(each == arm for each in subjects.values())
        reason = (
            f"the arm {arm} has {count} subjects with the numbers that are needed; at least "
            f"{MINIMUM_PER_ARM} are"
        )
        yield place | {"arm": arm, "control": control, "subjects": count, "reason": reason}


def _contrast_row(each: Contrast) -> Row:
    return {
        "arm": each.arm,
        "control": each.control,
        "subjects": each.subjects,
        "control_subjects": each.control_subjects,
        **interval_row("difference", each.difference),
        "standard_error": stated(each.standard_error),
        "dof": stated(each.dof),
        "p_value": stated(each.p_value),
    }


def _responder_rows(rows: Sequence[Row], settings: StatsSettings) -> Iterator[Row]:
    """Subjects beyond the detectable change, of those who have a comparable change."""
    for view in settings.views:
        for visit in settings.visits:
            counted = {
                arm: [
                    row["responder"]
                    for row in rows
                    if (row["view"], row["visit"], row["arm"]) == (view, visit, arm)
                    and row.get("responder") is not None
                ]
                for arm in sorted({row["arm"] for row in rows})
            }
            control = counted.get(settings.control, [])
            for arm, answers in counted.items():
                row: Row = {
                    "view": view,
                    "visit": visit,
                    "arm": arm,
                    "subjects": len(answers),
                    "responders": sum(answers),
                    **interval_row("share", proportion(sum(answers), len(answers)).times(100)),
                }
                if arm != settings.control and control and answers:
                    difference, p_value = difference_of_proportions(
                        sum(answers), len(answers), sum(control), len(control)
                    )
                    row |= interval_row("difference", difference.times(100))
                    row["p_value"] = stated(p_value)
                yield row


def _missing_rows(results: StudyResults, settings: StatsSettings) -> Iterator[Row]:
    """What is there of each arm, view and visit, and why the rest is not."""
    photographs = photograph_table(results).rows
    visits = visit_table(results).rows
    arm_of = results.arm_of
    for view in settings.views:
        for visit in results.visits:
            for arm in results.arms:
                here = (view, visit, arm)
                seen = [row for row in visits if (row["view"], row["visit"], row["arm"]) == here]
                codes = [
                    row["reason_code"] or row["status"]
                    for row in photographs
                    if (row["view"], row["visit"], row["arm"]) == here
                    and row["status"] != "measured"
                ]
                yield {
                    "view": view,
                    "visit": visit,
                    "arm": arm,
                    "subjects": sum(each == arm for each in arm_of.values()),
                    "photographed": len(seen),
                    "with_a_number": sum(row["replicates"] > 0 for row in seen),
                    "with_a_change": sum(row.get("change_points") is not None for row in seen),
                    "reasons": "; ".join(
                        f"{codes.count(code)} x {code}" for code in sorted(set(codes))
                    ),
                }


def _size_row(sd: Estimate, contrasts: int, settings: StatsSettings) -> Row:
    """Subjects per arm for the difference asked for; the SD's interval gives theirs."""
    difference = settings.difference_points or 0.0
    alpha = settings.alpha / contrasts
    row: Row = {
        "difference_points": difference,
        "power": settings.power,
        "alpha": stated(alpha),
        "dropout_percent": stated(100 * settings.dropout),
        **interval_row("sd", sd),
    }
    for name, value in (
        ("subjects", sd.value),
        ("subjects_low", sd.low),
        ("subjects_high", sd.high),
    ):
        try:
            found = subjects_per_arm(value, difference, power=settings.power, alpha=alpha)
        except ValueError as error:
            row["reason"] = str(error)
            continue
        row[name] = math.ceil(found / (1.0 - settings.dropout))
    return row


def _column(rows: Sequence[Row], name: str) -> FloatArray:
    return np.array([row[name] for row in rows], dtype=float)


def _sd(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else math.nan
