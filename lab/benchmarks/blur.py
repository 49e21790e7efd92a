"""Blur against what it does: the measured blur, and how far coverage moves.

Run: ``python -m lab.benchmarks.blur TRUTH.json [TRUTH.json ...]`` on output of lab/phantom. Each
is blurred with a Gaussian of a share of the head's width and measured over the region of the sharp
one. The limits of the finding ``blurred`` come from this table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.quality import check_quality
from scalptrack.quality.check import BLURRED
from scalptrack.segmentation import NetworkSegmenter

SHARES_PERCENT = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3)


def rows_of(path: Path, segmenter: NetworkSegmenter):
    """Blur in % of the head width, whether it is an error, and shift of coverage in points."""
    truth = json.loads(path.read_text(encoding="utf-8"))
    image, capture = read_photograph(path.with_suffix(".jpg"), max_megapixels=150)
    sharp = segmenter.segment(image)
    region = scalp_region(sharp, max_incidence_deg=60)
    start = measure(sharp, region, sharp.grid, None)
    for share in SHARES_PERCENT:
        sigma = share * truth["head_width_px"] / 100
        blurred = cv2.GaussianBlur(image, (0, 0), sigma) if share else image
        try:
            found = segmenter.segment(blurred)
        except HeadNotFoundError:
            yield share, "refused", float("nan")
            continue
        quality = check_quality(blurred, found, capture)
        told = [each for each in quality.findings if each.code == BLURRED.code]
        severity = told[0].severity.value if told else "none"
        again = measure(found, region, sharp.grid, None)
        shift = np.nan
        if start is not None and again is not None:
            shift = 100 * (again.coverage_fraction - start.coverage_fraction)
        yield share, severity, float(shift)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truths", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = NetworkSegmenter()
    rows = [row for path in options.truths for row in rows_of(path, segmenter)]
    print("| blur, % of head width | n | none | warning | error | refused | shift MAE | worst |")
    print("|---|---|---|---|---|---|---|---|")
    for share in SHARES_PERCENT:
        part = [row for row in rows if row[0] == share]
        told = [sum(row[1] == name for row in part) for name in ("none", "warning", "error")]
        refused = len(part) - sum(told)
        shifts = np.abs([row[2] for row in part if np.isfinite(row[2])])
        counts = " | ".join(str(each) for each in told)
        print(
            f"| {share} | {len(part)} | {counts} | {refused} "
            f"| {shifts.mean():.1f} | {shifts.max():.1f} |"
        )


if __name__ == "__main__":
    main()
