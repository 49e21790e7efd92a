"""How small a head may be in the photograph: coverage of reduced copies against the photograph's.

Run: ``python -m lab.benchmarks.resolution FOLDER [--every 2]`` on output of lab/phantom. Each
photograph is reduced until the head is so many pixels wide (as `quality` measures it), and measured
with the region that is found on the reduced copy. The limits of ``low_resolution`` come from here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.quality.subject import head_width_px
from scalptrack.records import ImageArray, Segmentation, Settings
from scalptrack.segmentation import NetworkSegmenter

WIDTHS_PX = (300, 200, 160, 130, 100, 80)


def coverage(segmentation: Segmentation, settings: Settings) -> float:
    """Coverage of a photograph's own region in points; NaN where there is too little."""
    region = scalp_region(segmentation, max_incidence_deg=settings.max_incidence_deg)
    measured = measure(segmentation, region, segmentation.grid, None)
    return float("nan") if measured is None else 100 * measured.coverage_fraction


def reduced(image: ImageArray, scale: float) -> ImageArray:
    """The photograph at another size, areas averaged."""
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photograph")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter, settings = NetworkSegmenter(), Settings()
    shifts: dict[int, list[float]] = {width: [] for width in WIDTHS_PX}
    for path in sorted(options.folder.rglob("*.jpg"))[:: options.every]:
        image, _ = read_photograph(path, max_megapixels=settings.max_megapixels)
        found = segmenter.segment(image, perturbations=settings.perturbations)
        full, wide = coverage(found, settings), head_width_px(found)
        for width in WIDTHS_PX:
            if width >= wide:
                continue
            try:
                again = segmenter.segment(
                    reduced(image, width / wide), perturbations=settings.perturbations
                )
                shifts[width].append(coverage(again, settings) - full)
            except HeadNotFoundError:
                shifts[width].append(float("nan"))
    print("| head, px | photographs | no head | mean shift, points | root mean square | worst |")
    print("|---|---|---|---|---|---|")
    for width, values in shifts.items():
        moved = np.array([value for value in values if np.isfinite(value)])
        if len(moved):
            print(
                f"| {width} | {len(values)} | {len(values) - len(moved)} | {moved.mean():+.1f} | "
                f"{np.sqrt(np.mean(moved**2)):.1f} | {np.abs(moved).max():.1f} |"
            )


if __name__ == "__main__":
    main()
