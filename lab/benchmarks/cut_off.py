"""From how near a photograph can be measured: the frame closes in on the scalp.

    python -m lab.benchmarks.cut_off run FILE.json [--first 931000] [--count 12]
    python -m lab.benchmarks.cut_off tables FILE.json [--limit 150]

People of lab/strands, of seeds that no training drew, are rendered once with the whole head in
pictures of `RENDERED_PX`, and squares of `FRAMES` times the head's width are cut out around the
middle of the scalp: the same pixels, as a camera that comes nearer would frame them. Each square is
judged as ``scalptrack segment`` does it, but for the limit of `head_cut_off` itself; truth is the
hair fraction of the scalp that the square shows. ``tables`` prints the error by frame and by the
value of `head_cut_off`, and what a limit on it would refuse.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.people import MIN_COSINE, Case, holds, judge_segmented
from lab.strands.develop import develop
from lab.strands.scene import render
from scalptrack.errors import HeadNotFoundError
from scalptrack.quality.framing import cut_off_percent
from scalptrack.records import ImageArray, Settings
from scalptrack.segmentation import NetworkSegmenter

RENDERED_PX = 1152
FRAMES = (1.5, 1.1, 0.9, 0.7, 0.5)
"""Side of the square, in widths of the head."""

MIN_SIDE_PX = 240
MIN_REGION_SHARE = 0.12
BANDS = ((0, 5), (5, 60), (60, 120), (120, 200), (200, 1000))


def framed(seed: int) -> Iterator[tuple[Case, ImageArray]]:
    """Truth and picture of each frame of a person; none where the scalp is hardly seen."""
    scene = render(seed, RENDERED_PX)
    region = scene.region & (scene.cosine > MIN_COSINE)
    if scene.surface is None or region.mean() < MIN_REGION_SHARE:
        return
    picture = develop(np.random.default_rng(seed), scene.light)
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    width = float(np.ptp(np.flatnonzero(scene.region.any(axis=0))))
    for frame in FRAMES:
        half = round(frame * width / 2)
        top, left = max(0, int(row) - half), max(0, int(column) - half)
        here = np.s_[top : int(row) + half, left : int(column) + half]
        if not region[here].any() or min(region[here].shape) < MIN_SIDE_PX:
            continue
        case: Case = {
            "name": f"{seed}-{frame}",
            "frame": frame,
            "hair": scene.facts["hair"],
            "view": scene.facts["view"],
            "true": float(scene.fraction[here][region[here]].mean()),
        }
        yield case, np.ascontiguousarray(picture[here])


def run(path: Path, first: int, count: int) -> None:
    """Judge people one by one; what is in the file is kept."""
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    people = {str(case["name"]).split("-")[0] for case in cases}
    segmenter, settings, seed = NetworkSegmenter(), Settings(), first - 1
    while len(people) < count:
        seed += 1
        if str(seed) in people:
            continue
        for case, picture in framed(seed):
            people.add(str(seed))
            try:
                found = segmenter.segment(picture, perturbations=settings.perturbations)
            except HeadNotFoundError:
                cases.append(case | {"refused": "no head", "cut_off": None})
                continue
            case["cut_off"] = cut_off_percent(found)
            cases.append(case | judge_segmented(found, picture, settings, ignored="head_cut_off"))
        path.write_text(json.dumps(cases, indent=0), encoding="utf-8")


def row(name: str, cases: list[Case]) -> str:
    """A line of the table: refusals, and the error of what is measured."""
    measured = [case for case in cases if case["refused"] is None]
    start = f"| {name} | {len(cases)} | {len(cases) - len(measured)} |"
    if not measured:
        return f"{start} | | | |"
    gap = 100 * np.array([case["measured"] - case["true"] for case in measured])
    held = sum(holds(case) for case in measured)
    return (
        f"{start} {np.abs(gap).mean():.1f} | {np.sqrt(np.mean(gap**2)):.1f} | "
        f"{np.abs(gap).max():.0f} | {held} of {len(measured)} |"
    )


def tables(cases: list[Case], limit: float) -> None:
    """By frame, by the finding's value, and on both sides of a limit."""
    head = "pictures | refused | mean absolute error | root mean square | worst | interval holds |"
    found = [case for case in cases if case["cut_off"] is not None]
    print(f"| frame, head widths | {head}\n|---|---|---|---|---|---|---|")
    for frame in FRAMES:
        print(row(f"{frame}", [case for case in cases if case["frame"] == frame]))
    print(f"\n| head_cut_off, % of head width | {head}\n|---|---|---|---|---|---|---|")
    for low, high in BANDS:
        part = [case for case in found if low <= case["cut_off"] < high]
        if part:
            print(row(f"{low} to {high}", part))
    print(f"\n| limit {limit:.0f} % | {head}\n|---|---|---|---|---|---|---|")
    print(row("below", [case for case in found if case["cut_off"] < limit]))
    print(row("from there on", [case for case in found if case["cut_off"] >= limit]))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("task", choices=("run", "tables"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--first", type=int, default=931_000)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--limit", type=float, default=150.0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.task == "run":
        run(options.file, options.first, options.count)
    tables(json.loads(options.file.read_text(encoding="utf-8")), options.limit)


if __name__ == "__main__":
    main()
