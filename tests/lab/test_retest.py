"""The retest benchmark: standard deviations of pairs, and which photographs are paired."""

from __future__ import annotations

import numpy as np
import pytest

from lab.benchmarks import retest
from lab.benchmarks.retest import OTHER_LIGHT, SAME_LIGHT, Pair, print_table, within_subject_sd


def test_the_standard_deviation_is_that_of_one_photograph() -> None:
    rng = np.random.default_rng(1)
    shots = rng.normal(50, 2.0, (4000, 2))
    sd, low, high = within_subject_sd(shots[:, 1] - shots[:, 0])
    assert sd == pytest.approx(2.0, rel=0.04)
    assert low < sd < high


def test_the_interval_of_ten_pairs_is_as_wide_as_published() -> None:
    # True over estimated standard deviation of 10 pairs: 0.70 to 1.76 (shared/research.md).
    sd, low, high = within_subject_sd([1.0] * 10)
    assert sd == pytest.approx(np.sqrt(0.5))
    assert (low / sd, high / sd) == (pytest.approx(0.70, abs=0.005), pytest.approx(1.755, abs=0.01))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    held = [low < 1 < high for _, low, high in (_drawn(rng) for _ in range(1000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def _drawn(rng: np.random.Generator) -> tuple[float, float, float]:
    return within_subject_sd(rng.normal(0, np.sqrt(2), 12))


def test_the_table_has_each_view_of_each_kind(capsys) -> None:
    pairs = [
        Pair("vertex", SAME_LIGHT, 1.0, 0.5),
        Pair("frontal", SAME_LIGHT, -3.0, 0.5),
        Pair("vertex", OTHER_LIGHT, 2.0, 0.0),
    ]
    print_table(pairs)
    lines = capsys.readouterr().out.splitlines()
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in lines[2:]]
    assert [(row[0], row[1], row[2]) for row in cells] == [
        (SAME_LIGHT, "all", "2"),
        (SAME_LIGHT, "frontal", "1"),
        (SAME_LIGHT, "vertex", "1"),
        (OTHER_LIGHT, "all", "1"),
        (OTHER_LIGHT, "vertex", "1"),
    ]
    assert cells[0][3].startswith("1.58 ")
    assert cells[0][6] == "2.0, 3.0"


def test_a_photograph_without_a_number_makes_no_pair(monkeypatch, tmp_path) -> None:
    from types import SimpleNamespace as Made

    from scalptrack.records import Status

    def outcome(name: str, coverage: float | None):
        return Made(
            name=f"p/vertex/{name}.jpg",
            status=Status.REFUSED if coverage is None else Status.MEASURED,
            measurement=None if coverage is None else Made(coverage_fraction=coverage),
            reason=Made(code="blurred"),
        )

    series = Made(
        view="vertex",
        outcomes=[
            outcome("2024-01-01_1", 0.5),
            outcome("2024-01-01_2", None),
            outcome("2024-07-01", 0.53),
        ],
    )
    monkeypatch.setattr(retest, "tracked", lambda _: [series])
    monkeypatch.setattr(retest, "read_dense_truth", lambda path: path)
    monkeypatch.setattr(
        retest, "covisible_coverage", lambda paths: [{"coverage_fraction": 0.5}] * len(paths)
    )
    (pair,), reasons, count = retest.pairs_of(tmp_path)
    assert (pair.kind, pair.true, count, dict(reasons)) == (OTHER_LIGHT, 0.0, 3, {"blurred": 1})
    assert pair.measured == pytest.approx(3.0)
