"""What an alignment by the printed headband is worth, and what it refuses.

    python -m lab.benchmarks.strip sample_images --cache FOLDER [--pairs N] [--bad N]
        [--effects N]

The band is put on the rendered people of sample_images, in every photograph anew (`headbands`): 3
mm along and up, 1.5 degrees of tilt (SD), paper 2 to 5 mm off the skull. Genuine pairs are the
first photograph of a person and view with each of the others; the features' own attempt is put
aside, as if hair had hidden the scalp. Printed are the target registration error (TRE) on the exact
surface and, for N of the accepted pairs, the error that the alignment makes in a coverage of one
and the same region, with the stated SD. Bad pairs: the moving photograph mirrored; its band upside
down; its band moved along by one marker; half of its markers exchanged with their neighbours
(another band); another person with the same band; no band. All but the person are the same
photographs with other markers: a band that lies one marker beside looks like one whose markers bear
the ids of their neighbours.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import pickle
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from lab.benchmarks.bad_pairs import evenly
from lab.benchmarks.headbands import Worn, put_on, wearing
from lab.benchmarks.outline import MAX_INCIDENCE_DEG, RESAMPLES, TrueTransform
from lab.benchmarks.registration import exif_focal
from lab.benchmarks.sample_shots import SampleShot, load_samples
from lab.phantom.head import build_parts, is_scalp, unit
from lab.phantom.subject import sample_subject
from scalptrack.errors import HeadNotFoundError
from scalptrack.fiducials.layout import HEADBAND_IDS
from scalptrack.fiducials.strip import find_strip, strip_filled
from scalptrack.headband import without_strip
from scalptrack.measurement import ROUGH_BAND_PX, co_visible_region, measure
from scalptrack.records import NO_MARKERS, Reason, Registration, Segmentation, StripMarkers, Tier
from scalptrack.registration import HeadFeatures, extract_features
from scalptrack.registration.by_strip import register_by_strip
from scalptrack.segmentation import NetworkSegmenter

HAIR = Registration(
    Tier.C, None, (), float("nan"), 0, 0.0, (), Reason("hair_covers_scalp", "Hair.")
)
"""What the features are taken to have said."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A photograph with a band, and what the program sees of it."""

    shot: SampleShot
    segmentation: Segmentation
    features: HeadFeatures
    strip: StripMarkers


@dataclass(frozen=True, eq=False)
class Studio:
    """Takes photographs with a band, each once.

    Attributes
    ----------
    folder : Path
        Where what was seen is kept.
    """

    folder: Path

    def take(self, shot: SampleShot, worn: Worn) -> Seen | None:
        """The photograph as the program sees it; None where it finds no head."""
        strip = self._kept(f"{shot.name} {worn} strip", lambda: find_strip(wearing(shot, worn)))
        found = self._kept(f"{shot.name} {worn} seen", lambda: self._look(shot, worn, strip))
        if found is None:
            return None
        return Seen(shot, without_strip(found[0], strip), found[1], strip)

    def _kept(self, name: str, made: Callable[[], Any]) -> Any:
        """What is made under a name, once."""
        path = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.pickle"
        if not path.exists():
            path.write_bytes(pickle.dumps(made()))
        return pickle.loads(path.read_bytes())

    def _look(
        self, shot: SampleShot, worn: Worn, strip: StripMarkers
    ) -> tuple[Segmentation, HeadFeatures] | None:
        filled = strip_filled(wearing(shot, worn), strip)
        try:
            segmentation = NetworkSegmenter().segment(filled)
            features = extract_features(filled, segmentation, focal_length_35mm=exif_focal(shot))
        except HeadNotFoundError:
            return None
        return segmentation, features


def worn_in(shot: SampleShot) -> Worn:
    """How the band is worn in a photograph."""
    seed = int.from_bytes(hashlib.sha256(shot.name.encode()).digest()[:4], "big")
    return put_on(np.random.default_rng(seed))


