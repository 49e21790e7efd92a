"""What an alignment by points set by hand is worth, and whether wrong points are refused.

    python -m lab.benchmarks.points FOLDER --cache FOLDER [--truth] [--repeats N]

FOLDER holds several photographs of each person (``lab.training.renders --validation``). Points are
drawn on the scalp that both photographs show, far from each other as the program asks, and set with
errors of a stated size on both photographs. Wrong ones: one pair moved by 10 to 30 % of the head's
width, two pairs exchanged, all in one corner, another person's head (the same place within its
outline). The target registration error (TRE) is measured on the exact surface; the scatter is that
of the resampled transforms, which makes the interval of a coverage.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.bad_pairs import evenly, followed
from lab.benchmarks.bad_photographs import FeatureStore, Picture
from lab.benchmarks.registration import correspondences, load
from scalptrack.registration import HeadFeatures, register_by_points

HANDS = {"careful, 0.7 %": 0.007, "usual, 1.5 %": 0.015, "sloppy, 3 %": 0.03}
"""SD along each axis of a point on each photograph (share of the head's width)."""

WRONG = ("one pair wrong", "two exchanged", "one corner", "another person")
COUNTS = (4, 6)
USUAL = 0.015


def inside(features: HeadFeatures, points: np.ndarray) -> np.ndarray:
    m11, m12, m22 = features.outline.shape.outline
    x, y = (points - np.array(features.outline.shape.centre_px)).T
    return np.hypot(m11 * x + m12 * y, m22 * y) < 0.9


def placed(
    here: np.ndarray, there: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Far from each other: of a few random candidates always the one farthest from the others."""
    chosen = [int(rng.integers(len(here)))]
    while len(chosen) < count:
        candidates = rng.integers(0, len(here), 30)
        gaps = np.linalg.norm(here[candidates, None] - here[chosen], axis=2).min(axis=1)
        chosen.append(int(candidates[gaps.argmax()]))
    return here[chosen].copy(), there[chosen].copy()


def drawn_pairs(
    kind: str, pair: tuple[Picture, Picture], stranger: Picture, count: int, seed: int
) -> tuple[np.ndarray, Picture]:
    """Pairs (N, 4) of one kind, and the photograph that they lie on."""
    reference, moving = pair
    rng = np.random.default_rng([seed, count])
    here, there = correspondences(reference.shot, moving.shot)
    good = inside(reference.features, here) & inside(moving.features, there)
    here, there = here[good], there[good]
    if kind == "one corner":
        centre = here[rng.integers(len(here))]
        near = np.argsort(np.linalg.norm(here - centre, axis=1))[: len(here) // 25]
        here, there = here[near], there[near]
    before, after = placed(here, there, count, rng)
    width = moving.features.head_width_px
    if kind == "one pair wrong":
        towards = np.array(moving.features.outline.shape.centre_px) - after[0]
        after[0] += rng.uniform(0.1, 0.3) * width * towards / np.linalg.norm(towards)
    elif kind == "two exchanged":
        after[[0, 1]] = after[[1, 0]]
    elif kind == "another person":
        old, new = moving.features.outline.shape, stranger.features.outline.shape
        after = (after - old.centre_px) * new.width_px / old.width_px + new.centre_px
        moving, width = stranger, stranger.features.head_width_px
    noise = HANDS.get(kind, USUAL)
    before += rng.normal(0.0, noise * reference.features.head_width_px, before.shape)
    after += rng.normal(0.0, noise * width, after.shape)
    return np.hstack([before, after]), moving


def row(
    kind: str, pair: tuple[Picture, Picture], stranger: Picture, count: int, seed: int
) -> dict[str, Any]:
    pairs, moving = drawn_pairs(kind, pair, stranger, count, seed)
    reference = pair[0]
    result = register_by_points(reference.features, moving.features, pairs, seed=seed)
    found = {
        "accepted": result.registered,
        "reason": result.reason.code if result.reason else "",
        "tre": float("nan"),
        "scatter": float("nan"),
        **{gate.name: gate.value for gate in result.gates},
    }
    if not result.registered or kind == "another person":
        return found
    here, there = correspondences(reference.shot, moving.shot)
    width = moving.shot.truth["head_width_px"]
    mapped = result.transform.map_points(here)
    found["tre"] = 100.0 * float(np.nanmedian(np.linalg.norm(mapped - there, axis=1))) / width
    each = np.array([transform.map_points(here) for transform in result.resampled])
    gaps = np.linalg.norm(each - mapped, axis=2)
    found["scatter"] = 100.0 * float(np.nanmedian(gaps)) / width
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--truth", action="store_true", help="exact segmentation")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=10**6, help="evenly chosen")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    store = FeatureStore(options.cache, truth=options.truth)
    pictures = [Picture(shot) for shot in load(options.folder)]
    for picture in pictures:
        store.fill(picture)
    known = [picture for picture in pictures if picture.features is not None]
    pairs = evenly(followed(known), options.pairs)
    rows = defaultdict(list)
    for number, pair in enumerate(pairs):
        others = [p for p in known if p.shot.subject != pair[0].shot.subject]
        alike = [p for p in others if p.shot.view == pair[0].shot.view] or others
        for kind in (*HANDS, *WRONG):
            for count in COUNTS:
                for repeat in range(options.repeats):
                    seed = 1000 * number + repeat
                    stranger = alike[number % len(alike)]
                    rows[kind, count].append(row(kind, pair, stranger, count, seed))
    print("| points | pairs | n | accepted | TRE of those | scatter | TRE above 2 scatters |")
    print("|---|---|---|---|---|---|---|")
    for (kind, count), part in rows.items():
        accepted = [each for each in part if each["accepted"]]
        tre = np.array([each["tre"] for each in accepted if np.isfinite(each["tre"])])
        scatter = np.array([each["scatter"] for each in accepted if np.isfinite(each["tre"])])
        errors = (
            f"median {np.median(tre):.1f}, at most {tre.max():.1f} %" if len(tre) else "",
            f"{np.median(scatter):.1f} %" if len(tre) else "",
            f"{(tre > 2.0 * scatter).mean():.0%}" if len(tre) else "",
        )
        print(
            f"| {kind} | {count} | {len(part)} | {len(accepted)} | {errors[0]} | {errors[1]} | "
            f"{errors[2]} |"
        )
        for name in ("point_residual_percent", "point_left_out_percent", "point_spread_percent"):
            values = [each[name] for each in part if name in each]
            print(
                f"<!-- {name} {np.percentile(values, (5, 50, 95)).round(1) if values else ''} -->"
            )


if __name__ == "__main__":
    main()
