"""Change between visits against truth: what the program recovers of it.

Run: ``python -m lab.benchmarks.change FOLDER [FOLDER ...]`` on series that lab/phantom rendered
(``FOLDER/subject/view/DATE.jpg`` with its dense truth; ``lab.training.renders --validation`` makes
some). Every series is tracked as the program does it: registered, and measured over the scalp that
all its photographs show. Truth is the hair fraction over the scalp that the renderer knows all of
them to show. Prints the slope of measured on true change (least squares through zero, with a
bootstrap over series), and what a photograph of unchanged hair varies by.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.phantom.covisible import covisible_coverage, read_dense_truth
from scalptrack.cache import RecordCache
from scalptrack.catalog import catalog_folder
from scalptrack.pipeline import track
from scalptrack.records import Settings, Status

UNCHANGED_POINTS = 2.0
"""True change up to which a follow-up counts as unchanged; combing alone moves a point or two."""

SEED = 20260101


@dataclass(frozen=True)
class FollowUp:
    """Measured and true change from the first photograph of a series, in points."""

    series: str
    measured: float
    true: float


def follow_ups(folder: Path) -> tuple[list[FollowUp], list[float], int]:
    """Follow-ups of a folder, errors of single coverages, and how many had no number."""
    found, errors, without = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        alone = Path(name)
        for path in folder.rglob("*.jpg"):
            target = alone / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        cache = RecordCache(None, {}, fingerprint="")
        tracked = list(track(catalog_folder(alone), Settings(), cache=cache))
    for series in tracked:
        names = [outcome.name for outcome in series.outcomes]
        truths = covisible_coverage(
            [read_dense_truth((folder / name).with_suffix("")) for name in names]
        )
        pairs = []
        for outcome, truth in zip(series.outcomes, truths, strict=True):
            if outcome.status is not Status.MEASURED or outcome.measurement is None:
                without += 1
                print(f"  without a number: {outcome.name}: {getattr(outcome.reason, 'code', '')}")
                continue
            pairs.append(
                (100 * outcome.measurement.coverage_fraction, 100 * truth["coverage_fraction"])
            )
        errors += [measured - true for measured, true in pairs]
        name = f"{series.subject}/{series.view}"
        for measured, true in pairs[1:]:
            found.append(FollowUp(name, measured - pairs[0][0], true - pairs[0][1]))
            print(f"  {name}: measured {found[-1].measured:+.1f}, true {found[-1].true:+.1f}")
    return found, errors, without


def slope(changes: list[FollowUp]) -> float:
    """Least-squares slope of measured on true change, through zero."""
    true = np.array([each.true for each in changes])
    measured = np.array([each.measured for each in changes])
    return float(true @ measured / (true @ true))


def slope_interval(changes: list[FollowUp]) -> tuple[float, float]:
    """95 % bootstrap interval of the slope; whole series are drawn."""
    rng = np.random.default_rng(SEED)
    names = sorted({each.series for each in changes})
    by_name = {name: [each for each in changes if each.series == name] for name in names}
    slopes = []
    for _ in range(2000):
        drawn = rng.choice(names, len(names))
        slopes.append(slope([each for name in drawn for each in by_name[name]]))
    low, high = np.percentile(slopes, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    changes: list[FollowUp] = []
    errors: list[float] = []
    without = 0
    for folder in options.folders:
        found, single, missing = follow_ups(folder)
        changes, errors, without = changes + found, errors + single, without + missing
    if not changes:
        raise SystemExit("No follow-up has a number.")
    gaps = np.array([each.measured - each.true for each in changes])
    low, high = slope_interval(changes)
    print(f"\n{len(errors)} photographs with a number, {without} without.")
    print(f"Coverage: MAE {np.abs(errors).mean():.1f}, bias {np.mean(errors):+.1f} points.")
    print(
        f"Change, {len(changes)} follow-ups of {len({each.series for each in changes})} series: "
        f"MAE {np.abs(gaps).mean():.1f}, root mean square {np.sqrt(np.mean(gaps**2)):.1f}, "
        f"worst {np.abs(gaps).max():.1f} points; "
        f"slope {slope(changes):.2f} (95 % interval {low:.2f} to {high:.2f})."
    )
    wrong = [each for each in changes if abs(each.true) > 5 and each.true * each.measured < 0]
    large = [each for each in changes if abs(each.true) > 5]
    print(f"Sign of a true change above 5 points: {len(wrong)} of {len(large)} wrong.")
    unchanged = [each.measured - each.true for each in changes if abs(each.true) < UNCHANGED_POINTS]
    if unchanged:
        sd = float(np.sqrt(np.mean(np.square(unchanged)) / 2))
        print(f"One photograph of unchanged hair: SD {sd:.1f} points ({len(unchanged)} pairs).")


if __name__ == "__main__":
    main()
