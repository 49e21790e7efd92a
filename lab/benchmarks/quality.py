"""Where the limits of the quality checks come from: known damage done to rendered photographs.

Reads a folder made by ``python -m lab.phantom`` (photographs with their truth), takes head and
scalp from the truth, and prints

* what every check measures on the photographs as they are,
* the measured blur beside the blur that was put in (Gaussian, and shaken), under noise and JPEG,
* how much of the hair fraction can still be told from the brightness at that blur, which is what
  the limit has to protect.

Usage: ``python -m lab.benchmarks.quality FOLDER [--photographs N]``
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from scalptrack.quality import check_quality, focus, framing, light
from scalptrack.quality.subject import head_width_px, subject_of
from scalptrack.records import CaptureInfo, Grid, RegionClass, Segmentation

BLURS_PERCENT = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SHAKES_PERCENT = (2.0, 4.0, 6.0)
NOISES = (1.0, 4.0, 8.0)
GRID_HEAD_PX = 288


def truth_segmentation(photo: Path, image: np.ndarray) -> Segmentation:
    """A segmentation made from the truth beside a rendered photograph."""
    truth = json.loads(photo.with_suffix(".json").read_text())
    surface = np.load(photo.with_suffix(".surface.npz"))
    step = max(1.0, truth["head_width_px"] / GRID_HEAD_PX)
    height, width = image.shape[:2]
    grid = Grid((step - 1) / 2, (step - 1) / 2, step, int(width / step), int(height / step))
    size = (grid.width, grid.height)
    hair = np.asarray(Image.open(photo.with_suffix(".hair.png")), dtype=np.float32) / 255
    classes = np.asarray(Image.open(photo.with_suffix(".classes.png")))
    cosine = np.nan_to_num(surface["incidence_cosine"].astype(np.float32))
    scalp = (surface["label"] == 1) & (cosine > 0.5)
    reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    nearest = cv2.INTER_NEAREST
    return Segmentation(
        grid=grid,
        photograph_shape=(height, width),
        hair_fraction=cv2.resize(hair, size, interpolation=cv2.INTER_AREA),
        classes=cv2.resize(classes, size, interpolation=nearest),
        scalp=cv2.resize(scalp.astype(np.uint8), size, interpolation=nearest) > 0,
        incidence_cosine=cv2.resize(cosine, size, interpolation=nearest),
        glare=(reduced >= 250).all(axis=2),
        method="truth",
    )


def damaged(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    sigma_px: float = 0.0,
    shake_px: float = 0.0,
    angle_deg: float = 0.0,
    noise: float = 1.0,
    quality: int = 85,
) -> np.ndarray:
    """Blur and shake a photograph as a camera would, then add its noise and JPEG."""
    picture = image.astype(np.float32)
    if sigma_px > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma_px)
    if shake_px > 1:
        length = round(shake_px) | 1
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), angle_deg, 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    noisy = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def told_by_brightness(image: np.ndarray, segmentation: Segmentation) -> float:
    """Correlation of hair fraction with brightness against its surroundings, over the scalp."""
    size = (segmentation.grid.width, segmentation.grid.height)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    scalp = segmentation.scalp
    local = [
        plane - cv2.GaussianBlur(plane, (0, 0), 12) for plane in (grey, segmentation.hair_fraction)
    ]
    return abs(float(np.corrcoef(local[0][scalp], local[1][scalp])[0, 1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photographs", type=int, default=8)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    photos = sorted(p for p in arguments.folder.rglob("*.jpg") if p.with_suffix(".json").exists())
    rng = np.random.default_rng(20260101)
    photos = [photos[i] for i in np.linspace(0, len(photos) - 1, arguments.photographs).astype(int)]
    blur: dict[tuple[str, float, float], list[float]] = {}
    told: dict[float, list[float]] = {}
    for photo in dict.fromkeys(photos):
        image = np.asarray(ImageOps.exif_transpose(Image.open(photo)).convert("RGB"))
        segmentation = truth_segmentation(photo, image)
        print_checks(photo.relative_to(arguments.folder), image, segmentation)
        head_px = head_width_px(segmentation)
        for noise in NOISES:
            for percent in BLURS_PERCENT:
                picture = damaged(image, rng, sigma_px=percent * head_px / 100, noise=noise)
                measured = focus.measure_blur(subject_of(picture, segmentation))
                blur.setdefault(("blur", percent, noise), []).append(measured.strongest_percent)
                if noise == NOISES[1]:
                    told.setdefault(percent, []).append(told_by_brightness(picture, segmentation))
            for percent in SHAKES_PERCENT:
                angle = float(rng.uniform(0, 180))
                shake_px = percent * head_px / 100
                picture = damaged(image, rng, shake_px=shake_px, angle_deg=angle, noise=noise)
                measured = focus.measure_blur(subject_of(picture, segmentation))
                blur.setdefault(("shake", percent, noise), []).append(measured.strongest_percent)
    print("\ndamage | put in, % of head width | noise | measured: min, median, max")
    for (kind, percent, noise), values in sorted(blur.items()):
        low, middle, high = np.percentile(values, [0, 50, 100])
        print(f"{kind} | {percent} | {noise:g} | {low:.2f} {middle:.2f} {high:.2f}")
    print("\nblur, % of head width | correlation of brightness with hair, median (share of sharp)")
    sharp = np.array(told[0.0])
    for percent, values in told.items():
        share = np.median(np.array(values) / sharp)
        print(f"{percent} | {np.median(values):.2f} ({share:.2f})")


def print_checks(name: Path, image: np.ndarray, segmentation: Segmentation) -> None:
    """Every measure of one photograph, and the findings."""
    subject = subject_of(image, segmentation)
    blur = focus.measure_blur(subject)
    values = {
        "head": head_width_px(segmentation),
        "blur": blur.strongest_percent,
        "weakest": blur.weakest_percent,
        "bright": light.bright_level(subject),
        "clipped": light.clipped_percent(subject),
        "range": light.tonal_range(subject.picture),
        "stops": light.left_right_stops(subject),
        "hue": light.skin_hue_deg(subject) or float("nan"),
        "cut": framing.cut_off_percent(segmentation),
        "glare": 100 * float(segmentation.glare[segmentation.scalp].mean()),
        "scalp": float((segmentation.classes == RegionClass.SCALP_SKIN).mean()),
    }
    findings = check_quality(image, segmentation, CaptureInfo()).findings
    print(name, " ".join(f"{key}={value:.2f}" for key, value in values.items()))
    print("   ", [(each.code, each.severity.value) for each in findings])


if __name__ == "__main__":
    main()
