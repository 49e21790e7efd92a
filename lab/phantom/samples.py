"""The photographs of `sample_images/`: three subjects over a year, and what goes wrong."""

from __future__ import annotations

from typing import Any

from lab.phantom.render import PhotographSpec

SIZE = {"width": 900, "height": 1200, "samples": 5, "truth_samples": 16}

SUBJECT_01: dict[str, Any] = {
    "skin_type": 2.2,
    "mottling": 1.3,
    "hair_colour": "dark-brown",
    "grey_fraction": 0.0,
    "curl": "straight",
    "pattern": "male-full",
    "severity": 0.93,
    "density_per_cm2": 105.0,
    "calibre_cm": 0.0105,
}
SUBJECT_02: dict[str, Any] = {
    "skin_type": 5.3,
    "mottling": 1.3,
    "hair_colour": "black",
    "grey_fraction": 0.0,
    "curl": "coily",
    "pattern": "patches",
    "severity": 0.98,
    "density_per_cm2": 110.0,
    "calibre_cm": 0.0105,
}
SUBJECT_03: dict[str, Any] = {
    "skin_type": 3.6,
    "mottling": 1.3,
    "hair_colour": "black",
    "grey_fraction": 0.45,
    "curl": "straight",
    "pattern": "thinning",
    "severity": 0.45,
    "density_per_cm2": 95.0,
    "calibre_cm": 0.0105,
}
SUBJECTS: dict[str, tuple[int, dict[str, Any]]] = {
    "subject-01": (201, SUBJECT_01),
    "subject-02": (202, SUBJECT_02),
    "subject-03": (203, SUBJECT_03),
}
STRANGER_SEED = 209

# Per subject: date -> what the visit changes. The light and the clothes belong to the
# visit, the pose and the combing to the single photograph.
VISITS: dict[str, dict[str, dict[str, Any]]] = {
    "subject-01": {
        "2024-01-15": {"severity_change": 0.0, "light_azimuth_deg": 35.0},
        "2024-04-15": {"severity_change": -0.15, "light_azimuth_deg": 20.0},
        "2024-07-15": {"severity_change": -0.30, "light": "window", "light_azimuth_deg": 50.0},
        "2024-10-14": {"severity_change": -0.45, "light_azimuth_deg": 45.0},
        "2025-01-13": {"severity_change": -0.62, "light_azimuth_deg": 30.0},
    },
    "subject-02": {
        "2024-02-05": {"severity_change": 0.0, "background": "wood", "background_seed": 7},
        "2024-05-06": {"severity_change": -0.45, "background": "wood", "background_seed": 7},
        "2024-08-05": {"severity_change": -0.53, "background": "tiles", "background_seed": 5},
        "2024-11-04": {"severity_change": -0.45, "background": "towel", "background_seed": 4},
        "2025-02-03": {"severity_change": -0.27, "background": "wood", "background_seed": 7},
    },
    "subject-03": {
        "2024-03-04": {"light_azimuth_deg": -30.0},
        "2024-06-03": {"light_azimuth_deg": -45.0},
        "2024-09-02": {"light": "window", "light_azimuth_deg": -40.0},
        "2024-12-02": {"light_azimuth_deg": -15.0, "orientation": 6},
        "2025-03-03": {"light_azimuth_deg": -35.0},
    },
}
ALWAYS: dict[str, dict[str, Any]] = {
    "subject-01": {"length_cm": 1.6, "background": "wallpaper", "background_seed": 21},
    "subject-02": {"length_cm": 0.65, "light_azimuth_deg": 30.0},
    "subject-03": {"length_cm": 1.3, "background": "wall", "background_seed": 33},
}
REPLICATED = {
    ("subject-01", "vertex"): ("2024-01-15", "2024-07-15", "2025-01-13"),
    ("subject-01", "frontal"): (),
    ("subject-02", "vertex"): ("2024-02-05", "2024-08-05"),
    ("subject-03", "vertex"): ("2024-03-04", "2024-09-02"),
}
# Poses (degrees) that the seed would have turned further than a careful photographer does.
POSES = {
    "subject-02/vertex/2024-08-05_1": (-1.0, 2.0, 5.0),
    "subject-02/vertex/2024-08-05_2": (-7.5, 2.5, 3.0),
}
SERIES = (
    ("subject-01", "vertex"),
    ("subject-02", "vertex"),
    ("subject-03", "vertex"),
    ("subject-01", "frontal"),
)

# The photographs that real folders contain: path -> what is wrong with it.
BAD = {
    "subject-03/vertex/2024-07-15": "blurred",
    "subject-02/vertex/2024-09-16": "wrong view",
    "subject-01/vertex/2024-11-18": "another person",
    "subject-02/vertex/2024-06-17": "truncated",
}
TRUNCATED_SHARE = 0.55


def sample_specs() -> list[PhotographSpec]:
    """Every photograph of the set, the indispensable ones first."""
    first, second = [], []
    for number, (subject, view) in enumerate(SERIES):
        for place, date in enumerate(VISITS[subject]):
            seed = 2000 + 100 * number + 10 * place
            replicated = date in REPLICATED[subject, view]
            suffixes = ("_1", "_2") if replicated else ("",)
            for shot, suffix in enumerate(suffixes):
                spec = _spec(subject, view, date, f"{date}{suffix}", seed + shot)
                (second if shot else first).append(spec)
    return [*first[:15], *_bad_specs(), *second[3:7], *first[15:], *second[:3], *second[7:]]


def _spec(
    subject: str, view: str, date: str, stem: str, seed: int, **changes: Any
) -> PhotographSpec:
    subject_seed, traits = SUBJECTS[subject]
    visit = {
        "date": date,
        "view": view,
        "focal_35mm": 56.0,
        "light": "room",
        "comb_strength": 0.25,
        "comb_degrees": 0.0,
        "lock_strength": 0.25,
        "warmth": 0.0,
        **ALWAYS[subject],
        **VISITS[subject].get(date, {}),
        **changes,
    }
    if view == "frontal":
        visit["orientation"] = 1
    if f"{subject}/{view}/{stem}" in POSES:
        visit["rotation_deg"] = POSES[f"{subject}/{view}/{stem}"]
    return PhotographSpec(
        f"{subject}/{view}/{stem}", subject_seed, seed, traits, visit, pose_sd_deg=3.5, **SIZE
    )


def _bad_specs() -> list[PhotographSpec]:
    specs = []
    for number, (path, fault) in enumerate(BAD.items()):
        subject, _, date = path.split("/")
        seed = 2900 + number
        background = VISITS[subject][next(iter(VISITS[subject]))]
        changes = {key: value for key, value in background.items() if key != "orientation"}
        if fault == "blurred":
            changes |= {"blur_px": 5.0, "motion_px": 34.0}
        if fault == "wrong view":
            changes |= {"view": "left-temporal"}
        spec = _spec(subject, changes.pop("view", "vertex"), date, date, seed, **changes)
        seed_of_subject = STRANGER_SEED if fault == "another person" else spec.subject_seed
        specs.append(
            PhotographSpec(
                path,
                seed_of_subject,
                spec.visit_seed,
                spec.subject,
                spec.visit,
                pose_sd_deg=spec.pose_sd_deg,
                **SIZE,
            )
        )
    return specs
