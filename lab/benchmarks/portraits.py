"""Whether the program looks at the scalp, at something else, or says that there is no head.

Run: ``python -m lab.benchmarks.portraits run FILE.json [--count 80] [--first 980000]``, then
``... table FILE.json``. Pictures are portraits of the fast renderer from seeds that no training
drew: faces that fill the frame, people across a room, hair of all kinds, hands, hats. A place is
right when what is found overlaps with the true scalp by at least `RIGHT`, and wrong below `WRONG`.
The table also says what other limits of the score (`heads.MIN_PLACE_SCORE`) would give; choose one
on other seeds than those that are reported.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.people import wilson
from lab.strands.develop import develop
from lab.strands.scene import render, view_of
from scalptrack.errors import HeadNotFoundError
from scalptrack.records import Settings
from scalptrack.segmentation import NetworkSegmenter, heads
from scalptrack.single import lay_on

SIZE_PX = 640
RIGHT, WRONG = 0.5, 0.2
MIN_SCALP_PX = 400
"""Pictures that show less scalp than this are left out."""

LIMITS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Case = dict[str, Any]


def judge(segmenter: NetworkSegmenter, seed: int) -> Case | None:
    """What is found in the portrait of a seed; None where it shows too little scalp."""
    scene = render(seed, SIZE_PX)
    if scene.region.sum() < MIN_SCALP_PX:
        return None
    image = develop(np.random.default_rng(seed), scene.light)
    case: Case = {"seed": seed, "scalp_px": int(scene.region.sum()), "score": None, "iou": None}
    limit, heads.MIN_PLACE_SCORE = heads.MIN_PLACE_SCORE, 0.0
    try:
        case["score"] = segmenter.find_head(image).score
        found = segmenter.segment(image, perturbations=Settings().perturbations)
        scalp = lay_on(found.scalp.astype(np.uint8), found.grid, scene.region.shape, linear=False)
        both, either = (scalp > 0) & scene.region, (scalp > 0) | scene.region
        case["iou"] = float(both.sum() / either.sum())
    except HeadNotFoundError:
        pass
    finally:
        heads.MIN_PLACE_SCORE = limit
    return case


def table(cases: list[Case]) -> None:
    """Print the outcomes, and what other limits would give."""
    print(f"{len(cases)} portraits; limit in use {heads.MIN_PLACE_SCORE}\n")
    print("| limit | refused | right place | doubtful | wrong place |\n|---|---|---|---|---|")
    for limit in LIMITS:
        kept = [c["iou"] for c in cases if c["iou"] is not None and c["score"] >= limit]
        counts = (
            len(cases) - len(kept),
            sum(each >= RIGHT for each in kept),
            sum(WRONG <= each < RIGHT for each in kept),
            sum(each < WRONG for each in kept),
        )
        shares = []
        for count in counts:
            low, high = wilson(count, len(cases))
            shares.append(f"{count} ({100 * low:.0f} to {100 * high:.0f} %)")
        print(f"| {limit} | {' | '.join(shares)} |")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("task", choices=("run", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--first", type=int, default=980_000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    path = options.file
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    if options.task == "table":
        table(cases)
        return
    segmenter = NetworkSegmenter()
    seed = max((case["seed"] for case in cases), default=options.first)
    while len(cases) < options.count:
        seed += 1
        if view_of(seed, SIZE_PX) == "portrait" and (case := judge(segmenter, seed)):
            cases.append(case)
            path.write_text(json.dumps(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
