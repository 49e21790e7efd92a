"""Registration by what differs between two photographs of a person, and what it does to coverage.

    python -m lab.phantom registration --out FOLDER        (an environment with bpy)
    python -m lab.benchmarks.registration_kinds FOLDER

Each of the follow-ups of a person (the camera moved by up to 12 degrees; thinned and cut; in other
light; fully re-combed) is aligned with the first photograph by the complete program: its own
segmentation, the quality check, all gates. The target registration error (TRE) is measured on the
exact surface, in percent of the head's width; "within 1 %" counts refused pairs as failures. The
effect on coverage is that of measuring the same hair in a region carried by the program's
transform instead of the exact one. Intervals of shares are Clopper and Pearson's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.bad_pairs import POSE_SOURCES
from lab.benchmarks.bad_photographs import FeatureStore, Picture, fingerprint
from lab.benchmarks.outline import MAX_INCIDENCE_DEG, TrueTransform
from lab.benchmarks.registration import Shot, errors_percent, head_turn_deg, load
from lab.phantom.datasets import REGISTRATION_VISITS
from lab.shares import share
from scalptrack.measurement import co_visible_region, measure
from scalptrack.records import Registration, Segmentation
from scalptrack.registration import register
from scalptrack.segmentation.network import shared_segmenter

SEED = 20260101
FIRST = "baseline"
WITHIN_PERCENT = 1.0
WRONG_PERCENT = 3.0
LITTLE, MUCH = 0.25, 0.8
"""Coverage up to which there is little hair, and from which it hides nearly everything."""


@dataclass(frozen=True)
class Row:
    """Outcome of one pair.

    Attributes
    ----------
    kind, person : str
        What differs, and who it is.
    coverage : float
        True coverage of the photograph of the two that shows more hair.
    turn_deg : float
        How far the camera moved around the head.
    outcome : str
        "accepted", or the code of the reason.
    median_percent, high_percent : float
        Median and 95th percentile of the TRE; NaN when refused.
    effect_points : float
        What the alignment changes of the coverage; NaN when refused.
    """

    kind: str
    person: str
    coverage: float
    turn_deg: float
    outcome: str
    median_percent: float = np.nan
    high_percent: float = np.nan
    effect_points: float = np.nan


def coverage_of(shot: Shot) -> float:
    return float(shot.truth["coverage"]["scalp"]["coverage_fraction"])


@cache
def seen_in(shot: Shot) -> Segmentation:
    """What the program sees in a photograph."""
    return shared_segmenter().segment(shot.image())


def effect_points(reference: Shot, moving: Shot, found: Registration) -> float:
    """Coverage through the program's transform minus that through the exact one, in points."""
    here, there = seen_in(reference), seen_in(moving)
    exact = TrueTransform(reference, moving)
    region = co_visible_region(here, [(exact, there)], max_incidence_deg=MAX_INCIDENCE_DEG)
    found_to_be, true = (
        measure(there, region, here.grid, transform).coverage_fraction
        for transform in (found.transform, exact)
    )
    return 100 * (found_to_be - true)


def judged(store: FeatureStore, reference: Shot, moving: Shot) -> Row:
    """Align two photographs as the program does."""
    pictures = [Picture(shot) for shot in (reference, moving)]
    for picture in pictures:
        store.fill(picture)
    row = Row(
        REGISTRATION_VISITS[moving.stem.name],
        moving.subject,
        max(coverage_of(reference), coverage_of(moving)),
        head_turn_deg(reference, moving),
        next((f"check: {each.problem}" for each in pictures if each.problem), ""),
    )
    first, second = (picture.features for picture in pictures)
    if row.outcome or first is None or second is None:
        return row
    found = register(first, second, seed=SEED)
    if not found.registered:
        return replace(row, outcome=found.reason.code if found.reason else "refused")
    errors = errors_percent(found, reference, moving)
    return replace(
        row,
        outcome="accepted",
        median_percent=float(np.median(errors)),
        high_percent=float(np.percentile(errors, 95)),
        effect_points=effect_points(reference, moving, found),
    )


def print_row(name: str, rows: list[Row]) -> None:
    """One line of the table."""
    if not rows:
        return
    kept = [row for row in rows if row.outcome == "accepted"]
    medians = np.array([row.median_percent for row in kept] or [np.nan])
    high = np.array([row.high_percent for row in kept] or [np.nan])
    effect = np.array([row.effect_points for row in kept] or [np.nan])
    within = sum(row.median_percent <= WITHIN_PERCENT for row in kept)
    wrong = sum(row.median_percent > WRONG_PERCENT for row in kept)
    print(
        f"| {name} | {share(len(kept), len(rows))} | {share(within, len(rows))} | "
        f"{np.median(medians):.2f} | {np.percentile(medians, 95):.2f} | {np.median(high):.2f} | "
        f"{np.sqrt(np.mean(effect**2)):.2f} | {np.max(np.abs(effect)):.2f} | {wrong} |"
    )


def report(rows: list[Row]) -> None:
    """Tables by kind and, of re-combed hair, by coverage; then why pairs were refused."""
    print(
        f"| pairs | accepted | within {WITHIN_PERCENT:.0f} % | TRE median | 95th percentile of "
        "pairs | median of the 95th percentiles within pairs | effect on coverage, RMS | at most | "
        "wrong |\n|---|---|---|---|---|---|---|---|---|"
    )
    bands: tuple[tuple[str, Callable[[Row], bool]], ...] = (
        ("coverage up to 25 %", lambda row: row.coverage <= LITTLE),
        ("coverage 25 to 80 %", lambda row: LITTLE < row.coverage < MUCH),
        ("coverage 80 % and more", lambda row: row.coverage >= MUCH),
    )
    for kind in (*REGISTRATION_VISITS.values(), None):
        part = [row for row in rows if kind is None or row.kind == kind]
        print_row(kind or "all", part)
        for name, chosen in bands:
            print_row(f"{kind or 'all'}, {name}", [row for row in part if chosen(row)])
    print()
    for row in rows:
        print(
            f"{row.kind:16s} {row.person} coverage {row.coverage:.2f} turn {row.turn_deg:4.1f}  "
            f"{row.outcome}  TRE {row.median_percent:.2f}/{row.high_percent:.2f} "
            f"effect {row.effect_points:+.2f}"
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="keeps features and outcomes")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    shots = load(options.folder)
    firsts = {shot.subject: shot for shot in shots if REGISTRATION_VISITS[shot.stem.name] == FIRST}
    store = FeatureStore(options.cache, truth=False)
    made_by, rows = fingerprint(POSE_SOURCES), []
    for shot in shots:
        first = firsts.get(shot.subject)
        if first is None or shot is first:
            continue
        keys = [store.key(Picture(each)) for each in (first, shot)]
        path = options.cache / f"kind-{made_by}-{'-'.join(keys)}.json"
        if not path.exists():
            path.write_text(json.dumps(asdict(judged(store, first, shot))))
        rows.append(Row(**json.loads(path.read_text())))
    report(rows)


if __name__ == "__main__":
    main()
