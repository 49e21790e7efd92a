"""What the benchmark of bad pairs counts as a false acceptance, and its ROC."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from lab.benchmarks.bad_pairs_report import GATES, auc, bound, joint, outcome, roc
from scalptrack.registration import gates, refusals

PASSING = {
    "bare_skin_fraction": 0.4,
    "cut_off_fraction": 0.0,
    "inliers": 200.0,
    "inliers_above_chance": 4.0,
    "rotation_deg": 8.0,
    "size_error": 0.02,
    "overlap": 0.95,
    "outline_overlap": 0.9,
    "spread": 0.8,
    "split_half_percent": 0.2,
    "correlation": 0.5,
    "correlation_margin": 0.4,
}


def _row(*, same: bool, error: float | None = 0.2, problem: str = "", **changed: float) -> dict:
    attempt = {"gates": PASSING | changed, "tre_percent": error, "tre_p95_percent": error}
    return {"attempts": [attempt], "same": same, "problem": problem, "reason": ""}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_row(same=True), "right"),
        (_row(same=True, error=3.2), "wrong"),
        (_row(same=False, error=None), "wrong"),
        (_row(same=False, error=None, correlation=0.19), "refused"),
        (_row(same=True, split_half_percent=1.01), "refused"),
        (_row(same=True, reverse_percent=1.1), "right"),
        (_row(same=True, error=3.2, reverse_percent=1.3), "refused"),
        (_row(same=True, problem="blurred"), "rejected"),
        ({"attempts": [], "same": True, "problem": "", "reason": "no_head"}, "refused"),
    ],
)
def test_what_counts_as_a_false_acceptance(row: dict, expected: str) -> None:
    assert outcome(row) == expected


def test_each_gate_alone_refuses_on_the_wrong_side_of_its_limit() -> None:
    assert joint(PASSING) > 1.0
    for name, (limit, direction) in GATES.items():
        assert joint(PASSING | {name: limit}) == pytest.approx(1.0, abs=0.34)
        assert joint(PASSING | {name: limit * (1 - 0.3 * direction)}) < 1.0


def test_few_points_are_enough_where_the_skins_are_alike() -> None:
    assert joint(PASSING | {"inliers_above_chance": 1.6}) >= 1.0
    assert joint(PASSING | {"inliers_above_chance": 1.6, "correlation": 0.29}) < 1.0
    assert joint(PASSING | {"inliers_above_chance": 1.4}) < 1.0


def test_every_gate_of_the_program_is_in_the_tables() -> None:
    source = inspect.getsource(gates)
    assert all(f'"{name}"' in source for name in GATES)
    assert set(refusals._SENTENCES) == set(GATES)


def test_roc_and_auc_of_separate_values() -> None:
    good, bad = np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0])
    assert auc(good, bad) == 1.0
    assert auc(bad, good) == 0.0
    assert auc(good, good) == pytest.approx(0.5)
    x, y = roc(good, bad)
    np.testing.assert_allclose(x, [0, 0, 0, 0, 0.5, 1])
    np.testing.assert_allclose(y, [0, 1 / 3, 2 / 3, 1, 1, 1])


def test_the_bound_of_a_rate_is_exact() -> None:
    """None of n: 1 - 0.05^(1/n)."""
    assert bound(0, 300) == pytest.approx(1.0 - 0.05 ** (1.0 / 300.0))
    assert bound(0, 300) < bound(1, 300) < 0.016
