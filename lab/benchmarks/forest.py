"""A random forest on local features of scikit-image: what one would build without a network.

It learns hair against skin from pictures of lab/strands (seeds of the training, never those that
are reported on) and is given the scalp; needs scikit-learn, which the program does not.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from skimage.feature import multiscale_basic_features

from lab.strands.develop import develop
from lab.strands.scene import render

SIZE_PX = 320
SEED = 20260101
FIRST_SEED = 1_000_001
PICTURES = 60
PIXELS = 800
"""Pixels of each picture that are learned from."""


def _features(picture: np.ndarray) -> np.ndarray:
    """Colour, edges and texture at several scales, (H, W, K)."""
    return multiscale_basic_features(picture, channel_axis=-1, sigma_min=0.5, sigma_max=8)


@cache
def trained_forest() -> Any:
    """A forest of 60 trees, always the same."""
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(SEED)
    inputs, labels, seed = [], [], FIRST_SEED
    while len(inputs) < PICTURES:
        seed += 1
        scene = render(seed, SIZE_PX)
        rows, columns = np.nonzero(scene.region)
        if len(rows) < PIXELS:
            continue
        pick = rng.choice(len(rows), PIXELS, replace=False)
        features = _features(develop(np.random.default_rng(seed), scene.light))
        inputs.append(features[rows[pick], columns[pick]])
        labels.append(scene.fraction[rows[pick], columns[pick]] >= 0.5)
    forest = RandomForestClassifier(60, max_depth=14, random_state=SEED, n_jobs=1)
    return forest.fit(np.concatenate(inputs), np.concatenate(labels))


def forest(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Probability of hair, float32 (H, W), zero outside the region."""
    scale = SIZE_PX / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    found = np.zeros(inside.shape, np.float32)
    if inside.any():
        found[inside] = trained_forest().predict_proba(_features(small)[inside])[:, 1]
    enlarged = cv2.resize(found, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(region, enlarged, 0)
