"""Whether a wrong alignment is ever accepted: hundreds of bad pairs, and the good ones beside them.

    python -m lab.benchmarks.bad_pairs sample_images FOLDER... --crowd FOLDER --cache FOLDER

FOLDERs hold several photographs of each person, the crowd one of each of many people (output of
``lab.phantom`` and ``lab.training.renders``). Everything is segmented by the program itself.

Good pairs: one person and view, hair combed, cut, thinned and lit anew. Bad pairs: other people of
the same view (those who look most alike: tone of the scalp, its variation, coverage), other people
before one and the same textured wall, other views of the same person and of others, mirrored
photographs. Half a head out of the frame and blurred photographs are of the same person: accepting
one is wrong where its target registration error is more than 3 % of the head's width.

Limits may be chosen on the people of one half only; no pair mixes the halves. With ``--cache`` the
features (by the picture's content) and the values of all gates (by features and source, without the
limits) are kept, so that other limits cost no time. ``--truth`` takes the renderer's segmentation
in place of the program's: what comes out doesn't depend on the network, and photographs without it
are left out. Two processes with ``--every 2 --start 0`` and ``1`` share the work through one cache;
``--cached-only`` then reports on all that was done.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.bad_pairs_report import report
from lab.benchmarks.bad_photographs import (
    BLURS,
    SIDES,
    FeatureStore,
    Picture,
    fingerprint,
    load_people,
    spoiled,
)
from lab.benchmarks.registration import Shot, correspondences, head_turn_deg
from scalptrack.registration.registering import Attempt, attempts, refused

SEED = 20260101
POSE_SOURCES = tuple(
    f"registration/{name}.py"
    for name in (
        "align",
        "gates",
        "matching",
        "pose",
        "refine",
        "registering",
        "surface",
        "transform",
    )
)
LIMITS = 'MIN_ MAX_ ALIKE_ HAIRY_ """ #'


@dataclass(eq=False)
class Pair:
    """Two pictures, and whether they show the same scalp from the same side."""

    kind: str
    reference: Picture
    moving: Picture

    @property
    def same(self) -> bool:
        """True where a right alignment exists."""
        a, b = self.reference.shot, self.moving.shot
        return a.subject == b.subject and a.view == b.view and self.moving.spoiled != "mirrored"


@cache
def looks(shot: Shot) -> np.ndarray:
    """Tone of the scalp with its hair, its variation, and the coverage, each about 0 to 1."""
    seen = shot.image()[shot.surface()["label"] == 1] / 255.0
    coverage = shot.truth["coverage"]["scalp"]["coverage_fraction"]
    return np.array([*seen.mean(axis=0), 2.0 * seen.std(), coverage])


def others_alike(
    pictures: list[Picture], *, near: int, same_view: bool
) -> Iterator[tuple[Picture, Picture]]:
    """Each picture with the `near` people who look most like it, within its half."""
    described = np.array([looks(picture.shot) for picture in pictures])
    for i, reference in enumerate(pictures):
        order = np.argsort(np.linalg.norm(described - described[i], axis=1), kind="stable")
        seen: set[str] = set()
        for j in order:
            other = pictures[j]
            person = other.shot.subject
            if other.half != reference.half or person == reference.shot.subject or person in seen:
                continue
            if (other.shot.view == reference.shot.view) != same_view:
                continue
            seen.add(person)
            yield reference, other
            if len(seen) == near:
                break


def one_each(pictures: list[Picture]) -> list[Picture]:
    """The first photograph of each person and view."""
    found: dict[tuple[str, str], Picture] = {}
    for picture in pictures:
        found.setdefault((picture.shot.subject, picture.shot.view), picture)
    return list(found.values())


