"""Crops of the pictures of lab/strands, in linear light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.develop import decode_light
from lab.strands.shards import HELD_OUT_EVERY, read_shard, unpack_code
from lab.training.aims import Aim
from scalptrack.segmentation.crops import FINER_PX
from scalptrack.segmentation.heads import HEAD_SHARE

DETAIL_HEAD_PX = 260
"""Head width in pixels at which the program looks: crops that show a part are about this scale."""

FINER_HEAD_PX = round(HEAD_SHARE * FINER_PX)
"""Head width in pixels at which the program tells hair from skin where there are the pixels."""

FINER_SHARE = 0.5
"""Share of the crops at that scale, of the pictures whose heads are that large."""

MOST_DRAWS = 50
"""After so many draws a picture is taken whatever it shows."""

SCALP_STEP = 4

SEARCHED_PX = 384
"""Size of a picture in which its head is looked for; of larger ones every second or third pixel."""

WHOLE_FROM_PX = 280
"""Crops of at least this side show the whole head, smaller ones mostly a part of it."""

BEYOND_LIGHT = (114 / 255) ** 2.2
"""Light of the grey that the program shows beyond the frame of a photograph."""

FRAMED_SHARE = 0.3
"""Share of the crops that reach past the frame of their photograph."""

_REGION_BIT = 8
_OTHER_SKIN = 3

Facts = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the network should say of a crop.

    Attributes
    ----------
    classes : ndarray of int64, shape (H, W)
        Class codes.
    fraction, region, cosine : ndarray of float32, shape (H, W)
        Hair fraction; 1 on visible anatomical scalp; cosine of the incidence angle.
    """

    classes: NDArray[np.int64]
    fraction: NDArray[np.float32]
    region: NDArray[np.float32]
    cosine: NDArray[np.float32]


class Pictures:
    """The pictures of a folder of shards, in memory; grows while shards are being made.

    Parameters
    ----------
    folders : list of Path
        Where shards lie.
    held_out : bool
        Keep only the held-out seeds, or only the others.

    Attributes
    ----------
    items : list of tuple
        Coded light, packed truth and facts of each picture.
    portraits : list of int
        Which of them are portraits.
    """

    def __init__(self, folders: list[Path], *, held_out: bool) -> None:
        self._folders = folders
        self._held_out = held_out
        self._seen: set[Path] = set()
        self.items: list[tuple[NDArray[np.uint8], NDArray[np.uint8], Facts]] = []
        self.portraits: list[int] = []
        self.refresh()

    def draw(
        self, rng: np.random.Generator, aim: Aim
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Facts]:
        """A picture by lot; portraits may come more often than they were rendered."""
        if self.portraits and rng.random() < aim.portraits:
            return self.items[self.portraits[int(rng.integers(len(self.portraits)))]]
        for _ in range(MOST_DRAWS):
            drawn = self.items[int(rng.integers(len(self.items)))]
            if (drawn[1][::SCALP_STEP, ::SCALP_STEP, 1] >= _REGION_BIT).mean() >= aim.least_scalp:
                break
        return drawn

    def refresh(self) -> None:
        """Load shards that have appeared since the last call."""
        for folder in self._folders:
            for path in sorted(folder.glob("shard_*.npz")):
                if path in self._seen:
                    continue
                self._seen.add(path)
                for light, truth, facts in read_shard(path):
                    if (int(facts["seed"]) % HELD_OUT_EVERY == 0) == self._held_out:
                        if facts["view"] == "portrait":
                            self.portraits.append(len(self.items))
                        self.items.append((light, truth, facts))


def shows_finer(rng: np.random.Generator, extent_px: float) -> bool:
    """Whether a crop of a head of this size is to be at the finer scale."""
    return bool(extent_px >= 0.85 * FINER_HEAD_PX and rng.random() < FINER_SHARE)


def detail_head_px(rng: np.random.Generator, *, finer: bool) -> float:
    """Size of the head in a crop of a part of it."""
    middle = FINER_HEAD_PX if finer else DETAIL_HEAD_PX
    return float(middle * np.exp(rng.uniform(-0.22, 0.22)))


def unpack(packed: NDArray[np.uint8]) -> Truth:
    """Truth of an 8-bit truth array (`lab.strands.shards.pack`)."""
    classes, region = unpack_code(packed[..., 1])
    return Truth(
        classes.astype(np.int64),
        packed[..., 0].astype(np.float32) / 255,
        region.astype(np.float32),
        packed[..., 2].astype(np.float32) / 255,
    )


