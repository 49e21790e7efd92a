"""The main job against truth: verdicts, coverage and refusals of a tracked folder of phantoms.

Run: ``python lab/benchmarks/main_job.py sample_images RESULTS``
RESULTS is what ``scalptrack track sample_images --out RESULTS`` wrote; ``truth.json`` of the folder
says what each photograph shows. Prints, for each series, measured and true change from baseline,
and for each photograph without a number its reason.

A coverage is of the scalp that all photographs of a series show. truth.json has the true
coverage of that region as the renderer knows it; the program finds its own, a little smaller,
so that levels can differ by what the regions differ, and changes are what to compare.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def true_coverages(truth_path: Path) -> dict[str, float]:
    """True coverage of the co-visible region by photograph, NaN where truth.json has none."""
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    found = {}
    for name, each in truth["photographs"].items():
        region = each.get("covisible_region") or each.get("own_region") or {}
        found[name] = float(region.get("coverage_fraction") or np.nan)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("results", type=Path)
    options = parser.parse_args()
    truth = true_coverages(options.folder / "truth.json")
    rows = read_rows(options.results / "measurements.csv")
    series = defaultdict(lambda: defaultdict(list))
    for each in rows:
        if each["status"] == "measured":
            series[each["subject"], each["view"]][each["visit_date"]].append(each)
    errors = []
    true_changes = {}
    print("| series | visit | n | measured % | true % | change | true change |")
    print("|---|---|---|---|---|---|---|")
    for (subject, view), visits in sorted(series.items()):
        baseline = None
        for date, photographs in sorted(visits.items()):
            measured = np.mean([float(each["coverage_percent"]) for each in photographs])
            true = np.mean([100 * truth.get(each["photo"], np.nan) for each in photographs])
            baseline = baseline or (measured, true)
            change, true_change = measured - baseline[0], true - baseline[1]
            errors.append(change - true_change)
            true_changes[subject, view, date] = true_change
            print(
                f"| {subject}/{view} | {date} | {len(photographs)} | {measured:.1f} | {true:.1f} "
                f"| {change:+.1f} | {true_change:+.1f} |"
            )
    finite = [each for each in errors if np.isfinite(each)] or [np.nan]
    print(
        f"\nError of the change from baseline, {len(finite)} visits: mean {np.mean(finite):+.2f}, "
        f"mean absolute {np.mean(np.abs(finite)):.2f}, worst {np.max(np.abs(finite)):.2f} points"
    )
    print("\n| without a number | status | reason |\n|---|---|---|")
    for each in rows:
        if each["status"] != "measured":
            print(f"| {each['photo']} | {each['status']} | {each['reason_code']} |")
    print("\n| series | visit | verdict | change | limit |\n|---|---|---|---|---|")
    held, squares = [], []
    for each in read_rows(options.results / "changes.csv"):
        if each["change_points"]:
            true = true_changes[each["subject"], each["view"], each["visit_date"]]
            held.append(float(each["change_low"]) <= true <= float(each["change_high"]))
            squares.append((float(each["change_points"]) - true) ** 2)
        print(
            f"| {each['subject']}/{each['view']} | {each['visit_date']} | {each['verdict']} "
            f"| {each['change_points']} | {each['mdc_points']} |"
        )
    print(
        f"\n{sum(held)} of {len(held)} intervals of a change hold the truth; "
        f"root mean square error {np.sqrt(np.mean(squares)):.1f} points"
    )


if __name__ == "__main__":
    main()
