"""At what size of picture hair is told best from skin, by the pixels that the photograph has.

Run: ``python -m lab.benchmarks.finer --first 930000 --count 36 --phantom FOLDER [FOLDER ...]``:
people of lab/strands rendered at 1152 px, and output of lab/phantom. Each photograph is cropped
around its true scalp as the program crops heads, and shown to the shipped network at several sizes;
the error is that of the coverage of the true scalp, so that finding it plays no part. The limits of
`scalptrack.segmentation.crops.finer_side` follow from it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.develop import develop
from lab.strands.scene import render
from lab.training.evaluate import load, phantoms
from scalptrack.segmentation.crops import INPUT_PX, averaged, crop_around, cut, shrunk, whole_crop
from scalptrack.segmentation.heads import HEAD_SHARE
from scalptrack.segmentation.maps import FRACTION_CHANNEL
from scalptrack.segmentation.network import MODEL_FOLDER, MODEL_NAME

SIDES = (320, 416, 512, 608)
BANDS = ((0, 400), (400, 500), (500, 600), (600, 750), (750, 10_000))
RENDERED_PX = 1152
MIN_COSINE = 0.5
MIN_SCALP_SHARE = 0.04
Seen = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]


def strands(first: int, count: int) -> Iterator[Seen]:
    """Photograph, hair fraction and facing scalp of people of the fast renderer."""
    for seed in range(first, first + count):
        scene = render(seed, RENDERED_PX)
        picture = develop(np.random.default_rng(seed), scene.light)
        yield picture, scene.fraction, scene.region & (scene.cosine > MIN_COSINE)


def phantom_people(folder: Path) -> Iterator[Seen]:
    """The same of what lab/phantom rendered into a folder, but for photographs stored turned."""
    for each in phantoms(folder):
        if each.region.shape == each.picture.shape[:2]:
            yield each.picture, each.fraction, each.region & (each.cosine > MIN_COSINE)


def errors(call: Any, seen: Seen) -> tuple[int, list[float]] | None:
    """Own pixels along the crop, and the error of the coverage in points at each size."""
    picture, fraction, region = seen
    if region.mean() < MIN_SCALP_SHARE:
        return None
    whole = whole_crop(picture.shape[:2])
    marks = np.dstack([np.round(255 * fraction), 255 * region, 255 * region]).astype(np.uint8)
    near = (INPUT_PX, INPUT_PX)
    seen_whole = cv2.resize(cut(marks, whole), near, interpolation=cv2.INTER_NEAREST)
    crop = crop_around(seen_whole[..., 1] == 255, whole, HEAD_SHARE)
    truth = cut(marks, crop)
    scalp = (truth[..., 1] == 255).astype(np.uint8)
    true = float(truth[..., 0][scalp > 0].mean()) / 255
    where = cv2.resize(scalp, near, interpolation=cv2.INTER_NEAREST) > 0
    gaps = []
    for side in SIDES:
        maps = averaged(call(shrunk(cut(picture, crop), side)))
        gaps.append(100 * float(maps[FRACTION_CHANNEL][where].mean() - true))
    return crop.side_px, gaps


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--first", type=int, default=930_000)
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--phantom", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    call = load(MODEL_FOLDER / MODEL_NAME)
    sets = [("lab/strands", strands(options.first, options.count))]
    sets += [(f"lab/phantom, {folder.name}", phantom_people(folder)) for folder in options.phantom]
    heads = " | ".join(f"{side} px" for side in SIDES)
    print(f"| set | own pixels along the crop | n | {heads} |\n|---|---|---|{'---|' * len(SIDES)}")
    for name, seen in sets:
        found = [each for each in (errors(call, one) for one in seen) if each is not None]
        for low, high in BANDS:
            rows = np.array([gaps for side, gaps in found if low <= side < high])
            if len(rows):
                means = " | ".join(f"{each:.1f}" for each in np.abs(rows).mean(axis=0))
                print(f"| {name} | {low} to {high} | {len(rows)} | {means} |")


if __name__ == "__main__":
    main()
