"""Do intervals, verdicts and trends of timelines hold what they promise? Simulated, not rendered.

Run: ``python -m lab.benchmarks.calibration [--series 400] [--errors "as assumed"]``

**Every series here is made at the level of coverage**: a true coverage plus errors drawn from the
components that the program assumes (within-subject SD of a photograph, differing between subjects;
SD that the photographs of a visit share, known from few). No picture is rendered or segmented. It
shows whether the statistics keep their word *when the components of the error are what the program
takes them for*, and, in the rows that say so, what happens when the errors are larger. Whether the
components are right is for lab/benchmarks/main_job.py and for rendered retests to show.

Series are those of one subject alone ("prior": one photograph per visit), of one with one
photograph per visit among seven others with pairs at four visits ("pooled"), and of one with pairs
("own"). Per series one visit, one change and one trend are counted, so that the counts are
independent; 95 % intervals of shares are Clopper and Pearson's.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from scalptrack.longitudinal import MEASURED_ERRORS, ErrorModel, build_timelines
from scalptrack.longitudinal.trend import DAYS_PER_YEAR, MINIMUM_VISITS
from scalptrack.records import Measurement, Outcome, Status, Tier, Timeline, Verdict

FIRST_DAY = dt.date(2024, 1, 10)
VISITS = (4, 8, 12)
SOURCES = ("prior", "pooled", "own")
OTHERS, OTHERS_VISITS = 7, 4
DAYS_BETWEEN_VISITS = 61
LEVEL = 0.30
DOUBTS = (0.03, 0.04, 0.05, 0.06, 0.08, 0.11)
"""Doubts about a coverage, one for each series: those of sample_images are 0.035 to 0.083."""


@dataclass(frozen=True)
class Truth:
    """How errors really are, beside what the program assumes of them (``model``).

    ``sd_factor`` multiplies both SDs. ``exact`` gives all subjects the prior SD, and all visits the
    shared SD that was measured; else each is drawn from the scaled inverse chi-square distribution
    of its degrees of freedom, the first for each subject, the second for each run.
    """

    name: str
    model: ErrorModel
    sd_factor: float = 1.0
    exact: bool = False


def truths_of(model: ErrorModel) -> tuple[Truth, ...]:
    """What is simulated: errors as assumed, and not."""
    return (
        Truth("as assumed", model),
        Truth("both SDs exact", model, exact=True),
        Truth("errors 1.5 x larger", model, sd_factor=1.5),
    )


@dataclass(frozen=True)
class Run:
    """One simulated run.

    ``doubt`` is that of its photographs; ``shared_factor`` is what the SD that a visit's
    photographs share really is, relative to what is assumed of it.
    """

    doubt: float
    shared_factor: float


@dataclass
class Tally:
    """How often each question was answered with yes, over independent series."""

    yes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    total: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def count(self, question: str, answer: bool) -> None:
        self.yes[question] += bool(answer)
        self.total[question] += 1

    def share(self, question: str) -> str:
        """Percentage with its interval; a dash where nothing was counted."""
        if not self.total[question]:
            return "–"
        found = stats.binomtest(self.yes[question], self.total[question])
        ends = found.proportion_ci(method="exact")
        return f"{100 * found.statistic:.1f} ({100 * ends.low:.1f}–{100 * ends.high:.1f})"

    def add(self, other: Tally) -> None:
        """Count other series too."""
        for question in other.total:
            self.yes[question] += other.yes[question]
            self.total[question] += other.total[question]


def outcomes_of(subject: str, coverages: np.ndarray, doubt: float) -> list[Outcome]:
    """Measured photographs of one subject; coverages (visits, replicates), clipped to [0, 1]."""
    outcomes = []
    for visit, replicates in enumerate(np.clip(coverages, 0.0, 1.0)):
        day = FIRST_DAY + dt.timedelta(days=visit * DAYS_BETWEEN_VISITS)
        for number, coverage in enumerate(replicates, start=1):
            name = f"{subject}/vertex/{day.isoformat()}_{number}.jpg"
            outcomes.append(
                Outcome(
                    name=name,
                    subject=subject,
                    view="vertex",
                    visit_date=day,
                    replicate=number,
                    sha256=name,
                    status=Status.MEASURED,
                    reason=None,
                    measurement=Measurement(
                        float(coverage) * 1e6, 1_000_000, 0.0, 0.0, 0.0, doubt_fraction=doubt
                    ),
                    tier=Tier.A,
                )
            )
    return outcomes


def true_sd(rng: np.random.Generator, truth: Truth, assumed: float, dof: float) -> float:
    """What an SD might really be that is taken to be so much, with so many degrees of freedom."""
    drawn = 1.0 if truth.exact else np.sqrt(dof / rng.chisquare(dof))
    return truth.sd_factor * assumed * drawn


def errors(
    rng: np.random.Generator, truth: Truth, run: Run, visits: int, replicates: int
) -> np.ndarray:
    """Errors (visits, replicates) of one subject, whose within-subject SD is drawn first."""
    within = true_sd(rng, truth, truth.model.prior_sd_fraction, truth.model.prior_dof)
    assumed = np.sqrt(truth.model.shared_variance(run.doubt))
    shared = run.shared_factor * assumed * rng.standard_normal((visits, 1))
    return within * rng.standard_normal((visits, replicates)) + shared


def run_around(rng: np.random.Generator, truth: Truth, run: Run, source: str) -> list[Outcome]:
    """The other subjects of the run.

    Each of their visits is filed as a subject of its own: the pairs tell the same of the spread,
    and no changes are computed that nobody looks at.
    """
    if source != "pooled":
        return []
    return [
        outcome
        for index in range(OTHERS)
        for visit, pair in enumerate(0.5 + errors(rng, truth, run, OTHERS_VISITS, 2))
        for outcome in outcomes_of(f"other-{index}-{visit}", pair[None, :], run.doubt)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Unchanged:
    """One simulated series of a subject that does not change, to be given a change anew.

    ``error`` (visits, replicates) is what its photographs err by, ``others`` are the outcomes of
    the other subjects of its run, ``timeline`` what the program says of it.
    """

    truth: Truth
    run: Run
    error: np.ndarray
    others: list[Outcome]
    timeline: Timeline

    def changed(self, true: np.ndarray) -> Timeline:
        """What the program says when the coverage (visits,) is another one, and the errors not."""
        return timeline_of(self.truth, self.run, true, self.error, self.others)


def timeline_of(
    truth: Truth, run: Run, true: np.ndarray, error: np.ndarray, others: list[Outcome]
) -> Timeline:
    """What the program says of the subject, whose name comes first in the run."""
    outcomes = [*outcomes_of("a-subject", true[:, None] + error, run.doubt), *others]
    return build_timelines(outcomes, error_model=truth.model)[0]


def count_unchanged(tally: Tally, timeline: Timeline) -> None:
    """Intervals around what is known to be true, and alarms that are known to be false."""
    visit, change = timeline.visits[-1], timeline.changes[-1]
    tally.count("visit held", visit.low_fraction <= LEVEL <= visit.high_fraction)
    tally.count("change held", change.low_fraction <= 0.0 <= change.high_fraction)
    low, high = change.hair_index_change_low, change.hair_index_change_high
    tally.count("index held", not (low > 0.0 or high < 0.0))
    alarms = [each.verdict in (Verdict.INCREASE, Verdict.DECREASE) for each in timeline.changes]
    tally.count("alarm", any(alarms))
    beyond = [abs(each.change_fraction) > timeline.mdc_fraction for each in timeline.changes]
    tally.count("naive alarm", any(beyond))


def count_changed(tally: Tally, unchanged: Unchanged) -> None:
    """Changes of twice what this very timeline calls detectable.

    Twice the limit that is stated for the last visit, at that visit alone; and twice the MDC95,
    lasting from half-way on, found when any visit from there on has the verdict.
    """
    timeline = unchanged.timeline
    visits = len(timeline.visits)
    for question, first, size in (
        ("found at 2 limits", visits - 1, 2 * timeline.changes[-1].mdc_fraction),
        ("found at 2 MDC95", visits - 1, 2 * timeline.mdc_fraction),
        ("found lasting", visits // 2, 2 * timeline.mdc_fraction),
    ):
        true = np.full(visits, LEVEL)
        true[first:] += size
        if true[-1] <= 0.95:
            later = unchanged.changed(true).changes[first - 1 :]
            tally.count(question, any(each.verdict is Verdict.INCREASE for each in later))


def count_trend(tally: Tally, unchanged: Unchanged) -> None:
    """A steady change of the slope that the unchanged timeline says it would miss in 1 of 5."""
    timeline = unchanged.timeline
    if timeline.trend is None or len(timeline.visits) < MINIMUM_VISITS:
        return
    years = np.arange(len(timeline.visits)) * DAYS_BETWEEN_VISITS / DAYS_PER_YEAR
    slope = timeline.trend.detectable_per_year
    true = LEVEL + slope * years
    if true[-1] > 0.95:
        return
    trend = unchanged.changed(true).trend
    assert trend is not None
    tally.count("trend held", trend.low_per_year <= slope <= trend.high_per_year)
    tally.count("trend seen", trend.low_per_year > 0.0)


def simulate(truth: Truth, source: str, visits: int, *, series: int, seed: int) -> Tally:
    """All questions for one kind of series."""
    rng = np.random.default_rng([seed, len(truth.name), SOURCES.index(source), visits])
    tally = Tally()
    for _ in range(series):
        factor = true_sd(rng, truth, 1.0, truth.model.visit_dof)
        run = Run(float(rng.choice(DOUBTS)), factor)
        error = errors(rng, truth, run, visits, 2 if source == "own" else 1)
        others = run_around(rng, truth, run, source)
        timeline = timeline_of(truth, run, np.full(visits, LEVEL), error, others)
        count_unchanged(tally, timeline)
        unchanged = Unchanged(truth, run, error, others, timeline)
        count_changed(tally, unchanged)
        count_trend(tally, unchanged)
    return tally


COLUMNS = (
    ("visit held", "visit's interval holds"),
    ("change held", "change's interval holds"),
    ("index held", "index change holds"),
    ("trend held", "trend's interval holds"),
    ("alarm", "timelines with a false alarm"),
    ("naive alarm", "the same by MDC95 alone"),
    ("found at 2 limits", "found: 2 x stated limit, last visit"),
    ("found at 2 MDC95", "found: 2 x MDC95, last visit"),
    ("found lasting", "found: 2 x MDC95, lasting"),
    ("trend seen", "trend seen (nominal 80)"),
)


def row_of(tally: Tally, *names: str) -> str:
    """Return a row of the table."""
    shares = [tally.share(question) for question, _ in COLUMNS]
    return f"| {' | '.join([*names, str(tally.total['alarm']), *shares])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=400, help="series per row")
    parser.add_argument("--errors", help="one row of the first column alone, as it is printed")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--visit-dof", type=float, help="in place of the measured one")
    parser.add_argument("--visit-sd", type=float, help="in place of the measured one, in points")
    options = parser.parse_args()
    model = MEASURED_ERRORS
    if options.visit_dof:
        model = replace(model, visit_dof=options.visit_dof)
    if options.visit_sd:
        model = replace(model, visit_sd_fraction=options.visit_sd / 100, visit_sd_per_doubt=0.0)
    print("Simulated at the level of coverage from components of error; nothing is rendered.")
    print(
        f"Within-subject SD {100 * model.prior_sd_fraction:.1f} points "
        f"({model.prior_dof} degrees of freedom between subjects), shared by a visit "
        f"{100 * model.visit_sd_fraction:.1f} points and {model.visit_sd_per_doubt:.2f} of the "
        f"doubt ({model.visit_dof:g} degrees of freedom); doubts {DOUBTS}; "
        "% (95 % interval).\n"
    )
    print("| errors | SD from | visits | n | " + " | ".join(label for _, label in COLUMNS) + " |")
    print("|" + "---|" * (4 + len(COLUMNS)))
    for truth in truths_of(model):
        if options.errors not in (None, truth.name):
            continue
        total = Tally()
        for source in SOURCES:
            for visits in VISITS:
                tally = simulate(truth, source, visits, series=options.series, seed=options.seed)
                print(row_of(tally, truth.name, source, str(visits)))
                total.add(tally)
        print(row_of(total, f"**{truth.name}**", "all", "all"))


if __name__ == "__main__":
    main()
