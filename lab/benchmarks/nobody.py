"""How often a head is found where there is none, and missed where there is one.

Run: ``python -m lab.benchmarks.nobody [--count 60]``. Pictures without a head are backgrounds of
lab/strands (wood, fur, cloth, tiles, balls, bokeh) from seeds that no training drew, and the
pictures of ``skimage.data`` that show no person and need no download. Heads are held-out seeds of
lab/strands, of which a third is taken with anything going wrong.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import skimage.data

from lab.strands.backdrop import lone_scene
from lab.strands.develop import develop
from lab.strands.scene import render
from scalptrack.errors import HeadNotFoundError
from scalptrack.quality import check_quality
from scalptrack.records import CaptureInfo, Settings
from scalptrack.segmentation import NetworkSegmenter

SIDE_PX = 480
FIRST_HELD_OUT = 300_000
MIN_REGION_SHARE = 0.03
PICTURES = (
    "brick", "camera", "cat", "clock", "coffee", "coins", "colorwheel", "grass", "gravel",
    "horse", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket",
    "text",
)  # fmt: skip
WITH_A_HEAD = ("camera",)


def found(segmenter: NetworkSegmenter, picture: np.ndarray) -> tuple[bool, bool]:
    """Whether the program takes the picture for a head, and whether it gives it a coverage."""
    try:
        seen = segmenter.segment(picture, perturbations=Settings().perturbations)
    except HeadNotFoundError:
        return False, False
    return True, check_quality(picture, seen, CaptureInfo()).usable


def row(name: str, answers: dict[str, tuple[bool, bool]]) -> str:
    """A line of the table; names are listed where a coverage was given without a person."""
    heads, numbers = (sum(each) for each in zip(*answers.values(), strict=True))
    named = " ".join(key for key, (_, number) in answers.items() if number and key in PICTURES)
    return f"| {name} | {len(answers)} | {heads} | {numbers} {named}|"


def shown(name: str) -> np.ndarray | None:
    """A picture of skimage.data as RGB, or None where it isn't installed."""
    try:
        picture = getattr(skimage.data, name)()
    except (OSError, ModuleNotFoundError, ValueError):
        return None
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * 255
    colour = np.dstack([picture] * 3) if picture.ndim == 2 else picture[..., :3]
    return np.ascontiguousarray(colour.astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = NetworkSegmenter()
    scenes = {}
    for seed in range(options.count):
        rng = np.random.default_rng([999, seed])
        scenes[str(seed)] = found(segmenter, develop(rng, lone_scene(rng, SIDE_PX)))
    print("| pictures | n | taken for a head | given a coverage |\n|---|---|---|---|")
    print(row("backgrounds of lab/strands", scenes), flush=True)
    pictures = {name: shown(name) for name in PICTURES if name not in WITH_A_HEAD}
    taken = {
        name: found(segmenter, picture) for name, picture in pictures.items() if picture is not None
    }
    print(row("skimage.data without a person", taken), flush=True)
    heads: dict[str, tuple[bool, bool]] = {}
    seed = FIRST_HELD_OUT
    while len(heads) < options.count:
        scene = render(seed)
        if scene.region.mean() > MIN_REGION_SHARE:
            picture = develop(np.random.default_rng(seed), scene.light)
            heads[str(seed)] = found(segmenter, picture)
        seed += 3
    print(row("heads of lab/strands", heads))


if __name__ == "__main__":
    main()
