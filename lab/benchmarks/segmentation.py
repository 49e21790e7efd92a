"""Coverage and classes against truth, per method and per skin x hair, as Markdown tables.

    python lab/benchmarks/segmentation.py FOLDER [--json FILE]
    python -m lab.benchmarks.segmentation --strands SEED [--count N] [--json FILE]

FOLDER is what ``lab.phantom`` writes (NAME.jpg, .json, .hair.png, .classes.png, .surface.npz), at
any depth; with ``--strands`` pictures of the fast renderer are made from SEED on. Coverage error is
in points: the method's mean hair fraction over the true region (scalp seen at less than 60 degrees)
minus the truth over the same pixels. The simple methods and the classical one are *given* the true
region; ``network`` finds everything itself and is read off in the true region. The lines marked
"own region" are what a user gets: the method's own region, against the truth of the true one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps
from skimage.filters import threshold_otsu, threshold_sauvola

from lab.benchmarks.forest import forest
from scalptrack.errors import HeadNotFoundError, ModelError
from scalptrack.records import RegionClass, Segmentation
from scalptrack.segmentation.classical import (
    HEAD_WIDTH_PX,
    ClassicalSegmenter,
    hair_fraction_classical,
)
from scalptrack.segmentation.network import NetworkSegmenter

SEED = 20260101
MIN_COSINE = 0.5
BLACK_HAT_PX = 13
BLACK_HAT_LEVEL = 12
DENSE_FRACTION = 0.5
HEAD_CLASSES = (RegionClass.SCALP_SKIN, RegionClass.HAIR)


@dataclass(eq=False)
class Case:
    """One photograph with its truth, all (H, W)."""

    name: str
    stratum: str
    photograph: np.ndarray
    fraction: np.ndarray
    classes: np.ndarray
    region: np.ndarray
    head_width_px: float

    def at_scale(self) -> Case:
        """The same with the head `HEAD_WIDTH_PX` wide, cut to what is near the person."""
        scale = HEAD_WIDTH_PX / self.head_width_px
        size = tuple(max(round(length * scale), 1) for length in self.region.shape[::-1])
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR

        def nearest(mask: np.ndarray) -> np.ndarray:
            return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)

        return Case(
            self.name, self.stratum, cv2.resize(self.photograph, size, interpolation=kind),
            cv2.resize(self.fraction, size, interpolation=kind), nearest(self.classes),
            nearest(self.region) > 0, HEAD_WIDTH_PX,
        )  # fmt: skip

    def other_skin(self) -> np.ndarray | None:
        """Face, ears and neck without their rim; None when there is next to none."""
        other = (self.classes == RegionClass.OTHER_SKIN).astype(np.uint8)
        inner = cv2.erode(other, np.ones((5, 5), np.uint8)) > 0
        return inner if inner.sum() >= 300 else None


@dataclass(eq=False)
class Score:
    """What one method did with one photograph; errors in points, NaN when it refused."""

    name: str
    stratum: str
    error: float
    truth: float
    seconds: float
    refused: bool = False
    head_iou: float = float("nan")
    hair_iou: float = float("nan")
    separability: float = float("nan")
    confidence: tuple[str, ...] = field(default_factory=tuple)


# --- where the cases come from -------------------------------------------------------------------


def tone(skin_type: float) -> str:
    """Coarse skin tone of a Fitzpatrick type."""
    return "light" if skin_type < 2.5 else "medium" if skin_type < 4.5 else "dark"


def phantom_cases(folder: Path) -> Iterator[Case]:
    """Every complete photograph of a folder of phantom output."""
    for facts_path in sorted(folder.rglob("*.json")):
        stem = facts_path.with_suffix("")
        if not Path(f"{stem}.surface.npz").exists():
            continue
        facts = json.loads(facts_path.read_text(encoding="utf-8"))
        with Image.open(f"{stem}.jpg") as file:
            photograph = np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
        fraction = np.asarray(Image.open(f"{stem}.hair.png"), np.float32) / 255
        classes = np.asarray(Image.open(f"{stem}.classes.png"))
        with np.load(f"{stem}.surface.npz") as surface:
            cosine = surface["incidence_cosine"].astype(np.float32)
            region = (surface["label"] == 1) & (cosine > MIN_COSINE)
        region &= classes != RegionClass.OBJECT
        subject = facts["subject"]
        hair = "grey" if subject["grey_fraction"] > 0.5 else subject["hair_colour"]
        stratum = f"{tone(subject['skin_type'])} skin, {hair} hair"
        name = stem.relative_to(folder).as_posix()
        if region.any():
            yield Case(name, stratum, photograph, fraction, classes, region, facts["head_width_px"])


def strand_cases(first: int, count: int) -> Iterator[Case]:
    """Pictures of the fast renderer on which the head has a usable size."""
    from lab.strands.develop import develop
    from lab.strands.scene import render

    found, seed = 0, first
    while found < count:
        seed += 1
        scene = render(seed, 512)
        scale = float(scene.facts.get("mm_per_px", 0.0))
        region = scene.region & (scene.cosine > MIN_COSINE)
        if not 0.28 < scale < 0.6 or scene.region.sum() < 15_000 or not region.any():
            continue
        found += 1
        photograph = develop(np.random.default_rng(seed), scene.light)
        stratum = f"{tone(float(scene.facts['skin']))} skin, {scene.facts['hair']} hair"
        # A head is 150 to 165 mm wide.
        yield Case(
            str(seed), stratum, photograph, scene.fraction, scene.classes, region, 158 / scale
        )


# --- the simple methods: photograph and region in, hair fraction out -----------------------------


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def otsu(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Darker than Otsu's threshold of the region."""
    level = grey(picture)
    return (level <= threshold_otsu(level[region])).astype(np.float32)


