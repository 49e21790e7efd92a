"""The sets of photographs that the project renders: which seeds, which circumstances."""

from __future__ import annotations

from typing import Any

import numpy as np

from lab.phantom.render import PhotographSpec

DEV_SIZE = {"width": 600, "height": 800, "samples": 14}
BENCH_SIZE = {"width": 480, "height": 640, "samples": 8, "truth_samples": 16}


def dev_specs() -> list[PhotographSpec]:
    """Fourteen photographs to develop with: two subjects and an impostor at the same wall."""
    light = {
        "skin_type": 2.0,
        "hair_colour": "dark-brown",
        "grey_fraction": 0.0,
        "curl": "straight",
        "pattern": "male-vertex",
        "severity": 0.85,
        "mottling": 1.2,
    }
    dark = {
        "skin_type": 5.6,
        "hair_colour": "black",
        "grey_fraction": 0.0,
        "curl": "coily",
        "pattern": "patches",
        "severity": 0.95,
        "mottling": 1.2,
    }
    other = light | {"severity": 0.8}
    wall = {"background": "wallpaper", "background_seed": 42}
    tiles = {"background": "tiles", "background_seed": 43}
    plan: list[tuple[str, int, int, dict[str, Any], dict[str, Any]]] = [
        ("subject-a/vertex/2024-01-10", 101, 1011, light, wall | {"length_cm": 1.4}),
        (
            "subject-a/vertex/2024-04-10",
            101,
            1012,
            light,
            wall
            | {
                "length_cm": 1.4,
                "severity_change": -0.08,
                "light": "window",
                "rotation_deg": (6.0, -5.0, 4.0),
            },
        ),
        (
            "subject-a/vertex/2024-07-10",
            101,
            1013,
            light,
            wall
            | {
                "length_cm": 1.6,
                "severity_change": -0.15,
                "comb_degrees": 80.0,
                "comb_strength": 0.6,
                "rotation_deg": (-7.0, 10.0, -6.0),
            },
        ),
        ("subject-a/frontal/2024-01-10", 101, 1014, light, wall | {"view": "frontal"}),
        ("subject-b/vertex/2024-01-12", 102, 1021, dark, tiles | {"length_cm": 0.5}),
        (
            "subject-b/vertex/2024-04-12",
            102,
            1022,
            dark,
            tiles
            | {
                "length_cm": 0.5,
                "severity_change": -0.2,
                "light": "flash",
                "rotation_deg": (-5.0, 6.0, 5.0),
            },
        ),
        (
            "subject-b/vertex/2024-07-12",
            102,
            1023,
            dark,
            tiles
            | {
                "length_cm": 0.6,
                "severity_change": -0.35,
                "light": "window",
                "rotation_deg": (9.0, -8.0, 7.0),
            },
        ),
        (
            "subject-b/frontal/2024-01-12",
            102,
            1024,
            dark,
            tiles | {"view": "frontal", "length_cm": 0.5},
        ),
        ("impostor/vertex/2024-01-10", 103, 1031, other, wall | {"length_cm": 1.4}),
        ("impostor/vertex/2024-04-10", 103, 1032, other, wall | {"length_cm": 1.4}),
        (
            "subject-a/vertex/2024-10-10",
            101,
            1015,
            light,
            wall
            | {
                "length_cm": 1.4,
                "severity_change": -0.15,
                "background": "wood",
                "rotation_deg": (3.0, 4.0, -12.0),
            },
        ),
        (
            "subject-b/left-temporal/2024-01-12",
            102,
            1025,
            dark,
            tiles | {"view": "left-temporal", "length_cm": 0.5},
        ),
        ("subject-a/occipital/2024-01-10", 101, 1016, light, wall | {"view": "occipital"}),
    ]
    return [
        PhotographSpec(name, subject, visit, of_subject, of_visit, **DEV_SIZE)
        for name, subject, visit, of_subject, of_visit in plan
    ]


