"""Finish the training with both renderers: most of each batch from Cycles, the rest from strands.

Run: ``python -m lab.training.finish CHECKPOINT --shards FOLDER --cycles FOLDER --out CHECKPOINT``.
The Cycles pictures come from ``lab.training.renders`` and lab/phantom's development set; the sample
and the benchmark subjects are in neither. Starts from the averaged weights of CHECKPOINT.
"""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from lab.strands.develop import develop
from lab.training.dataset import Pictures, Truth, draw_crop
from lab.training.losses import total_loss
from lab.training.network import Segmenter
from lab.training.train import _average, _targets

SIDE_PX = 256
SCALP_LABEL = 1
PAIRS = 2
CYCLES_SHARE = 0.75
GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class Photograph:
    """A Cycles photograph in linear light and its truth, one array of four maps."""

    light: NDArray[np.float32]
    truth: NDArray[np.float32]


def read_photographs(folders: list[Path]) -> list[Photograph]:
    """Every finished photograph below the folders, at a head width of about 280 px."""
    found = []
    for path in sorted(each for folder in folders for each in folder.rglob("*.json")):
        base = path.with_suffix("")
        with Image.open(base.with_name(base.name + ".jpg")) as image:
            if image.getexif().get(0x0112, 1) != 1:
                continue
            picture = np.asarray(image.convert("RGB"), np.float32) / 255
        hair = np.asarray(Image.open(base.with_name(base.name + ".hair.png")), np.float32) / 255
        classes = np.asarray(Image.open(base.with_name(base.name + ".classes.png")), np.float32)
        surface = np.load(base.with_name(base.name + ".surface.npz"))
        region = (surface["label"] == SCALP_LABEL).astype(np.float32)
        cosine = np.nan_to_num(surface["incidence_cosine"].astype(np.float32)) * region
        truth = np.dstack([classes, hair, region, cosine])
        columns = np.flatnonzero(region.any(axis=0))
        scale = min(1.0, 280 / max(len(columns), 1))
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        light = cv2.resize(picture**GAMMA, size, interpolation=cv2.INTER_AREA)
        smooth = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)
        smooth[..., 0] = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST)
        found.append(Photograph(light.astype(np.float32), smooth.astype(np.float32)))
    return found