def sauvola(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Darker than Sauvola's local threshold."""
    del region
    level = grey(picture)
    return (level <= threshold_sauvola(level, window_size=51, k=0.1)).astype(np.float32)


def mixture(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Two Gaussians in Lab (EM from a split at the median); the darker one is hair."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    colours = lab[region].astype(np.float64)
    rng = np.random.default_rng(SEED)
    sample = colours[rng.choice(len(colours), min(20_000, len(colours)), replace=False)]
    share = (sample[:, 0] < np.median(sample[:, 0])).astype(float)
    for _ in range(25):
        parts = [gaussian(sample, weight) for weight in (share, 1 - share)]
        share = posterior(sample, parts)
    if parts[0][0][0] > parts[1][0][0]:
        parts.reverse()
    fraction = np.zeros(region.shape, np.float32)
    fraction[region] = posterior(colours, parts)
    return fraction


Gaussian = tuple[np.ndarray, np.ndarray, float]


def gaussian(sample: np.ndarray, weight: np.ndarray) -> Gaussian:
    """Weighted mean, covariance and share."""
    total = weight.sum() + 1e-6
    mean = weight @ sample / total
    off = sample - mean
    return mean, (off.T * weight) @ off / total + np.eye(3), total / len(sample)


def posterior(colours: np.ndarray, parts: list[Gaussian]) -> np.ndarray:
    """Probability of the first part."""
    logs = []
    for mean, covariance, share in parts:
        off = colours - mean
        distance = np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariance), off)
        logs.append(np.log(share) - 0.5 * (distance + np.linalg.slogdet(covariance)[1]))
    return 1 / (1 + np.exp(np.clip(logs[1] - logs[0], -50, 50)))


