"""Series of the fast renderer's people, written as lab/phantom writes its photographs.

Run: ``python -m lab.strands.visits FOLDER --first 920000 --people 30 [--size 1152]``; resumable.

Each person is photographed three times from one place: at first, again (every strand and the light
drawn anew, the density the same), and with fewer or more hairs. With ``--retest`` each is
photographed as the protocol asks: twice on the first day, posed and combed anew in the same light,
and once on another day in other light, all with the hair unchanged. `lab.benchmarks.change`,
`lab.benchmarks.retest` and `lab.phantom.covisible` read what is written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from lab.paths import beside
from lab.phantom.head import SCALP as PHANTOM_SCALP
from lab.strands.camera import Camera
from lab.strands.develop import develop
from lab.strands.head import SCALP
from lab.strands.scene import Scene, Visit, is_plain, render, view_of

VIEWS = ("vertex", "mid-pattern", "frontal")
DATES = ("2024-01-01", "2024-07-01", "2025-01-01")
SIZE_PX = 1152
SMALL_PX = 192
"""Size at which it is found out whether a person shows enough scalp, and hair that can change."""

MIN_REGION_SHARE = 0.08
COVERAGE_RANGE = (0.08, 0.93)
LEAST_CHANGE, MOST_CHANGE = 0.15, 0.8
"""Logarithm of hairs, relative to those at first, between which a change is drawn."""


def wanted(seed: int) -> bool:
    """True for a person in a view of the protocol whose coverage can rise and fall."""
    if view_of(seed, SMALL_PX) not in VIEWS:
        return False
    scene = render(seed, SMALL_PX)
    low, high = COVERAGE_RANGE
    seen = scene.region & (scene.cosine > 0.5)
    return bool(seen.mean() > MIN_REGION_SHARE and low < scene.fraction[seen].mean() < high)


def visits_of(seed: int) -> tuple[Visit, ...]:
    """The three visits of a person."""
    rng = np.random.default_rng([seed, 20_263])
    change = rng.choice([-1, 1]) * rng.uniform(LEAST_CHANGE, MOST_CHANGE)
    return Visit(1), Visit(2), Visit(3, float(np.exp(change)))


RETEST_VIEWS = (*VIEWS, "temporal", "occipital")
RETEST_NAMES = ("2024-01-01_1", "2024-01-01_2", "2024-07-01")
RETEST = (Visit(1, posed=True), Visit(2, posed=True, light_of=1), Visit(3, posed=True))


def retested(seed: int) -> bool:
    """True for a person in a view of the protocol, taken as it asks, who shows enough scalp."""
    if view_of(seed, SMALL_PX) not in RETEST_VIEWS or not is_plain(seed):
        return False
    scene = render(seed, SMALL_PX, RETEST[0])
    return bool((scene.region & (scene.cosine > 0.5)).mean() > MIN_REGION_SHARE)


def _camera_record(camera: Camera) -> dict[str, Any]:
    translation = -camera.axes @ camera.position_mm / 10
    return {
        "focal_px": camera.focal_px,
        "cx": float(camera.centre_px[0]),
        "cy": float(camera.centre_px[1]),
        "width": camera.size,
        "height": camera.size,
        "camera_from_head_rotation": camera.axes.tolist(),
        "camera_from_head_translation_cm": translation.tolist(),
    }


def write(scene: Scene, visit: Visit, base: Path) -> None:
    """Write BASE.jpg, BASE.hair.png, BASE.surface.npz and, last, BASE.json."""
    if scene.surface is None or scene.camera is None:
        raise ValueError("nobody is in this picture")
    base.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([int(scene.facts["seed"]), visit.number])
    picture = develop(rng, scene.light)
    cv2.imwrite(str(beside(base, ".jpg")), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 94])
    Image.fromarray(np.round(255 * scene.fraction).astype(np.uint8)).save(beside(base, ".hair.png"))
    there = np.isfinite(scene.surface.depth_mm)[..., np.newaxis]
    np.savez_compressed(
        beside(base, ".surface.npz"),
        position=np.where(there, scene.surface.point_mm / 10, np.nan).astype(np.float32),
        # What something lies upon is not seen.
        label=np.where((scene.surface.label == SCALP) & scene.region, PHANTOM_SCALP, 0).astype(
            np.uint8
        ),
        incidence_cosine=scene.cosine.astype(np.float16),
    )
    record = {"facts": scene.facts, "kept": visit.kept, "camera": _camera_record(scene.camera)}
    beside(base, ".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=920_000)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--size", type=int, default=SIZE_PX)
    parser.add_argument(
        "--retest", action="store_true", help="unchanged hair, as the protocol asks"
    )
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seed, done = options.first, 0
    while done < options.people:
        seed += 1
        if not (retested(seed) if options.retest else wanted(seed)):
            continue
        done += 1
        series = options.folder / f"person-{seed}" / view_of(seed, SMALL_PX)
        names = RETEST_NAMES if options.retest else DATES
        for name, visit in zip(names, RETEST if options.retest else visits_of(seed), strict=True):
            if not (series / f"{name}.json").exists():
                write(render(seed, options.size, visit), visit, series / name)
        print(f"person {seed}, {done} of {options.people}", flush=True)


if __name__ == "__main__":
    main()
