"""The sets of photographs that the project renders: which seeds, which circumstances."""

from __future__ import annotations

from typing import Any

from lab.phantom.render import PhotographSpec

DEV_SIZE = {"width": 600, "height": 800, "samples": 14}


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
