"""Time and memory on one core: the help text, and one 12-megapixel photograph stage by stage.

Run: ``python lab/benchmarks/speed.py [--photo sample_images/.../DATE.jpg] [--moving ...]``
The photographs are enlarged to 12 megapixels first. Prints a Markdown table of minimum, median and
maximum over the repeats.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from PIL import Image

from scalptrack.images import read_photograph
from scalptrack.measurement import co_visible_region, measure
from scalptrack.pipeline import analyse_photograph
from scalptrack.quality import check_quality
from scalptrack.records import Photograph, Settings
from scalptrack.registration import extract_features, register
from scalptrack.segmentation import NetworkSegmenter

ROOT = Path(__file__).parents[2]
TWELVE_MEGAPIXELS = (3000, 4000)


def timed(function, repeats):
    """Result of the last call, and the seconds of each."""
    seconds = []
    result = None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return result, seconds


def row(name, seconds):
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    print(f"| {name} | {len(seconds)} | {low:.3f} | {middle:.3f} | {high:.3f} |")


def enlarged(path: Path, folder: Path) -> Path:
    """The photograph at 12 megapixels, with its EXIF."""
    with Image.open(path) as image:
        exif = image.getexif()
        size = TWELVE_MEGAPIXELS if image.height > image.width else TWELVE_MEGAPIXELS[::-1]
        target = folder / f"{path.parent.name}-{path.name}"
        image.resize(size, Image.Resampling.BICUBIC).save(target, quality=92, exif=exif)
    return target


def help_seconds() -> None:
    command = [sys.executable, "-m", "scalptrack", "--help"]
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    samples = ROOT / "sample_images" / "subject-01" / "vertex"
    default = sorted(samples.glob("*.jpg"))
    parser.add_argument("--photo", type=Path, default=default[0] if default else None)
    parser.add_argument("--moving", type=Path, default=default[-1] if default else None)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    settings = Settings()
    print("| step | n | min s | median s | max s |\n|---|---|---|---|---|")
    row("`scalptrack --help`", timed(help_seconds, options.repeats)[1])
    with tempfile.TemporaryDirectory() as name:
        paths = [enlarged(each, Path(name)) for each in (options.photo, options.moving)]
        image, capture = read_photograph(paths[0], max_megapixels=settings.max_megapixels)
        _, seconds = timed(
            lambda: read_photograph(paths[0], max_megapixels=settings.max_megapixels),
            options.repeats,
        )
        row("read, 12 MP", seconds)
        segmenter = NetworkSegmenter()
        segmentation, seconds = timed(lambda: segmenter.segment(image), options.repeats)
        row("segment", seconds)
        _, seconds = timed(
            lambda: segmenter.segment(image, perturbations=settings.perturbations),
            options.repeats,
        )
        row(f"segment with {settings.perturbations} perturbed copies", seconds)
        _, seconds = timed(lambda: check_quality(image, segmentation, capture), options.repeats)
        row("quality", seconds)
        focal = capture.focal_length_35mm
        features, seconds = timed(
            lambda: extract_features(image, segmentation, focal_length_35mm=focal),
            options.repeats,
        )
        row("features", seconds)
        other_image, other_capture = read_photograph(paths[1], max_megapixels=150)
        other = segmenter.segment(other_image)
        other_features = extract_features(
            other_image, other, focal_length_35mm=other_capture.focal_length_35mm
        )
        registration, seconds = timed(
            lambda: register(features, other_features, seed=settings.seed), options.repeats
        )
        row("register one pair", seconds)
        if registration.transform is not None:
            transform = registration.transform
            region = co_visible_region(segmentation, [(transform, other)], max_incidence_deg=60)
            _, seconds = timed(
                lambda: measure(
                    other, region, segmentation.grid, transform, resampled=registration.resampled
                ),
                options.repeats,
            )
            row("measure with resampled transforms", seconds)
        photograph = Photograph(
            "s", "v", other_capture.taken_at.date(), 1, paths[0], "x.jpg", "0" * 64, 3000, 4000
        )
        _, seconds = timed(lambda: analyse_photograph(photograph, settings), options.repeats)
        row("**one 12 MP photograph, read to features**", seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