def black_hat(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Dark lines: black-hat above a fixed level."""
    del region
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BLACK_HAT_PX, BLACK_HAT_PX))
    response = cv2.morphologyEx(grey(picture), cv2.MORPH_BLACKHAT, disc)
    return (response > BLACK_HAT_LEVEL).astype(np.float32)


SIMPLE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "Otsu": otsu, "Sauvola": sauvola, "mixture in Lab": mixture, "black-hat": black_hat,
    "random forest": forest,
}  # fmt: skip


# --- scoring -------------------------------------------------------------------------------------


def simple_scores(case: Case) -> Iterator[tuple[str, Score]]:
    """The methods that are given the true region, at a fixed scale of the head."""
    scaled = case.at_scale()
    truth = 100 * float(scaled.fraction[scaled.region].mean())
    for name, method in SIMPLE.items():
        start = time.process_time()
        fraction = method(scaled.photograph, scaled.region)
        seconds = time.process_time() - start
        error = 100 * float(fraction[scaled.region].mean()) - truth
        yield name, Score(case.name, case.stratum, error, truth, seconds)
    for name, skin in (("classical", scaled.other_skin()), ("classical, skin unknown", None)):
        start = time.process_time()
        hair = hair_fraction_classical(scaled.photograph, scaled.region, skin_prior=skin, seed=SEED)
        seconds = time.process_time() - start
        error = 100 * hair.coverage_fraction(scaled.region) - truth
        yield name, Score(
            case.name, case.stratum, error, truth, seconds,
            separability=hair.separability, confidence=hair.confidence,
        )  # fmt: skip


def on_grid(segmentation: Segmentation, values: np.ndarray) -> np.ndarray:
    """Truth (H, W) of the photograph, nearest to each pixel of the segmentation's grid."""
    points = np.rint(segmentation.grid.photograph_points()).astype(int)
    height, width = values.shape
    inside = (points >= 0).all(1) & (points[:, 0] < width) & (points[:, 1] < height)
    sampled = np.zeros(len(points), values.dtype)
    sampled[inside] = values[points[inside, 1], points[inside, 0]]
    return sampled.reshape(segmentation.hair_fraction.shape)


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    union = int((found | true).sum())
    return float((found & true).sum() / union) if union else float("nan")


def pipeline_scores(
    case: Case, name: str, segmenter: NetworkSegmenter | ClassicalSegmenter
) -> Iterator[tuple[str, Score]]:
    """A method that finds everything itself: in the true region, and in its own."""
    truth = 100 * float(case.fraction[case.region].mean())
    start = time.process_time()
    try:
        found = segmenter.segment(case.photograph)
    except HeadNotFoundError:
        seconds = time.process_time() - start
        refusal = Score(case.name, case.stratum, float("nan"), truth, seconds, refused=True)
        yield f"{name}, own region", refusal
        if isinstance(segmenter, NetworkSegmenter):
            yield name, refusal
        return
    seconds = time.process_time() - start
    classes = on_grid(found, case.classes)
    true_region = on_grid(found, case.region.astype(np.uint8)) > 0
    # The part of the true region that lies outside the grid was called background: no hair.
    share = true_region.sum() * found.grid.step_px**2 / case.region.sum()
    inside = 100 * float(found.hair_fraction[true_region].mean()) if true_region.any() else 0.0
    ious = {
        "head_iou": overlap(np.isin(found.classes, HEAD_CLASSES), np.isin(classes, HEAD_CLASSES)),
        "hair_iou": overlap(found.classes == RegionClass.HAIR, classes == RegionClass.HAIR),
    }
    if isinstance(segmenter, NetworkSegmenter):
        error = min(share, 1.0) * inside - truth
        yield name, Score(case.name, case.stratum, error, truth, seconds, **ious)
    own = found.scalp & (found.incidence_cosine > MIN_COSINE) & ~found.glare
    coverage = 100 * float(found.hair_fraction[own].mean()) if own.any() else float("nan")
    yield (
        f"{name}, own region",
        Score(
            case.name, case.stratum, coverage - truth, truth, seconds, refused=not own.any(), **ious
        ),
    )


def run(cases: Iterator[Case]) -> dict[str, list[Score]]:
    """All scores by method."""
    segmenters: dict[str, NetworkSegmenter | ClassicalSegmenter] = {}
    try:
        segmenters["network"] = NetworkSegmenter()
    except ModelError as error:
        print(f"(no network: {error})")
    segmenters["classical"] = ClassicalSegmenter(seed=SEED)
    scores: dict[str, list[Score]] = defaultdict(list)
    for case in cases:
        for name, segmenter in segmenters.items():
            for label, score in pipeline_scores(case, name, segmenter):
                scores[label].append(score)
        for label, score in simple_scores(case):
            scores[label].append(score)
    return dict(sorted(scores.items(), key=lambda item: ORDER.index(item[0])))


ORDER = [
    "network", "classical", "classical, skin unknown", *SIMPLE, "network, own region",
    "classical, own region",
]  # fmt: skip


# --- tables --------------------------------------------------------------------------------------


def summary(scores: list[Score]) -> dict[str, float]:
    """Errors in points, over the photographs that were measured."""
    errors = np.array([score.error for score in scores if not score.refused])
    if not len(errors):
        return {"n": 0, "refused": len(scores)}
    return {
        "n": len(errors), "refused": len(scores) - len(errors),
        "mae": float(np.abs(errors).mean()), "median": float(np.median(np.abs(errors))),
        "p90": float(np.quantile(np.abs(errors), 0.9)), "bias": float(errors.mean()),
        "sd": float(errors.std(ddof=1)) if len(errors) > 1 else float("nan"),
        "seconds": float(np.mean([score.seconds for score in scores])),
    }  # fmt: skip


def mean_of(scores: list[Score], attribute: str) -> float:
    values = np.array([getattr(score, attribute) for score in scores])
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def overall_table(scores: dict[str, list[Score]]) -> str:
    lines = [
        "| method | n | refused | MAE | median | 90 % | bias | SD | IoU head | IoU hair | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for method, rows in scores.items():
        one = summary(rows)
        columns = [number(one.get(key)) for key in ("mae", "median", "p90", "bias", "sd")]
        columns += [number(mean_of(rows, key), 3) for key in ("head_iou", "hair_iou")]
        columns.append(number(one.get("seconds"), 2))
        lines.append(
            f"| {method} | {one['n']:.0f} | {one['refused']:.0f} | " + " | ".join(columns) + " |"
        )
    return "\n".join(lines)


def stratum_table(scores: dict[str, list[Score]]) -> str:
    """MAE (bias) per skin x hair and method."""
    strata = sorted({score.stratum for rows in scores.values() for score in rows})
    lines = [
        "| skin, hair | n | " + " | ".join(scores) + " |",
        "|---|---|" + "---|" * len(scores),
    ]
    for stratum in strata:
        cells, count = [], 0
        for rows in scores.values():
            inside = [score for score in rows if score.stratum == stratum]
            one, count = summary(inside), max(count, len(inside))
            cells.append(f"{number(one.get('mae'))} ({number(one.get('bias'))})")
        lines.append(f"| {stratum} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def separability_table(scores: dict[str, list[Score]]) -> str:
    """Whether the classical method knows when it is wrong."""
    rows = [*scores["classical"], *scores["classical, skin unknown"]]
    edges = [0.0, 0.4, 0.55, 0.7, 0.8, 0.9, 1.01]
    lines = ["| separability | n | MAE | 90 % |", "|---|---|---|---|"]
    for low, high in pairwise(edges):
        one = summary([score for score in rows if low <= score.separability < high])
        if one["n"]:
            lines.append(
                f"| {low:.2f} to {min(high, 1):.2f} | {one['n']:.0f} | {number(one['mae'])} | "
                f"{number(one['p90'])} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, nargs="?", help="phantom output")
    parser.add_argument("--strands", type=int, metavar="SEED", help="use the fast renderer")
    parser.add_argument("--count", type=int, default=60, help="pictures of the fast renderer")
    parser.add_argument("--json", type=Path, help="write every score to this file")
    options = parser.parse_args()
    if (options.folder is None) == (options.strands is None):
        parser.error("give either a folder of phantom output or --strands SEED")
    cv2.setNumThreads(1)
    if options.folder is not None:
        cases = phantom_cases(options.folder)
    else:
        cases = strand_cases(options.strands, options.count)
    scores = run(cases)
    if not scores:
        parser.error(f"no complete photograph with its truth lies in {options.folder}")
    print("Coverage error in points; IoU and CPU seconds are means per photograph.\n")
    print(overall_table(scores))
    print("\nMean absolute error (bias) per stratum.\n")
    print(stratum_table(scores))
    print("\nError of the classical method by its own separability.\n")
    print(separability_table(scores))
    if options.json:
        content = {
            "schema": "scalptrack-benchmark-segmentation/1",
            "summary": {method: summary(rows) for method, rows in scores.items()},
            "scores": {
                method: [
                    {name: getattr(score, name) for name in Score.__dataclass_fields__}
                    for score in rows
                ]
                for method, rows in scores.items()
            },
        }
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
