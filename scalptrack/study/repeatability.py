"""How well photographs of one visit agree in a study: SEM, SDC, intraclass correlations, bias."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

from scalptrack.longitudinal.agreement import (
    Estimate,
    bland_altman,
    reliability,
    repeatability,
)
from scalptrack.study.stats_tables import interval_row, stated
from scalptrack.study.tidy import Row


def repeatability_rows(photographs: Sequence[Row], views: Sequence[str]) -> Iterator[Row]:
    """One row for each view, or the reason why there are no numbers.

    Parameters
    ----------
    photographs : sequence of Row
        Of the table of photographs.
    views : sequence of str
        What is asked for.

    Notes
    -----
    Subjects must be independent, so each counts once: at the earliest visit that has two
    photographs with a number. What all photographs of a visit share (its light, its combing) is
    in none of these numbers.
    """
    for view in views:
        groups = _replicates(photographs, view)
        pairs = [group[:2] for group in groups]
        row: Row = {"view": view, "subjects": len(groups), "photographs": sum(map(len, groups))}
        try:
            error, raters = repeatability(groups), reliability(pairs)
            differences = bland_altman(*zip(*pairs, strict=True))
        except ValueError as reason:
            yield row | {"reason": str(reason)}
            continue
        estimates: dict[str, Estimate] = {
            "sem": error.sem,
            "sdc": error.sdc,
            "icc_agreement": raters.icc_agreement,
            "icc_consistency": raters.icc_consistency,
            "bias": differences.bias,
            "lower_limit": differences.lower_limit,
            "upper_limit": differences.upper_limit,
        }
        for name, estimate in estimates.items():
            row |= interval_row(name, estimate)
        yield row | {"between_subject_sd": stated(error.between_subject_sd)}


def _replicates(photographs: Sequence[Row], view: str) -> list[list[float]]:
    """Coverages in percent of each subject's earliest visit that has at least two of them."""
    visits: dict[str, dict[str, list[float]]] = {}
    measured = [
        row
        for row in photographs
        if row["view"] == view and row.get("coverage_percent") is not None
    ]
    for row in sorted(measured, key=itemgetter("subject", "visit_date", "replicate")):
        dates = visits.setdefault(row["subject"], {})
        dates.setdefault(row["visit_date"], []).append(row["coverage_percent"])
    groups = [
        [group for group in dates.values() if len(group) > 1][:1] for dates in visits.values()
    ]
    return [each[0] for each in groups if each]
