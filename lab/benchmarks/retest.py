"""Retest: two photographs of unchanged hair, posed and combed anew, measured as the program does.

Run: ``python -m lab.strands.visits FOLDER --retest --first 990000 --people 40``, then
``python -m lab.benchmarks.retest FOLDER [FOLDER ...]``. Each person has two replicates of one visit
(the same light) and one photograph of another day (other light). Within-subject standard deviation
= root mean square difference / sqrt(2), MDC95 = 1.96 x sqrt(2) x that, with 95 % intervals by the
chi-square distribution, by view and by what differs. The truth changes a little, too, because
strands fall otherwise: its own share is stated.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.benchmarks.change import tracked
from lab.phantom.covisible import covisible_coverage, read_dense_truth
from lab.strands.visits import RETEST_NAMES
from scalptrack.longitudinal.agreement import sd_estimate
from scalptrack.longitudinal.intervals import MDC95_FACTOR
from scalptrack.records import Outcome, Status

SAME_LIGHT, OTHER_LIGHT = "same day, same light", "another day, other light"


@dataclass(frozen=True, slots=True)
class Pair:
    """Difference between two photographs of unchanged hair, in points."""

    view: str
    kind: str
    measured: float
    true: float


def within_subject_sd(differences: Sequence[float]) -> tuple[float, float, float]:
    """Standard deviation of one photograph, and its 95 % interval, from differences of pairs."""
    sd = sd_estimate(float(np.mean(np.square(differences)) / 2), len(differences))
    return sd.value, sd.low, sd.high


def pairs_of(folder: Path) -> tuple[list[Pair], Counter[str], int]:
    """Pairs of a folder, why photographs have no number, and how many photographs there are."""
    pairs, reasons, count = [], Counter[str](), 0
    for series in tracked(folder):
        truths = covisible_coverage(
            [read_dense_truth((folder / each.name).with_suffix("")) for each in series.outcomes]
        )
        values: dict[str, tuple[float, float]] = {}
        for outcome, truth in zip(series.outcomes, truths, strict=True):
            count += 1
            measured = _measured(outcome)
            if measured is None:
                reasons[outcome.reason.code if outcome.reason else "?"] += 1
            else:
                values[Path(outcome.name).stem] = (measured, 100 * truth["coverage_fraction"])
        first = RETEST_NAMES[0]
        for second, kind in zip(RETEST_NAMES[1:], (SAME_LIGHT, OTHER_LIGHT), strict=True):
            if first in values and second in values:
                gap = np.subtract(values[second], values[first])
                pairs.append(Pair(series.view, kind, float(gap[0]), float(gap[1])))
    return pairs, reasons, count


def _measured(outcome: Outcome) -> float | None:
    if outcome.status is not Status.MEASURED or outcome.measurement is None:
        return None
    return 100 * outcome.measurement.coverage_fraction


def print_table(pairs: Sequence[Pair]) -> None:
    """Print SD and MDC95 by kind and view."""
    print("| what differs | view | pairs | SD, points | MDC95 | of it true | median, worst |")
    print("|---|---|---|---|---|---|---|")
    for kind in (SAME_LIGHT, OTHER_LIGHT):
        of_kind = [each for each in pairs if each.kind == kind]
        for view in ("all", *sorted({each.view for each in of_kind})):
            chosen = [each for each in of_kind if view in ("all", each.view)]
            if not chosen:
                continue
            gaps = [each.measured for each in chosen]
            sd, low, high = within_subject_sd(gaps)
            true = within_subject_sd([each.true for each in chosen])[0]
            absolute = np.abs(gaps)
            print(
                f"| {kind} | {view} | {len(chosen)} | {sd:.2f} ({low:.2f} to {high:.2f}) "
                f"| {MDC95_FACTOR * sd:.1f} "
                f"({MDC95_FACTOR * low:.1f} to {MDC95_FACTOR * high:.1f}) | {true:.2f} "
                f"| {np.median(absolute):.1f}, {absolute.max():.1f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    pairs: list[Pair] = []
    reasons, count = Counter[str](), 0
    for folder in options.folders:
        found, without, photographs = pairs_of(folder)
        pairs += found
        reasons += without
        count += photographs
    if not pairs:
        raise SystemExit("No two photographs of a person have a number.")
    print(f"{count} photographs, {sum(reasons.values())} without a number: {dict(reasons)}\n")
    print_table(pairs)


if __name__ == "__main__":
    main()
