"""Cycles renders to finish the training with: random subjects that no other set uses.

Run: ``python -m lab.training.renders --out FOLDER [--count 60]`` in an environment with ``bpy``;
resumable. Seeds start at `FIRST_SEED`, away from those of lab/phantom's own sets.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from lab.phantom.render import PhotographSpec, render_all

FIRST_SEED = 50_000
SIZE = {"width": 360, "height": 480, "samples": 6, "truth_samples": 16}
VIEWS = ("vertex", "frontal", "mid-pattern", "left-temporal", "right-temporal", "occipital")
VIEW_CHANCE = (0.5, 0.2, 0.1, 0.06, 0.06, 0.08)
LENGTHS_CM = (0.15, 0.3, 0.6, 1.0, 1.6, 2.5, 4.0, 7.0)


def specs(count: int) -> list[PhotographSpec]:
    """Photographs of `count` subjects; skin, hair, loss and light are drawn by lot."""
    found = []
    for number in range(count):
        seed = FIRST_SEED + number
        rng = np.random.default_rng(seed)
        view = str(rng.choice(VIEWS, p=VIEW_CHANCE))
        visit: dict[str, Any] = {
            "view": view,
            "length_cm": float(rng.choice(LENGTHS_CM)),
            "focal_35mm": float(rng.uniform(40, 75)),
            "date": "2023-01-01",
        }
        found.append(
            PhotographSpec(
                f"train-{number:03d}/{view}/2023-01-01", seed, seed, {}, visit,
                pose_sd_deg=8.0, **SIZE,
            )
        )  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    render_all(specs(options.count), options.out, threads=options.threads)


if __name__ == "__main__":
    main()
