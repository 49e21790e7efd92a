"""How many faces of rendered people `scalptrack deidentify` covers, and which eyes stay visible.

Run: ``python -m lab.benchmarks.faces FOLDER [FOLDER ...]`` on output of lab/phantom. All frontal
photographs are covered as the command does it. An eye is what the picture shows of the eye sockets:
within `SOCKET_DEG` of their direction from the middle of the head (`lab/phantom/head.py`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from scalptrack.errors import HeadNotFoundError
from scalptrack.faces import FaceOutcome, face_cover
from scalptrack.images import read_photograph
from scalptrack.segmentation import NetworkSegmenter

SOCKETS = ((0.34, 1.0, -0.12), (-0.34, 1.0, -0.12))
SOCKET_DEG = 7.0
MIN_EYE_PX = 12
VISIBLE_SHARE = 0.1


def visible_eyes(truth: Path, mask: np.ndarray) -> tuple[int, int]:
    """How many eyes the photograph shows, and of how many the mask leaves a tenth or more."""
    with np.load(truth.with_name(truth.stem + ".surface.npz")) as arrays:
        position = arrays["position"]
    direction = position / np.linalg.norm(position, axis=-1, keepdims=True)
    shown = left = 0
    for socket in SOCKETS:
        towards = np.array(socket) / np.linalg.norm(socket)
        eye = np.nan_to_num(direction @ towards, nan=-1) > np.cos(np.radians(SOCKET_DEG))
        if eye.sum() >= MIN_EYE_PX:
            shown += 1
            left += bool((eye & ~mask).sum() >= VISIBLE_SHARE * eye.sum())
    return shown, left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = NetworkSegmenter()
    outcomes: Counter[str] = Counter()
    shown = left = 0
    for truth in sorted(path for folder in options.folders for path in folder.rglob("*.json")):
        if truth.parent.name != "frontal":
            continue
        image, _ = read_photograph(truth.with_suffix(".jpg"), max_megapixels=150)
        try:
            segmentation = segmenter.segment(image)
        except HeadNotFoundError:
            segmentation = None
        cover = face_cover(segmentation, "frontal", image.shape[:2])
        outcomes[cover.outcome.value] += 1
        if cover.outcome is FaceOutcome.NOT_COVERED:
            print(f"withheld: {truth}: {cover.reason}")
            continue
        here, open_eyes = visible_eyes(truth, cover.mask)
        shown, left = shown + here, left + open_eyes
        if open_eyes:
            print(f"{open_eyes} of {here} eyes visible: {truth}")
    print(f"{dict(outcomes)}; {left} of {shown} eyes of the covered photographs are visible")


if __name__ == "__main__":
    main()
