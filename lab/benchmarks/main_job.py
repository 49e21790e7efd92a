"""The main job against truth: verdicts, coverage and refusals of a tracked folder of phantoms.

Run: ``python lab/benchmarks/main_job.py sample_images RESULTS [--dense FOLDER]``
RESULTS is what ``scalptrack track sample_images --out RESULTS`` wrote; ``truth.json`` of the folder
says what each photograph shows. Prints, for each series, measured and true change from baseline,
and for each photograph without a number its reason.

A coverage is of the co-visible region of a series, truth.json's of all scalp that one photograph
shows at less than 60 degrees. With --dense (the renderer's full output) the true hair fraction is
integrated over exactly the region that was measured, so that only the error of the measurement is
left; without, levels differ by what the regions differ, and changes are what can be compared.
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
    """True coverage by photograph, from truth.json."""
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    photographs = truth["photographs"]
    items = (
        photographs.items()
        if isinstance(photographs, dict)
        else ((each["photo"], each) for each in photographs)
    )
    found = {}
    for name, each in items:
        coverage = each.get("coverage", {})
        value = coverage.get("scalp", coverage)
        if isinstance(value, dict):
            value = value.get("coverage_fraction")
        if value is not None:
            found[name] = float(value)
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
            print(
                f"| {subject}/{view} | {date} | {len(photographs)} | {measured:.1f} | {true:.1f} "
                f"| {change:+.1f} | {true_change:+.1f} |"
            )
    finite = [each for each in errors if np.isfinite(each)]
    print(
        f"\nError of the change from baseline, {len(finite)} visits: mean {np.mean(finite):+.2f}, "
        f"mean absolute {np.mean(np.abs(finite)):.2f}, worst {np.max(np.abs(finite)):.2f} points"
    )
    print("\n| without a number | status | reason |\n|---|---|---|")
    for each in rows:
        if each["status"] != "measured":
            print(f"| {each['photo']} | {each['status']} | {each['reason_code']} |")
    print("\n| series | visit | verdict | change | limit |\n|---|---|---|---|---|")
    for each in read_rows(options.results / "changes.csv"):
        print(
            f"| {each['subject']}/{each['view']} | {each['visit_date']} | {each['verdict']} "
            f"| {each['change_points']} | {each['mdc_points']} |"
        )


if __name__ == "__main__":
    main()
