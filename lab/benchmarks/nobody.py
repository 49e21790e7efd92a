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
from scalptrack.records import Settings
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


def found(segmenter: NetworkSegmenter, picture: np.ndarray) -> bool:
    """Whether the program takes the picture for a head."""
    try:
        segmenter.segment(picture, perturbations=Settings().perturbations)
    except HeadNotFoundError:
        return False
    return True


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
    scenes = []
    for seed in range(options.count):
        rng = np.random.default_rng([999, seed])
        scenes.append(found(segmenter, develop(rng, lone_scene(rng, SIDE_PX))))
    print("| pictures | n | taken for a head |\n|---|---|---|")
    print(f"| backgrounds of lab/strands | {len(scenes)} | {sum(scenes)} |")
    pictures = {name: shown(name) for name in PICTURES if name not in WITH_A_HEAD}
    taken = [
        name
        for name, picture in pictures.items()
        if picture is not None and found(segmenter, picture)
    ]
    there = sum(picture is not None for picture in pictures.values())
    print(f"| skimage.data without a person | {there} | {len(taken)} {' '.join(taken)} |")
    heads: list[bool] = []
    seed = FIRST_HELD_OUT
    while len(heads) < options.count:
        scene = render(seed)
        if scene.region.mean() > MIN_REGION_SHARE:
            heads.append(found(segmenter, develop(np.random.default_rng(seed), scene.light)))
        seed += 3
    print(f"| heads of lab/strands | {len(heads)} | {sum(heads)} |")


if __name__ == "__main__":
    main()
