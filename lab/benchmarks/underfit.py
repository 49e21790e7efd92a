"""Whether the shipped network errs less on pictures that it was trained on than on others.

Run: ``python -m lab.benchmarks.underfit --strands FOLDER --cycles FOLDER [FOLDER ...]``: shards of
lab/strands that a training used, and output of lab/phantom (what was trained on, and what wasn't).
Each picture is cropped around its true scalp as training crops whole heads, and photographed
mildly; the error is that of the coverage of the true scalp, so that finding it plays no part.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.training.aims import AIMS, Aim
from lab.training.cycles import Photographs, draw_photograph, photographed
from lab.training.dataset import Pictures, Truth, draw_crop
from lab.training.evaluate import load
from scalptrack.segmentation.crops import INPUT_PX
from scalptrack.segmentation.maps import FRACTION_CHANNEL
from scalptrack.segmentation.network import MODEL_FOLDER, MODEL_NAMES

SEED = 5
MILDLY = Aim(careless=0.0, rough=0.0)
MIN_SCALP_PX = 1500
MIN_COSINE = 0.5
Drawn = Iterator[tuple[NDArray[np.float32], Truth]]


def chosen(count: int, limit: int) -> list[int]:
    """Which of `count` pictures are judged."""
    return [int(each) for each in np.random.default_rng(1).permutation(count)[:limit]]


def row(name: str, drawn: Drawn) -> str:
    """A line of the table."""
    call = load(MODEL_FOLDER / MODEL_NAMES[1])
    gaps = []
    for light, truth in drawn:
        maps = call(photographed(np.random.default_rng(SEED), light, MILDLY))
        seen = (truth.region > 0.5) & (truth.cosine > MIN_COSINE)
        if seen.sum() >= MIN_SCALP_PX:
            gaps.append(100 * (maps[FRACTION_CHANNEL][seen].mean() - truth.fraction[seen].mean()))
    found = np.array(gaps)
    spread = f"{np.percentile(np.abs(found), 90):.1f}"
    return (
        f"| {name} | {len(found)} | {np.abs(found).mean():.1f} | {found.mean():+.1f} | {spread} |"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--strands", type=Path, required=True)
    parser.add_argument("--cycles", type=Path, nargs="+", required=True)
    parser.add_argument("--limit", type=int, default=90)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print("| pictures | n | MAE, points | bias | 90 % below |\n|---|---|---|---|---|")
    items = Pictures([options.strands], held_out=False).items
    drawn = (
        draw_crop(np.random.default_rng(k), items[k][0], items[k][1], INPUT_PX, AIMS["heads"])
        for k in chosen(len(items), options.limit)
    )
    print(row(options.strands.name, drawn))
    for folder in options.cycles:
        photographs = Photographs([folder]).items
        several = (
            draw_photograph(np.random.default_rng(k), photographs[k], INPUT_PX, AIMS["heads"])
            for k in chosen(len(photographs), options.limit)
        )
        print(row(folder.name, several))


if __name__ == "__main__":
    main()
