"""How well photographs of one visit agree: against plain formulas and another implementation."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from agreement_pairs import COVERAGES, ICC_AGREEMENT, ICC_CONSISTENCY
from scipy import stats

from scalptrack.study.repeatability import repeatability_rows


def photograph(subject: int, replicate: int, coverage: float | None, *, day: int = 0) -> dict:
    """Row of the table of photographs."""
    return {
        "subject": f"s{subject}",
        "view": "vertex",
        "visit_date": dt.date(2024, 1, 1) + dt.timedelta(days=day),
        "replicate": replicate,
        "coverage_percent": coverage,
    }


def pairs() -> list[dict]:
    return [
        photograph(subject, replicate, coverage)
        for subject, pair in enumerate(COVERAGES)
        for replicate, coverage in enumerate(pair, start=1)
    ]


def ends(row: dict, name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def test_numbers_are_those_of_the_formulas():
    (row,) = repeatability_rows(pairs(), ["vertex"])
    first, second = np.array(COVERAGES).T
    difference = second - first
    sem = math.sqrt(np.mean(difference**2) / 2)
    low, high = (math.sqrt(8 / stats.chi2.ppf(tail, 8)) for tail in (0.975, 0.025))
    assert (row["subjects"], row["photographs"]) == (8, 16)
    assert ends(row, "sem") == pytest.approx((sem, sem * low, sem * high), abs=1e-6)
    assert row["sdc"] == pytest.approx(1.96 * math.sqrt(2) * sem, abs=1e-6)
    assert ends(row, "icc_agreement") == pytest.approx(ICC_AGREEMENT, abs=1e-6)
    assert ends(row, "icc_consistency") == pytest.approx(ICC_CONSISTENCY, abs=1e-6)
    bias = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    assert ends(row, "bias") == pytest.approx((difference.mean(), *bias), abs=1e-6)
    spread = 1.96 * difference.std(ddof=1)
    assert row["lower_limit"] == pytest.approx(difference.mean() - spread, abs=1e-6)
    assert row["upper_limit"] == pytest.approx(difference.mean() + spread, abs=1e-6)
    assert row["upper_limit_low"] < row["upper_limit"] < row["upper_limit_high"]
    between = np.var(np.mean(COVERAGES, axis=1), ddof=1) - sem**2 / 2
    assert row["between_subject_sd"] == pytest.approx(math.sqrt(between), abs=1e-6)


def test_a_subject_counts_once_at_the_earliest_visit_with_two_numbers():
    (alone,) = repeatability_rows(pairs(), ["vertex"])
    more = [
        *pairs(),
        *(photograph(0, replicate, 90.0 * replicate % 70, day=90) for replicate in (1, 2)),
        photograph(8, 1, 20.0),
        photograph(9, 1, 20.0),
        photograph(9, 2, None),
        photograph(0, 1, 10.0, day=-30),
        photograph(0, 1, 80.0) | {"view": "frontal"},
    ]
    (row,) = repeatability_rows(more[::-1], ["vertex"])
    assert row == alone


def test_too_few_subjects_are_a_reason_and_no_number():
    (row,) = repeatability_rows(pairs()[:4], ["vertex"])
    assert (row["subjects"], row["photographs"]) == (2, 4)
    assert row["reason"].startswith("at least 3 subjects are needed")
    assert "sem" not in row
    (none,) = repeatability_rows([], ["frontal"])
    assert (none["view"], none["subjects"]) == ("frontal", 0)
    assert none["reason"].startswith("at least 3 subjects are needed")
