"""Do the statistics of a study keep their word? Synthetic trials, simulated and not rendered.

Run: ``python -m lab.benchmarks.trial [--trials 4000] [--mixed 250]``

**Every trial here is made at the level of coverage**: 3 arms of 60 subjects, 4 visits (0, 90, 180
and 365 days, each within a week), 2 replicates. A subject has a baseline and a slope of its own;
each visit adds the error that its photographs share (SD 2.0 points, what the program assumes), each
replicate its own (SD 1.5 points); coverages are means of the replicates. One subject in ten leaves
after the second visit, and one visit in twenty has no number, both at random. No picture is
rendered or segmented. What is asked: with no effect, how often is a p-value below 0.05 (each
comparison on its own, and any of an analysis after Holm)? With an effect of 3 points per year in
one arm, how often does the 95 % interval hold it, and how often is it found?

Intervals of shares are Clopper and Pearson's. Comparisons of one trial share the control, so the
counts are made of the first arm alone.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import stats

from scalptrack.study.statistics import NotEstimableError, ancova, holm, mixed_model

ARMS = ("placebo", "low", "high")
PER_ARM = 60
DAYS = np.array([0, 90, 180, 365])
REPLICATES = 2
BASELINE_MEAN, BASELINE_SD = 45.0, 12.0
SLOPE_SD = 4.0
VISIT_SD, REPLICATE_SD = 2.0, 1.5
LEAVING, NO_NUMBER = 0.10, 0.05
EFFECT_PER_YEAR = 3.0
DAYS_PER_YEAR = 365.25


def trial(generator: np.random.Generator, effect: float) -> dict[str, np.ndarray]:
    """Coverage (points) of every subject and visit, NaN where there is none."""
    subjects = PER_ARM * len(ARMS)
    arm = np.repeat(np.arange(len(ARMS)), PER_ARM)
    days = DAYS + np.where(DAYS == 0, 0, generator.integers(-7, 8, (subjects, DAYS.size)))
    years = days / DAYS_PER_YEAR
    slope = generator.normal(0, SLOPE_SD, subjects) + effect * (arm == 1)
    level = generator.normal(BASELINE_MEAN, BASELINE_SD, subjects)
    shared = generator.normal(0, VISIT_SD, years.shape)
    own = generator.normal(0, REPLICATE_SD, (*years.shape, REPLICATES)).mean(axis=2)
    coverage = level[:, None] + slope[:, None] * years + shared + own
    coverage[generator.random(subjects) < LEAVING, 2:] = np.nan
    coverage[generator.random(years.shape) < NO_NUMBER] = np.nan
    return {"arm": np.array(ARMS)[arm], "years": years, "coverage": coverage}


def by_visit(data: dict[str, np.ndarray]) -> list[list]:
    """Contrasts of the ANCOVA at each follow-up visit."""
    found = []
    for visit in range(1, DAYS.size):
        change = data["coverage"][:, visit] - data["coverage"][:, 0]
        there = np.isfinite(change)
        result = ancova(
            change[there], data["coverage"][there, 0], data["arm"][there], control="placebo"
        )
        found.append(list(result.contrasts))
    return found


def slopes(data: dict[str, np.ndarray]) -> list:
    """Contrasts of the mixed model."""
    there = np.isfinite(data["coverage"])
    subject, _ = np.nonzero(there)
    return list(
        mixed_model(
            data["coverage"][there],
            data["years"][there],
            [f"s{number}" for number in subject],
            data["arm"][subject],
            control="placebo",
        ).contrasts
    )


class Share:
    """How often something was so."""

    def __init__(self) -> None:
        self.yes, self.total = 0, 0

    def count(self, answer: bool) -> None:
        self.yes += bool(answer)
        self.total += 1

    def __str__(self) -> str:
        if not self.total:
            return "no trial"
        ends = stats.binomtest(self.yes, self.total).proportion_ci(method="exact")
        percent = 100 * self.yes / self.total
        return f"{percent:5.1f} % ({100 * ends.low:.1f} to {100 * ends.high:.1f}; {self.total})"


def holds(contrast, truth: float) -> bool:
    return contrast.difference.low <= truth <= contrast.difference.high


def run_ancova(trials: int, seed: int) -> None:
    alarm, any_alarm, any_raw = Share(), Share(), Share()
    covered, power = Share(), Share()
    for number in range(trials):
        visits = by_visit(trial(np.random.default_rng([seed, 0, number]), 0.0))
        pick = next(each for each in visits[-1] if each.arm == "low")
        alarm.count(pick.p_value < 0.05)
        p_values = [each.p_value for visit in visits for each in visit]
        any_raw.count(min(p_values) < 0.05)
        any_alarm.count(min(holm(p_values)) < 0.05)
        visits = by_visit(trial(np.random.default_rng([seed, 1, number]), EFFECT_PER_YEAR))
        pick = next(each for each in visits[-1] if each.arm == "low")
        covered.count(holds(pick, EFFECT_PER_YEAR * 365 / DAYS_PER_YEAR))
        power.count(pick.p_value < 0.05)
    print("ANCOVA, last visit")
    print(f"  no effect: p < 0.05                               {alarm}")
    print(f"  no effect: any of 6 comparisons below 0.05        {any_raw}")
    print(f"  no effect: any of them after Holm                 {any_alarm}")
    print(f"  effect: the 95 % interval holds it                {covered}")
    print(f"  effect: found                                     {power}")


def run_mixed(trials: int, seed: int) -> None:
    alarm, covered, power, failed = Share(), Share(), Share(), Share()
    for number in range(trials):
        for effect, tag in ((0.0, 2), (EFFECT_PER_YEAR, 3)):
            try:
                contrasts = slopes(trial(np.random.default_rng([seed, tag, number]), effect))
            except NotEstimableError:
                failed.count(True)
                continue
            failed.count(False)
            pick = next(each for each in contrasts if each.arm == "low")
            if effect:
                power.count(pick.p_value < 0.05)
            else:
                alarm.count(pick.p_value < 0.05)
            covered.count(holds(pick, effect))
    print("mixed model, slopes")
    print(f"  did not converge                                  {failed}")
    print(f"  no effect: p < 0.05                               {alarm}")
    print(f"  the 95 % interval holds the effect                {covered}")
    print(f"  effect: found                                     {power}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=4000, help="trials of the ANCOVA")
    parser.add_argument("--mixed", type=int, default=250, help="trials of the mixed model")
    parser.add_argument("--seed", type=int, default=20260101)
    options = parser.parse_args()
    started = time.process_time()
    run_ancova(options.trials, options.seed)
    run_mixed(options.mixed, options.seed)
    print(f"{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
