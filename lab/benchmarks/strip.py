"""What an alignment by the printed headband is worth, and what it refuses.

    python -m lab.benchmarks.strip sample_images --cache FOLDER [--pairs N] [--bad N]

The band is put on the rendered people of sample_images, in every photograph anew (`headbands`): 3
mm along and up, 1.5 degrees of tilt (SD), paper 2 to 5 mm off the skull. Genuine pairs are evenly
chosen ones of one person and view; the features' own attempt is put aside, as if hair had hidden
the scalp. Printed are the target registration error (TRE) on the exact surface, the error that the
alignment makes in a coverage of one and the same region, and the stated SD. Bad pairs: the moving
photograph mirrored; its band upside down; its band moved along by one marker; half of its markers
exchanged with their neighbours (another band); another person with the same band; no band. The
first three are rendered anew for the markers alone.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.bad_pairs import evenly
from lab.benchmarks.headbands import Worn, put_on, wearing
from lab.benchmarks.outline import MAX_INCIDENCE_DEG, RESAMPLES, TrueTransform
from lab.benchmarks.registration import correspondences, exif_focal, head_turn_deg
from lab.benchmarks.sample_shots import SampleShot, load_samples
from scalptrack.errors import HeadNotFoundError
from scalptrack.fiducials.strip import PITCH_MM, find_strip, strip_filled
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
        found = self._kept(f"{shot.name} {worn} False", lambda: self._look(shot, worn))
        shot.kept = self._kept(f"{shot.name} surface", shot.surface)
        return None if found is None else Seen(shot, *found)

    def markers(self, shot: SampleShot, worn: Worn, *, mirrored: bool = False) -> StripMarkers:
        """The markers alone: the head beneath the band is seen as when it is worn right."""
        return self._kept(
            f"{shot.name} {worn} {mirrored} markers",
            lambda: find_strip(
                np.ascontiguousarray(wearing(shot, worn)[:, :: -1 if mirrored else 1])
            ),
        )

    def _kept(self, name: str, made: Callable[[], Any]) -> Any:
        """What is made under a name, once."""
        path = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.pickle"
        if not path.exists():
            path.write_bytes(pickle.dumps(made()))
        return pickle.loads(path.read_bytes())

    def _look(
        self, shot: SampleShot, worn: Worn
    ) -> tuple[Segmentation, HeadFeatures, StripMarkers] | None:
        image = wearing(shot, worn)
        strip = find_strip(image)
        try:
            filled = strip_filled(image, strip)
            segmentation = NetworkSegmenter().segment(filled)
            features = extract_features(filled, segmentation, focal_length_35mm=exif_focal(shot))
        except HeadNotFoundError:
            return None
        return without_strip(segmentation, strip), features, strip


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


def measured(reference: Seen, moving: Seen, result: Registration) -> dict[str, float]:
    """Errors of one accepted pair."""
    here, there = correspondences(reference.shot, moving.shot)
    gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
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
        "tre": 100.0 * float(np.nanmedian(gaps)) / moving.shot.truth["head_width_px"],
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


def report_errors(rows: list[dict[str, float]]) -> None:
    part = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    error, sd = part["error"], part["sd"]
    print(
        f"  n {len(rows)}: turn median {np.median(part['turn']):.1f} deg; TRE median "
        f"{np.median(part['tre']):.1f}, 90 % {np.percentile(part['tre'], 90):.1f}, max "
        f"{part['tre'].max():.1f} % of the head's width; error of coverage RMS "
        f"{np.sqrt(np.mean(error**2)):.2f}, max {np.abs(error).max():.2f} points; stated SD RMS "
        f"{np.sqrt(np.mean(sd**2)):.2f}; error within 1.96 SD "
        f"{np.mean(np.abs(error) <= 1.96 * sd):.0%}"
    )


def exchanged(strip: StripMarkers) -> StripMarkers:
    """Every second marker in the place of the one beside it."""
    order = np.arange(len(strip.ids))
    for index in range(0, len(order) - 1, 4):
        order[[index, index + 1]] = order[[index + 1, index]]
    return replace(strip, corners=strip.corners[order])


def bad(
    kind: str, studio: Studio, pair: tuple[SampleShot, SampleShot], stranger: SampleShot, seed: int
) -> Registration | None:
    """A pair that must not be aligned; None where a photograph shows no head."""
    shot = stranger if kind == "another person" else pair[1]
    worn = worn_in(shot)
    reference, moving = studio.take(pair[0], worn_in(pair[0])), studio.take(shot, worn)
    if reference is None or moving is None:
        return None
    strip = moving.strip
    if kind == "mirrored":
        strip = studio.markers(shot, worn, mirrored=True)
    elif kind == "upside down":
        strip = studio.markers(shot, replace(worn, upside_down=True))
    elif kind == "one marker off":
        along = worn.along_mm + PITCH_MM * (-1) ** seed
        strip = studio.markers(shot, replace(worn, along_mm=along))
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
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--bad", type=int, default=0, help="pairs of each bad kind")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    studio = Studio(options.cache)
    shots = load_samples(options.samples)
    together = [
        (a, b)
        for a in shots
        for b in shots
        if a is not b and (a.subject, a.view) == (b.subject, b.view)
    ]
    chosen = evenly(together, options.pairs)
    results, rows = defaultdict(list), defaultdict(list)
    for seed, pair in enumerate(chosen):
        both = [studio.take(shot, worn_in(shot)) for shot in pair]
        if None in both:
            print(f"<!-- no head: {pair[0].name} {pair[1].name} -->")
            continue
        result = aligned(*both, seed)
        results[pair[0].view].append(result)
        if result.registered:
            row = measured(*both, result) | {"turn": head_turn_deg(*pair)}
            rows[pair[0].view].append(row)
            print(f"<!-- {pair[0].name} {pair[1].name} {row} -->")
    for view, part in results.items():
        report(f"genuine, {view}", part)
        report_errors(rows[view])
    report_errors([row for part in rows.values() for row in part])
    for kind in KINDS:
        found = []
        for seed, pair in enumerate(evenly(together, options.bad)):
            others = [s for s in shots if s.view == pair[0].view and s.subject != pair[0].subject]
            stranger = (others or shots)[seed % len(others or shots)]
            found.append(bad(kind, studio, pair, stranger, seed))
        report(kind, [each for each in found if each is not None])


if __name__ == "__main__":
    main()
