"""The complete program on many unseen people of the fast renderer: fairness, and how sure it is.

    python -m lab.benchmarks.people run FILE.json [--count 300] [--first 900000] [--size 1152]
    python -m lab.benchmarks.people tables FILE.json [FILE.json ...]
    python -m lab.benchmarks.people fit FILE.json

``run`` renders people whose seeds are in no training and segments them (resumable: what is in the
file is kept); with ``--phantom FOLDER`` pictures of lab/phantom are judged instead. ``tables``
prints error and refusals by skin and hair with 95 % intervals, and how often the stated interval of
a coverage holds the truth; ``fit`` the constants of `scalptrack.segmentation.uncertainty`.

Each picture is segmented as ``scalptrack segment`` does it, quality limits included, with the
region that the program finds on its own; truth is the hair fraction over all visible scalp that is
seen at less than 60 degrees.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from lab.strands.develop import develop
from lab.strands.scene import render
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import measure, scalp_region
from scalptrack.quality import check_quality
from scalptrack.records import CaptureInfo, ImageArray, Segmentation, Settings, Severity
from scalptrack.segmentation import NetworkSegmenter
from scalptrack.segmentation.uncertainty import coverage_sd_fraction

SIZE_PX = 640
MIN_REGION_SHARE = 0.04
"""Pictures that show less scalp are no photographs of a scalp."""

MIN_COSINE = 0.5
SEED = 20260101
Case = dict[str, Any]


def strand_people(
    first: int, count: int, size: int, seen: set[str]
) -> Iterator[tuple[Case, ImageArray]]:
    """Truth and square picture of `size` pixels of `count` people of the fast renderer."""
    done, seed = 0, first
    while done < count:
        seed += 1
        if str(seed) in seen:
            done += 1
            continue
        scene = render(seed, size)
        region = scene.region & (scene.cosine > MIN_COSINE)
        if region.mean() < MIN_REGION_SHARE or scene.facts["view"] == "portrait":
            continue
        done += 1
        grey = float(scene.facts["white_share"]) > 0.2
        truth = {
            "name": str(seed),
            "skin": ["I-II", "III-IV", "V-VI"][(int(scene.facts["skin"]) - 1) // 2],
            "hair": "grey" if grey and scene.facts["hair"] != "white" else scene.facts["hair"],
            "view": scene.facts["view"],
            "true": float(scene.fraction[region].mean()),
        }
        yield truth, develop(np.random.default_rng(seed), scene.light)


def phantom_people(folder: Path, seen: set[str]) -> Iterator[tuple[Case, ImageArray]]:
    """Truth and picture of everything that lab/phantom rendered into a folder."""
    for path in sorted(folder.rglob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        name = path.relative_to(folder).as_posix()
        if "coverage" not in truth or name in seen:
            continue
        subject = truth["subject"]
        tone = subject["skin_type"]
        yield (
            {
                "name": name,
                "skin": "I-II" if tone < 2.5 else "III-IV" if tone < 4.5 else "V-VI",
                "hair": "grey" if subject["grey_fraction"] > 0.2 else subject["hair_colour"],
                "view": truth["visit"]["view"],
                "true": truth["coverage"]["scalp"]["coverage_fraction"],
            },
            read_photograph(path.with_suffix(".jpg"), max_megapixels=100)[0],
        )


def judge(segmenter: NetworkSegmenter, image: ImageArray, settings: Settings) -> Case:
    """What the program says of a picture, as plain values."""
    try:
        found = segmenter.segment(image, perturbations=settings.perturbations)
    except HeadNotFoundError:
        return {"refused": "no head"}
    return judge_segmented(found, image, settings)


def judge_segmented(
    found: Segmentation, image: ImageArray, settings: Settings, *, ignored: str = ""
) -> Case:
    """What the program says of what it has seen; `ignored` is an error that doesn't count."""
    region = scalp_region(found, max_incidence_deg=settings.max_incidence_deg)
    measured = measure(found, region, found.grid, None)
    quality = check_quality(image, found, CaptureInfo())
    errors = [each.code for each in quality.findings if each.severity is Severity.ERROR]
    errors = [code for code in errors if code != ignored]
    if measured is None or errors:
        return {"refused": errors[0] if errors else "too little scalp"}
    return {
        "refused": None,
        "measured": measured.coverage_fraction,
        "spread": found.coverage_sd_fraction,
        "doubt": measured.doubt_fraction,
        "warned": bool(found.warnings),
    }


