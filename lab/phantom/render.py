"""One photograph with everything that is true about it."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lab.paths import beside
from lab.phantom.hair import grow
from lab.phantom.head import LABEL_NAMES, ZONE_NAMES, Part, build_parts, unit
from lab.phantom.phone import develop, write_photograph
from lab.phantom.subject import Subject, sample_follicles, sample_subject
from lab.phantom.textures import skin_map
from lab.phantom.truth import region_classes, trace_surface, true_coverage
from lab.phantom.visit import Camera, camera_of, sample_visit

SCHEMA = "scalptrack-phantom/1"


@dataclass(frozen=True, slots=True)
class PhotographSpec:
    """What to render: seeds, overrides and size.

    Attributes
    ----------
    name
        Path of the files below the output folder, without suffix.
    subject_seed, visit_seed
        Seeds; equal seeds and overrides give equal truth.
    subject, visit
        Overrides of fields of Subject and Visit.
    width, height
        Upright size in pixels.
    samples
        Light samples per pixel before denoising.
    truth_samples
        Samples per pixel of the exact hair fraction.
    pose_sd_deg
        Spread of the sampled pose.
    """

    name: str
    subject_seed: int
    visit_seed: int
    subject: dict[str, Any] = field(default_factory=dict)
    visit: dict[str, Any] = field(default_factory=dict)
    width: int = 600
    height: int = 800
    samples: int = 16
    truth_samples: int = 48
    pose_sd_deg: float = 4.0


def render_photograph(spec: PhotographSpec, out: Path, *, threads: int = 2) -> bool:
    """Render `spec` below `out`; returns False where it was there already.

    Writes NAME.jpg, NAME.hair.png, NAME.classes.png, NAME.surface.npz and, last,
    NAME.json: a photograph without its JSON is unfinished and is rendered again.
    """
    target = out / spec.name
    truth_path = beside(target, ".json")
    if truth_path.exists():
        return False
    from lab.phantom.scene import Scene

    started = time.perf_counter()
    target.parent.mkdir(parents=True, exist_ok=True)
    subject = sample_subject(spec.subject_seed, spec.subject)
    visit = sample_visit(spec.visit_seed, spec.visit, pose_sd_deg=spec.pose_sd_deg)
    camera = camera_of(visit, width=spec.width, height=spec.height)
    follicles = sample_follicles(subject)
    strands = grow(subject, visit, follicles, facing=unit(camera.position))
    parts = build_parts(subject.shape)
    stubble = float(np.clip(1.2 - visit.length_cm, 0.0, 1.0)) * float(subject.grey_fraction < 0.5)
    marks = skin_map(subject, follicles, stubble=stubble)
    scene = Scene(subject, visit, camera, parts, strands, marks, threads=threads)
    picture = develop(scene.photograph(samples=spec.samples), visit)
    hair_fraction = scene.hair_fraction(samples=spec.truth_samples)
    write_photograph(beside(target, ".jpg"), picture, visit)
    truth = _write_dense_truth(target, subject, camera, parts, hair_fraction)
    document = {
        "schema": SCHEMA,
        "name": spec.name,
        **truth,
        "strands": len(strands.follicle),
        "camera": _camera_record(camera),
        "subject": {"seed": subject.seed} | _plain(asdict(subject)),
        "visit": _plain(asdict(visit)),
        "samples": [spec.samples, spec.truth_samples],
        "seconds": round(time.perf_counter() - started, 1),
    }
    truth_path.write_text(json.dumps(document, indent=1) + "\n")
    return True


def _write_dense_truth(
    target: Path,
    subject: Subject,
    camera: Camera,
    parts: tuple[Part, ...],
    hair_fraction: NDArray[np.float32],
) -> dict[str, Any]:
    surface = trace_surface(subject.shape, parts, camera)
    levels = np.round(hair_fraction * 255.0).astype(np.uint8)
    Image.fromarray(levels).save(beside(target, ".hair.png"))
    classes = region_classes(surface, hair_fraction)
    Image.fromarray(classes).save(beside(target, ".classes.png"))
    np.savez_compressed(
        beside(target, ".surface.npz"),
        position=np.round(surface.position, 4),
        label=surface.label,
        zone=surface.zone,
        incidence_cosine=surface.incidence_cosine.astype(np.float16),
    )
    head_x = camera.project(parts[0].vertices)[0][:, 0]
    return {
        "coverage": true_coverage(surface, hair_fraction),
        "head_width_px": round(float(np.ptp(head_x)), 2),
        "labels": list(LABEL_NAMES),
        "zones": list(ZONE_NAMES),
    }


def _camera_record(camera: Camera) -> dict[str, Any]:
    return {
        "focal_px": camera.focal_px,
        "cx": camera.cx,
        "cy": camera.cy,
        "width": camera.width,
        "height": camera.height,
        "camera_from_head_rotation": camera.rotation.tolist(),
        "camera_from_head_translation_cm": camera.translation.tolist(),
    }


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """NaN becomes null, so that the file is JSON everywhere."""
    return {
        key: None if isinstance(value, float) and np.isnan(value) else value
        for key, value in record.items()
    }


def render_all(specs: list[PhotographSpec], out: Path, *, threads: int = 2) -> int:
    """Render what is missing, in order; returns how many were rendered."""
    rendered = 0
    for number, spec in enumerate(specs, start=1):
        started = time.perf_counter()
        if render_photograph(spec, out, threads=threads):
            rendered += 1
            seconds = time.perf_counter() - started
            sys.stderr.write(f"phantom: {number}/{len(specs)} {spec.name} {seconds:.0f} s\n")
            sys.stderr.flush()
    return rendered
