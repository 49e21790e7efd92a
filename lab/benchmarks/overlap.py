"""How well the classes of `scalptrack segment` overlap with the truth, at the photograph's size.

Run: ``python -m lab.benchmarks.overlap [FOLDER ...] [--strands COUNT] [--first 900000]`` on output
of lab/phantom, and on people of the fast renderer. Prints Markdown: intersection over union of the
head (scalp skin or hair), of hair where at least `DENSE` of the scalp is covered, and of each class
where a picture has any, as the mean over photographs with a bootstrap interval over people. What
was refused counts in its own column and nowhere else.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lab.benchmarks.coverage import bootstrap
from lab.strands.develop import develop
from lab.strands.scene import render
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.records import ImageArray, RegionClass, Settings
from scalptrack.segmentation import NetworkSegmenter
from scalptrack.single import photograph_maps

SIZE_PX = 640
DENSE = 0.8
"""Coverage from which a head counts as densely covered."""

MIN_SHARE = 0.005
"""Share of the picture below which a class isn't judged."""

MIN_REGION_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its true classes (H, W), its person and the true coverage of its scalp."""

    person: str
    image: ImageArray
    classes: NDArray[np.uint8]
    coverage: float


def phantoms(folder: Path) -> Iterator[Picture]:
    """What lab/phantom rendered into a folder; photographs that are stored turned are left out."""
    for path in sorted(folder.rglob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        classes = path.with_suffix(".classes.png")
        if "coverage" not in truth or not classes.exists():
            continue
        codes = np.asarray(Image.open(classes), np.uint8)
        image = read_photograph(path.with_suffix(".jpg"), max_megapixels=100)[0]
        if image.shape[:2] != codes.shape:
            continue
        coverage = truth["coverage"]["scalp"]["coverage_fraction"]
        yield Picture(str(truth["subject"]["seed"]), image, codes, float(coverage))


def people(first: int, count: int) -> Iterator[Picture]:
    """People of the fast renderer who show enough of their scalp."""
    seed = first
    while count:
        seed += 1
        scene = render(seed, SIZE_PX)
        region = scene.region & (scene.cosine > 0.5)
        if region.mean() < MIN_REGION_SHARE or scene.facts["view"] == "portrait":
            continue
        count -= 1
        image = develop(np.random.default_rng(seed), scene.light)
        yield Picture(str(seed), image, scene.classes, float(scene.fraction[region].mean()))


def overlaps(found: NDArray[np.uint8], true: NDArray[np.uint8], dense: bool) -> dict[str, float]:
    """Intersection over union by name; a class with too few pixels is left out."""
    heads = [np.isin(each, (RegionClass.SCALP_SKIN, RegionClass.HAIR)) for each in (found, true)]
    pairs = {"head": heads}
    for code in RegionClass:
        pairs[code.name.lower().replace("_", " ")] = [found == code, true == code]
    if dense:
        pairs["hair, dense"] = pairs["hair"]
    return {
        name: float((a & b).sum() / (a | b).sum())
        for name, (a, b) in pairs.items()
        if b.mean() >= MIN_SHARE
    }


def table(title: str, pictures: Iterator[Picture]) -> None:
    """Segment pictures and print their table."""
    segmenter, settings = NetworkSegmenter(), Settings()
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    judged: dict[str, bool] = {}
    count = refused = 0
    for picture in pictures:
        count += 1
        judged[picture.person] = True
        try:
            segmentation = segmenter.segment(picture.image, perturbations=settings.perturbations)
        except HeadNotFoundError:
            refused += 1
            continue
        classes = photograph_maps(segmentation)[1]
        values = overlaps(classes, picture.classes, picture.coverage >= DENSE)
        for name, value in values.items():
            found[name].append((picture.person, value))
    print(
        f"\n{title}: {count} photographs of {len(judged)} people, {refused} without a head found\n"
    )
    print("| class | photographs | mean IoU | 95 % interval | worst tenth below |")
    print("|---|---|---|---|---|")
    for name, values in found.items():
        numbers = np.array([value for _, value in values])
        low, high = interval(values)
        print(
            f"| {name} | {len(values)} | {numbers.mean():.3f} | {low:.3f} to {high:.3f} "
            f"| {np.percentile(numbers, 10):.3f} |"
        )


def interval(values: list[tuple[str, float]]) -> tuple[float, float]:
    """95 % bootstrap interval of a mean; whole people are drawn."""
    groups: dict[str, list[float]] = defaultdict(list)
    for person, value in values:
        groups[person].append(value)
    return bootstrap(groups)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--strands", type=int, default=0)
    parser.add_argument("--first", type=int, default=900_000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for folder in options.folders:
        table(f"lab/phantom, {folder.name}", phantoms(folder))
    if options.strands:
        table("lab/strands", people(options.first, options.strands))


if __name__ == "__main__":
    main()
