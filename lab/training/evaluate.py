"""Judge the shipped file: held-out seeds of lab/strands, and pictures of lab/phantom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lab.strands.develop import decode_light, develop
from lab.training.dataset import Facts, Pictures, unpack
from lab.training.network import CLASS_NAMES

_PHANTOM_SCALP = 1
HEAD_SHARE = 0.72
"""Width of the head in the crop that the network sees, as in the program's second pass."""

_NET_CALL = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
_DARK, _LIGHT = ("black", "brown", "dark brown"), ("blond", "red", "light brown")


@dataclass(frozen=True, slots=True)
class Case:
    """One picture judged.

    Attributes
    ----------
    stratum : tuple of str
        Skin group and hair group.
    true, predicted : float
        Coverage of the true region with incidence below 60 degrees; NaN without a region.
    own : float
        Predicted coverage of the predicted region.
    confusion : ndarray of int64, shape (5, 5)
        Pixels by true and predicted class.
    region : tuple of int
        Pixels of the scalp region: in both, in either.
    """

    stratum: tuple[str, str]
    true: float
    predicted: float
    own: float
    confusion: NDArray[np.int64]
    region: tuple[int, int]


def load(model: Path) -> _NET_CALL:
    """The network as a function from RGB uint8 (H, W, 3) to maps (8, H, W), by cv2.dnn."""
    net = cv2.dnn.readNetFromONNX(str(model))

    def call(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        blob = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / 255
        net.setInput(blob)
        maps: NDArray[np.float32] = net.forward()[0]
        return maps

    return call


def skin_group(kind: int) -> str:
    """I-II, III-IV or V-VI."""
    return ("none", "I-II", "I-II", "III-IV", "III-IV", "V-VI", "V-VI")[kind]


def hair_group(colour: str, white_share: float) -> str:
    """Dark, light, grey or dyed."""
    if colour in ("grey", "white") or white_share > 0.4:
        return "grey"
    if colour in _DARK:
        return "dark"
    return "light" if colour in _LIGHT else colour


def judge(
    call: _NET_CALL,
    picture: NDArray[np.uint8],
    classes: NDArray[np.int64],
    fraction: NDArray[np.float32],
    region: NDArray[np.bool_],
    cosine: NDArray[np.float32],
    stratum: tuple[str, str],
) -> Case:
    """Compare the answer for one picture with its truth."""
    maps = call(picture)
    answer = maps[:5].argmax(0)
    confusion = np.bincount((classes * 5 + answer).ravel(), minlength=25).reshape(5, 5)
    facing = region & (cosine > 0.5)
    said = (maps[6] > 0.5) & (maps[7] > 0.5)
    nan = float("nan")
    enough = facing.sum() > 400
    return Case(
        stratum,
        float(fraction[facing].mean()) if enough else nan,
        float(maps[5][facing].mean()) if enough else nan,
        float(maps[5][said].mean()) if said.sum() > 100 else nan,
        confusion.astype(np.int64),
        (int((region & (maps[6] > 0.5)).sum()), int((region | (maps[6] > 0.5)).sum())),
    )


def strands_cases(call: _NET_CALL, folders: list[Path], limit: int) -> Iterator[Case]:
    """Cases of held-out seeds, photographed once each."""
    for light, packed, facts in Pictures(folders, held_out=True).items[:limit]:
        truth = unpack(packed)
        rng = np.random.default_rng([int(facts["seed"]), 99])
        picture = develop(rng, decode_light(light))
        yield judge(
            call, picture, truth.classes, truth.fraction, truth.region > 0.5, truth.cosine,
            _stratum(facts),
        )  # fmt: skip


def _stratum(facts: Facts) -> tuple[str, str]:
    hair = hair_group(str(facts["hair"]), float(facts["white_share"]))
    return skin_group(int(facts["skin"])), hair


def summary(cases: list[Case]) -> str:
    """Error, bias and overlap of some cases, in one line."""
    true = np.array([c.true for c in cases])
    gap = 100 * (np.array([c.predicted for c in cases]) - true)
    own = 100 * (np.array([c.own for c in cases]) - true)
    seen = np.isfinite(gap)
    both = np.isfinite(own)
    region = np.array([c.region for c in cases]).sum(0)
    if not seen.any():
        return f"n {len(cases):4d}"
    return (
        f"n {int(seen.sum()):4d}  MAE {np.abs(gap[seen]).mean():5.2f}"
        f"  bias {gap[seen].mean():+6.2f}"
        f"  p90 {np.percentile(np.abs(gap[seen]), 90):5.1f}"
        f"  own region: MAE {np.abs(own[both]).mean():5.2f} bias {own[both].mean():+6.2f}"
        f"  region IoU {region[0] / max(1, region[1]):.3f}"
    )


def overlaps(cases: list[Case]) -> str:
    """Intersection over union of each class and of the head (scalp skin or hair)."""
    table = np.sum([c.confusion for c in cases], axis=0)
    words = []
    for k, name in enumerate(CLASS_NAMES):
        union = table[k].sum() + table[:, k].sum() - table[k, k]
        words.append(f"{name} {table[k, k] / max(1, union):.3f}")
    hit = table[1:3, 1:3].sum()
    union = table[1:3].sum() + table[:, 1:3].sum() - hit
    return f"IoU: head {hit / max(1, union):.3f}, " + ", ".join(words)


def table(title: str, cases: list[Case]) -> str:
    """The report of one set of cases, per stratum."""
    lines = [f"## {title}", f"{'all':22s} {summary(cases)}"]
    for stratum in sorted({c.stratum for c in cases if np.isfinite(c.true)}):
        chosen = [c for c in cases if c.stratum == stratum]
        lines.append(f"{stratum[0]:8s}{stratum[1]:14s} {summary(chosen)}")
    lines.append(overlaps(cases))
    return "\n".join(lines)


def print_tables(
    model: Path, shards: list[Path], phantoms: list[Path], limit: int, size: int
) -> None:
    """Print the table of held-out seeds, and of each folder of lab/phantom."""
    call = load(model)
    if shards:
        print(table("lab/strands, held-out seeds", list(strands_cases(call, shards, limit))))
    for folder in phantoms:
        cases = list(phantom_cases(call, folder, size))
        print(table(f"lab/phantom, {folder.name}", cases))


def _crop_box(region: NDArray[np.bool_], classes: NDArray[np.int64]) -> tuple[int, int, int]:
    """Square (left, top, side) in which the head spans `HEAD_SHARE` of the width."""
    head = region | (classes == 1)
    if not head.any():
        return 0, 0, max(region.shape)
    rows, columns = np.nonzero(head)
    low_x, high_x = np.percentile(columns, [0.5, 99.5])
    low_y, high_y = np.percentile(rows, [0.5, 99.5])
    side = max(high_x - low_x, high_y - low_y) / HEAD_SHARE
    left, top = (low_x + high_x - side) / 2, (low_y + high_y - side) / 2
    return round(left), round(top), round(side)


def _cut(
    array: NDArray[np.generic], box: tuple[int, int, int], size: int, how: int
) -> NDArray[np.generic]:
    """Square of an array at `size` pixels, its edge repeated beyond the picture."""
    left, top, side = box
    rows = np.clip(np.arange(top, top + side), 0, array.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, array.shape[1] - 1)
    part = np.ascontiguousarray(array[rows][:, columns])
    cut: NDArray[np.generic] = cv2.resize(part, (size, size), interpolation=how)
    return cut


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A photograph of lab/phantom and its truth.

    Attributes
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        As it is stored; another shape than the truth's where it is stored turned.
    classes : ndarray of int64, shape (h, w)
        Class codes.
    fraction, cosine : ndarray of float32, shape (h, w)
        Hair fraction; cosine of the incidence angle.
    region : ndarray of bool, shape (h, w)
        Visible scalp.
    stratum : tuple of str
        Skin group and hair group.
    """

    picture: NDArray[np.uint8]
    classes: NDArray[np.int64]
    fraction: NDArray[np.float32]
    region: NDArray[np.bool_]
    cosine: NDArray[np.float32]
    stratum: tuple[str, str]


def phantoms(folder: Path) -> Iterator[Phantom]:
    """What lab/phantom rendered: NAME.jpg, .hair.png, .classes.png, .surface.npz."""
    for path in sorted(folder.rglob("*.hair.png")):
        stem = path.name.removesuffix(".hair.png")
        photo = next(path.parent.glob(f"{stem}.jp*g"))
        picture = np.asarray(Image.open(photo).convert("RGB"))
        fraction = np.asarray(Image.open(path)).astype(np.float32) / 255
        classes = np.asarray(Image.open(path.parent / f"{stem}.classes.png")).astype(np.int64)
        region, cosine, stratum = _phantom_truth(path.parent, stem, classes)
        yield Phantom(picture, classes, fraction, region, cosine, stratum)


def phantom_cases(call: _NET_CALL, folder: Path, size: int) -> Iterator[Case]:
    """Cases of a folder of lab/phantom."""
    for each in phantoms(folder):
        box = _crop_box(each.region, each.classes)
        area, near = cv2.INTER_AREA, cv2.INTER_NEAREST
        yield judge(
            call,
            _cut(each.picture, box, size, area).astype(np.uint8),
            _cut(each.classes.astype(np.uint8), box, size, near).astype(np.int64),
            _cut(each.fraction, box, size, area).astype(np.float32),
            _cut(each.region.astype(np.uint8), box, size, near) > 0,
            _cut(each.cosine, box, size, area).astype(np.float32),
            each.stratum,
        )


def _phantom_truth(
    folder: Path, stem: str, classes: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float32], tuple[str, str]]:
    """Scalp region, cosine of incidence and stratum of a picture of lab/phantom."""
    with np.load(folder / f"{stem}.surface.npz") as stored:
        region = (stored["label"] == _PHANTOM_SCALP) & ~np.isin(classes, (3, 4))
        cosine = np.nan_to_num(stored["incidence_cosine"].astype(np.float32))
    facts = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    subject = facts["subject"]
    skin = skin_group(round(float(subject["skin_type"])))
    colour = str(subject["hair_colour"]).replace("-", " ")
    return region, cosine, (skin, hair_group(colour, float(subject["grey_fraction"])))
