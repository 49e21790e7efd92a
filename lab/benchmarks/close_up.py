"""How often close-ups are aligned rightly, and whether a wrong pair is ever accepted.

    python -m lab.benchmarks.close_up sample_images [--genuine N] [--impostors N]

Close-ups are cut out of the vertex photographs of ``sample_images``: squares of 42 % of the head's
width (about 6 cm, 270 px) around one of three spots of each head, placed and sized with some
scatter as by hand. Genuine pairs show one spot at two visits (hair combed, lit and posed anew);
impostors are other spots of the same head, other people, and mirrored close-ups. The truth is the
exact surface.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.outline import TrueTransform
from lab.benchmarks.registration import Shot
from lab.benchmarks.sample_shots import load_samples
from scalptrack.records import Registration
from scalptrack.registration import CloseUpFeatures, extract_close_up, register_close_ups

SIDE_SHARE, SHIFT_SHARE, ZOOM = 0.42, 0.06, 0.08
SPOTS_CM = ((0.0, -2.5), (3.4, 0.5), (-3.4, 0.5))
"""Offsets (across, to the front) of the spots from the top of the head."""

SEED = 20260101


@dataclass(eq=False)
class Patch:
    """A close-up, and where its corner lies in its photograph."""

    shot: Shot
    spot: int
    corner: np.ndarray
    image: np.ndarray

    @cached_property
    def features(self) -> CloseUpFeatures:
        return extract_close_up(self.image)

    @cached_property
    def mirrored(self) -> CloseUpFeatures:
        return extract_close_up(np.ascontiguousarray(self.image[:, ::-1]))


def spots_of(shot: Shot) -> np.ndarray:
    """Positions (3, 3) of the spots on the head, from one photograph of it."""
    surface = shot.surface()
    seen = surface["position"][(surface["label"] == 1) & (surface["incidence_cosine"] > 0.6)]
    targets = np.array(SPOTS_CM)
    nearest = [np.linalg.norm(seen[:, :2] - target, axis=1).argmin() for target in targets]
    return seen[nearest].astype(np.float64)


def patches_of(shot: Shot, spots: np.ndarray, rng: np.random.Generator) -> list[Patch]:
    """Close-ups of the spots that the photograph shows in full."""
    image = shot.image()
    found = []
    for number, middle in enumerate(shot.project(spots)):
        side = round(SIDE_SHARE * shot.truth["head_width_px"] * np.exp(rng.normal(0, ZOOM)))
        corner = np.round(middle - side / 2 + rng.normal(0, SHIFT_SHARE * side, 2)).astype(int)
        x, y = corner
        part = image[max(y, 0) : y + side, max(x, 0) : x + side]
        if part.shape[:2] != (side, side):
            continue
        found.append(Patch(shot, number, corner, np.ascontiguousarray(part)))
    return found


def tre_percent(result: Registration, reference: Patch, moving: Patch) -> np.ndarray:
    """Errors in percent of the frame's side, where both frames show the point."""
    height, width = reference.features.photograph_shape
    y, x = np.mgrid[4:height:9, 4:width:9]
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)
    truth = TrueTransform(reference.shot, moving.shot)
    there = truth.map_points(points + reference.corner) - moving.corner
    gaps = np.linalg.norm(result.transform.map_points(points) - there, axis=1)
    return 100.0 * gaps[np.isfinite(gaps)] / moving.features.head_width_px


def report(rows: list[tuple[str, Registration, np.ndarray]]) -> None:
    """Table by kind, and the gates' values of accepted and refused pairs."""
    grouped = defaultdict(list)
    for kind, result, tre in rows:
        grouped[kind].append((result, tre))
    for kind, part in grouped.items():
        codes = Counter(r.reason.code if r.reason else "accepted" for r, _ in part)
        print(f"{kind:14s} n {len(part):4d}  {dict(codes)}")
        medians = np.array([np.median(tre) for r, tre in part if r.registered and len(tre)])
        if kind == "genuine" and len(medians):
            p95 = max(np.percentile(tre, 95) for r, tre in part if r.registered and len(tre))
            print(
                f"  TRE median {np.median(medians):.2f}, worst pair {medians.max():.2f}, "
                f"worst 95 % within a pair {p95:.2f} % of the side"
            )
        values = defaultdict(list)
        for result, _ in part:
            for gate in result.gates:
                values[gate.name].append(gate.value)
        for name, each in values.items():
            low, middle, high = np.percentile(each, [0, 50, 100])
            print(f"  {name:22s} min {low:8.3f}  median {middle:8.3f}  max {high:8.3f}")


def run(shots: list[Shot], limits: dict[str, int]) -> list[tuple[str, Registration, np.ndarray]]:
    """Register evenly chosen pairs of each kind."""
    rng = np.random.default_rng(SEED)
    spots: dict[str, np.ndarray] = {}
    patches = []
    for shot in shots:
        if shot.view == "vertex":
            spots.setdefault(shot.subject, spots_of(shot))
            patches += patches_of(shot, spots[shot.subject], rng)
    grouped = defaultdict(list)
    for a in patches:
        for b in patches:
            if a is b:
                continue
            if a.shot.subject != b.shot.subject:
                grouped["other person"].append((a, b))
            elif a.spot != b.spot:
                grouped["other spot"].append((a, b))
            elif a.shot is not b.shot:
                grouped["genuine"].append((a, b))
                grouped["mirrored"].append((a, b))
    rows = []
    for kind, part in grouped.items():
        limit = limits["genuine" if kind == "genuine" else "impostors"]
        for a, b in part[:: max(1, -(-len(part) // limit))]:
            other = b.mirrored if kind == "mirrored" else b.features
            result = register_close_ups(a.features, other, seed=SEED)
            genuine = kind == "genuine" and result.registered
            tre = tre_percent(result, a, b) if genuine else np.zeros(0)
            rows.append((kind, result, tre))
            failed = " ".join(f"{g.name}={g.value:.2f}" for g in result.gates if not g.passed)
            middle = f"{np.median(tre):.2f}" if len(tre) else "-"
            print(f"{kind} {a.shot.name} {b.shot.name} {result.tier} {middle} {failed}", flush=True)
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--genuine", type=int, default=80, help="pairs, evenly chosen")
    parser.add_argument("--impostors", type=int, default=60, help="pairs per kind, evenly chosen")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    limits = {"genuine": options.genuine, "impostors": options.impostors}
    report(run(load_samples(options.samples), limits))


if __name__ == "__main__":
    main()
