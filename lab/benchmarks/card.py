"""How exactly the card is read: scale, colours, print distortion, what is hidden, and refusals.

Pictures of the card are made here (``card_scene.py``): a pinhole camera with perspective, the
print stretched or bent, lens distortion, coloured and uneven light, a tone curve, a finger over a
part, blur, noise and JPEG. The true scale is known exactly; colour errors are measured on colours
that are *not* on the card, sent through the same light and camera.

With ``--photometric FOLDER`` photographs of rendered people (``sample_images``) get the card pasted
in and are developed in five lights; coverage is measured without and with colour correction.

Usage: ``python -m lab.benchmarks.card [--shots N] [--photometric FOLDER]``
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.card_scene import Shot, developed, linear, photograph, random_shot, seen_card
from scalptrack.errors import HeadNotFoundError
from scalptrack.fiducials import correct_colours, read_card
from scalptrack.records import CaptureInfo

SIZE = (1200, 1600)
CASTS = {
    "neutral, 1 stop dark": {"exposure": 0.45},
    "lamp": {"gains": (1.0, 0.75, 0.42)},
    "blue window": {"gains": (0.7, 0.85, 1.0)},
    "greenish tube": {"gains": (0.8, 1.0, 0.75), "mixing": 0.1},
    "tone curve": {"tone": 0.85, "mixing": 0.08, "gains": (1.0, 0.9, 0.8)},
    "uneven, 1 stop": {"light_stops": 2.0, "exposure": 0.5},
}
OTHER_COLOURS = np.array(
    [(r, g, b) for r in (50, 120, 200) for g in (50, 120, 200) for b in (50, 120, 200)]
)


def read(shot: Shot, *, known_lens: bool = True):
    picture = photograph(shot)
    return read_card(picture, CaptureInfo(focal_length_35mm=shot.focal_mm if known_lens else None))


def scale_table(shots: int) -> None:
    rng = np.random.default_rng(20260101)
    cases = {
        "as people take them": {},
        "lens not stated": {},
        "blurred, 1.5 px": {"blur_px": 1.5},
        "blurred, 2.5 px": {"blur_px": 2.5},
        "noise 12, JPEG 50": {"noise": 12.0, "quality": 50},
        "finger over a third": {"covered": (0.0, 0.0, 50.0, 96.0)},
        "finger over half": {"covered": (0.0, 0.0, 144.0, 48.0)},
        "lamp, uneven light": {"gains": (1.0, 0.75, 0.42), "light_stops": 2.0, "exposure": 0.5},
        "barrel distortion 5 %": {"lens_k1": -0.1},
        "print 3 % wide": {"stretch": 1.03},
        "print 2 % high": {"stretch": 0.98},
        "bent, radius 30 cm": {"bend_radius_mm": 300.0},
        "bent, radius 10 cm": {"bend_radius_mm": 100.0},
    }
    print("case | read | scale error %: mean absolute, worst | held | stretch warned | refusals")
    for name, fixed in cases.items():
        errors, warned, held, refusals = [], 0, 0, []
        for _ in range(shots):
            shot = random_shot(rng, size_px=SIZE, **fixed)
            reading = read(shot, known_lens=name != "lens not stated")
            if reading.geometry is None:
                refusals.append(reading.reason.code if reading.reason else "not found")
                continue
            errors.append(100 * (reading.geometry.mm_per_px / shot.true_mm_per_px() - 1))
            geometry = reading.geometry
            held += geometry.mm_per_px_low <= shot.true_mm_per_px() <= geometry.mm_per_px_high
            warned += reading.geometry.distorted
        worst = f"{np.mean(np.abs(errors)):.2f}, {np.max(np.abs(errors)):.2f}" if errors else "-"
        counts = {code: refusals.count(code) for code in sorted(set(refusals))}
        print(
            f"{name} | {len(errors)} of {shots} | {worst} | {held} | {warned} | {counts}",
            flush=True,
        )


def size_table() -> None:
    """Scale error against the size of a square: where the limit comes from."""
    rng = np.random.default_rng(7)
    print("\nmm per px | read | square px | scale error %")
    for distance in (300, 500, 700, 900, 1100, 1300):
        shot = random_shot(rng, size_px=SIZE, distance_mm=float(distance), focal_mm=26.0)
        reading = read(replace(shot, offset_mm=(0.0, 0.0)))
        code = reading.reason.code if reading.reason else reading.found
        error = (
            f"{100 * (reading.geometry.mm_per_px / shot.true_mm_per_px() - 1):.2f}"
            if reading.geometry
            else "-"
        )
        print(f"{shot.true_mm_per_px():.3f} | {code} | {13 / shot.true_mm_per_px():.0f} | {error}")


def refusal_table(shots: int) -> None:
    rng = np.random.default_rng(11)
    for name, fixed in {
        "version 2": {"version": 2},
        "version 5": {"version": 5},
    }.items():
        readings = [read(random_shot(rng, size_px=SIZE, **fixed)) for _ in range(shots)]
        codes = [each.reason.code if each.reason else "read" for each in readings]
        print(f"{name}: { ({code: codes.count(code) for code in set(codes)}) }", flush=True)


def colour_table(shots: int) -> None:
    rng = np.random.default_rng(5)
    print("\nlight | held-out colours, CIE76 before, after: mean | worst after | read")
    for name, fixed in CASTS.items():
        before, after = [], []
        for _ in range(shots):
            shot = random_shot(rng, size_px=SIZE, **fixed)
            reading = read(shot)
            if reading.colour is None:
                continue
            scene = linear(OTHER_COLOURS.astype(np.float64))[np.newaxis]
            plain = replace(shot, light_stops=0.0, blur_px=0.0, noise=0.0, quality=100)
            picture = developed(scene, plain)
            before.append(delta_e(picture[0], OTHER_COLOURS))
            after.append(delta_e(correct_colours(picture, reading.colour)[0], OTHER_COLOURS))
        print(
            f"{name} | {np.mean(before):.1f}, {np.mean(after):.1f} | {np.max(after):.1f} | "
            f"{len(after)} of {shots}",
            flush=True,
        )


def delta_e(levels: np.ndarray, others: np.ndarray) -> np.ndarray:
    labs = [
        cv2.cvtColor((each / 255).astype(np.float32)[np.newaxis], cv2.COLOR_RGB2LAB)[0]
        for each in (levels, others)
    ]
    return np.linalg.norm(labs[0] - labs[1], axis=1)


def photometric_table(folder: Path, photographs: int) -> None:
    """SD of coverage over five lights, without and with correction by the card."""
    from PIL import Image

    from scalptrack.measurement import measure, scalp_region
    from scalptrack.segmentation import shared_segmenter

    lights = [{"exposure": 0.9, "gains": (1.0, 1.0, 1.0)}, *list(CASTS.values())[:5]]
    photos = sorted(folder.glob("*/vertex/*.jpg"))[:: max(1, 26 // photographs)]
    deviations = {"without": [], "with": []}
    for photo in photos:
        image = np.asarray(Image.open(photo).convert("RGB"))
        found = {"without": [], "with": []}
        for light in lights:
            shot = Shot(
                size_px=image.shape[:2], distance_mm=480.0, offset_mm=(95.0, 190.0), **light
            )
            card, share = seen_card(shot)
            scene = card + (1 - share[..., np.newaxis]) * linear(image.astype(np.float64))
            picture = developed(scene, shot)
            reading = read_card(picture, CaptureInfo(focal_length_35mm=26.0))
            versions = {"without": picture}
            if reading.colour is not None:
                versions["with"] = correct_colours(picture, reading.colour)
            for name, version in versions.items():
                try:
                    segmentation = shared_segmenter().segment(version)
                except HeadNotFoundError:
                    continue
                region = scalp_region(segmentation, max_incidence_deg=60.0)
                result = measure(segmentation, region, segmentation.grid, None)
                if result is not None:
                    found[name].append(100 * result.coverage_fraction)
        for name, values in found.items():
            if len(values) > 1:
                deviations[name].append(np.std(values, ddof=1))
        print(photo.name, {name: np.round(values, 1).tolist() for name, values in found.items()})
    for name, values in deviations.items():
        sd = np.sqrt(np.mean(np.square(values)))
        detectable = 1.96 * np.sqrt(2) * sd
        print(f"{name} card: SD {sd:.2f}, SDC {detectable:.2f} points, {len(values)} photographs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shots", type=int, default=20)
    parser.add_argument("--photometric", type=Path)
    parser.add_argument("--photographs", type=int, default=6)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.photometric:
        photometric_table(arguments.photometric, arguments.photographs)
        return
    scale_table(arguments.shots)
    size_table()
    refusal_table(arguments.shots)
    colour_table(max(3, arguments.shots // 4))


if __name__ == "__main__":
    main()
