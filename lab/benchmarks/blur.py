"""Blur against what it does: the measured blur, and how far coverage moves.

Run: ``python -m lab.benchmarks.blur FOLDER --first 1300000 --count 20`` (resumable). People of the
fast renderer (no seed of a training) are photographed sharply, and again out of focus or shaken in
grades; each is measured over the scalp of the sharp photograph, whose place is given. Prints, for
each grade, what ``blurred`` measures and says, and how far coverage is off, and then what each
limit would do: how many photographs that are off by more than 2 (5) points pass it, and how many
that are not don't. The limits of the finding ``blurred`` come from this table. ``--bare`` takes
people with next to no hair instead, for whom it has limits of their own. ``--sharp FOLDER`` adds
sharp photographs of another source, of which a limit should name none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.fault_photographs import (
    SIZE_PX,
    PlacedSegmenter,
    Seen,
    clean_photograph,
    crop_of,
    framed,
)
from lab.benchmarks.faults import damaged, exposed
from lab.benchmarks.findings import BAD_POINTS, HARMFUL_POINTS, shift_points
from lab.strands.scene import render
from scalptrack.errors import HeadNotFoundError, ImageReadError
from scalptrack.images import read_photograph
from scalptrack.quality.check import BLURRED, BLURRED_BARE
from scalptrack.quality.focus import measure_blur
from scalptrack.quality.subject import head_width_px, subject_of
from scalptrack.segmentation import NetworkSegmenter

GRADES = (
    ("sharp", 0.0),
    *(("defocus", grade) for grade in (0.15, 0.25, 0.4, 0.6, 0.9)),
    *(("shake", grade) for grade in (0.7, 1.4, 2.2, 3.5)),
)
"""Standard deviation of a defocus, length of a movement, in percent of the head's width."""

LIMITS = (0.15, 0.2, 0.25, 0.3, 0.4, 0.5)

BARE_COVERAGE = 0.05
SMALL_PX = 96
"""Size at which it is found out whether a person has hair."""

Row = dict[str, Any]


def rows_of(segmenter: PlacedSegmenter, seed: int) -> list[Row]:
    """What is measured of a person in each grade; nothing of one who shows too little."""
    segmenter.crop = None
    scene = render(seed, SIZE_PX)
    clean = clean_photograph(segmenter, seed, scene, least_percent=-1.0)
    if clean is None or clean.segmentation is None:
        return []
    light, head_px = exposed(scene), head_width_px(clean.segmentation)
    rows = []
    for fault, grade in GRADES:
        seen = clean
        if fault != "sharp":
            code, image, frame = damaged(fault, grade, scene, light, head_px, seed)
            crop = crop_of(clean.segmentation, frame)
            seen = Seen(
                seed, fault, grade, clean.view, clean.skin, clean.true_percent, code, frame,
                segmenter.seen(image, crop),
            )  # fmt: skip
            segmenter.crop = None
        blur = measure_blur(subject_of(seen.image(), seen.segmentation or clean.segmentation))
        rows.append(
            {
                "seed": seed,
                "fault": fault,
                "grade": grade,
                "blur": blur.strongest_percent,
                "shift": shift_points(clean, seen),
            }
        )
    return rows


def is_bare_head(seed: int) -> bool:
    """Whether a person has next to no hair."""
    return bool(0 <= float(render(seed, SMALL_PX).facts["coverage"]) < BARE_COVERAGE)


def collected(folder: Path, first: int, count: int, *, bare: bool) -> list[Row]:
    """Rows of so many people, of which those that were seen before are kept in a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    segmenter, seed, people = PlacedSegmenter(), first, 0
    rows: list[Row] = []
    while people < count:
        seed += 1
        if not framed(seed) or is_bare_head(seed) != bare:
            continue
        kept = folder / f"{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(rows_of(segmenter, seed)), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        people += bool(found)
        rows += found
    return rows


def sharp_blurs(folders: list[Path]) -> list[float]:
    """Measured blur of photographs that are known to be sharp."""
    segmenter, blurs = NetworkSegmenter(), []
    for path in sorted(path for folder in folders for path in folder.rglob("*.jpg")):
        try:
            image, _ = read_photograph(path, max_megapixels=150)
            segmentation = segmenter.segment(image)
        except (HeadNotFoundError, ImageReadError):
            continue
        blurs.append(measure_blur(subject_of(image, segmentation)).strongest_percent)
    return blurs


def print_grades(rows: list[Row], *, bare: bool) -> None:
    """Print one line for each grade."""
    rule = BLURRED_BARE if bare else BLURRED
    print("| fault, % of head width | n | measured: median (range) | warned | rejected ", end="")
    print("| shift: median, RMS, worst |\n|---|---|---|---|---|---|")
    for fault, grade in GRADES:
        part = [row for row in rows if (row["fault"], row["grade"]) == (fault, grade)]
        blur = np.array([row["blur"] for row in part])
        shift = np.abs([row["shift"] for row in part if np.isfinite(row["shift"])])
        rejected = int((blur > (rule.error or np.inf)).sum())
        warned = int((blur > rule.warning).sum()) - rejected
        print(
            f"| {fault} {grade:g} | {len(part)} | {np.median(blur):.2f} ({blur.min():.2f} to "
            f"{blur.max():.2f}) | {warned} | {rejected} | {np.median(shift):.1f}, "
            f"{np.sqrt(np.mean(shift**2)):.1f}, {shift.max():.1f} |"
        )


def print_limits(rows: list[Row], sharp: list[float]) -> None:
    """Print what limits would do."""
    known = [row for row in rows if np.isfinite(row["shift"])]
    blur = np.array([row["blur"] for row in known])
    shift = np.abs([row["shift"] for row in known])
    print(f"\n| limit | off by more than {HARMFUL_POINTS:g} and passed ", end="")
    print(f"| by more than {BAD_POINTS:g} and passed | harmless and named | sharp others named |")
    print("|---|---|---|---|---|")
    for limit in LIMITS:
        cells = [
            f"{int((chosen & passed).sum())} of {int(chosen.sum())}"
            for chosen, passed in (
                (shift > HARMFUL_POINTS, blur <= limit),
                (shift > BAD_POINTS, blur <= limit),
                (shift <= HARMFUL_POINTS, blur > limit),
            )
        ]
        others = sum(each > limit for each in sharp)
        print(f"| {limit:g} | {' | '.join(cells)} | {others} of {len(sharp)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=1_300_000)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--bare", action="store_true", help="people with next to no hair")
    parser.add_argument("--sharp", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = collected(options.folder, options.first, options.count, bare=options.bare)
    print_grades(rows, bare=options.bare)
    print_limits(rows, sharp_blurs(options.sharp))


if __name__ == "__main__":
    main()