def draw_photograph(
    rng: np.random.Generator, photograph: Photograph
) -> tuple[NDArray[np.float32], Truth]:
    """A turned, mirrored and scaled square of a photograph, around its scalp."""
    rows, columns = np.nonzero(photograph.truth[..., 2] > 0.5)
    centre = (float(np.median(columns)), float(np.median(rows)))
    extent = max(np.ptp(rows), np.ptp(columns), 20)
    whole = rng.random() < 0.5
    zoom = SIDE_PX * rng.uniform(0.55, 0.95) / extent if whole else rng.uniform(0.85, 1.2)
    angle = rng.normal(0, 20) + (rng.choice([90, 180, 270]) if rng.random() < 0.15 else 0)
    matrix = cv2.getRotationMatrix2D(centre, float(angle), float(zoom))
    drift = rng.normal(0, 0.07 if whole else 0.2, 2) * SIDE_PX
    matrix[:, 2] += SIDE_PX / 2 - np.array(centre) + drift
    if rng.random() < 0.5:
        mirror = np.array([[-1.0, 0.0, SIDE_PX - 1.0], [0.0, 1.0, 0.0]])
        matrix = mirror[:, :2] @ matrix + np.array([[0, 0, mirror[0, 2]], [0, 0, 0]])
    size = (SIDE_PX, SIDE_PX)
    light = cv2.warpAffine(photograph.light, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    warped = cv2.warpAffine(photograph.truth, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    codes = cv2.warpAffine(
        photograph.truth[..., 0], matrix, size, flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    truth = Truth(
        np.round(codes).astype(np.int64),
        np.clip(warped[..., 1], 0, 1),
        (warped[..., 2] > 0.5).astype(np.float32),
        np.clip(warped[..., 3], 0, 1),
    )
    return np.clip(light, 0, 1), truth


def _shifted(rng: np.random.Generator, light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exposure and white balance as another shot of the same phone would have them."""
    gains = 2 ** rng.normal(0, 0.35) * np.exp(rng.normal(0, 0.07, 3))
    return np.clip(light * gains.astype(np.float32), 0, 1)


def _photographed(rng: np.random.Generator, light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture as a camera gives it: half mild, half with everything that can go wrong."""
    if rng.random() < 0.3:
        return develop(rng, light)
    picture = _shifted(rng, light) ** np.float32(1 / GAMMA) * 255
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))
    picture = picture + rng.normal(0, rng.uniform(0, 5), picture.shape)
    coded = np.clip(picture, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
    return cv2.imdecode(cv2.imencode(".jpg", coded, quality)[1], cv2.IMREAD_COLOR)


def draw_batch(rng, photographs, pictures, size):
    """A batch; the last `PAIRS` show the scenes of the first ones in another light."""
    scenes = []
    for place in range(size - PAIRS):
        if place < round(CYCLES_SHARE * (size - PAIRS)):
            photograph = photographs[int(rng.integers(len(photographs)))]
            light, truth = draw_photograph(rng, photograph)
            scenes.append((light, truth, True))
        else:
            light, packed, _ = pictures.items[int(rng.integers(len(pictures.items)))]
            picture, truth = draw_crop(rng, light, packed, SIDE_PX)
            scenes.append((picture, truth, False))
    scenes += scenes[:PAIRS]
    images = [
        _photographed(rng, light) if cycles else develop(rng, light) for light, _, cycles in scenes
    ]
    batch = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255
    return np.ascontiguousarray(batch), [truth for _, truth, _ in scenes]


def finish(start: Path, shards: list[Path], cycles: list[Path], out: Path, minutes: float) -> None:
    """Train for a number of minutes with a falling rate; saves every 100 iterations."""
    state = torch.load(start, weights_only=True)
    network = Segmenter()
    network.load_state_dict(state["average"])
    network = network.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    pictures = Pictures(shards, held_out=False)
    photographs, counted = read_photographs(cycles), time.perf_counter()
    print(f"{len(photographs)} Cycles photographs, {len(pictures.items)} strand pictures")
    begin, iteration, sums = time.perf_counter(), 0, {}
    while (done := (time.perf_counter() - begin) / (60 * minutes)) < 1:
        if time.perf_counter() - counted > 180:
            photographs, counted = read_photographs(cycles), time.perf_counter()
            print(f"{len(photographs)} Cycles photographs", flush=True)
        rng = np.random.default_rng([77, iteration])
        images, truth = draw_batch(rng, photographs, pictures, 10)
        for group in optimiser.param_groups:
            group["lr"] = 1.5e-3 * min(1.0, (iteration + 1) / 50, max(0.02, (1 - done) / 0.7))
        batch = torch.from_numpy(images).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            raw, coarse = network.answers(batch)
        loss, terms = total_loss(
            raw.float(), [each.float() for each in coarse], _targets(truth), PAIRS
        )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _average(average, network, min(0.995, (iteration + 1) / (iteration + 10)))
        iteration += 1
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value / 50
        if iteration % 50 == 0:
            line = " ".join(f"{name} {value:.3f}" for name, value in sums.items())
            print(f"{iteration} {100 * done:.0f} % {line}", flush=True)
            sums = {}
        if iteration % 100 == 0:
            _save(out, network, average, optimiser, iteration, state["plan"])
    _save(out, network, average, optimiser, iteration, state["plan"])


def _save(out, network, average, optimiser, iteration, plan) -> None:
    document = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "iteration": iteration,
        "plan": plan,
        "pictures": 0,
    }
    temporary = out.with_suffix(".part")
    torch.save(document, temporary)
    temporary.rename(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("--shards", type=Path, nargs="+", required=True)
    parser.add_argument("--cycles", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(1)
    finish(options.start, options.shards, options.cycles, options.out, options.minutes)


if __name__ == "__main__":
    main()
