"""The photographs of ``sample_images`` with the exact surface behind each pixel, without Blender.

``truth.json`` says the seed of each person's head and the camera of each photograph; the surface
that Cycles rendered is traced again from the same triangles. So anyone can measure registration
errors on the photographs that come with the project.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.benchmarks.registration import Shot
from lab.phantom.head import build_parts
from lab.phantom.subject import sample_subject
from lab.phantom.truth import trace_surface
from lab.phantom.visit import Camera

USABLE = (None, "wrong view", "another person")
"""Faults of `truth.json` that a photograph may have and still be aligned or refused for."""


@dataclass(eq=False)
class SampleShot(Shot):
    """A photograph of sample_images; its person's name is that of the head that it shows."""

    kept: dict[str, np.ndarray] | None = None

    @property
    def photograph(self) -> Path:
        """The file."""
        return self.stem

    def camera(self) -> Camera:
        """The camera that the photograph was taken with."""
        record = self.truth["camera"]
        return Camera(
            np.array(record["camera_from_head_rotation"]),
            np.array(record["camera_from_head_translation_cm"]),
            record["focal_px"],
            record["cx"],
            record["cy"],
            record["width"],
            record["height"],
        )

    def surface(self) -> dict[str, np.ndarray]:
        """Position, label and incidence of every pixel; traced once."""
        if self.kept is None:
            shape = sample_subject(self.truth["subject_seed"]).shape
            traced = trace_surface(shape, build_parts(shape), self.camera())
            self.kept = {
                "position": traced.position,
                "label": traced.label,
                "incidence_cosine": traced.incidence_cosine,
            }
        return self.kept


def load_samples(folder: Path) -> list[Shot]:
    """All photographs of ``sample_images`` that show a whole, sharp head."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    shots: list[Shot] = []
    for name, record in sorted(truth["photographs"].items()):
        if record["fault"] not in USABLE:
            continue
        view = record["visit"]["view"]
        person = f"head-{record['subject_seed']}"
        shots.append(
            SampleShot(folder / name, person, view, {"coverage": _coverage(record)} | record)
        )
    return shots


def _coverage(record: dict) -> dict:
    return {"scalp": record["own_region"]}
