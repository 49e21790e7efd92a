"""A small trial of rendered people with known effects, through the program as a user starts it.

Run: ``python -m lab.benchmarks.trial_rendered FOLDER [--per-arm 8] [--size 768]``; resumable. A
folder is for one size; with fewer subjects per arm the first of them are used.

Three arms of people of the fast renderer (`lab.strands`), one view (vertex), three visits. Between
visits everyone's number of hairs drifts at random (SD 5 %). In the arm "low" it rises by 25 % until
the last visit, in "high" by 60 %, half of it (in logarithms) until the visit between; in "placebo"
by nothing. All hairs, the light and the clothes are drawn anew for each photograph; the camera
stays where it was. Who has no scalp to gain on, or hardly any scalp in the picture, is not
included; arms are drawn by lot in blocks of three.

``scalptrack study init``, ``run``, ``stats`` and ``export`` do the rest, and their tables are
compared with what the renderer knows: the coverage over the scalp that all photographs of a subject
show. What is true of the same subjects is the difference between the mean changes of two arms, and
the difference between the means of their least-squares slopes. An interval is about subjects who
could have been recruited, and so has to hold the truth of these more often than in 95 %: this is
a test of the program from picture to table, not of its error rates (`lab.benchmarks.trial`).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.kills import ROOT, command
from lab.phantom.covisible import covisible_coverage, read_dense_truth
from lab.strands.scene import Visit, render, view_of
from lab.strands.visits import MIN_REGION_SHARE, SMALL_PX, write
from scalptrack.study.statistics import ancova

VIEW = "vertex"
VISITS = {"day 0": "2024-01-08", "day 180": "2024-07-06", "day 360": "2025-01-02"}
HAIRS_GAINED = {"placebo": 0.0, "low": 0.25, "high": 0.60}
"""Hairs gained at the last visit, as a share of those at first."""

DRIFT_SD = 0.05
INCLUDED_COVERAGE = (0.15, 0.75)
FIRST_SEED = 960_000
SEED = 20260101

Row = dict[str, str]
Truth = dict[str, dict[str, float]]
"""True coverage in points by subject and visit."""


@dataclass(frozen=True)
class Subject:
    name: str
    seed: int
    arm: str
    kept: tuple[float, ...]
    """Hairs at each visit, relative to the first."""


def included(seed: int) -> bool:
    """Whether a person shows enough scalp, and has hair to lose and scalp to gain on."""
    if view_of(seed, SMALL_PX) != VIEW:
        return False
    scene = render(seed, SMALL_PX)
    seen = scene.region & (scene.cosine > 0.5)
    low, high = INCLUDED_COVERAGE
    return bool(seen.mean() > MIN_REGION_SHARE and low < scene.fraction[seen].mean() < high)


def recruited(folder: Path, count: int) -> list[int]:
    """Seeds of the first people who are included; the folder keeps them for the next call."""
    known = folder / "people.json"
    seeds: list[int] = json.loads(known.read_text()) if known.exists() else []
    seed = seeds[-1] if seeds else FIRST_SEED
    while len(seeds) < count:
        seed += 1
        if included(seed):
            seeds.append(seed)
            folder.mkdir(parents=True, exist_ok=True)
            known.write_text(json.dumps(seeds) + "\n")
    return seeds[:count]


def allocate(seeds: list[int]) -> list[Subject]:
    """The arm and the hairs of each; fewer people are the first of more."""
    rng = np.random.default_rng(SEED)
    subjects: list[Subject] = []
    block: list[str] = []
    for seed in seeds:
        block = block or list(rng.permutation(list(HAIRS_GAINED)))
        arm = str(block.pop())
        gained = np.log1p(HAIRS_GAINED[arm]) * np.array([0.0, 0.5, 1.0])
        drift = rng.normal(0, DRIFT_SD, len(VISITS)) * np.array([0.0, 1.0, 1.0])
        kept = tuple(float(each) for each in np.exp(gained + drift))
        subjects.append(Subject(f"s{len(subjects) + 1:02d}", seed, arm, kept))
    return subjects


def base_of(folder: Path, subject: Subject, visit: str) -> Path:
    return folder / "photographs" / subject.name / VISITS[visit]


def photograph(folder: Path, subjects: list[Subject], size: int) -> Path:
    """Render what isn't there yet; the manifest."""
    for subject in subjects:
        for number, visit in enumerate(VISITS):
            base = base_of(folder, subject, visit)
            if not base.with_suffix(".json").exists():
                taken = Visit(number + 1, subject.kept[number])
                write(render(subject.seed, size, taken), taken, base)
        print(f"photographed {subject.name} of {len(subjects)}", file=sys.stderr, flush=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "subject", "view", "visit_date", "visit", "replicate", "arm"))
        for subject in subjects:
            for visit, day in VISITS.items():
                photo = base_of(folder, subject, visit).with_suffix(".jpg").relative_to(folder)
                writer.writerow((photo, subject.name, VIEW, day, visit, 1, subject.arm))
    return manifest


