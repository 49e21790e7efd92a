"""Whether a coverage repeats better when each pixel counts by the surface that it shows.

    python -m lab.benchmarks.area_weight FOLDER... [--samples sample_images --results OUT]

FOLDERS are written by ``lab.phantom`` or ``lab.training.renders``. Pairs of photographs of one
person and view whose hair was only combed, posed and lit anew are unchanged: the coverage of the
scalp that both see at less than 60 degrees should be the same in both. Hair and surface are the
exact ones, so that nothing but the weighting and the pose differs: each pixel counts alike, or by
the surface that it shows (the inverse cosine of its incidence). Changed pairs tell whether a
weighting that repeats better also sees less.

With ``--results`` (what ``scalptrack track sample_images --out OUT`` wrote, with its cache) the two
photographs of each visit of the samples are compared as the program sees them: its hair, its pose,
its incidence.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from lab.benchmarks.registration import Shot, head_turn_deg, load
from lab.paths import beside
from scalptrack.cache import RecordCache
from scalptrack.measurement import carry_region, co_visible_region
from scalptrack.pipeline import RECORD_TYPES
from scalptrack.records import Segmentation, Settings
from scalptrack.registration import HeadTransform
from scalptrack.segmentation import shared_segmenter
from scalptrack.tables import fingerprint

MIN_COSINE = 0.5
CHANGING = ("severity_change", "density_change", "length_cm")


def shared(here: Shot, there: Shot) -> np.ndarray:
    """Pixels (H, W) of the first whose scalp both photographs see well."""
    mine, theirs = here.surface(), there.surface()
    good = (mine["label"] == 1) & (mine["incidence_cosine"] > MIN_COSINE)
    rows, columns = np.nonzero(good)
    position = mine["position"][rows, columns].astype(np.float64)
    x, y = there.project(position).T
    seen = [
        map_coordinates(theirs["position"][..., axis].astype(np.float64), [y, x], order=1, cval=1e6)
        for axis in range(3)
    ]
    cosine = map_coordinates(
        theirs["incidence_cosine"].astype(np.float64), [y, x], order=1, cval=0.0
    )
    with np.errstate(invalid="ignore"):
        same = np.linalg.norm(np.stack(seen, axis=1) - position, axis=1) < 0.15
        kept = same & (cosine > MIN_COSINE)
    found = np.zeros(good.shape, dtype=bool)
    found[rows[kept], columns[kept]] = True
    return found


def coverages(shot: Shot, region: np.ndarray) -> tuple[float, float]:
    """Coverage of a region with pixels alike, and by the surface that they show."""
    hair = np.asarray(Image.open(beside(shot.stem, ".hair.png"))) / 255.0
    area = 1.0 / shot.surface()["incidence_cosine"][region].astype(np.float64)
    return float(hair[region].mean()), float((hair[region] * area).sum() / area.sum())


def unchanged(a: Shot, b: Shot) -> bool:
    """Whether the same hair grows on both."""
    before, after = a.truth["visit"], b.truth["visit"]
    return all(before.get(name) == after.get(name) for name in CHANGING)


def replicates(samples: Path, results: Path) -> list[tuple[float, float]]:
    """Differences of the two photographs of each visit, pixels alike and by surface, in points."""
    settings = Settings()
    cache = RecordCache(
        results / ".scalptrack" / "cache",
        RECORD_TYPES,
        fingerprint=fingerprint(settings, shared_segmenter().method),
    )
    found = []
    for photographs in _series(samples):
        shas = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photographs]
        analyses = [cache.load("analysis", sha) for sha in shas]
        if analyses[0] is None or analyses[0].segmentation is None:
            continue
        first = analyses[0].segmentation
        for i, path in enumerate(photographs[:-1]):
            if not path.stem.endswith("_1"):
                continue
            seen = []
            for k in (i, i + 1):
                known = cache.load("registration", shas[0], shas[k]) if k else None
                if analyses[k] is None or (k and (known is None or not known.registered)):
                    break
                transform = (
                    known.transform
                    if k
                    else HeadTransform.identity(
                        analyses[0].features.camera, analyses[0].features.outline.shape
                    )
                )
                seen.append((transform, analyses[k].segmentation))
            if len(seen) < 2:
                continue
            region = co_visible_region(first, seen, max_incidence_deg=settings.max_incidence_deg)
            (a, wa), (b, wb) = (_measured(region, first, *each) for each in seen)
            found.append((100.0 * (b - a), 100.0 * (wb - wa)))
            print(
                f"{path.parent.name} {path.stem} coverage {100 * a:5.1f}  pixels alike "
                f"{100 * (b - a):+6.2f}  by surface {100 * (wb - wa):+6.2f}",
                flush=True,
            )
    return found


def _series(samples: Path) -> list[list[Path]]:
    folders = sorted({path.parent for path in samples.rglob("*.jpg")})
    return [sorted(folder.glob("*.jpg")) for folder in folders]


def _measured(
    region: np.ndarray, first: Segmentation, transform: HeadTransform, seen: Segmentation
) -> tuple[float, float]:
    share = carry_region(region, first.grid, seen, transform).astype(np.float64)
    area = share / np.clip(seen.incidence_cosine.astype(np.float64), MIN_COSINE, 1.0)
    hair = seen.hair_fraction
    return float(np.average(hair, weights=share)), float(np.average(hair, weights=area))


def rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--samples", type=Path, default=Path("sample_images"))
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    groups: dict[tuple[str, str], list[Shot]] = {}
    for folder in options.folders:
        for shot in load(folder):
            groups.setdefault((shot.subject, shot.view), []).append(shot)
    changes: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for group in groups.values():
        for first, second in ((a, b) for i, a in enumerate(group) for b in group[i + 1 :]):
            before = coverages(first, shared(first, second))
            after = coverages(second, shared(second, first))
            alike, weighted = (100.0 * (y - x) for x, y in zip(before, after, strict=True))
            same = unchanged(first, second)
            changes[same].append((alike, weighted))
            print(
                f"{first.name} {second.stem.name} {'unchanged' if same else 'changed  '} turn "
                f"{head_turn_deg(first, second):4.1f} deg  coverage {100 * before[0]:5.1f}  "
                f"pixels alike {alike:+6.2f}  by surface {weighted:+6.2f}",
                flush=True,
            )
    for same, label in ((True, "unchanged"), (False, "changed")):
        summary(changes[same], label)
    if options.results is not None:
        summary(replicates(options.samples, options.results), "replicates of the samples")


def summary(differences: list[tuple[float, float]], label: str) -> None:
    """One line: which weighting differs less."""
    alike, weighted = zip(*differences, strict=True) if differences else ((), ())
    gain = [abs(a) - abs(w) for a, w in differences]
    print(
        f"{label}: n {len(alike)}  RMS difference, points: pixels alike {rms(list(alike)):.2f}, by "
        f"surface {rms(list(weighted)):.2f}; by surface is nearer in "
        f"{sum(each > 0 for each in gain)}, farther in {sum(each < 0 for each in gain)}"
    )


if __name__ == "__main__":
    main()
