"""How often registration is right, how far it is off, and whether it ever accepts a bad pair.

    python -m lab.benchmarks.registration FOLDER [--network] [--baseline] [--csv FILE]

FOLDER is what ``lab.phantom`` writes: SUBJECT/VIEW/DATE.{jpg,json,hair.png,classes.png,
surface.npz}. Genuine pairs are all ordered pairs of one subject and view; impostors are other
people in the same view, other views of the same person, and mirrored photographs. The target
registration error (TRE) is measured on the exact surface positions, in percent of the head's
width.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import Grid, Registration, Segmentation
from scalptrack.registration import HeadFeatures, extract_features, register
from scalptrack.segmentation import NetworkSegmenter

MAX_POINTS = 4000
WRONG_PERCENT = 3.0
"""A genuine pair accepted with a median TRE beyond this counts as a false acceptance."""


@dataclass(eq=False)
class Shot:
    """One rendered photograph with its truth."""

    stem: Path
    subject: str
    view: str
    truth: dict = field(repr=False)
    features: HeadFeatures | None = None
    mirrored: HeadFeatures | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.view}/{self.stem.name}"

    @property
    def photograph(self) -> Path:
        return self.stem.with_name(self.stem.name + ".jpg")

    def image(self) -> np.ndarray:
        with Image.open(self.photograph) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))

    def surface(self) -> dict[str, np.ndarray]:
        with np.load(self.stem.with_name(self.stem.name + ".surface.npz")) as arrays:
            return {key: arrays[key] for key in ("position", "label", "incidence_cosine")}

    def true_segmentation(self) -> Segmentation:
        def read(kind: str) -> np.ndarray:
            return np.asarray(Image.open(self.stem.with_name(f"{self.stem.name}.{kind}.png")))

        hair, classes, surface = read("hair"), read("classes"), self.surface()
        return Segmentation(
            grid=Grid(0.0, 0.0, 1.0, hair.shape[1], hair.shape[0]),
            photograph_shape=(hair.shape[0], hair.shape[1]),
            hair_fraction=(hair / 255.0).astype(np.float32),
            classes=classes.astype(np.uint8),
            scalp=(surface["label"] == 1) & (classes != 4),
            incidence_cosine=np.nan_to_num(surface["incidence_cosine"]).astype(np.float32),
            glare=np.zeros(hair.shape, dtype=bool),
            method="truth",
        )

    def project(self, positions: np.ndarray) -> np.ndarray:
        camera = self.truth["camera"]
        local = positions @ np.array(camera["camera_from_head_rotation"]).T
        local = local + camera["camera_from_head_translation_cm"]
        return local[:, :2] / local[:, 2:] * camera["focal_px"] + (camera["cx"], camera["cy"])


def load(folder: Path) -> list[Shot]:
    """All complete photographs below `folder`, sorted by name."""
    shots = []
    for path in sorted(folder.glob("*/*/*.json")):
        truth = json.loads(path.read_text())
        stem = path.with_suffix("")
        if stem.with_name(stem.name + ".surface.npz").exists():
            shots.append(Shot(stem, path.parts[-3], path.parts[-2], truth))
    return shots


def exif_focal(shot: Shot) -> float | None:
    with Image.open(shot.photograph) as picture:
        value = picture.getexif().get_ifd(0x8769).get(0xA405)
    return float(value) if value else None


def flipped(segmentation: Segmentation) -> Segmentation:
    grid = segmentation.grid
    right = grid.x0_px + (grid.width - 1) * grid.step_px
    arrays = ("hair_fraction", "classes", "scalp", "incidence_cosine", "glare")
    mirrored = {name: getattr(segmentation, name)[:, ::-1].copy() for name in arrays}
    x0 = segmentation.photograph_shape[1] - 1 - right
    return replace(segmentation, grid=replace(grid, x0_px=x0), **mirrored)


def add_features(shot: Shot, *, network: bool) -> None:
    image = shot.image()
    segmentation = NetworkSegmenter().segment(image) if network else shot.true_segmentation()
    focal = exif_focal(shot)
    begin = time.process_time()
    shot.features = extract_features(image, segmentation, focal_length_35mm=focal)
    shot.seconds = time.process_time() - begin
    shot.mirrored = extract_features(
        np.ascontiguousarray(image[:, ::-1]), flipped(segmentation), focal_length_35mm=focal
    )


def correspondences(reference: Shot, moving: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) of scalp seen by both at less than 60 degrees."""
    here, there = reference.surface(), moving.surface()
    good = (here["label"] == 1) & (here["incidence_cosine"] > 0.5)
    rows, columns = np.nonzero(good)
    keep = np.random.default_rng(0).permutation(len(rows))[:MAX_POINTS]
    rows, columns = rows[keep], columns[keep]
    positions = here["position"][rows, columns]
    points = moving.project(positions)
    height, width = there["label"].shape
    nearest = np.round(points).astype(int)
    inside = ((nearest >= 0) & (nearest < [width, height])).all(axis=1)
    nearest = nearest.clip(0, [width - 1, height - 1])
    seen = there["position"][nearest[:, 1], nearest[:, 0]]
    with np.errstate(invalid="ignore"):
        inside &= np.linalg.norm(seen - positions, axis=1) < 0.15
        inside &= there["incidence_cosine"][nearest[:, 1], nearest[:, 0]] > 0.5
    return np.stack([columns, rows], axis=1)[inside].astype(np.float64), points[inside]


