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
from scipy.optimize import minimize
from scipy.stats import norm

from lab.phantom.covisible import covisible_coverage, read_dense_truth
from scalptrack.cache import RecordCache
from scalptrack.catalog import catalog_folder
from scalptrack.longitudinal import MEASURED_ERRORS, build_timelines
from scalptrack.pipeline import Series, track
from scalptrack.records import Change, Settings, Status, Verdict

UNCHANGED_POINTS = 2.0
"""True change up to which a follow-up counts as unchanged; combing alone moves a point or two."""

SEED = 20260101


@dataclass(frozen=True)
class FollowUp:
    """Measured and true change from the first photograph of a series, in points.

    ``doubt`` is the root mean square of the doubts about both coverages, ``stated`` what the
    program says of the change; None where it compares nothing.
    """

    series: str
    measured: float
    true: float
    doubt: float
    stated: Change | None

    @property
    def error(self) -> float:
        """Points by which the measured change is too large."""
        return self.measured - self.true

    @property
    def is_called(self) -> bool:
        """Whether the program says that coverage changed."""
        return self.stated is not None and self.stated.verdict in (
            Verdict.INCREASE,
            Verdict.DECREASE,
        )


def tracked(folder: Path) -> list[Series]:
    """Series of a folder's photographs as the program sees them, without their truth."""
    with tempfile.TemporaryDirectory() as name:
        alone = Path(name)
        for path in folder.rglob("*.jpg"):
            target = alone / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        cache = RecordCache(None, {}, fingerprint="")
        return list(track(catalog_folder(alone), Settings(), cache=cache))


def follow_ups(folder: Path) -> tuple[list[FollowUp], list[float], int]:
    """Follow-ups of a folder, errors of single coverages, and how many had no number."""
    found, errors, without = [], [], 0
    for series in tracked(folder):
        names = [outcome.name for outcome in series.outcomes]
        truths = covisible_coverage(
            [read_dense_truth((folder / name).with_suffix("")) for name in names]
        )
        dated = {
            change.visit_date: change
            for timeline in build_timelines(series.outcomes)
            for change in timeline.changes
        }
        pairs, dates = [], []
        for outcome, truth in zip(series.outcomes, truths, strict=True):
            if outcome.status is not Status.MEASURED or outcome.measurement is None:
                without += 1
                print(f"  without a number: {outcome.name}: {getattr(outcome.reason, 'code', '')}")
                continue
            measured, true = outcome.measurement.coverage_fraction, truth["coverage_fraction"]
            pairs.append((100 * measured, 100 * true, 100 * outcome.measurement.doubt_fraction))
            dates.append(outcome.visit_date)
        errors += [measured - true for measured, true, _ in pairs]
        name = f"{series.subject}/{series.view}"
        for (measured, true, doubt), when in zip(pairs[1:], dates[1:], strict=True):
            both = float(np.hypot(doubt, pairs[0][2]) / np.sqrt(2))
            change = (measured - pairs[0][0], true - pairs[0][1])
            found.append(FollowUp(name, *change, both, dated.get(when)))
            called = dated[when].verdict.value if when in dated else "nothing compared"
            print(
                f"  {name}: measured {found[-1].measured:+.1f}, true {found[-1].true:+.1f}, "
                f"doubt {both:.1f}: {called}"
            )
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


def print_verdicts(changes: list[FollowUp]) -> None:
    """Print what the program calls a change, and how often its interval holds the truth."""
    stated = [(each.true, each.stated) for each in changes if each.stated is not None]
    held = [c.low_fraction <= true / 100 <= c.high_fraction for true, c in stated]
    called = [each for each in changes if each.is_called]
    false = [each for each in called if each.true * each.measured <= 0]
    print(f"95 % intervals that hold the true change: {sum(held)} of {len(held)}.")
    print(
        f"Called an increase or a decrease: {len(called)}, of which {len(false)} in the wrong "
        f"direction, {sum(abs(each.true) < UNCHANGED_POINTS for each in called)} of unchanged hair."
    )


def by_doubt(changes: list[FollowUp]) -> None:
    """Print the error of a change by doubt, and the fit of `MEASURED_VISIT_SD_PER_DOUBT`."""
    print("\n| doubt, points | follow-ups | root mean square error | stated |\n|---|---|---|---|")
    error = np.array([each.error for each in changes])
    doubt = np.array([each.doubt for each in changes])
    stated = stated_sd(doubt, MEASURED_ERRORS.visit_sd_fraction, MEASURED_ERRORS.visit_sd_per_doubt)
    for part in np.array_split(np.argsort(doubt, kind="stable"), 4):
        rms, said = (np.sqrt(np.mean(each[part] ** 2)) for each in (error, stated))
        low, high = doubt[part].min(), doubt[part].max()
        print(f"| {low:.1f} to {high:.1f} | {len(part)} | {rms:.1f} | {said:.1f} |")

    def unlikely(logs: np.ndarray) -> float:
        sd = stated_sd(doubt, *np.exp(logs))
        # A mixture with a wide part, so that few gross errors don't widen every interval.
        likely = 0.95 * norm.pdf(error, 0, sd) + 0.05 * norm.pdf(error, 0, 3 * sd)
        return -float(np.log(likely).sum())

    base, per_doubt = np.exp(minimize(unlikely, np.log([0.01, 0.3]), method="Nelder-Mead").x)
    print(f"Fit: visit SD {100 * base:.2f} points, {per_doubt:.2f} per doubt.")


def stated_sd(doubt: np.ndarray, base_fraction: float, per_doubt: float) -> np.ndarray:
    """SD in points of a change between single photographs, as the program states it."""
    own = 100 * np.hypot(MEASURED_ERRORS.prior_sd_fraction, base_fraction)
    return np.asarray(np.sqrt(2) * np.hypot(own, per_doubt * doubt))


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
    gaps = np.array([each.error for each in changes])
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
    unchanged = [each.error for each in changes if abs(each.true) < UNCHANGED_POINTS]
    if unchanged:
        sd = float(np.sqrt(np.mean(np.square(unchanged)) / 2))
        print(f"One photograph of unchanged hair: SD {sd:.1f} points ({len(unchanged)} pairs).")
    print_verdicts(changes)
    by_doubt(changes)


if __name__ == "__main__":
    main()