def aligned(reference: Seen, moving: Seen, seed: int) -> Registration:
    return register_by_strip(
        reference.features,
        moving.features,
        (reference.strip, moving.strip),
        HAIR,
        seed=seed,
        resamples=RESAMPLES,
    )


@functools.cache
def scalp_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (N, 3) on the scalp of a head, and its normals there."""
    shape = sample_subject(seed).shape
    head = build_parts(shape, rows=120, columns=200)[0]
    on_scalp = is_scalp(shape, unit(head.vertices))
    return head.vertices[on_scalp], head.normals[on_scalp]


def tre_percent(reference: SampleShot, moving: SampleShot, result: Registration) -> float:
    """Median error over the scalp that both see at less than 60 degrees, % of the head's width."""
    positions, normals = scalp_of(reference.truth["subject_seed"])
    seen = np.ones(len(positions), dtype=bool)
    for shot in (reference, moving):
        sight = unit(shot.camera().position - positions)
        seen &= (sight * normals).sum(axis=1) > np.cos(np.radians(MAX_INCIDENCE_DEG))
    here, there = (shot.project(positions[seen]) for shot in (reference, moving))
    gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
    return 100.0 * float(np.nanmedian(gaps)) / moving.truth["head_width_px"]


def turn_error_deg(reference: SampleShot, moving: SampleShot, result: Registration) -> np.ndarray:
    """Rotation (3,) from the true pose to the one that was found, about the camera's axes."""
    before, after = (shot.camera().rotation for shot in (reference, moving))
    found = Rotation.from_rotvec(result.transform.pose.rotation)
    return np.degrees((found * Rotation.from_matrix(after @ before.T).inv()).as_rotvec())


def effect(reference: Seen, moving: Seen, result: Registration) -> dict[str, float]:
    """What the alignment changes of a coverage, and what it says of that, in points."""
    truth = TrueTransform(reference.shot, moving.shot)
    region = co_visible_region(
        reference.segmentation,
        [(truth, moving.segmentation)],
        max_incidence_deg=MAX_INCIDENCE_DEG,
    )
    grid = reference.segmentation.grid
    right = measure(moving.segmentation, region, grid, truth)
    rough = measure(
        moving.segmentation,
        region,
        grid,
        result.transform,
        resampled=result.resampled,
        band_px=ROUGH_BAND_PX,
    )
    return {
        "error": 100.0 * (rough.coverage_fraction - right.coverage_fraction),
        "sd": 100.0 * rough.registration_sd_fraction,
    }


def report(kind: str, results: list[Registration]) -> None:
    """One row, and the ranges of the gates as comments."""
    reasons = Counter(each.reason.message[6:70] for each in results if each.reason)
    accepted = sum(each.registered for each in results)
    print(f"| {kind} | {len(results)} | {accepted} |")
    for words, count in reasons.most_common():
        print(f"<!-- refused {count}: {words} -->")
    values = defaultdict(list)
    for each in results:
        for gate in each.gates:
            values[gate.name].append(gate.value)
    for name, part in values.items():
        low, middle, high = np.percentile(part, [0, 50, 100])
        print(f"<!-- {name:24s} n {len(part):3d} {low:7.2f} {middle:7.2f} {high:7.2f} -->")


def report_tre(view: str, tre: list[float]) -> None:
    print(
        f"{view}: n {len(tre)}, TRE median {np.median(tre):.1f}, 90 % "
        f"{np.percentile(tre, 90):.1f}, max {max(tre):.1f} % of the head's width"
    )


def report_effects(rows: list[dict[str, float]]) -> None:
    error, sd = (np.array([row[name] for row in rows]) for name in ("error", "sd"))
    print(
        f"effect on coverage: n {len(rows)}, RMS {np.sqrt(np.mean(error**2)):.2f}, max "
        f"{np.abs(error).max():.2f} points; stated SD RMS {np.sqrt(np.mean(sd**2)):.2f}; error "
        f"within 1.96 SD {int(np.sum(np.abs(error) <= 1.96 * sd))}"
    )


