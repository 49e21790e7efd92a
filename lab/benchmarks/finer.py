"""At what size of picture hair is told best from skin, by the pixels that the photograph has.

Run: ``python -m lab.benchmarks.finer --first 930000 --count 36 --phantom FOLDER [FOLDER ...]
[--size 1152] [--series FOLDER ...]``: people of lab/strands, output of lab/phantom, and for the
error of changes series that `lab.strands.visits` wrote. Each photograph is cropped
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

from lab.phantom.covisible import read_dense_truth
from lab.strands.develop import develop
from lab.strands.scene import render
from lab.strands.visits import DATES
from lab.training.evaluate import load, phantoms
from scalptrack.images import read_photograph
from scalptrack.segmentation.crops import INPUT_PX, averaged, crop_around, cut, shrunk, whole_crop
from scalptrack.segmentation.heads import HEAD_SHARE
from scalptrack.segmentation.maps import FRACTION_CHANNEL
from scalptrack.segmentation.network import MODEL_FOLDER, MODEL_NAMES

SIDES = (320, 416, 512, 608)
BANDS = ((0, 400), (400, 500), (500, 600), (600, 750), (750, 10_000))
RENDERED_PX = 1152
MIN_COSINE = 0.5
MIN_SCALP_SHARE = 0.04
Seen = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]


def strands(first: int, count: int, size: int) -> Iterator[Seen]:
    """Photograph, hair fraction and facing scalp of people of the fast renderer."""
    for seed in range(first, first + count):
        scene = render(seed, size)
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


def visits(series: Path) -> list[Seen]:
    """Photographs of a series from one place, with the scalp that all of them show."""
    bases = [path.with_suffix("") for path in sorted(series.glob("*.json"))]
    truths = [read_dense_truth(base) for base in bases]
    region = np.logical_and.reduce([truth.region for truth in truths])
    return [
        (read_photograph(base.with_suffix(".jpg"))[0], truth.hair_fraction, region)
        for base, truth in zip(bases, truths, strict=True)
    ]


def changes(call: Any, folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True changes (N,) from the first photographs of all series, and their errors (N, sides)."""
    true, gaps = [], []
    for series in sorted(each.parent for each in folder.glob(f"*/*/{DATES[0]}.json")):
        seen = visits(series)
        found = [errors(call, one) for one in seen]
        if any(each is None for each in found):
            continue
        levels = [100 * float(fraction[region].mean()) for _, fraction, region in seen]
        error = np.array([each[1] for each in found if each is not None])
        true += [level - levels[0] for level in levels[1:]]
        gaps += list(error[1:] - error[0])
    return np.array(true), np.array(gaps)


def print_changes(call: Any, folder: Path) -> None:
    """Print the error of changes and their slope at each size."""
    true, gaps = changes(call, folder)
    print(f"\n| {folder.name}, {len(true)} follow-ups | root mean square | slope |\n|---|---|---|")
    for side, gap in zip(SIDES, gaps.T, strict=True):
        slope = true @ (true + gap) / (true @ true)
        print(f"| {side} px | {np.sqrt(np.mean(gap**2)):.1f} | {slope:.2f} |")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--first", type=int, default=930_000)
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--size", type=int, default=RENDERED_PX, help="of those people's pictures")
    parser.add_argument("--phantom", type=Path, nargs="*", default=[])
    parser.add_argument("--series", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    call = load(MODEL_FOLDER / MODEL_NAMES[1])
    sets = [("lab/strands", strands(options.first, options.count, options.size))]
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
    for folder in options.series:
        print_changes(call, folder)


if __name__ == "__main__":
    main()
