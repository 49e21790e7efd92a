"""Cycles renders to train with: random subjects that no other set uses.

Run: ``python -m lab.training.renders --out FOLDER [--first 0] [--count 400]`` in an environment
with ``bpy``; resumable. Seeds start at `FIRST_SEED`, away from those of lab/phantom's own sets.
With ``--validation`` it renders people to choose between networks with, and to measure what a
photograph of unchanged hair varies by: each at a baseline, again, and with hair regrown or lost.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from lab.phantom.render import PhotographSpec, render_all

FIRST_SEED = 60_000
VALIDATION_SEED = 90_000
FUZZY = {"width": 414, "height": 552, "samples": 3, "truth_samples": 8}
SHARP = {"width": 480, "height": 640, "samples": 6, "truth_samples": 12}
LARGE = {"width": 720, "height": 960, "samples": 10, "truth_samples": 12}
FUZZY_SUBJECTS, LARGE_FROM, ALIKE_FROM = 125, 600, 700
"""The first so many are rendered cheaply and look soft, the next are sharp; from `LARGE_FROM` on
heads are large enough for the finer look of the program; from `ALIKE_FROM` on they are sharp
again, and hair and skin are of one colour: see `_alike`."""

VIEWS = ("vertex", "frontal", "mid-pattern", "left-temporal", "right-temporal", "occipital")
VIEW_CHANCE = (0.42, 0.24, 0.12, 0.07, 0.07, 0.08)
LENGTHS_CM = (0.15, 0.3, 0.5, 0.8, 1.2, 1.6, 2.2, 3.0, 4.5, 7.0)

# Hair that differs little from skin is where mistakes are made: it is drawn more often.
COLOURS = ("black", "dark-brown", "brown", "light-brown", "blond", "red", "grey", "white")
COLOUR_CHANCE = (0.15, 0.12, 0.12, 0.12, 0.14, 0.07, 0.15, 0.13)
PATTERNS = (
    "none", "male-vertex", "male-full", "frontal", "female-diffuse", "patches", "thinning",
    "transplant", "total",
)  # fmt: skip
PATTERN_CHANCE = (0.08, 0.2, 0.2, 0.12, 0.1, 0.14, 0.1, 0.04, 0.02)
LIGHTS = ("room", "window", "flash", "overcast")
LIGHT_CHANCE = (0.38, 0.34, 0.16, 0.12)


def _draw(seed: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """View, subject and visit of a seed."""
    rng = np.random.default_rng(seed)
    view = str(rng.choice(VIEWS, p=VIEW_CHANCE))
    subject: dict[str, Any] = {
        "hair_colour": str(rng.choice(COLOURS, p=COLOUR_CHANCE)),
        "grey_fraction": float(rng.choice([0.0, 0.15, 0.4, 0.7], p=[0.6, 0.13, 0.14, 0.13])),
        "pattern": str(rng.choice(PATTERNS, p=PATTERN_CHANCE)),
        "severity": float(1 - rng.uniform(0, 0.8) ** 1.3),
        "density_per_cm2": float(rng.uniform(45, 115)),
        "micropigmentation": bool(rng.random() < 0.04),
    }
    visit: dict[str, Any] = {
        "view": view,
        "length_cm": float(rng.choice(LENGTHS_CM) * rng.uniform(0.8, 1.25)),
        "comb_degrees": float(rng.normal(0, 60)),
        "comb_strength": float(rng.uniform(0.1, 0.9)),
        "lock_strength": float(rng.uniform(0.05, 0.8)),
        "grease": float(rng.uniform(0.05, 0.9)),
        "light": str(rng.choice(LIGHTS, p=LIGHT_CHANCE)),
        "light_azimuth_deg": float(rng.uniform(-100, 100)),
        "warmth": float(rng.normal(0, 0.8)),
        "distance_cm": float(rng.uniform(38, 60)),
        "focal_35mm": float(rng.uniform(42, 62)),
        "background_seed": int(rng.integers(1, 100_000)),
        "date": "2023-01-01",
    }
    return view, subject, visit


def _alike(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What makes the hair of a seed's subject and visit look like the skin below it."""
    rng = np.random.default_rng([seed, 2])
    if rng.random() < 0.5:
        colour = str(rng.choice(("white", "blond", "grey"), p=(0.4, 0.3, 0.3)))
        return {"skin_type": float(rng.uniform(1, 3.4)), "hair_colour": colour}, {}
    colour = str(rng.choice(("black", "grey", "dark-brown"), p=(0.4, 0.4, 0.2)))
    length = float(rng.choice(LENGTHS_CM[:7]) * rng.uniform(0.8, 1.25))
    return {"skin_type": float(rng.uniform(3.8, 6)), "hair_colour": colour}, {"length_cm": length}


def specs(count: int, first: int = 0) -> list[PhotographSpec]:
    """Photographs of `count` subjects; skin, hair, loss and light are drawn by lot."""
    found = []
    for number in range(first, first + count):
        seed = FIRST_SEED + number
        view, subject, visit = _draw(seed)
        name = f"train-{number:04d}/{view}/2023-01-01"
        size = FUZZY if number < FUZZY_SUBJECTS else SHARP
        if LARGE_FROM <= number < ALIKE_FROM:
            size = LARGE
        elif number >= ALIKE_FROM:
            own, circumstances = _alike(seed)
            subject, visit = subject | own, visit | circumstances
        found.append(PhotographSpec(name, seed, seed, subject, visit, pose_sd_deg=9.0, **size))
    return found


def validation_specs(count: int, first: int = 0) -> list[PhotographSpec]:
    """Baseline, a repeat and a changed visit of `count` subjects that lose hair in places.

    The repeat has the same hair, cut alike, in another pose, combing, light and before another
    wall; the changed visit also has hair regrown or lost.
    """
    found = []
    for number in range(first, first + count):
        seed = VALIDATION_SEED + number
        rng = np.random.default_rng([seed, 1])
        _, subject, visit = _draw(seed)
        subject["severity"] = float(rng.uniform(0.35, 0.9))
        if subject["pattern"] in ("none", "total"):
            subject["pattern"] = "male-full"
        view = str(rng.choice(VIEWS[:3], p=(0.6, 0.25, 0.15)))
        visit |= {"view": view, "distance_cm": 46.0, "focal_35mm": 52.0}
        visit |= {
            "comb_degrees": 0.0,
            "comb_strength": 0.4,
            "length_cm": min(visit["length_cm"], 3.0),
        }
        change = float(rng.choice([-1, 1]) * rng.uniform(0.15, 0.35))
        again = visit | {
            "light": str(rng.choice(("room", "window"))),
            "comb_degrees": float(rng.normal(0, 20)),
            "background_seed": int(rng.integers(1, 100_000)),
        }
        visits = (
            ("2023-01-01", visit),
            ("2023-07-01", again),
            ("2024-01-01", visit | {"severity_change": change}),
        )
        for order, (date, circumstances) in enumerate(visits):
            name = f"valid-{number:02d}/{view}/{date}"
            dated = circumstances | {"date": date}
            spec = PhotographSpec(
                name, seed, 10 * seed + order, subject, dated, pose_sd_deg=5.0, **SHARP
            )
            found.append(spec)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--validation", action="store_true")
    options = parser.parse_args()
    if options.validation:
        wanted = validation_specs(options.count, options.first)
    else:
        wanted = specs(options.count, options.first)
    render_all(wanted, options.out, threads=options.threads)


if __name__ == "__main__":
    main()