def _square(
    rng: np.random.Generator, packed: NDArray[np.uint8], size: int, aim: Aim
) -> tuple[int, int, int]:
    """A square (top, left, side): the head as the program crops it, a part of it, or everything.

    Some are around other skin, so that a chin or a hand seen from near is known for what it is.
    """
    full = packed.shape[0]
    step = max(1, full // SEARCHED_PX)
    code = packed[::step, ::step, 1]
    kind = rng.random()
    if kind < aim.skin + aim.loose:
        skin = kind < aim.skin
        of_person = (code & 7) == _OTHER_SKIN if skin else np.isin(code & 7, (1, 2, 3))
        shown = np.argwhere(of_person)
        if len(shown) > 0.003 * code.size:
            low, high = (0.12, 0.5) if skin else (0.3, 1.0)
            side = int(full * np.exp(rng.uniform(np.log(low), np.log(high))))
            corner = step * shown[int(rng.integers(len(shown)))] - side / 2
            top, left = np.clip(np.round(corner), 0, full - side).astype(int)
            return int(top), int(left), side
    rows, columns = np.nonzero(code >= _REGION_BIT)
    if len(rows) < 0.01 * code.size or rng.random() < aim.everything:
        return 0, 0, full
    low = step * np.array([np.percentile(rows, 1), np.percentile(columns, 1)])
    high = step * np.array([np.percentile(rows, 99), np.percentile(columns, 99)])
    extent = float((high - low).max())
    finer = shows_finer(rng, extent)
    if not finer and (size >= WHOLE_FROM_PX or rng.random() < 0.25):
        side = int(np.clip(extent / rng.uniform(0.6, 0.92), full // 6, full))
        corner = (low + high - side) / 2 + rng.normal(0, 0.06, 2) * side
    else:
        scale = detail_head_px(rng, finer=finer) / extent
        side = int(np.clip(size / scale, full // 6, full))
        pick = int(rng.integers(len(rows)))
        corner = step * np.array([rows[pick], columns[pick]]) - side / 2
    top, left = np.clip(np.round(corner), 0, full - side).astype(int)
    return int(top), int(left), side


def _scaled(
    light: NDArray[np.uint8], packed: NDArray[np.uint8], side: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Light and truth of a square at `side` pixels: areas are averaged, codes are picked."""
    shrink = light.shape[0] > side
    how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    picture = decode_light(light)
    if light.shape[0] == side:
        return picture, packed
    smooth = cv2.resize(packed, (side, side), interpolation=how)
    codes = cv2.resize(packed[..., 1], (side, side), interpolation=cv2.INTER_NEAREST)
    code, bit = codes & 7, codes & _REGION_BIT
    hair = smooth[..., 0] >= 128
    bare = np.where(bit > 0, 1, 0)
    code = np.where(hair & (code < 3), 2, np.where((code == 2) & ~hair, bare, code))
    smooth[..., 1] = code.astype(np.uint8) | bit
    return cv2.resize(picture, (side, side), interpolation=how), smooth


def draw_crop(
    rng: np.random.Generator,
    light: NDArray[np.uint8],
    packed: NDArray[np.uint8],
    size: int,
    aim: Aim,
) -> tuple[NDArray[np.float32], Truth]:
    """A random square of a picture in linear light, turned and mirrored, and its truth."""
    top, left, side = _square(rng, packed, size, aim)
    square = np.s_[top : top + side, left : left + side]
    picture, truth = _scaled(light[square], packed[square], size)
    turn = int(rng.integers(4)) if rng.random() < 0.08 else 0
    picture, truth = np.rot90(picture, turn), np.rot90(truth, turn)
    if rng.random() < 0.5:
        picture, truth = picture[:, ::-1], truth[:, ::-1]
    picture, truth = picture.copy(), truth.copy()  # The store's own arrays stay as they are.
    if rng.random() < FRAMED_SHARE:
        _frame(rng, picture, truth)
    return picture, unpack(truth)


def _frame(
    rng: np.random.Generator, picture: NDArray[np.float32], truth: NDArray[np.uint8]
) -> None:
    """Cut the photograph off at one to three of its sides, in place: beyond is grey."""
    size = len(picture)
    for turn in rng.permutation(4)[: int(rng.integers(1, 4))]:
        margin = int(rng.uniform(0.02, 0.28) * size)
        np.rot90(picture, turn)[:margin] = BEYOND_LIGHT
        np.rot90(truth, turn)[:margin] = 0