def errors_percent(result: Registration, reference: Shot, moving: Shot) -> np.ndarray:
    """TRE in percent of the head's width at the corresponding points; empty when refused."""
    if result.transform is None:
        return np.zeros(0)
    here, there = correspondences(reference, moving)
    gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
    return 100.0 * gaps[np.isfinite(gaps)] / moving.truth["head_width_px"]


def head_turn_deg(reference: Shot, moving: Shot) -> float:
    a = np.array(reference.truth["camera"]["camera_from_head_rotation"])
    b = np.array(moving.truth["camera"]["camera_from_head_rotation"])
    return float(np.degrees(np.arccos(np.clip((np.trace(b @ a.T) - 1) / 2, -1, 1))))


def pairs(shots: list[Shot]) -> list[tuple[str, Shot, Shot]]:
    """(kind, reference, moving) of everything that can be paired."""
    found = []
    for reference in shots:
        for moving in shots:
            if reference is moving:
                continue
            same_subject = reference.subject == moving.subject
            same_view = reference.view == moving.view
            if same_subject and same_view:
                found.append(("genuine", reference, moving))
                found.append(("mirrored", reference, moving))
            elif same_view:
                found.append(("other person", reference, moving))
            elif same_subject:
                found.append(("other view", reference, moving))
            else:
                found.append(("other person and view", reference, moving))
    return found


def planar(reference: Shot, moving: Shot) -> np.ndarray | None:
    """The usual: SIFT on the whole picture and a MAGSAC homography."""
    sift = cv2.SIFT_create(nfeatures=3000)
    (ka, da), (kb, db) = (
        sift.detectAndCompute(cv2.cvtColor(shot.image(), cv2.COLOR_RGB2GRAY), None)
        for shot in (reference, moving)
    )
    nearest = cv2.BFMatcher().knnMatch(da, db, k=2)
    good = [pair[0] for pair in nearest if pair[0].distance < 0.8 * pair[1].distance]
    if len(good) < 10:
        return None
    a = np.array([ka[m.queryIdx].pt for m in good])
    b = np.array([kb[m.trainIdx].pt for m in good])
    cv2.setRNGSeed(1)
    homography, mask = cv2.findHomography(a, b, cv2.USAC_MAGSAC, 3.0)
    return homography if homography is not None and int(mask.sum()) >= 10 else None


