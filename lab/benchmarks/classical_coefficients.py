"""Measure the coefficients of the classical method on pictures of the fast renderer.

Usage: ``python -m lab.benchmarks.classical_coefficients [--first SEED] [--count N] [--cache FILE]``

Prints the two tables (skin known, skin not known) that stand in
``scalptrack/segmentation/classical_coefficients.py``. The seeds lie far from those that the
network is trained on and from those that any table reports.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import minimize

from scalptrack.segmentation.classical_features import FEATURES, MIN_PRIOR_PX, pixel_features

SIZE_PX = 512
MIN_REGION_PX = 15_000
MM_PER_PX = (0.28, 0.6)
PIXELS_PER_PICTURE = 1500
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Sample:
    """One developed picture with its truth; all (H, W)."""

    image: np.ndarray
    fraction: np.ndarray
    region: np.ndarray
    other_skin: np.ndarray


def rendered(first: int, count: int) -> Iterator[Sample]:
    """Pictures of usable scale from seed `first` on, until there are `count`."""
    from lab.strands.develop import develop
    from lab.strands.scene import render

    found, seed = 0, first
    while found < count:
        seed += 1
        scene = render(seed, SIZE_PX)
        scale = float(scene.facts.get("mm_per_px", 0.0))
        region = scene.region & (scene.cosine > 0.5)
        if not MM_PER_PX[0] < scale < MM_PER_PX[1] or scene.region.sum() < MIN_REGION_PX:
            continue
        image = develop(np.random.default_rng(seed), scene.light)
        found += 1
        yield Sample(image, scene.fraction, region, scene.classes == 3)


def known_skin(other_skin: np.ndarray) -> np.ndarray | None:
    """The other skin without its rim, or None when there is too little."""
    inner = cv2.erode(other_skin.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return inner if inner.sum() > MIN_PRIOR_PX else None


def rows(samples: list[Sample], skin_known: bool) -> tuple[np.ndarray, np.ndarray]:
    """Features and hair fractions of a few pixels of every picture."""
    rng = np.random.default_rng(0)
    features, fractions = [], []
    for sample in samples:
        skin = known_skin(sample.other_skin) if skin_known else None
        if skin_known and skin is None:
            continue
        table = pixel_features(sample.image, sample.region, skin)
        chosen = rng.choice(len(table), min(PIXELS_PER_PICTURE, len(table)), replace=False)
        features.append(table[chosen])
        fractions.append(sample.fraction[sample.region][chosen])
    return np.concatenate(features).astype(float), np.concatenate(fractions).astype(float)


def fitted(features: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Ridge logistic regression of the hair fraction: rows (mean, SD, weight), intercept last."""
    mean, sd = features.mean(0), features.std(0)
    design = np.c_[np.clip((features - mean) / sd, -4, 4), np.ones(len(features))]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = design @ weights
        penalty = np.r_[weights[:-1], 0.0]
        value = (np.logaddexp(0, score) - fractions * score).mean() + RIDGE * (penalty**2).sum()
        slope = design.T @ (1 / (1 + np.exp(-score)) - fractions) / len(fractions)
        return float(value), slope + 2 * RIDGE * penalty

    best = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B")
    return np.c_[np.r_[mean, 0.0], np.r_[sd, 1.0], best.x]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=90_000_000)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="an .npz to keep the pictures in")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.cache and options.cache.exists():
        with np.load(options.cache) as stored:
            samples = [Sample(*arrays) for arrays in zip(*(stored[k] for k in stored), strict=True)]
    else:
        samples = list(rendered(options.first, options.count))
        if options.cache:
            stacked = {
                name: np.stack([getattr(sample, name) for sample in samples])
                for name in Sample.__slots__
            }
            np.savez_compressed(options.cache, **stacked)
    for name, skin_known in (("SKIN_KNOWN", True), ("SKIN_UNKNOWN", False)):
        table = fitted(*rows(samples, skin_known))
        print(f"{name} = (")
        for label, (mean, sd, weight) in zip((*FEATURES, "intercept"), table, strict=True):
            print(f'    ("{label}", {mean:.3f}, {sd:.3f}, {weight:.3f}),')
        print(")")


if __name__ == "__main__":
    main()
