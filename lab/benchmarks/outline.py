"""What an alignment by the outline alone is worth, and whether it tells people apart.

    python -m lab.benchmarks.outline sample_images [FOLDER] [--every N]

Genuine pairs are those of sample_images (whole, sharp heads; the gate that asks for hair over the
scalp is put aside, because the outline does not know how much hair there is). Printed are the
target registration error, the error that it makes in a coverage of the co-visible scalp (against
the exact surface), and whether the interval that is given with it holds that error. Impostors are
other people in the same view, other views and mirrored photographs, of sample_images and of FOLDER
(output of lab.phantom or lab.training.renders: many people, one photograph each); for them
also those pairs are counted in which hair hides the scalp, so that the outline would be asked.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from lab.benchmarks.registration import (
    Shot,
    correspondences,
    exif_focal,
    flipped,
    head_turn_deg,
    load,
    pairs,
)
from lab.benchmarks.sample_shots import load_samples
from scalptrack.errors import HeadNotFoundError
from scalptrack.measurement import ROUGH_BAND_PX, co_visible_region, measure
from scalptrack.records import Segmentation
from scalptrack.registration import HeadFeatures, extract_features
from scalptrack.registration.by_outline import fit_by_outline, outline_gates, turned
from scalptrack.registration.gates import HAIRY_FRACTION
from scalptrack.segmentation import NetworkSegmenter

MAX_INCIDENCE_DEG = 60.0
RESAMPLES = 12


@dataclass(eq=False)
class Seen:
    """A photograph with what the program sees of it."""

    shot: Shot
    segmentation: Segmentation
    features: HeadFeatures
    mirrored: HeadFeatures


class TrueTransform:
    """moving_from_reference through the rendered surface itself."""

    def __init__(self, reference: Shot, moving: Shot) -> None:
        self._reference, self._moving = reference, moving

    def map_points(self, points: np.ndarray) -> np.ndarray:
        return _carried(self._reference, self._moving, points)

    def inverse_points(self, points: np.ndarray) -> np.ndarray:
        return _carried(self._moving, self._reference, points)

    def incidence_cosine(self, points: np.ndarray) -> np.ndarray:
        at = _carried(self._reference, self._moving, points)
        return _sampled(self._moving.surface()["incidence_cosine"].astype(np.float64), at)


def _carried(source: Shot, target: Shot, points: np.ndarray) -> np.ndarray:
    """Points (N, 2) of the target that show what the source shows at its points; NaN if hidden."""
    position = source.surface()["position"].astype(np.float64)
    found = np.stack([_sampled(position[..., axis], points) for axis in range(3)], axis=1)
    there = target.project(found)
    seen = target.surface()["position"].astype(np.float64)
    back = np.stack([_sampled(seen[..., axis], there) for axis in range(3)], axis=1)
    with np.errstate(invalid="ignore"):
        there[~(np.linalg.norm(back - found, axis=1) < 0.15)] = np.nan
    return there


def _sampled(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    at = np.where(np.isfinite(points), points, -1e6)
    return map_coordinates(values, [at[:, 1], at[:, 0]], order=1, mode="constant", cval=np.nan)


def see(shot: Shot, segmenter: NetworkSegmenter) -> Seen | None:
    """Segment and extract features; None where the program finds no head."""
    image = shot.image()
    try:
        segmentation = segmenter.segment(image)
        focal = exif_focal(shot)
        features = extract_features(image, segmentation, focal_length_35mm=focal)
        mirrored = extract_features(
            np.ascontiguousarray(image[:, ::-1]), flipped(segmentation), focal_length_35mm=focal
        )
    except HeadNotFoundError:
        return None
    return Seen(shot, segmentation, features, mirrored)


def genuine_row(reference: Seen, moving: Seen, seed: int) -> dict[str, float]:
    """Errors of one genuine pair aligned by the outline."""
    transform = fit_by_outline(reference.features, moving.features)
    gates = outline_gates(reference.features, moving.features, transform)
    here, there = correspondences(reference.shot, moving.shot)
    gaps = np.linalg.norm(transform.map_points(here) - there, axis=1)
    truth = TrueTransform(reference.shot, moving.shot)
    region = co_visible_region(
        reference.segmentation,
        [(truth, moving.segmentation)],
        max_incidence_deg=MAX_INCIDENCE_DEG,
    )
    grid = reference.segmentation.grid
    right = measure(moving.segmentation, region, grid, truth)
    resampled = turned(transform, np.random.default_rng([seed, 4]), RESAMPLES)
    rough = measure(
        moving.segmentation, region, grid, transform, resampled=resampled, band_px=ROUGH_BAND_PX
    )
    return {
        "turn": head_turn_deg(reference.shot, moving.shot),
        "tre": 100.0 * float(np.nanmedian(gaps)) / moving.shot.truth["head_width_px"],
        "error": 100.0 * (rough.coverage_fraction - right.coverage_fraction),
        "sd": 100.0 * rough.registration_sd_fraction,
        "passed": float(all(gate.passed for gate in gates)),
        **{gate.name: gate.value for gate in gates},
    }


def report_genuine(rows: list[dict[str, float]]) -> None:
    """Table of genuine pairs."""
    part = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    error, sd = part["error"], part["sd"]
    print(
        f"genuine n {len(rows)}  gates passed {part['passed'].mean():.0%}  turn median "
        f"{np.median(part['turn']):.1f} max {part['turn'].max():.1f} deg\n"
        f"  TRE median {np.median(part['tre']):.1f}, 90 % {np.percentile(part['tre'], 90):.1f}, "
        f"max {part['tre'].max():.1f} % of the head's width\n"
        f"  error of coverage RMS {np.sqrt(np.mean(error**2)):.2f}, max {np.abs(error).max():.2f} "
        f"points; stated SD RMS {np.sqrt(np.mean(sd**2)):.2f}; error within 1.96 SD "
        f"{np.mean(np.abs(error) < 1.96 * sd):.0%}, within 1.96 x 1.5 SD "
        f"{np.mean(np.abs(error) < 1.96 * 1.5 * sd):.0%}"
    )
    for name in list(part)[5:]:
        low, middle, high = np.percentile(part[name], [0, 50, 100])
        print(f"  {name:26s} min {low:.3f}  median {middle:.3f}  max {high:.3f}")


def report_impostors(found: list[tuple[str, Seen, Seen]]) -> None:
    """How many impostors pass the outline's gates."""
    counts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for kind, reference, moving in found:
        other = moving.mirrored if kind == "mirrored" else moving.features
        transform = fit_by_outline(reference.features, other)
        passed = all(gate.passed for gate in outline_gates(reference.features, other, transform))
        hairy = min(reference.features.bare_fraction, other.bare_fraction) < HAIRY_FRACTION
        counts[kind].append((passed, hairy))
    for kind, part in counts.items():
        passed, hairy = np.array(part).T
        print(
            f"{kind:22s} n {len(part):4d}  pass the outline's gates {passed.sum():4d}; with hair "
            f"over the scalp n {hairy.sum():4d}, pass {int((passed & hairy).sum()):4d}"
        )