def planar_errors(reference: Shot, moving: Shot) -> np.ndarray | None:
    homography = planar(reference, moving)
    if homography is None:
        return None
    if reference.subject != moving.subject or reference.view != moving.view:
        return np.full(1, np.inf)
    here, there = correspondences(reference, moving)
    mapped = cv2.perspectiveTransform(here[None], homography)[0]
    return 100.0 * np.linalg.norm(mapped - there, axis=1) / moving.truth["head_width_px"]


@dataclass
class Row:
    """Outcome of one pair."""

    kind: str
    reference: str
    moving: str
    turn_deg: float
    coverage: float
    accepted: bool
    tre: np.ndarray
    seconds: float
    result: Registration
    planar: np.ndarray | None = None


def evaluate(kind: str, reference: Shot, moving: Shot, *, seed: int, baseline: bool) -> Row:
    target = moving.mirrored if kind == "mirrored" else moving.features
    begin = time.process_time()
    result = register(reference.features, target, seed=seed)
    seconds = time.process_time() - begin
    genuine = kind == "genuine"
    coverage = max(
        shot.truth["coverage"]["scalp"]["coverage_fraction"] for shot in (reference, moving)
    )
    return Row(
        kind,
        reference.name,
        moving.name,
        head_turn_deg(reference, moving) if genuine else float("nan"),
        coverage,
        result.registered,
        errors_percent(result, reference, moving) if genuine else np.zeros(0),
        seconds,
        result,
        planar_errors(reference, moving) if baseline and kind != "mirrored" else None,
    )


def report(rows: list[Row]) -> None:
    genuine = [row for row in rows if row.kind == "genuine"]
    print("\n== genuine pairs ==")
    bands = (
        ("all", lambda row: row is not None),
        ("turn <= 12 deg", lambda row: row.turn_deg <= 12),
        ("turn > 12 deg", lambda row: row.turn_deg > 12),
        ("coverage <= 0.25", lambda row: row.coverage <= 0.25),
        ("coverage 0.25-0.5", lambda row: 0.25 < row.coverage <= 0.5),
        ("coverage 0.5-0.8", lambda row: 0.5 < row.coverage <= 0.8),
        ("coverage > 0.8", lambda row: row.coverage > 0.8),
    )
    for label, chosen in bands:
        part = [row for row in genuine if chosen(row)]
        if not part:
            continue
        good = [row for row in part if row.accepted and len(row.tre)]
        medians = np.array([np.median(row.tre) for row in good]) if good else np.array([np.nan])
        p95 = np.array([np.percentile(row.tre, 95) for row in good]) if good else np.array([np.nan])
        wrong = int((medians > WRONG_PERCENT).sum())
        print(
            f"{label:18s} n {len(part):4d}  accepted {len(good) / len(part):6.1%}  "
            f"TRE median {np.median(medians):.2f}  p95 of pairs {np.percentile(medians, 95):.2f}  "
            f"max {medians.max():.2f}  within-pair p95: median {np.median(p95):.2f} "
            f"max {p95.max():.2f}  (% of head width)  wrong {wrong}"
        )
    print("\n== impostors ==")
    kinds = defaultdict(list)
    for row in rows:
        if row.kind != "genuine":
            kinds[row.kind].append(row)
            kinds["all impostors"].append(row)
    for kind, part in kinds.items():
        false = sum(row.accepted for row in part)
        codes = defaultdict(int)
        for row in part:
            codes[row.result.reason.code if row.result.reason else "ACCEPTED"] += 1
        bound = 3.0 / len(part) if not false else float("nan")
        print(
            f"{kind:24s} n {len(part):4d}  accepted {false}  (95 % bound {bound:.2%})  "
            f"{dict(codes)}"
        )
    seconds = [row.seconds for row in rows if row.accepted]
    refused = [row.seconds for row in rows if not row.accepted]
    print(
        f"\ntime per accepted pair {np.median(seconds or [0]):.2f} s, "
        f"refused {np.median(refused or [0]):.2f} s"
    )
    measured = [row for row in rows if row.planar is not None and row.kind == "genuine"]
    if any(row.planar is not None for row in rows):
        medians = [np.median(row.planar) for row in measured]
        bad = sum(row.planar is not None for row in rows if row.kind not in ("genuine", "mirrored"))
        print(
            f"SIFT + homography: a transform for {len(measured)}/{len(genuine)} genuine pairs, "
            f"median TRE {np.median(medians):.2f}, "
            f"wrong {sum(m > WRONG_PERCENT for m in medians)}; and for {bad} impostor pairs"
        )


