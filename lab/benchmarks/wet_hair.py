"""Whether wet hair, which hangs together in locks, can be told from dry hair in one photograph.

Run: ``python -m lab.benchmarks.wet_hair FILE.json [--people 16] [--size 384] [--network]``;
resumable. People of lab/strands with hair of at least 10 mm are photographed twice from one place
and with the same number of hairs, once dry and loose, once wet (`lab.strands.scene.Visit`). The
hair fraction is the true one at the network's scale, which no network can better, or the network's
own. Printed is the area under the curve of each feature alone and of a linear discriminant that is
fitted to every second person, on the others, with the false alarms at a limit that the fitted
people set.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy import ndimage

from lab.benchmarks.fault_photographs import PlacedSegmenter, framed
from lab.benchmarks.faults import exposed, photographed
from lab.strands.scene import Scene, Visit, render

FIRST_SEED = 967_000
SHORTEST_MM = 10.0
COVERAGE_RANGE = (0.1, 0.95)
GRID_HEAD_PX = 216
FALSE_ALARMS = 0.05
REACH = 12
Row = dict[str, Any]


def features(fraction: np.ndarray, region: np.ndarray, picture: np.ndarray) -> dict[str, float]:
    """What locks and water change.

    Parameters
    ----------
    fraction : float32 (H, W)
        Hair fraction on a grid in which the head is about `GRID_HEAD_PX` wide.
    region : bool (H, W)
        Scalp that is measured.
    picture : uint8 (H, W, 3)
        The photograph on that grid.
    """
    covered = float(fraction[region].mean())
    mixed = (fraction > 0.25) & (fraction < 0.75)
    smooth = ndimage.gaussian_filter(fraction, 1.0)
    local = smooth - ndimage.gaussian_filter(fraction, REACH)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    hair = region & (fraction > 0.6)
    bright = np.percentile(grey[hair], [50, 95]) if hair.sum() > 50 else np.array([1.0, 1.0])
    detail = grey - ndimage.gaussian_filter(grey, 4.0)
    return {
        "coverage": covered,
        "mixed": float(mixed[region].mean()) / max(covered * (1 - covered), 0.05),
        "gaps": float(local[region].std()),
        "width": correlation_width(fraction - ndimage.gaussian_filter(fraction, REACH), region),
        "shine": float(np.log((bright[1] + 5) / (bright[0] + 5))),
        "streaks": float(detail[region].std() / (grey[region].mean() + 5)),
    }


def correlation_width(field: np.ndarray, region: np.ndarray) -> float:
    """Distance in pixels at which the autocorrelation over a region falls to a half."""
    values = np.where(region, field, 0.0)
    weight = region.astype(np.float64)
    shape = [2 * length for length in field.shape]
    powers = [np.abs(np.fft.rfft2(each, shape)) ** 2 for each in (values, weight)]
    sums = [np.fft.fftshift(np.fft.irfft2(power, shape)) for power in powers]
    correlation = sums[0] / np.maximum(sums[1], 1.0)
    y, x = np.indices(correlation.shape)
    radius = np.hypot(y - shape[0] // 2, x - shape[1] // 2).round().astype(int)
    near = radius <= REACH
    ring = np.bincount(radius[near], correlation[near]) / np.bincount(radius[near])
    below = np.flatnonzero(ring < 0.5 * ring[0])
    if not below.size:
        return float(REACH)
    k = int(below[0])
    return float(k - 1 + (ring[k - 1] - 0.5 * ring[0]) / (ring[k - 1] - ring[k]))


def by_truth(scene: Scene, image: np.ndarray) -> dict[str, float]:
    """Features of the true hair fraction at the network's scale."""
    head_px = 172 / float(scene.facts["mm_per_px"])
    scale = min(1.0, GRID_HEAD_PX / head_px)
    planes = [
        cv2.resize(each, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for each in (
            scene.fraction,
            (scene.region & (scene.cosine > 0.5)).astype(np.float32),
            image,
        )
    ]
    return features(planes[0], planes[1] > 0.99, planes[2])


def by_network(segmenter: PlacedSegmenter, image: np.ndarray) -> dict[str, float] | None:
    """Features of what the network sees; None where no scalp is certain."""
    seen = segmenter.seen(image, None)
    if seen is None:
        return None
    grid = seen.grid
    region = seen.scalp & (seen.incidence_cosine > 0.5)
    matrix = np.array([[grid.step_px, 0, grid.x0_px], [0, grid.step_px, grid.y0_px]])
    soft = cv2.GaussianBlur(image, (0, 0), max(0.5 * grid.step_px, 0.3))
    picture = cv2.warpAffine(
        soft, matrix, (grid.width, grid.height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return features(seen.hair_fraction, region, picture)


def pair(seed: int, size: int, segmenter: PlacedSegmenter | None) -> list[Row]:
    """Rows of the dry and the wet photograph of a person; none where it shows too little."""
    rows: list[Row] = []
    for wet in (False, True):
        scene = render(seed, size, Visit(1, wet=wet))
        seen = scene.region & (scene.cosine > 0.5)
        low, high = COVERAGE_RANGE
        if float(scene.facts["length_mm"]) < SHORTEST_MM or not seen.any():
            return []
        if not wet and not low < scene.fraction[seen].mean() < high:
            return []
        image = photographed(exposed(scene), np.random.default_rng(seed))[1]
        found = by_truth(scene, image) if segmenter is None else by_network(segmenter, image)
        if found is None:
            return []
        rows.append({"seed": seed, "wet": wet, **found})
    return rows


def auc(scores: np.ndarray, wet: np.ndarray) -> float:
    """Share of wet and dry photographs, one of each, in which the wet one has the higher score."""
    pairs = scores[wet][:, np.newaxis] - scores[~wet]
    return float((pairs > 0).mean() + 0.5 * (pairs == 0).mean())


def discriminant(values: np.ndarray, wet: np.ndarray) -> np.ndarray:
    """Weights of Fisher's linear discriminant, a little regularised."""
    gap = values[wet].mean(0) - values[~wet].mean(0)
    inside = 0.5 * (np.cov(values[wet].T) + np.cov(values[~wet].T))
    return np.asarray(np.linalg.solve(inside + 0.1 * np.diag(np.diag(inside)), gap))


def tables(rows: list[Row]) -> None:
    """Print what each feature and all of them together tell."""
    names = [name for name in rows[0] if name not in {"seed", "wet"}]
    values = np.array([[row[name] for name in names] for row in rows])
    wet = np.array([row["wet"] for row in rows])
    seeds = sorted({row["seed"] for row in rows})
    fitted = np.isin([row["seed"] for row in rows], seeds[::2])
    print(f"{fitted.sum()} photographs to fit, {(~fitted).sum()} to test\n")
    print("| feature | area under the curve, all |\n|---|---|")
    for k, name in enumerate(names):
        print(f"| {name} | {auc(values[:, k], wet):.2f} |")
    scores = values @ discriminant(values[fitted], wet[fitted])
    limit = np.quantile(scores[fitted & ~wet], 1 - FALSE_ALARMS)
    test = ~fitted
    print(
        f"\nall together: {auc(scores[fitted], wet[fitted]):.2f} on the fitted, "
        f"{auc(scores[test], wet[test]):.2f} on the others; at the limit of the fitted "
        f"{(scores > limit)[test & ~wet].sum()} false alarms of {(test & ~wet).sum()}, "
        f"{(scores > limit)[test & wet].sum()} found of {(test & wet).sum()}"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--size", type=int, default=384, help="of the rendered pictures")
    parser.add_argument("--network", action="store_true", help="use the network's maps")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    path: Path = options.file
    kept: dict[str, list[Row]] = {}
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
    segmenter = PlacedSegmenter() if options.network else None
    seed = FIRST_SEED
    while sum(map(bool, kept.values())) < options.people:
        seed += 1
        if str(seed) not in kept and framed(seed):
            kept[str(seed)] = pair(seed, options.size, segmenter)
            path.write_text(json.dumps(kept, indent=0), encoding="utf-8")
            print(f"{seed}: {time.process_time():.0f} s", flush=True)
    tables([row for rows in kept.values() for row in rows])


if __name__ == "__main__":
    main()