def study(*arguments: object) -> None:
    """One command, whose last line is shown; refused photographs are no failure of it."""
    ended = subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False
    )
    words = (ended.stderr.strip().splitlines() or [""])[-1]
    print(f"study {arguments[0]}: {ended.returncode}, {words}", flush=True)
    if ended.returncode > 1:
        raise SystemExit(ended.stderr)


def measure(place: Path, manifest: Path) -> dict[str, list[Row]]:
    """The tables of the program by name; the study is made where there is none."""
    if not place.exists():
        study("init", place, "--manifest", manifest, "--quiet")
    study("run", place, "--jobs", 1, "--quiet")
    study("stats", place, "--control", "placebo", "--difference", 5, "--quiet")
    study("export", place, "--quiet")
    tables = {}
    for path in (*(place / "stats").glob("*.csv"), *(place / "export").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


def truth_of(folder: Path, subjects: list[Subject]) -> Truth:
    found = {}
    for subject in subjects:
        photographs = [read_dense_truth(base_of(folder, subject, visit)) for visit in VISITS]
        coverages = [100 * each["coverage_fraction"] for each in covisible_coverage(photographs)]
        found[subject.name] = dict(zip(VISITS, coverages, strict=True))
    return found


def account(tables: dict[str, list[Row]], subjects: list[Subject]) -> None:
    """Print what became of the photographs, by arm and by reason."""
    for arm in HAIRS_GAINED:
        rows = [row for row in tables["photographs"] if row["arm"] == arm]
        states = Counter(row["status"] for row in rows)
        people = sum(subject.arm == arm for subject in subjects)
        print(f"{arm}: {people} subjects, {len(rows)} photographs, {dict(states)}")
    without = [row for row in tables["photographs"] if row["status"] != "measured"]
    print(f"without a number: {dict(Counter(row['reason_code'] for row in without)) or 'none'}")


def errors(visits: list[Row], truth: Truth) -> None:
    """Print how far the measured changes are from the true ones."""
    rows = [row for row in visits if row["change_points"]]
    measured = np.array([float(row["change_points"]) for row in rows])
    true = np.array([true_change(truth, row["subject"], row["visit"]) for row in rows])
    gap = measured - true
    print(
        f"changes: {len(rows)}, error root mean square {np.sqrt(np.mean(gap**2)):.1f}, mean "
        f"{gap.mean():+.1f}, worst {np.abs(gap).max():.1f} points; slope of measured on true "
        f"{true @ measured / (true @ true):.2f}"
    )


def true_change(truth: Truth, subject: str, visit: str) -> float:
    return truth[subject][visit] - truth[subject]["day 0"]


def compare_changes(tables: dict[str, list[Row]], truth: Truth) -> None:
    """Print the ANCOVA's differences beside the true ones of the same subjects."""
    for row in tables["contrasts"]:
        if row["model"] != "ANCOVA" or row["analysis"] != "main":
            continue
        if not row["difference"]:
            print(f"ANCOVA, {row['visit']}, {row['arm']}: no number, because {row['reason']}")
            continue
        used = [
            each
            for each in tables["visits"]
            if each["visit"] == row["visit"] and each["change_points"]
        ]
        change = np.array([true_change(truth, each["subject"], row["visit"]) for each in used])
        arm = np.array([each["arm"] for each in used])
        true = change[arm == row["arm"]].mean() - change[arm == "placebo"].mean()
        baseline = np.array([truth[each["subject"]]["day 0"] for each in used])
        fit = ancova(change, baseline, list(arm), control="placebo")
        best = next(each.difference for each in fit.contrasts if each.arm == row["arm"])
        said = stated(row, true)
        print(
            f"ANCOVA, {row['visit']}, {row['arm']}: true {true:+.1f} points (ANCOVA of the true "
            f"coverages {best.value:+.1f}, {best.low:+.1f} to {best.high:+.1f}); {said}"
        )


def compare_slopes(tables: dict[str, list[Row]], truth: Truth) -> None:
    """Print the mixed model's differences beside the true ones of the same subjects."""
    numbered = [row for row in tables["visits"] if row["coverage_percent"] and row["days"]]
    by_subject: dict[str, list[Row]] = {}
    for row in numbered:
        by_subject.setdefault(row["subject"], []).append(row)
    slopes: dict[str, list[float]] = {}
    for name, rows in by_subject.items():
        if len(rows) > 1:
            years = [float(row["days"]) / 365.25 for row in rows]
            coverages = [truth[name][row["visit"]] for row in rows]
            slopes.setdefault(rows[0]["arm"], []).append(np.polyfit(years, coverages, 1)[0])
    for row in tables["contrasts"]:
        if row["model"] == "mixed model" and row["analysis"] == "main" and not row["difference"]:
            print(f"mixed model, {row['arm']}: no number, because {row['reason']}")
        elif row["model"] == "mixed model" and row["analysis"] == "main":
            true = np.mean(slopes[row["arm"]]) - np.mean(slopes["placebo"])
            print(f"mixed model, {row['arm']}: true {true:+.1f} points a year; {stated(row, true)}")


def stated(row: Row, true: float) -> str:
    """The program's difference in words, and whether its interval holds the truth."""
    value, low, high = (float(row[f"difference{end}"]) for end in ("", "_low", "_high"))
    verb = "holds" if low <= true <= high else "DOES NOT HOLD"
    return (
        f"estimated {value:+.1f} ({low:+.1f} to {high:+.1f}), which {verb} the truth; "
        f"{row['subjects']} and {row['control_subjects']} subjects, p {float(row['p_value']):.4f}"
    )


def responders(tables: dict[str, list[Row]], truth: Truth) -> None:
    """Print responders, and subjects whose true change is beyond what is detectable in them."""
    last = list(VISITS)[-1]
    for row in tables["responders"]:
        if row["analysis"] != "main" or row["visit"] != last:
            continue
        own = [
            each
            for each in tables["visits"]
            if (each["visit"], each["arm"]) == (last, row["arm"]) and each["responder"]
        ]
        beyond = sum(
            true_change(truth, each["subject"], last) > float(each["mdc_points"]) for each in own
        )
        limits = [float(each["mdc_points"]) for each in own]
        print(
            f"responders, {last}, {row['arm']}: {row['responders']} of {row['subjects']}; truly "
            f"beyond the detectable change {beyond}; it is {min(limits, default=np.nan):.0f} to "
            f"{max(limits, default=np.nan):.0f} points"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-arm", type=int, default=8)
    parser.add_argument("--size", type=int, default=768)
    options = parser.parse_args()
    folder = options.folder.absolute()
    cv2.setNumThreads(1)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    seeds = recruited(folder, options.per_arm * len(HAIRS_GAINED))
    subjects = allocate(seeds)
    manifest = photograph(folder, subjects, options.size)
    print(f"rendered: {time.process_time():.0f} s of processor time", flush=True)
    tables = measure(folder / f"study-{len(subjects)}", manifest)
    spent = os.times().children_user + os.times().children_system
    print(f"measured: {spent:.0f} s of processor time")
    truth = truth_of(folder, subjects)
    account(tables, subjects)
    errors(tables["visits"], truth)
    compare_changes(tables, truth)
    compare_slopes(tables, truth)
    responders(tables, truth)


if __name__ == "__main__":
    main()