def followed(pictures: list[Picture]) -> list[tuple[Picture, Picture]]:
    """(earlier, later) of each person and view: with the first, and neighbours."""
    groups: dict[tuple[str, str], list[Picture]] = {}
    for picture in pictures:
        groups.setdefault((picture.shot.subject, picture.shot.view), []).append(picture)
    found = []
    for group in groups.values():
        found += [(group[0], later) for later in group[1:]]
        found += list(pairwise(group[1:]))
    return found


def evenly(listed: list[Any], count: int) -> list[Any]:
    """At most `count` of a list, evenly chosen."""
    return listed[:: max(1, -(-len(listed) // count))]


def make_pairs(people: list[Picture], limits: dict[str, int]) -> list[Pair]:
    """All pairs of the benchmark, in order."""
    same = followed(people)
    firsts = one_each(people)
    found = [Pair("good", *pair) for pair in evenly(same, limits["good"])]
    kinds = {
        "other person": others_alike(firsts, near=4, same_view=True),
        "other person and view": others_alike(firsts, near=1, same_view=False),
        "other view": iter(
            [
                (a, b)
                for a in people
                for b in people
                if a.shot.subject == b.shot.subject and a.shot.view != b.shot.view
            ]
        ),
    }
    for kind, pairs in kinds.items():
        found += [Pair(kind, *pair) for pair in evenly(list(pairs), limits[kind])]
    for kind, ways in (
        ("mirrored", ["mirrored"]),
        ("half out of frame", list(SIDES)),
        ("blurred", list(BLURS)),
    ):
        chosen = evenly(same, limits[kind])
        moving = spoiled([pair[1] for pair in chosen], ways)
        found += [Pair(kind, pair[0], spoilt) for pair, spoilt in zip(chosen, moving, strict=True)]
    return found + _wall_pairs(people, same, limits)


def _wall_pairs(
    people: list[Picture], same: list[tuple[Picture, Picture]], limits: dict[str, int]
) -> list[Pair]:
    """Heads before one and the same wall: other people's, and the same person's again."""
    rendered = [each for each in people if "head-" not in each.shot.subject]
    behind = spoiled(evenly(one_each(rendered), limits["wall pictures"]), ["wall"])
    strangers = evenly(list(others_alike(behind, near=2, same_view=True)), limits["same wall"])
    found = [Pair("same wall, other person", *pair) for pair in strangers]
    known = [pair for pair in same if "head-" not in pair[0].shot.subject]
    kept = evenly(known, limits["good before wall"])
    return found + [Pair("good, same wall", *spoiled(pair, ["wall"])) for pair in kept]


def evaluate(pair: Pair) -> dict[str, Any]:
    """Values of all gates of each attempt, and the error where there is a truth."""
    reference, moving = pair.reference, pair.moving
    row: dict[str, Any] = {"attempts": [], "reason": "", "turn_deg": None}
    if reference.features is None or moving.features is None:
        return row | {"reason": reference.problem or moving.problem}
    tried: list[Attempt] = []
    for attempt in attempts(reference.features, moving.features, seed=SEED):
        tried.append(attempt)
        median, high = _errors(pair, attempt)
        row["attempts"].append(
            {
                "gates": {gate.name: gate.value for gate in attempt.gates},
                "tre_percent": median,
                "tre_p95_percent": high,
            }
        )
        if attempt.passed:
            break
    if pair.same:
        row["turn_deg"] = head_turn_deg(reference.shot, moving.shot)
    if not tried[-1].passed:
        result = refused(reference.features, moving.features, tried, seed=SEED)
        row["reason"] = result.reason.code if result.reason else ""
    return row


def _errors(pair: Pair, attempt: Attempt) -> tuple[float | None, float | None]:
    """Median and 95th percentile of the target registration error in % of the head's width."""
    if not pair.same or attempt.found is None:
        return None, None
    here, there = correspondences(pair.reference.shot, pair.moving.shot)
    gaps = np.linalg.norm(
        attempt.found.transform.map_points(here - pair.reference.corner)
        - (there - pair.moving.corner),
        axis=1,
    )
    gaps = 100.0 * gaps[np.isfinite(gaps)] / pair.moving.shot.truth["head_width_px"]
    if not len(gaps):
        return 100.0, 100.0
    return float(np.median(gaps)), float(np.percentile(gaps, 95))


def run(
    pairs: list[Pair],
    store: FeatureStore,
    folder: Path,
    *,
    cached_only: bool,
    every: int = 1,
    start: int = 0,
) -> list[dict[str, Any]]:
    """One row for each pair (or every n-th in a mixed order), from the cache where it is there."""
    made_by = fingerprint(POSE_SOURCES, without=LIMITS)
    rows: list[dict[str, Any]] = []
    keys: dict[str, str] = {}
    begin = time.time()
    # Mixed, so that a run that is broken off has done some pairs of each kind.
    order = np.random.default_rng(0).permutation(len(pairs))
    for number, pair in enumerate((pairs[i] for i in order[start::every]), start=1):
        both = (pair.reference, pair.moving)
        for picture in both:
            if picture.name not in keys:
                keys[picture.name] = store.key(picture)
        path = folder / f"{made_by}-{keys[both[0].name]}-{keys[both[1].name]}.json"
        if path.exists():
            row = json.loads(path.read_text(encoding="utf-8"))
        elif cached_only:
            continue
        else:
            row = _computed(pair, store)
            path.write_text(json.dumps(row), encoding="utf-8")
        rows.append(row | _description(pair))
        if number % 10 == 0:
            print(
                f"pairs {number}/{len(order[start::every])}  {time.time() - begin:.0f} s",
                flush=True,
            )
    return rows


def _computed(pair: Pair, store: FeatureStore) -> dict[str, Any]:
    """Evaluate a pair, with its features only meanwhile in memory."""
    both = (pair.reference, pair.moving)
    for picture in both:
        store.fill(picture)
    row = evaluate(pair)
    row["problem"] = pair.reference.problem or pair.moving.problem
    for picture in both:
        picture.features = None
    return row


def _description(pair: Pair) -> dict[str, Any]:
    shots = (pair.reference.shot, pair.moving.shot)
    return {
        "kind": pair.kind,
        "same": pair.same,
        "reference": pair.reference.name,
        "moving": pair.moving.name,
        "view": shots[0].view,
        "half": pair.reference.half,
        "coverage": max(s.truth["coverage"]["scalp"]["coverage_fraction"] for s in shots),
    }


DEFAULTS = {
    "good": 110,
    "other person": 330,
    "other person and view": 40,
    "other view": 40,
    "mirrored": 40,
    "half out of frame": 40,
    "blurred": 32,
    "wall pictures": 48,
    "same wall": 80,
    "good before wall": 16,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--crowd", type=Path)
    parser.add_argument("--crowd-size", type=int, default=90)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--truth", action="store_true", help="exact segmentation, renders only")
    parser.add_argument("--cached-only", action="store_true", help="report the pairs done so far")
    parser.add_argument("--share", type=float, default=1.0, help="of the number of pairs")
    parser.add_argument("--every", type=int, default=1, help="take every n-th pair only")
    parser.add_argument("--start", type=int, default=0, help="from which one on")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = load_people(
        options.samples,
        options.folders,
        options.crowd,
        options.crowd_size,
        truth=options.truth,
    )
    print(f"{len(people)} photographs of {len({each.shot.subject for each in people})} people")
    limits = {kind: max(1, round(options.share * count)) for kind, count in DEFAULTS.items()}
    store = FeatureStore(options.cache, truth=options.truth)
    pairs = make_pairs(people, limits)
    rows = run(
        pairs,
        store,
        options.cache,
        cached_only=options.cached_only,
        every=options.every,
        start=options.start,
    )
    report(rows, csv_path=options.csv, plot_path=options.plot)


if __name__ == "__main__":
    main()