def run(samples: list[Seen], people: list[Seen], every: int) -> None:
    """Print both tables; every N-th pair of each kind."""
    by_shot = {id(each.shot): each for each in (*samples, *people)}

    def paired(seen: list[Seen]) -> list[tuple[str, Seen, Seen]]:
        return [
            (kind, by_shot[id(a)], by_shot[id(b)]) for kind, a, b in pairs([s.shot for s in seen])
        ]

    genuine = [pair for pair in paired(samples) if pair[0] == "genuine"][::every]
    rows = [genuine_row(a, b, number) for number, (_, a, b) in enumerate(genuine)]
    for view in ("vertex", "frontal"):
        chosen = [row for row, (_, a, _) in zip(rows, genuine, strict=True) if a.shot.view == view]
        if chosen:
            print(f"== {view}")
            report_genuine(chosen)
    grouped = defaultdict(list)
    for pair in (*paired(samples), *paired(people)):
        if pair[0] != "genuine":
            grouped[pair[0]].append(pair)
    print("== impostors")
    report_impostors([pair for part in grouped.values() for pair in part[::every]])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("people", type=Path, nargs="?")
    parser.add_argument("--every", type=int, default=1, help="only every N-th pair of each kind")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = NetworkSegmenter()
    shots = [load_samples(options.samples), load(options.people) if options.people else []]
    seen = [[each for shot in part if (each := see(shot, segmenter))] for part in shots]
    run(seen[0], seen[1], options.every)


if __name__ == "__main__":
    main()
