"""How often the view that `scalptrack.quality.view` recognises is the right one.

    python -m lab.benchmarks.views strands FILE.json [--count 200] [--first 7500000]
    python -m lab.benchmarks.views bare FILE.json [--count 400] [--first 7500000]
    python -m lab.benchmarks.views phantom FILE.json FOLDER
    python -m lab.benchmarks.views table FILE.json [FILE.json ...]

``strands`` renders people of the fast renderer by seeds that neither the network nor the
coefficients of the views were fitted to (resumable); their true view is the one whose usual
direction is nearest to the camera. ``bare`` takes the true maps of such people without hair, which
costs a hundredth and says how well shapes are told that the network got right. ``phantom`` reads
pictures of lab/phantom with their truth: a folder with ``truth.json`` (sample_images), or with a
JSON file beside each picture. Every picture is segmented as ``scalptrack check`` does it; what lies
around its scalp is kept, so that other coefficients can be judged without doing so again. ``table``
prints the confusion table, the share of right, unsure and wrong answers with 95 % intervals
(Wilson), and what other limits of the probability would give.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.people import wilson
from lab.strands.camera import Camera, look, sample_camera
from lab.strands.develop import develop
from lab.strands.head import NOTHING, SCALP, SHOULDERS, sample_head
from lab.strands.scene import camera_of, render
from lab.strands.views import view_seen
from scalptrack.errors import HeadNotFoundError, ImageReadError
from scalptrack.filenames import VIEWS
from scalptrack.images import read_photograph
from scalptrack.quality.polar import ANGLES, RADII, PolarMap, polar_map
from scalptrack.quality.view import (
    FROM_ABOVE,
    SURE_PROBABILITY,
    recognise_around,
)
from scalptrack.records import Grid, ImageArray, RegionClass, Segmentation
from scalptrack.segmentation import NetworkSegmenter

SIZE_PX = 256
BARE_PX = 48
CAMERAS_PER_HEAD = 10
STREAM = 31_008
MIN_SCALP_SHARE = 0.02
LIMITS = (0.8, 0.9, 0.95, 0.98, 0.99)
Case = dict[str, Any]


def strand_pictures(first: int, seen: set[str]) -> Iterator[tuple[Case, ImageArray]]:
    """Truth and picture of one person after the other, without end."""
    seed = first
    while True:
        seed += 1
        camera = camera_of(seed, SIZE_PX)
        if camera is None or str(seed) in seen:
            continue
        scene = render(seed, SIZE_PX)
        if scene.region.mean() < MIN_SCALP_SHARE:
            continue
        yield truth_of(str(seed), camera), develop(np.random.default_rng(seed), scene.light)


def bare_maps(seed: int) -> Iterator[Case]:
    """Cases of one head from several cameras, whose maps are the truth without any hair."""
    rng = np.random.default_rng([seed, STREAM])
    head = sample_head(rng)
    for number in range(CAMERAS_PER_HEAD):
        camera = sample_camera(rng, BARE_PX, plain=bool(rng.random() < 0.7))
        surface = look(head, camera)
        region = surface.label == SCALP
        if region.mean() < MIN_SCALP_SHARE:
            continue
        classes = np.select(
            [region, surface.label == SHOULDERS, surface.label != NOTHING],
            [RegionClass.SCALP_SKIN, RegionClass.OBJECT, RegionClass.OTHER_SKIN],
        )
        nothing = np.zeros_like(region)
        segmentation = Segmentation(
            grid=Grid(0.0, 0.0, 1.0, BARE_PX, BARE_PX),
            photograph_shape=(BARE_PX, BARE_PX),
            hair_fraction=nothing.astype(np.float32),
            classes=classes.astype(np.uint8),
            scalp=region,
            incidence_cosine=surface.cosine,
            glare=nothing,
            method="truth",
        )
        truth = truth_of(f"{seed}-{number}", camera)
        yield truth | packed(polar_map(segmentation, min_scalp_px=1))


def truth_of(name: str, camera: Camera) -> Case:
    """What is true of a picture of the fast renderer."""
    return {
        "name": name,
        "kind": "portrait" if camera.view == "portrait" else "scalp",
        "true": view_seen(camera),
    }


def phantom_pictures(folder: Path, seen: set[str]) -> Iterator[tuple[Case, ImageArray]]:
    """Truth and picture of everything that lab/phantom rendered into a folder."""
    listed = folder / "truth.json"
    if listed.exists():
        photographs = json.loads(listed.read_text(encoding="utf-8"))["photographs"]
        names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.jpg")))
        truths = {name: name.split("/")[1] for name in names}
        truths |= {name: each["visit"]["view"] for name, each in photographs.items()}
    else:
        truths = {}
        for path in sorted(folder.rglob("*.json")):
            truth = json.loads(path.read_text(encoding="utf-8"))
            if "visit" in truth and path.with_suffix(".jpg").exists():
                name = path.with_suffix(".jpg").relative_to(folder).as_posix()
                truths[name] = truth["visit"]["view"]
    for name, view in truths.items():
        if name in seen:
            continue
        try:
            image, _ = read_photograph(folder / name, max_megapixels=100)
        except ImageReadError as error:
            print(error)
            continue
        yield {"name": name, "kind": "phantom", "true": view}, image


def judge(segmenter: NetworkSegmenter, image: ImageArray) -> Case:
    """What the network sees around the scalp of a picture, as plain values."""
    try:
        seen = polar_map(segmenter.segment(image))
    except HeadNotFoundError:
        seen = None
    return packed(seen)


def packed(seen: PolarMap | None) -> Case:
    """A polar map as text."""
    if seen is None:
        return {"codes": None}
    cosine = np.round(seen.cosine * 255).astype(np.uint8)
    return {"codes": seen.codes.tobytes().hex(), "cosine": cosine.tobytes().hex()}


def answered(case: Case) -> Case:
    """A case with what the coefficients as they are now say of it."""
    if case["codes"] is None:
        return case | {"found": None}
    shape = (len(RADII), ANGLES)
    codes, cosine = (
        np.frombuffer(bytes.fromhex(case[name]), np.uint8).reshape(shape)
        for name in ("codes", "cosine")
    )
    recognised = recognise_around(PolarMap(codes, (cosine / 255).astype(np.float32)))
    return case | {"found": recognised.probabilities}


def run(
    path: Path, pictures: Iterator[tuple[Case, ImageArray]], cases: list[Case], count: int
) -> None:
    """Judge pictures one by one, saving after each."""
    segmenter = NetworkSegmenter()
    for truth, image in pictures:
        if len(cases) >= count:
            return
        cases.append(truth | judge(segmenter, image))
        path.write_text(json.dumps(cases, indent=0), encoding="utf-8")


def outcome(case: Case, limit: float) -> str:
    """``right``, ``unsure`` or ``wrong``; ``next`` where vertex and mid-pattern are exchanged."""
    if case["found"] is None:
        return "no head"
    best = max(case["found"], key=case["found"].get)
    if case["found"][best] < limit:
        return "unsure"
    if best == case["true"]:
        return "right"
    return "next" if {best, case["true"]} <= set(FROM_ABOVE) else "wrong"


def share(hits: int, count: int) -> str:
    """A count with its share and interval."""
    if not count:
        return f"{hits} of 0"
    low, high = wilson(hits, count)
    return f"{hits} of {count}: {100 * hits / count:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def print_limits(cases: list[Case]) -> None:
    """What each limit of the probability would give."""
    print("| limit | right, of all | unsure, of all | wrong, of the answers | vertex/mid-pattern |")
    print("|---|---|---|---|---|")
    for limit in LIMITS:
        counts = Counter(outcome(each, limit) for each in cases)
        answers = counts["right"] + counts["next"] + counts["wrong"]
        cells = (
            share(counts["right"], len(cases)),
            share(counts["unsure"], len(cases)),
            share(counts["wrong"], answers),
            share(counts["next"], answers),
        )
        mark = " (in use)" if limit == SURE_PROBABILITY else ""
        print(f"| {limit}{mark} | {' | '.join(cells)} |")


def print_confusion(cases: list[Case]) -> None:
    """Rows: the true view; columns: the answer."""
    print(f"\n| true view | {' | '.join(VIEWS)} | unsure |\n|{'---|' * (len(VIEWS) + 2)}")
    for view in VIEWS:
        answers: Counter[str] = Counter()
        for each in cases:
            if each["true"] == view:
                best = max(each["found"], key=each["found"].get)
                answers[best if each["found"][best] >= SURE_PROBABILITY else "unsure"] += 1
        print(f"| {view} | {' | '.join(str(answers[each]) for each in (*VIEWS, 'unsure'))} |")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("task", choices=("strands", "bare", "phantom", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("more", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=7_500_000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files = [options.file, *(options.more if options.task == "table" else [])]
    cases: list[Case] = []
    for path in files:
        cases += json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    seen = {each["name"] for each in cases}
    if options.task == "strands":
        first = max((int(name) for name in seen), default=options.first)
        run(options.file, strand_pictures(first, seen), cases, options.count)
    elif options.task == "bare":
        while len(cases) < options.count:
            cases += bare_maps(options.first + len(cases))
            options.file.write_text(json.dumps(cases), encoding="utf-8")
    elif options.task == "phantom":
        run(options.file, phantom_pictures(options.more[0], seen), cases, 100_000)
    else:
        cases = [answered(each) for each in cases]
        missed = sum(each["found"] is None for each in cases)
        cases = [each for each in cases if each["found"] is not None]
        print(f"{len(cases)} pictures; in {missed} more no head was found\n")
        print_limits(cases)
        print_confusion(cases)


if __name__ == "__main__":
    main()