def run(path: Path, people: Iterator[tuple[Case, ImageArray]], kept: list[Case]) -> None:
    """Judge people one by one, saving every ten."""
    segmenter, settings = NetworkSegmenter(), Settings()
    for number, (truth, picture) in enumerate(people, start=1):
        kept.append(truth | judge(segmenter, picture, settings))
        if number % 10 == 0:
            path.write_text(json.dumps(kept, indent=0), encoding="utf-8")
    path.write_text(json.dumps(kept, indent=0), encoding="utf-8")


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def row(name: str, cases: list[Case]) -> str:
    """A line of the fairness table."""
    measured = [each for each in cases if each["refused"] is None]
    low, high = wilson(len(cases) - len(measured), len(cases))
    share = 100 * (1 - len(measured) / len(cases))
    start = f"| {name} | {len(cases)} | {share:.0f} % ({100 * low:.0f} to {100 * high:.0f}) |"
    if not measured:
        return f"{start} | | | | |"
    error = 100 * np.array([each["measured"] - each["true"] for each in measured])
    rng = np.random.default_rng(SEED)
    means = [np.abs(rng.choice(error, len(error))).mean() for _ in range(1000)]
    held = np.mean([holds(each) for each in measured])
    return (
        f"{start} {np.abs(error).mean():.1f} ({np.percentile(means, 2.5):.1f} to "
        f"{np.percentile(means, 97.5):.1f}) | {error.mean():+.1f} | "
        f"{np.percentile(np.abs(error), 90):.1f} | {100 * held:.0f} % |"
    )


def stated_sd(case: Case) -> float:
    """SD that the program states for a coverage."""
    return coverage_sd_fraction(case["spread"], case["doubt"])


def holds(case: Case) -> bool:
    """Whether the stated 95 % interval of a coverage holds the truth."""
    return bool(abs(case["measured"] - case["true"]) <= 1.96 * stated_sd(case))


def tables(cases: list[Case]) -> None:
    """Print the fairness tables."""
    for kind in ("all", "skin", "hair", "view", "skin and hair"):
        groups: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            both = f"{case['skin']}, {case['hair']}"
            name = {"all": "all", "skin and hair": both}.get(kind) or case[kind]
            groups[str(name)].append(case)
        print(
            f"| {kind} | people | refused | MAE, points | bias | 90 % below | "
            "95 % interval holds |\n|---|---|---|---|---|---|---|"
        )
        for name in sorted(groups):
            print(row(name, groups[name]))
        print()
    measured = [each for each in cases if each["refused"] is None]
    gap = np.array([each["measured"] - each["true"] for each in measured])
    sd = np.array([stated_sd(each) for each in measured])
    print("| stated SD, points | people | root mean square error | 95 % interval holds |")
    print("|---|---|---|---|")
    for part in np.array_split(np.argsort(sd, kind="stable"), 4):
        rms, held = np.sqrt(np.mean(gap[part] ** 2)), np.mean(np.abs(gap[part]) < 1.96 * sd[part])
        low, high = 100 * sd[part].min(), 100 * sd[part].max()
        print(f"| {low:.1f} to {high:.1f} | {len(part)} | {100 * rms:.1f} | {100 * held:.0f} % |")


def fit(cases: list[Case]) -> None:
    """Print the constants that make the errors most likely."""
    measured = [each for each in cases if each["refused"] is None]
    gap = np.array([each["measured"] - each["true"] for each in measured])
    spread, doubt = (np.array([each[name] for each in measured]) for name in ("spread", "doubt"))

    def unlikely(logs: np.ndarray) -> float:
        base, per_spread, per_doubt = np.exp(logs)
        sd = np.sqrt(base**2 + (per_spread * spread) ** 2 + (per_doubt * doubt) ** 2)
        # A mixture with a wide part, so that few gross errors don't widen every interval.
        likely = 0.95 * norm.pdf(gap, 0, sd) + 0.05 * norm.pdf(gap, 0, 3 * sd)
        return -float(np.log(likely).sum())

    best = minimize(unlikely, np.log([0.02, 1.0, 1.0]), method="Nelder-Mead")
    base, per_spread, per_doubt = np.exp(best.x)
    # The size that makes errors of a Laplace distribution most likely is their mean size.
    print(f"mean error / doubt {np.mean(np.abs(gap) / doubt):.2f} (1 where PER_FORETOLD is right)")
    print(f"BASE {base:.4f}  PER_SPREAD {per_spread:.2f}  PER_DOUBT {per_doubt:.2f}")
    print(f"{len(measured)} pictures, bias {100 * gap.mean():+.1f} points")
    print("\n| expected error, points | pictures | mean absolute error |\n|---|---|---|")
    for part in np.array_split(np.argsort(doubt, kind="stable"), 5):
        low, high = 100 * doubt[part].min(), 100 * doubt[part].max()
        print(f"| {low:.1f} to {high:.1f} | {len(part)} | {100 * np.abs(gap[part]).mean():.1f} |")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("task", choices=("run", "tables", "fit"))
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--first", type=int, default=900_000)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--size", type=int, default=SIZE_PX, help="of the rendered pictures")
    parser.add_argument("--phantom", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cases: list[Case] = []
    for path in options.files:
        if path.exists():
            cases += json.loads(path.read_text(encoding="utf-8"))
    if options.task == "run":
        seen = {case["name"] for case in cases}
        people = (
            phantom_people(options.phantom, seen)
            if options.phantom
            else strand_people(options.first, options.count, options.size, seen)
        )
        run(options.files[0], people, cases)
    elif options.task == "fit":
        fit(cases)
    else:
        tables(cases)


if __name__ == "__main__":
    main()