# Skin (Fitzpatrick) x hair: (skin, colour, share of grey, curl, length cm, pattern, severity).
_BENCH = (
    (1.2, "red", 0.0, "wavy", 2.0, "male-vertex", 0.7),
    (1.5, "blond", 0.0, "straight", 1.5, "male-full", 0.75),
    (1.8, "grey", 0.0, "straight", 1.2, "male-vertex", 0.8),
    (2.0, "black", 0.0, "straight", 0.4, "thinning", 0.5),
    (2.4, "white", 0.0, "straight", 1.5, "thinning", 0.55),
    (2.6, "brown", 0.0, "straight", 5.0, "female-diffuse", 0.7),
    (3.0, "brown", 0.3, "wavy", 1.5, "male-full", 0.7),
    (3.2, "dark-brown", 0.0, "curly", 2.5, "patches", 0.9),
    (3.5, "blond", 0.0, "wavy", 4.0, "female-diffuse", 0.6),
    (3.8, "black", 0.5, "straight", 1.0, "male-vertex", 0.8),
    (4.2, "black", 0.0, "straight", 1.5, "male-full", 0.85),
    (4.5, "brown", 0.0, "curly", 2.0, "frontal", 0.8),
    (4.8, "grey", 0.0, "curly", 1.0, "male-vertex", 0.75),
    (5.2, "black", 0.0, "coily", 0.6, "patches", 0.9),
    (5.6, "black", 0.0, "coily", 0.3, "male-vertex", 0.8),
    (5.9, "black", 0.6, "coily", 0.8, "thinning", 0.6),
    (6.0, "white", 0.0, "coily", 0.8, "male-full", 0.8),
    (2.2, "light-brown", 0.0, "straight", 0.3, "transplant", 0.6),
)
_BENCH_VIEWS = ("vertex", "vertex", "frontal", "vertex", "mid-pattern", "vertex")
_SECOND_VISITS = (0, 1, 3, 7, 10, 13, 14)


def bench_specs() -> list[PhotographSpec]:
    """Benchmark set: no seed of it is used anywhere else; nothing may be tuned on it.

    A photograph per row of the table, and for some subjects a second visit with the same
    hair, another pose (up to 12 degrees about each axis), other combing and other light.
    """
    first, second = [], []
    for number, row in enumerate(_BENCH):
        skin, colour, grey, curl, length, pattern, severity = row
        subject = {
            "skin_type": skin,
            "hair_colour": colour,
            "grey_fraction": grey,
            "curl": curl,
            "pattern": pattern,
            "severity": severity,
        }
        again = number in _SECOND_VISITS
        view = "vertex" if again else _BENCH_VIEWS[number % len(_BENCH_VIEWS)]
        visit = {"length_cm": length, "view": view, "focal_35mm": 54.0, "date": "2024-02-01"}
        if length >= 4.0:
            visit |= {"parting": 0.0, "comb_strength": 0.9}
        name = f"bench-{number + 1:02d}/{view}"
        seeds = (700 + number, 7000 + 10 * number)
        first.append(PhotographSpec(f"{name}/2024-02-01", *seeds, subject, visit, **BENCH_SIZE))
        if again:
            later = visit | {"date": "2024-08-01", "light": ("room", "window")[number % 2]}
            seeds = (seeds[0], seeds[1] + 1)
            second.append(
                PhotographSpec(
                    f"{name}/2024-08-01", *seeds, subject, later, pose_sd_deg=6.0, **BENCH_SIZE
                )
            )
    return [*first, *second]


REGISTRATION_VISITS = {
    "2024-01-10": "baseline",
    "2024-03-10": "camera moved",
    "2024-05-10": "thinned and cut",
    "2024-07-10": "other light",
    "2024-09-10": "re-combed",
}
"""What each photograph of a person of the registration set differs in from the first one."""

MOST_TURN_DEG = 12.0

