"""Zones against truth: where the program puts them on rendered heads, and where they are.

Run: ``python -m lab.benchmarks.zones [FOLDER ...] [--samples]`` on folders rendered by lab/phantom
(``NAME.jpg`` with ``NAME.json`` and ``NAME.surface.npz``) and on ``sample_images``, whose surfaces
are traced again from the subjects' seeds. The frame of the head is fitted to the program's own
segmentation of each photograph, with the forehead stated to be at the top; a zone is compared with
the true one over the scalp that the program would measure in this photograph alone.

Prints per view and zone the intersection over union (IoU) and the share of our zone that truly is
that zone (purity), and for photographs from above how well the head fits the other way round.

The constants of `scalptrack.zones` were chosen on 40 renders (``train-0300`` to ``train-0339``,
``--tuning``); all others are new to it. None of these people shows how real heads differ.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.phantom.head import build_parts
from lab.phantom.subject import sample_subject
from lab.phantom.truth import trace_surface
from lab.phantom.visit import Camera
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_photograph
from scalptrack.measurement import scalp_region
from scalptrack.quality import check_quality
from scalptrack.records import Grid
from scalptrack.registration.camera import Camera as PhotographCamera
from scalptrack.segmentation import shared_segmenter
from scalptrack.zones.anatomy import OFFERED, ZONES, zone_of
from scalptrack.zones.finding import MAX_MISFIT, MIN_AGREEMENT
from scalptrack.zones.frame import FROM_ABOVE, camera_rays, fit_frame, fit_upside_down, sight

SAMPLES = Path("sample_images")
LAST_TUNING = 339
MIN_SHARE = 0.05
"""Zones that hold less of the region than this, in truth and in ours, are not compared."""


@dataclass(frozen=True)
class Case:
    """One photograph: its path, view and the true zone (H, W) behind each pixel."""

    path: Path
    view: str
    zone: np.ndarray


def rendered(folder: Path, *, tuning: bool) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.jpg")):
        number = path.parts[-3].rpartition("-")[2]
        if (number.isdigit() and int(number) <= LAST_TUNING) is not tuning:
            continue
        record = json.loads(path.with_suffix(".json").read_text())
        with np.load(path.with_name(f"{path.stem}.surface.npz")) as arrays:
            yield Case(path, record["visit"]["view"], arrays["zone"])


def samples() -> Iterator[Case]:
    truth = json.loads((SAMPLES / "truth.json").read_text())
    for name, record in sorted(truth["photographs"].items()):
        if record.get("fault"):
            continue
        shape = sample_subject(record["subject_seed"]).shape
        known = record["camera"]
        camera = Camera(
            np.asarray(known["camera_from_head_rotation"]),
            np.asarray(known["camera_from_head_translation_cm"]),
            *(known[each] for each in ("focal_px", "cx", "cy", "width", "height")),
        )
        surface = trace_surface(shape, build_parts(shape), camera)
        yield Case(SAMPLES / f"{name.removesuffix('.jpg')}.jpg", name.split("/")[1], surface.zone)


def true_zone_on(grid: Grid, zone: np.ndarray) -> np.ndarray:
    """True zone of every grid pixel, 0 outside the photograph."""
    at = np.rint(grid.photograph_points()).astype(int)
    height, width = zone.shape
    inside = (at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)
    found = np.zeros(len(at), dtype=np.uint8)
    found[inside] = zone[at[inside, 1], at[inside, 0]]
    return found.reshape(grid.height, grid.width)


def compare(case: Case) -> tuple[dict[str, tuple[float, float]], float, float, bool] | None:
    """(IoU, purity) per zone, misfit, misfit of the other way round, and whether it is accepted."""
    image, capture = read_photograph(case.path, max_megapixels=150)
    try:
        found = shared_segmenter().segment(image)
    except HeadNotFoundError:
        return None
    if not check_quality(image, found, capture).usable:
        return None
    focal = PhotographCamera.of_photograph(image.shape[:2], capture.focal_length_35mm).focal_px
    frame = fit_frame(found, case.view, focal)
    other = np.nan
    if case.view in FROM_ABOVE:
        other = fit_upside_down(found, case.view, focal).misfit
    rays = camera_rays(found.grid.photograph_points(), image.shape[:2], focal)
    seen = sight(rays, frame.camera_from_head, frame.centre_cm, frame.half_axes_cm)
    ours = zone_of(seen.directions).reshape(found.scalp.shape)
    true = true_zone_on(found.grid, case.zone)
    region = scalp_region(found, max_incidence_deg=60.0)
    result = {}
    for index, zone in enumerate(ZONES, start=1):
        a, b = region & (ours == index), region & (true == index)
        if max(a.sum(), b.sum()) >= MIN_SHARE * region.sum():
            both = float((a & b).sum())
            result[zone] = both / float((a | b).sum()), both / max(float(a.sum()), 1.0)
    accepted = frame.misfit <= MAX_MISFIT and frame.agreement >= MIN_AGREEMENT
    return result, frame.misfit, other, accepted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--samples", action="store_true")
    parser.add_argument(
        "--tuning", action="store_true", help="the renders constants were chosen on"
    )
    options = parser.parse_args()
    cases = [case for each in options.folders for case in rendered(each, tuning=options.tuning)]
    cases += samples() if options.samples else []
    agreement = defaultdict(list)
    ratios, refused = [], 0
    for case in cases:
        compared = compare(case)
        if compared is None:
            print(f"  {case.path.name}: no usable photograph", flush=True)
            continue
        zones, misfit, other, accepted = compared
        words = ", ".join(f"{zone} {iou:.2f}" for zone, (iou, _) in zones.items())
        name = "/".join(case.path.parts[-3:])
        print(f"  {name}: misfit {misfit:.1f}, other way {other:.1f}: {words}", flush=True)
        refused += not accepted
        if np.isfinite(other):
            ratios.append(other / misfit)
        for zone, values in zones.items():
            agreement[case.view, zone, accepted].append(values)
    print(f"\n{refused} photographs whose frame is refused.")
    for (view, zone, accepted), values in sorted(agreement.items()):
        iou, purity = np.array(values).T
        mark = "given" if zone in OFFERED.get(view, ()) and accepted else "not given"
        print(
            f"{view}, {zone} ({'accepted' if accepted else 'refused'} frame, {mark}): {len(iou)} "
            f"cases, IoU median {np.median(iou):.2f}, worst {iou.min():.2f}; purity median "
            f"{np.median(purity):.2f}, worst {purity.min():.2f}"
        )
    if ratios:
        print(
            f"Other way round fits worse by: {', '.join(f'{each:.2f}' for each in sorted(ratios))}"
        )


if __name__ == "__main__":
    main()