def write_csv(rows: list[Row], path: Path) -> None:
    names = sorted({gate.name for row in rows for gate in row.result.gates})
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "kind",
                "reference",
                "moving",
                "turn",
                "coverage",
                "accepted",
                "reason",
                "tre_median",
                "tre_p95",
                "seconds",
                *names,
            ]
        )
        for row in rows:
            gates = {gate.name: gate.value for gate in row.result.gates}
            writer.writerow(
                [
                    row.kind,
                    row.reference,
                    row.moving,
                    f"{row.turn_deg:.1f}",
                    f"{row.coverage:.3f}",
                    int(row.accepted),
                    row.result.reason.code if row.result.reason else "",
                    f"{np.median(row.tre):.3f}" if len(row.tre) else "",
                    f"{np.percentile(row.tre, 95):.3f}" if len(row.tre) else "",
                    f"{row.seconds:.2f}",
                    *[f"{gates.get(name, float('nan')):.4f}" for name in names],
                ]
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", action="store_true", help="segment instead of using truth")
    parser.add_argument("--baseline", action="store_true", help="SIFT + homography beside it")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--kinds", default="", help="comma-separated; all by default")
    parser.add_argument("--max-genuine", type=int, default=10**6, help="evenly chosen")
    parser.add_argument("--max-impostors", type=int, default=400, help="per kind, evenly chosen")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    shots = load(options.folder)
    for shot in shots:
        try:
            add_features(shot, network=options.network)
        except HeadNotFoundError as error:
            print(f"{shot.name:40s} left out: {error}", flush=True)
            continue
        k = shot.features
        print(
            f"{shot.name:40s} {shot.seconds:.2f} s  skin {len(k.skin):4d} fine {len(k.fine):4d} "
            f"bare {k.bare_fraction:.2f} arc {k.outline.arc_fraction:.2f} "
            f"cut {k.outline.cut_fraction:.2f} spread {k.outline.spread_fraction:.4f}",
            flush=True,
        )
    grouped = defaultdict(list)
    for kind, reference, moving in pairs([shot for shot in shots if shot.features is not None]):
        grouped[kind].append((kind, reference, moving))
    rows = []
    for kind, part in grouped.items():
        if options.kinds and kind not in options.kinds.split(","):
            continue
        limit = options.max_genuine if kind == "genuine" else options.max_impostors
        chosen = part[:: max(1, -(-len(part) // limit))]
        for pair in chosen:
            row = evaluate(*pair, seed=options.seed, baseline=options.baseline)
            rows.append(row)
            values = " ".join(
                f"{g.name}={g.value:.2f}{'' if g.passed else '!'}" for g in row.result.gates
            )
            tre = (
                f"{np.median(row.tre):.2f}/{np.percentile(row.tre, 95):.2f}"
                if len(row.tre)
                else "-"
            )
            print(
                f"{kind} {row.reference} {row.moving} turn {row.turn_deg:.0f} cov "
                f"{row.coverage:.2f} {row.result.tier} TRE {tre} {row.seconds:.1f}s {values}",
                flush=True,
            )
    report(rows)
    if options.csv:
        write_csv(rows, options.csv)


if __name__ == "__main__":
    main()