# Skin (Fitzpatrick), colour, curl, length cm, pattern, severity, view; little hair first.
_REGISTRATION = (
    (2.0, "dark-brown", "straight", 1.0, "male-full", 0.85, "vertex"),
    (5.5, "black", "coily", 0.4, "male-full", 0.85, "vertex"),
    (1.5, "blond", "straight", 2.0, "male-vertex", 0.8, "vertex"),
    (3.5, "brown", "wavy", 4.0, "male-vertex", 0.75, "vertex"),
    (2.5, "brown", "straight", 2.0, "male-full", 0.2, "vertex"),
    (4.5, "black", "wavy", 1.5, "thinning", 0.75, "frontal"),
    (1.8, "red", "wavy", 1.2, "frontal", 0.9, "frontal"),
    (5.0, "black", "curly", 3.0, "female-diffuse", 0.65, "mid-pattern"),
    (3.0, "grey", "straight", 1.2, "patches", 0.9, "vertex"),
    (2.2, "light-brown", "straight", 6.0, "female-diffuse", 0.35, "vertex"),
    (6.0, "white", "coily", 0.6, "male-full", 0.8, "vertex"),
    (2.8, "black", "straight", 0.5, "thinning", 0.6, "vertex"),
    (1.4, "white", "straight", 1.5, "male-vertex", 0.7, "vertex"),
    (4.0, "dark-brown", "straight", 5.0, "male-full", 0.6, "vertex"),
    (3.2, "dark-brown", "curly", 0.8, "transplant", 0.7, "frontal"),
    (5.8, "black", "coily", 1.2, "male-vertex", 0.45, "vertex"),
    (2.0, "blond", "wavy", 3.0, "male-full", 0.8, "mid-pattern"),
    (4.8, "black", "straight", 3.5, "none", 0.3, "vertex"),
    (2.6, "grey", "straight", 0.8, "male-full", 0.9, "mid-pattern"),
    (3.8, "brown", "straight", 0.3, "male-vertex", 0.6, "vertex"),
)


def registration_specs() -> list[PhotographSpec]:
    """Twenty heads, each again from up to 12 degrees beside: as it was, and changed in one way.

    The photograph of the moved camera and that in other light show the very hair of the first.
    """
    found = []
    for number, row in enumerate(_REGISTRATION, start=1):
        skin, colour, curl, length, pattern, severity, view = row
        seed = 5000 + number
        rng = np.random.default_rng([seed, 2])
        subject = {
            "skin_type": skin,
            "hair_colour": colour,
            "grey_fraction": 0.0,
            "curl": curl,
            "pattern": pattern,
            "severity": severity,
        }
        first = {"view": view, "length_cm": length, "comb_degrees": 0.0, "light": "room"}
        differs: dict[str, dict[str, Any]] = {
            "baseline": {"rotation_deg": (0.0, 0.0, 0.0)},
            "camera moved": {},
            "thinned and cut": {"severity_change": 0.12, "length_cm": 0.6 * length},
            "other light": {
                "light": ("window", "overcast", "flash")[number % 3],
                "light_azimuth_deg": float(rng.uniform(-100, 100)),
                "warmth": float(rng.normal(0, 0.8)),
                "exposure_ev": float(rng.uniform(-0.4, 0.4)),
            },
            "re-combed": {
                "comb_degrees": float(rng.choice([-1, 1]) * rng.uniform(80, 160)),
                "comb_strength": 0.9,
            },
        }
        for order, (date, what) in enumerate(REGISTRATION_VISITS.items()):
            turn = rng.normal(0, 1, 3)
            turn *= rng.uniform(3, MOST_TURN_DEG) / np.linalg.norm(turn)
            visit = {"rotation_deg": tuple(turn.tolist())} | first | differs[what]
            visit |= {"date": date, "background_seed": int(rng.integers(1, 1000))}
            grown_anew = what in ("thinned and cut", "re-combed")
            found.append(
                PhotographSpec(
                    f"reg-{number:02d}/{view}/{date}",
                    seed,
                    10 * seed + (order if grown_anew else 0),
                    subject,
                    visit,
                    **BENCH_SIZE,
                )
            )
    return found
