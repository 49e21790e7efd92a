"""Coverage of single photographs against truth, per skin and hair: the program as it is used.

Run: ``python lab/benchmarks/coverage.py FOLDER [FOLDER ...]`` on output of lab/phantom. Each
photograph is segmented as ``scalptrack segment`` does it, with the region that the program finds
on its own; truth is the hair fraction over all scalp seen at less than 60 degrees. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.records import Settings
from scalptrack.segmentation import NetworkSegmenter

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


def row(name: str, errors: list[float]) -> str:
    finite = np.array([each for each in errors if np.isfinite(each)])
    refused = len(errors) - len(finite)
    if not len(finite):
        return f"| {name} | {len(errors)} | {refused} | | | |"
    return (
        f"| {name} | {len(errors)} | {refused} | {np.abs(finite).mean():.1f} "
        f"| {finite.mean():+.1f} | {np.abs(finite).max():.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter, settings = NetworkSegmenter(), Settings()
    strata: dict[str, list[float]] = defaultdict(list)
    print("| set | photographs | no number | MAE | bias | worst |\n|---|---|---|---|---|---|")
    for folder in options.folders:
        errors = []
        for truth_path in sorted(folder.rglob("*.json")):
            truth = json.loads(truth_path.read_text(encoding="utf-8"))
            true = truth["coverage"]["scalp"]["coverage_fraction"]
            error = error_of(segmenter, truth_path.with_suffix(".jpg"), true, settings)
            errors.append(error)
            subject = truth["subject"]
            colour = "grey" if subject["grey_fraction"] > 0.2 else subject["hair_colour"]
            strata[f"{skin_name(subject['skin_type'])}, {colour}"].append(error)
        print(row(folder.name, errors))
    print(row("all", [each for part in strata.values() for each in part]))
    for name in sorted(strata):
        print(row(name, strata[name]))


if __name__ == "__main__":
    main()
