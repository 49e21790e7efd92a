"""The spread of coverage over five photometric shots of the same scene.

Run: ``python -m lab.benchmarks.repeatability FOLDER [FOLDER ...]`` on output of lab/phantom. Each
photograph is shown as it is, 0.3 EV darker and brighter, with the white balance 8 % warmer and
colder, slightly blurred, and compressed again (JPEG 78 to 95). The smallest detectable change is
1.96 x sqrt(2) x the SD within a scene, pooled over scenes. The region is that of the first shot;
Otsu, the mixture and the forest are given it too.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.forest import forest
from lab.benchmarks.segmentation import mixture, otsu
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.records import Settings
from scalptrack.segmentation import NetworkSegmenter
from scalptrack.segmentation.perturb import Recipe, perturbed

# Perturbation (blur in pixels of a picture 900 px wide), and quality of the JPEG.
SHOTS = (
    (Recipe(), 95),
    (Recipe(-0.3), 90),
    (Recipe(0.3), 84),
    (Recipe(0.0, 1.08, 0.92), 90),
    (Recipe(0.0, 0.92, 1.08, 0.7), 78),
)


GIVEN_REGION = {"Otsu": otsu, "mixture in Lab": mixture, "random forest": forest}
"""Simple methods, which are given the scalp that the network found in the first shot."""


def shots(image: np.ndarray):
    """The photograph in each of the five ways."""
    for recipe, quality in SHOTS:
        scaled = replace(recipe, blur_px=recipe.blur_px * image.shape[1] / 900)
        coded = cv2.imencode(".jpg", perturbed(image, scaled), [cv2.IMWRITE_JPEG_QUALITY, quality])
        yield cv2.imdecode(coded[1], cv2.IMREAD_COLOR)


def coverages(
    segmenter: NetworkSegmenter, path: Path, settings: Settings
) -> dict[str, list[float]]:
    """Coverage in points of the five shots by method; the network's list is empty if it refuses."""
    image, _ = read_photograph(path, max_megapixels=settings.max_megapixels)
    found: dict[str, list[float]] = {"scalptrack": []} | {name: [] for name in GIVEN_REGION}
    region = grid = inside = None
    for shot in shots(image):
        try:
            segmentation = segmenter.segment(shot, perturbations=settings.perturbations)
        except HeadNotFoundError:
            return {}
        if region is None or grid is None or inside is None:
            grid = segmentation.grid
            region = scalp_region(segmentation, max_incidence_deg=settings.max_incidence_deg)
            inside = _on_photograph(region, segmentation, image.shape[:2])
        measurement = measure(segmentation, region, grid, None)
        if measurement is None:
            return {}
        found["scalptrack"].append(100 * measurement.coverage_fraction)
        for name, method in GIVEN_REGION.items():
            found[name].append(100 * float(method(shot, inside)[inside].mean()))
    return found


def _on_photograph(region: np.ndarray, segmentation, shape: tuple[int, int]) -> np.ndarray:
    """A mask on the grid as a mask on the photograph."""
    grid = segmentation.grid
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    columns, rows = (x - grid.x0_px) / grid.step_px, (y - grid.y0_px) / grid.step_px
    values = region.astype(np.float32)
    return cv2.remap(values, columns, rows, cv2.INTER_LINEAR) > 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photograph")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter, settings = NetworkSegmenter(), Settings()
    paths = sorted(path for folder in options.folders for path in folder.rglob("*.json"))
    spread: dict[str, list[float]] = {}
    refused = 0
    for path in paths[:: options.every]:
        found = coverages(segmenter, path.with_suffix(".jpg"), settings)
        refused += not found
        for name, values in found.items():
            spread.setdefault(name, []).append(float(np.var(values, ddof=1)))
    print(f"{len(paths[:: options.every])} scenes, {len(SHOTS)} shots each, {refused} refused.\n")
    print("| method | scenes | SD, points | worst SD | smallest detectable change, points |")
    print("|---|---|---|---|---|")
    for name, variances in spread.items():
        sd = float(np.sqrt(np.mean(variances)))
        worst = float(np.sqrt(np.max(variances)))
        change = 1.96 * np.sqrt(2) * sd
        print(f"| {name} | {len(variances)} | {sd:.2f} | {worst:.2f} | {change:.1f} |")


if __name__ == "__main__":
    main()