def upside_down(strip: StripMarkers) -> StripMarkers:
    """The markers of a band turned by half a turn around its middle."""
    last = HEADBAND_IDS.start + HEADBAND_IDS.stop - 1
    ids = tuple(last - number for number in reversed(strip.ids))
    return replace(strip, ids=ids, corners=strip.corners[::-1, [2, 3, 0, 1]])


def exchanged(strip: StripMarkers) -> StripMarkers:
    """Every second marker in the place of the one beside it."""
    order = np.arange(len(strip.ids))
    for index in range(0, len(order) - 1, 4):
        order[[index, index + 1]] = order[[index + 1, index]]
    return replace(strip, corners=strip.corners[order])


def bad(
    kind: str,
    studio: Studio,
    pair: tuple[SampleShot, SampleShot],
    stranger: SampleShot | None,
    seed: int,
) -> Registration | None:
    """A pair that must not be aligned; None where there is none, or no head is found."""
    shot = stranger if kind == "another person" else pair[1]
    if shot is None:
        return None
    worn = worn_in(shot)
    reference, moving = studio.take(pair[0], worn_in(pair[0])), studio.take(shot, worn)
    if reference is None or moving is None:
        return None
    strip = moving.strip
    if kind == "mirrored":
        strip = replace(NO_MARKERS, mirrored=len(strip.ids))
    elif kind == "upside down":
        strip = upside_down(strip)
    elif kind == "one marker off":
        strip = replace(strip, ids=tuple(number + (-1) ** seed for number in strip.ids))
    elif kind == "markers exchanged":
        strip = exchanged(strip)
    elif kind == "no band":
        strip = NO_MARKERS
    return aligned(reference, replace(moving, strip=strip), seed)


KINDS = (
    "mirrored",
    "upside down",
    "one marker off",
    "markers exchanged",
    "another person",
    "no band",
)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=100, help="evenly chosen")
    parser.add_argument("--bad", type=int, default=0, help="pairs of each bad kind")
    parser.add_argument("--effects", type=int, default=0, help="pairs to measure the effect on")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    studio = Studio(options.cache)
    shots = load_samples(options.samples)
    first = {(shot.subject, shot.view): shot for shot in reversed(shots)}
    pairs = [(first[shot.subject, shot.view], shot) for shot in shots]
    pairs = [(reference, moving) for reference, moving in pairs if reference is not moving]
    pairs = evenly(pairs, options.pairs)
    results: dict[str, list[Registration]] = defaultdict(list)
    tre: dict[str, list[float]] = defaultdict(list)
    accepted, turns = [], []
    for seed, pair in enumerate(pairs):
        both = [studio.take(shot, worn_in(shot)) for shot in pair]
        if None in both:
            print(f"<!-- no head: {pair[0].name} {pair[1].name} -->")
            continue
        result = aligned(both[0], both[1], seed)
        results[pair[0].view].append(result)
        if result.registered:
            tre[pair[0].view].append(tre_percent(*pair, result))
            accepted.append((both[0], both[1], result))
            turns.append(turn_error_deg(*pair, result))
        print(f"<!-- {pair[1].name} {tre[pair[0].view][-1:]} {result.reason} -->")
    for view, part in results.items():
        report(f"genuine, {view}", part)
        report_tre(view, tre[view])
    report_tre("all", [each for part in tre.values() for each in part])
    rms = np.sqrt(np.mean(np.square(turns), axis=0))
    print(f"turn, RMS about x, y, z: {rms.round(1)}, all {np.sqrt(np.mean(rms**2)):.1f} degrees")
    for kind in KINDS if options.bad else ():
        found = []
        for seed, pair in enumerate(evenly(pairs, options.bad)):
            others = [s for s in shots if s.view == pair[0].view and s.subject != pair[0].subject]
            stranger = others[seed % len(others)] if others else None
            found.append(bad(kind, studio, pair, stranger, seed))
        report(kind, [each for each in found if each is not None])
    if options.effects:
        report_effects([effect(*each) for each in evenly(accepted, options.effects)])


if __name__ == "__main__":
    main()
