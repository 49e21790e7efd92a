"""Where coverage goes wrong by more than 2 points, and what ``check`` says of it.

    python -m lab.benchmarks.findings run FOLDER --set both --count 12
    python -m lab.benchmarks.findings tables FOLDER --set limits [--anew]
    python -m lab.benchmarks.findings tables FOLDER --set report

People of the fast renderer (no seed of a training) are photographed cleanly, and once more with one
fault each (`lab.benchmarks.faults`). A photograph is *harmful* where its coverage is off by more
than 2 points from that of the clean photograph of the same scene, over the region that both show;
it is *flagged* where ``check`` warns or rejects. Limits may be chosen on the people of the set
``limits``; those of ``report`` are only told of. ``run`` keeps every photograph with what was seen
in it (resumable); ``tables`` keeps in ``rows.json`` what is said of them, with ``--values`` also
what each check measures, and judges them anew where limits have changed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.fault_photographs import CLEAN, Seen, load, run
from lab.benchmarks.faults import GRADES, UNITS
from lab.shares import share
from scalptrack.measurement import co_visible_region, measure, scalp_region
from scalptrack.quality import check_quality, focus, framing, light
from scalptrack.quality.subject import head_width_px, subject_of
from scalptrack.records import Segmentation, Settings

FIRST_SEED = {"limits": 961_000, "report": 965_000}
HARMFUL_POINTS, BAD_POINTS = 2.0, 5.0
NO_FAULT = (CLEAN, "other noise")

MATCHING = {
    "defocus": ("blurred",),
    "shake": ("blurred",),
    "underexposure": ("underexposed",),
    "overexposure": ("overexposed",),
    "glare": ("glare", "overexposed"),
    "light from the side": ("hard_light",),
    "shadow": ("hard_light",),
    "colour cast": ("colour_cast",),
    "haze": ("low_contrast",),
    "small head": ("low_resolution",),
    "cut off": ("head_cut_off",),
    "compression": ("recompressed_copy",),
}
"""The findings that are meant for a fault."""

Row = dict[str, Any]


def coverage(segmentation: Segmentation) -> float:
    """Coverage of a photograph's own region in points; NaN where there is too little."""
    region = scalp_region(segmentation, max_incidence_deg=Settings().max_incidence_deg)
    measured = measure(segmentation, region, segmentation.grid, None)
    return float("nan") if measured is None else 100 * measured.coverage_fraction


def shift_points(clean: Seen, seen: Seen) -> float:
    """Coverage over the region that both show, relative to the clean photograph's, in points."""
    first, second = clean.segmentation, seen.segmentation
    if first is None or second is None:
        return float("nan")
    region = co_visible_region(
        first, [(seen.frame, second)], max_incidence_deg=Settings().max_incidence_deg
    )
    before = measure(first, region, first.grid, None)
    after = measure(second, region, first.grid, seen.frame)
    if before is None or after is None:
        return float("nan")
    return 100 * (after.coverage_fraction - before.coverage_fraction)


def measured(seen: Seen) -> dict[str, float]:
    """What the checks measure."""
    subject = subject_of(seen.image(), seen.segmentation)
    blur = focus.measure_blur(subject)
    values = {
        "blur": blur.strongest_percent,
        "weakest": blur.weakest_percent,
        "bright": light.bright_level(subject),
        "clipped": light.clipped_percent(subject),
        "range": light.tonal_range(subject.picture),
        "hue": light.skin_hue_deg(subject) or float("nan"),
    }
    found = seen.segmentation
    if found is not None and subject.found:
        values |= {
            "head": head_width_px(found),
            "cut": framing.cut_off_percent(found),
            "glare": 100 * float(found.glare[found.scalp].mean()),
            "stops": light.left_right_stops(subject),
            "doubt": 100 * found.mean_doubt(found.scalp & (found.incidence_cosine > 0.5)),
        }
    return {name: round(float(value), 3) for name, value in values.items()}


def row_of(clean: Seen, seen: Seen) -> Row:
    """A photograph as plain values."""
    found = seen.segmentation
    return {
        "seed": seen.seed,
        "fault": seen.fault,
        "strength": seen.strength,
        "view": seen.view,
        "skin": seen.skin,
        "true": seen.true_percent,
        "shift": shift_points(clean, seen),
        "own": float("nan") if found is None else coverage(found),
        "findings": findings_of(seen),
    }


def findings_of(seen: Seen) -> list[tuple[str, str, float]]:
    """Code, severity and value of each finding."""
    quality = check_quality(seen.image(), seen.segmentation, seen.capture())
    return [(each.code, each.severity.value, each.value) for each in quality.findings]


