"""The same genuine and impostor pairs for scalptrack and for what is usually used instead.

    python -m lab.benchmarks.registration_baselines sample_images [--genuine N] [--impostors N]

All methods get the upright photographs of ``sample_images``, 800 px high; the truth is the exact
surface. Accepted is what each method itself takes for a success, as people use it: SIFT and ORB
with a MAGSAC homography when at least 10 matches agree, ECC (homography, Gaussian pyramid of
three levels) when it converges, the log-polar phase correlation always (it has no failure), and
``align_image_stack`` (Debian's hugin-tools; left out when it isn't installed) when it writes a
project. AUC is that of the method's own score for telling genuine from impostor pairs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.outline import Seen, see
from lab.benchmarks.registration import WRONG_PERCENT, correspondences, exif_focal, pairs
from lab.benchmarks.sample_shots import load_samples
from scalptrack.images import encode_image
from scalptrack.registration import register
from scalptrack.segmentation import NetworkSegmenter

HEIGHT_PX = 800
MIN_MATCHES = 10
SEED = 20260101

Mapper = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Found:
    """What a method says of a pair: a mapping if it accepts it, and its own score."""

    mapper: Mapper | None
    score: float


@dataclass(frozen=True, eq=False)
class Picture:
    """A photograph reduced to `HEIGHT_PX`."""

    grey: np.ndarray
    image: np.ndarray
    scale: float
    focal_35mm: float | None

    @classmethod
    def of(cls, image: np.ndarray, focal_35mm: float | None) -> Picture:
        scale = HEIGHT_PX / image.shape[0]
        size = (round(image.shape[1] * scale), HEIGHT_PX)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cls(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), small, scale, focal_35mm)


def _homography(matrix: np.ndarray | None) -> Mapper | None:
    if matrix is None:
        return None
    return lambda points: cv2.perspectiveTransform(points[None].astype(np.float64), matrix)[0]


def matched(detector: cv2.Feature2D, norm: int, a: Picture, b: Picture) -> Found:
    """Features, ratio test, MAGSAC homography."""
    (ka, da), (kb, db) = (detector.detectAndCompute(each.grey, None) for each in (a, b))
    if da is None or db is None:
        return Found(None, 0.0)
    near = [pair for pair in cv2.BFMatcher(norm).knnMatch(da, db, k=2) if len(pair) == 2]
    good = [first for first, second in near if first.distance < 0.8 * second.distance]
    if len(good) < MIN_MATCHES:
        return Found(None, float(len(good)) / 100)
    here = np.array([ka[m.queryIdx].pt for m in good])
    there = np.array([kb[m.trainIdx].pt for m in good])
    cv2.setRNGSeed(1)
    matrix, mask = cv2.findHomography(here, there, cv2.USAC_MAGSAC, 3.0)
    agreeing = 0 if matrix is None else int(mask.sum())
    return Found(_homography(matrix) if agreeing >= MIN_MATCHES else None, float(agreeing))


def sift(a: Picture, b: Picture) -> Found:
    return matched(cv2.SIFT_create(nfeatures=3000), cv2.NORM_L2, a, b)


def orb(a: Picture, b: Picture) -> Found:
    return matched(cv2.ORB_create(nfeatures=3000), cv2.NORM_HAMMING, a, b)


def ecc(a: Picture, b: Picture) -> Found:
    """Enhanced correlation coefficient, homography, coarse to fine."""
    matrix = np.eye(3, dtype=np.float32)
    score = 0.0
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    for factor in (0.125, 0.25, 0.5):
        size = (round(a.grey.shape[1] * factor), round(a.grey.shape[0] * factor))
        one, two = (cv2.resize(e.grey, size, interpolation=cv2.INTER_AREA) for e in (a, b))
        zoom = np.diag([factor, factor, 1.0])
        level = (zoom @ matrix @ np.linalg.inv(zoom)).astype(np.float32)
        try:
            score, level = cv2.findTransformECC(
                one, two, level, cv2.MOTION_HOMOGRAPHY, criteria, None, 5
            )
        except cv2.error:
            return Found(None, 0.0)
        matrix = np.linalg.inv(zoom) @ level @ zoom
    return Found(_homography(matrix), float(score))


def log_polar(a: Picture, b: Picture) -> Found:
    """Rotation and scale from the spectra's log-polar maps, then the shift.

    B. S. Reddy, B. N. Chatterji, 1996, doi:10.1109/83.506761.
    """
    height, width = a.grey.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    one, two = (e.grey.astype(np.float32) / 255.0 * window for e in (a, b))
    side = min(width, height)
    radius, size = side / 2.0, (512, 720)
    fx, fy = np.fft.fftshift(np.fft.fftfreq(side)), np.fft.fftshift(np.fft.fftfreq(side))
    low = np.cos(np.pi * fx)[None] * np.cos(np.pi * fy)[:, None]
    high_pass = (1.0 - low) * (2.0 - low)
    polar = []
    for each in (one, two):
        spectrum = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(each)))).astype(np.float32)
        square = (cv2.resize(spectrum, (side, side)) * high_pass).astype(np.float32)
        polar.append(cv2.warpPolar(square, size, (radius, radius), radius, cv2.WARP_POLAR_LOG))
    (dx, dy), _ = cv2.phaseCorrelate(polar[0], polar[1], cv2.createHanningWindow(size, cv2.CV_32F))
    zoom = float(np.exp(-dx * np.log(radius) / size[0]))
    best: tuple[float, np.ndarray] | None = None
    for turn in (dy * 360.0 / size[1], dy * 360.0 / size[1] + 180.0):
        affine = cv2.getRotationMatrix2D((width / 2.0, height / 2.0), -turn, zoom)
        turned = cv2.warpAffine(a.grey.astype(np.float32) / 255.0, affine, (width, height))
        (x, y), response = cv2.phaseCorrelate(turned * window, two)
        matrix = np.vstack([affine, [0.0, 0.0, 1.0]])
        matrix[:2, 2] += (x, y)
        if best is None or response > best[0]:
            best = (float(response), matrix)
    assert best is not None
    return Found(_homography(best[1]), best[0])


def hugin(a: Picture, b: Picture) -> Found:
    """align_image_stack, its project evaluated by pano_trafo."""
    with tempfile.TemporaryDirectory() as folder:
        for name, each in (("a.png", a), ("b.png", b)):
            (Path(folder) / name).write_bytes(encode_image(each.image, suffix=".png"))
        height, width = a.grey.shape
        focal = a.focal_35mm or 26.0
        film_width = 43.27 * width / np.hypot(width, height)
        field = 2.0 * np.degrees(np.arctan(film_width / 2.0 / focal))
        command = ["align_image_stack", "-f", f"{field:.3f}", "-p", "p.pto", "a.png", "b.png"]
        run = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        project = Path(folder) / "p.pto"
        if run.returncode or not project.exists():
            return Found(None, 0.0)
        text = project.read_text()
    return Found(lambda points: _through_project(text, points), 1.0)


def _through_project(text: str, points: np.ndarray) -> np.ndarray:
    """Points of image 0 carried to the panorama and from there to image 1."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "p.pto").write_text(text)
        for arguments in (["p.pto", "0"], ["-r", "p.pto", "1"]):
            lines = "\n".join(f"{x:.4f} {y:.4f}" for x, y in points) + "\n"
            run = subprocess.run(
                ["pano_trafo", *arguments],
                cwd=folder,
                input=lines,
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            points = np.array([line.split()[:2] for line in run.stdout.splitlines()], dtype=float)
    return points


METHODS: dict[str, Callable[[Picture, Picture], Found]] = {
    "SIFT + homography": sift,
    "ORB + homography": orb,
    "ECC homography": ecc,
    "log-polar phase correlation": log_polar,
    "align_image_stack": hugin,
}


@dataclass(frozen=True)
class Row:
    """Outcome of one method on one pair."""

    genuine: bool
    accepted: bool
    score: float
    tre_percent: float


def judged(kind: str, found: Found, scale: float, a: Seen, b: Seen) -> Row:
    """The row of a pair; the TRE of impostors does not exist."""
    tre = float("nan")
    if kind == "genuine" and found.mapper is not None:
        here, there = correspondences(a.shot, b.shot)
        chosen = slice(None, None, 8)
        mapped = found.mapper(here[chosen] * scale) / scale
        gaps = np.linalg.norm(mapped - there[chosen], axis=1)
        tre = 100.0 * float(np.nanmedian(gaps)) / b.shot.truth["head_width_px"]
    return Row(kind == "genuine", found.mapper is not None, found.score, tre)


def ours(a: Seen, b: Seen, *, mirrored: bool) -> Found:
    result = register(a.features, b.mirrored if mirrored else b.features, seed=SEED)
    return Found(result.transform.map_points if result.transform else None, float(result.inliers))


def auc(rows: list[Row]) -> float:
    """Probability that a genuine pair scores above an impostor pair."""
    good = np.array([row.score for row in rows if row.genuine])
    bad = np.array([row.score for row in rows if not row.genuine])
    gaps = good[:, None] - bad[None]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def table(found: dict[str, list[Row]]) -> str:
    """Markdown table of all methods."""
    lines = [
        "| method | genuine accepted | of those wrong | TRE median, 95 %, max | impostors accepted "
        "| AUC of its score |",
        "|---|---|---|---|---|---|",
    ]
    for method, rows in found.items():
        genuine = [row for row in rows if row.genuine]
        impostors = [row for row in rows if not row.genuine]
        tre = np.array([row.tre_percent for row in genuine if row.accepted])
        spread = "–"
        if len(tre):
            low, high = np.median(tre), np.percentile(tre, 95)
            spread = f"{low:.2f}, {high:.2f}, {tre.max():.2f} %"
        lines.append(
            f"| {method} | {len(tre)} of {len(genuine)} | {int((tre > WRONG_PERCENT).sum())} "
            f"| {spread} | {sum(row.accepted for row in impostors)} of {len(impostors)} "
            f"| {auc(rows):.3f} |"
        )
    return "\n".join(lines)


def run(seen: list[Seen], limits: dict[str, int]) -> dict[str, list[Row]]:
    """All methods on evenly chosen pairs of each kind."""
    by_shot = {id(each.shot): each for each in seen}
    grouped = defaultdict(list)
    for kind, a, b in pairs([each.shot for each in seen]):
        grouped[kind].append((kind, by_shot[id(a)], by_shot[id(b)]))
    chosen = []
    for kind, part in grouped.items():
        limit = limits["genuine" if kind == "genuine" else "impostors"]
        chosen += part[:: max(1, -(-len(part) // limit))]
    found: dict[str, list[Row]] = defaultdict(list)
    pictures: dict[int, Picture] = {}
    for number, (kind, a, b) in enumerate(chosen):
        for each in (a, b):
            if id(each) not in pictures:
                pictures[id(each)] = Picture.of(each.shot.image(), exif_focal(each.shot))
        first, second = pictures[id(a)], pictures[id(b)]
        if kind == "mirrored":
            second = Picture.of(np.ascontiguousarray(second.image[:, ::-1]), second.focal_35mm)
        mirrored = kind == "mirrored"
        found["scalptrack"].append(judged(kind, ours(a, b, mirrored=mirrored), 1.0, a, b))
        for name, method in METHODS.items():
            if method is hugin and shutil.which("align_image_stack") is None:
                continue
            found[name].append(judged(kind, method(first, second), first.scale, a, b))
        print(f"{number + 1} of {len(chosen)}: {kind} {a.shot.name} {b.shot.name}", flush=True)
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--genuine", type=int, default=40, help="pairs, evenly chosen")
    parser.add_argument("--impostors", type=int, default=20, help="pairs per kind, evenly chosen")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = NetworkSegmenter()
    seen = [each for shot in load_samples(options.samples) if (each := see(shot, segmenter))]
    limits = {"genuine": options.genuine, "impostors": options.impostors}
    print(table(run(seen, limits)))


if __name__ == "__main__":
    main()
