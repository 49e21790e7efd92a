"""Coverage of single photographs against truth, per skin and hair: the program as it is used.

Run: ``python lab/benchmarks/coverage.py FOLDER [FOLDER ...]`` on output of
lab/phantom, or on ``sample_images``. Each photograph is segmented as ``scalptrack segment`` does
it, with the region that the program finds on its own; truth is the hair fraction over all scalp
seen at less than 60 degrees. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.records import Settings
from scalptrack.segmentation import NetworkSegmenter

MIN_PEOPLE = 4
"""With fewer people an interval would say more than is known."""

SEED = 20260101

UNMEASURABLE = ("blurred", "truncated", "not a photograph")

SKINS = ((2.5, "I-II"), (4.5, "III-IV"), (9.0, "V-VI"))


def skin_name(skin_type: float) -> str:
    return next(name for limit, name in SKINS if skin_type < limit)


def error_of(segmenter: NetworkSegmenter, path: Path, true: float, settings: Settings) -> float:
    """Measured minus true coverage in points; NaN when there is no number."""
    image, _ = read_photograph(path, max_megapixels=settings.max_megapixels)
    try:
        found = segmenter.segment(image, perturbations=settings.perturbations)
    except HeadNotFoundError:
        return float("nan")
    region = scalp_region(found, max_incidence_deg=settings.max_incidence_deg)
    measurement = measure(found, region, found.grid, None)
    return float("nan") if measurement is None else 100 * (measurement.coverage_fraction - true)


Errors = list[tuple[int, float]]
"""Seed of the person, and measured minus true coverage in points (NaN: no number)."""


def bootstrap(groups: Mapping[Any, list[float]]) -> tuple[float, float]:
    """95 % interval of the mean of all values; whole groups (people) are drawn."""
    rng, keys = np.random.default_rng(SEED), sorted(groups)
    means = [
        np.mean([value for key in rng.choice(keys, len(keys)) for value in groups[key]])
        for _ in range(1000)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def interval(errors: Errors) -> str:
    """95 % bootstrap interval of the mean absolute error; whole people are drawn."""
    people: dict[int, list[float]] = defaultdict(list)
    for person, error in errors:
        if np.isfinite(error):
            people[person].append(abs(error))
    if len(people) < MIN_PEOPLE:
        return f"({len(people)} people)"
    low, high = bootstrap(people)
    return f"{low:.1f} to {high:.1f}"


def row(name: str, errors: Errors) -> str:
    finite = np.array([each for _, each in errors if np.isfinite(each)])
    refused = len(errors) - len(finite)
    people = len({person for person, _ in errors})
    start = f"| {name} | {people} | {len(errors)} | {refused} |"
    if not len(finite):
        return f"{start} | | | |"
    return (
        f"{start} {np.abs(finite).mean():.1f} | {interval(errors)} "
        f"| {finite.mean():+.1f} | {np.abs(finite).max():.1f} |"
    )


Truth = dict[str, Any]


def truths(folder: Path) -> Iterator[tuple[Path, Truth]]:
    """Photographs of a folder with their truth: output of lab/phantom, or ``sample_images``."""
    listed = folder / "truth.json"
    if not listed.exists():
        for path in sorted(folder.rglob("*.json")):
            truth = json.loads(path.read_text(encoding="utf-8"))
            true = truth["coverage"]["scalp"]["coverage_fraction"]
            yield (
                path.with_suffix(".jpg"),
                truth["subject"] | {"view": truth["visit"]["view"], "true": true},
            )
        return
    document = json.loads(listed.read_text(encoding="utf-8"))
    subjects = {each["seed"]: each for each in document["subjects"].values()}
    for name, photograph in sorted(document["photographs"].items()):
        if photograph.get("own_region") is None or photograph["fault"] in UNMEASURABLE:
            continue
        # Somebody else's photograph is filed under a subject on purpose; its own truth holds.
        subject = subjects.get(photograph["subject_seed"])
        if subject is not None:
            true = photograph["own_region"]["coverage_fraction"]
            yield folder / name, subject | {"view": photograph["visit"]["view"], "true": true}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter, settings = NetworkSegmenter(), Settings()
    tables: dict[str, dict[str, Errors]] = defaultdict(lambda: defaultdict(list))
    for folder in options.folders:
        for photo, subject in truths(folder):
            error = error_of(segmenter, photo, subject["true"], settings)
            colour = "grey" if subject["grey_fraction"] > 0.2 else subject["hair_colour"]
            skin = skin_name(subject["skin_type"])
            found = (int(subject["seed"]), error)
            tables["set"]["all"].append(found)
            tables["set"][folder.name].append(found)
            tables["skin"][skin].append(found)
            tables["hair"][colour].append(found)
            tables["view"][subject["view"]].append(found)
            tables["skin and hair"][f"{skin}, {colour}"].append(found)
    for kind, rows in tables.items():
        print(f"| {kind} | people | photographs | no number | MAE | 95 % interval | bias | worst |")
        print("|---|---|---|---|---|---|---|---|")
        for name in sorted(rows):
            print(row(name, rows[name]))
        print()


if __name__ == "__main__":
    main()