def rows_in(folder: Path, *, anew: bool, values: bool) -> list[Row]:
    """A row for each photograph of the people whose clean photograph was accepted."""
    path = folder / "rows.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for first in sorted(folder.glob(f"* {CLEAN}.pickle")):
        clean = load(first)
        if clean is None:
            continue
        for photo in sorted(folder.glob(f"{clean.seed} *.pickle")):
            row = rows.get(photo.stem)
            if row is not None and not anew and ("values" in row or not values):
                continue
            seen = load(photo)
            if seen is None:
                continue
            row = row_of(clean, seen) if row is None else row | {"findings": findings_of(seen)}
            rows[photo.stem] = row | {"values": measured(seen)} if values else row
    path.write_text(json.dumps(rows, indent=0), encoding="utf-8")
    accepted = {
        row["seed"] for row in rows.values() if row["fault"] == CLEAN and not is_rejected(row)
    }
    return [row for row in rows.values() if row["seed"] in accepted]


def is_rejected(row: Row) -> bool:
    """Whether ``check`` refuses the photograph."""
    return any(severity == "error" for _, severity, _ in row["findings"])


def is_flagged(row: Row, codes: tuple[str, ...]) -> bool:
    """Whether one of the findings was made; what only informs counts for a copy."""
    return any(code in codes for code, _, _ in row["findings"])


def is_told(row: Row) -> bool:
    """Whether ``check`` warns or rejects for any reason."""
    return any(severity != "info" for _, severity, _ in row["findings"])


def is_harmful(row: Row, points: float = HARMFUL_POINTS) -> bool:
    """Whether coverage is off by more than so many points."""
    return abs(row["shift"]) > points


def by_grade(rows: list[Row]) -> None:
    """Print what each grade of each fault does, and what is said."""
    print(
        "| fault | strength | n | shift: median, most | over 2 | over 5 | its finding | rejected "
        "| no head |\n|---|---|---|---|---|---|---|---|---|"
    )
    for fault in (CLEAN, *GRADES):
        for strength in GRADES.get(fault, (0.0,)):
            part = [r for r in rows if r["fault"] == fault and r["strength"] == strength]
            shifts = np.abs([r["shift"] for r in part if np.isfinite(r["shift"])])
            if not len(shifts):
                continue
            said = sum(is_flagged(r, MATCHING.get(fault, ())) for r in part)
            nobody = sum(is_flagged(r, ("no_head",)) for r in part)
            print(
                f"| {fault} | {strength:g} {UNITS.get(fault, '')} | {len(part)} "
                f"| {np.median(shifts):.1f}, {shifts.max():.1f} | {(shifts > HARMFUL_POINTS).sum()}"
                f" | {(shifts > BAD_POINTS).sum()} | {said} | {sum(map(is_rejected, part))} "
                f"| {nobody} |"
            )


def passes_at(rows: list[Row], fault: str) -> str:
    """Between which strengths the median shift passes 2 points; words where it doesn't."""
    before = "below"
    for strength in GRADES[fault]:
        part = [r for r in rows if r["fault"] == fault and r["strength"] == strength]
        shifts = [abs(r["shift"]) for r in part if np.isfinite(r["shift"])]
        if shifts and float(np.median(shifts)) > HARMFUL_POINTS:
            return f"{before} {strength:g} {UNITS[fault]}"
        before = f"{strength:g} to"
    return f"not up to {GRADES[fault][-1]:g} {UNITS[fault]}"


def by_finding(rows: list[Row]) -> None:
    """Print false alarms and misses of the findings for each fault."""
    print(
        "\n| fault | 2 points are passed at | false alarms, of the harmless | harmful without its "
        "finding | harmful without any | harmful, not rejected, over 5 points |"
        "\n|---|---|---|---|---|---|"
    )
    whole = [r for r in rows if r["fault"] in NO_FAULT and not is_harmful(r)]
    for fault, codes in MATCHING.items():
        part = [r for r in rows if r["fault"] == fault and np.isfinite(r["shift"])]
        harmful = [r for r in part if is_harmful(r)]
        harmless = whole + [r for r in part if not is_harmful(r)]
        alarms = sum(is_flagged(r, codes) for r in harmless)
        unseen = sum(not is_flagged(r, codes) for r in harmful)
        untold = sum(not is_told(r) for r in harmful)
        grave = [r for r in part if is_harmful(r, BAD_POINTS)]
        kept = sum(not is_rejected(r) for r in grave)
        print(
            f"| {fault} | {passes_at(rows, fault)} | {share(alarms, len(harmless))} "
            f"| {share(unseen, len(harmful))} | {share(untold, len(harmful))} "
            f"| {kept} of {len(grave)} |"
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("task", choices=("run", "tables"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=(*FIRST_SEED, "both"), default="limits")
    parser.add_argument("--count", type=int, default=12, help="people whose clean photo is usable")
    parser.add_argument("--anew", action="store_true", help="judge anew: the limits have changed")
    parser.add_argument("--values", action="store_true", help="keep what each check measures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sets = tuple(FIRST_SEED) if options.set == "both" else (options.set,)
    folders = {name: options.folder / name for name in sets}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    if options.task == "run":
        run({folder: FIRST_SEED[name] for name, folder in folders.items()}, options.count)
        return
    rows = [
        row
        for each in folders.values()
        for row in rows_in(each, anew=options.anew, values=options.values)
    ]
    print(f"{len({row['seed'] for row in rows})} people, {len(rows)} photographs")
    by_grade(rows)
    by_finding(rows)


if __name__ == "__main__":
    main()
