"""Many pictures, kept as compressed shards outside git; resumable."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.develop import encode_light
from lab.strands.scene import Scene, render

PER_SHARD = 40

HELD_OUT_EVERY = 3
"""Every third seed (0, 3, 6, ...) is held out of training and only reported on."""

_REGION_BIT = 8


def pack(scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Picture and truth as 8-bit arrays.

    Returns
    -------
    tuple of ndarray
        Coded light (H, W, 3) (`lab.strands.develop.encode_light`), and truth (H, W, 3): hair
        fraction x 255, class code + 8 where scalp region, cosine x 255.
    """
    code = scene.classes + _REGION_BIT * scene.region.astype(np.uint8)
    truth = np.stack([np.round(scene.fraction * 255), code, np.round(scene.cosine * 255)], -1)
    return encode_light(scene.light), truth.astype(np.uint8)


def unpack_code(code: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Class codes and scalp region of the second channel of `pack`'s truth."""
    return (code & 7).astype(np.uint8), code >= _REGION_BIT


def write_shard(
    folder: Path,
    index: int,
    size: int,
    *,
    all_seeds: bool = True,
    wanted: Callable[[int], bool] | None = None,
) -> Path:
    """Render the `PER_SHARD` seeds of one shard and write it; nothing if it is there.

    Parameters
    ----------
    folder : Path
        Where shards lie.
    index : int
        Number of the shard; its seeds are ``index * PER_SHARD`` and up.
    size : int
        Height and width of the pictures in pixels.
    all_seeds : bool
        Also render the seeds that are held out of training.
    wanted : callable, optional
        Render only the seeds of which it says so.

    Returns
    -------
    Path
        The shard.
    """
    path = folder / f"shard_{index:05d}.npz"
    if path.exists():
        return path
    blobs: list[NDArray[np.uint8]] = []
    facts = []
    for seed in range(index * PER_SHARD, (index + 1) * PER_SHARD):
        if seed % HELD_OUT_EVERY == 0 and not all_seeds:
            continue
        if wanted is not None and not wanted(seed):
            continue
        scene = render(seed, size)
        blobs.extend(
            cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 2])[1].ravel()
            for array in pack(scene)
        )
        facts.append(scene.facts)
    ends = np.cumsum([len(blob) for blob in blobs])
    temporary = folder / f".{path.stem}_{os.getpid()}.npz"
    blob = np.concatenate(blobs) if blobs else np.zeros(0, np.uint8)
    np.savez(temporary, blob=blob, ends=ends, facts=json.dumps(facts))
    temporary.rename(path)
    return path


def read_shard(
    path: Path,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], dict[str, str | int | float]]]:
    """Coded light, truth and facts of every picture of a shard."""
    with np.load(path) as stored:
        blob, ends, facts = stored["blob"], stored["ends"], json.loads(str(stored["facts"]))
    starts = np.concatenate([[0], ends])[:-1]
    arrays = [
        cv2.imdecode(blob[a:b], cv2.IMREAD_UNCHANGED) for a, b in zip(starts, ends, strict=True)
    ]
    for which, fact in enumerate(facts):
        yield arrays[2 * which], arrays[2 * which + 1], fact


def generate(
    folder: Path,
    first: int,
    count: int,
    size: int,
    *,
    all_seeds: bool = True,
    wanted: Callable[[int], bool] | None = None,
) -> None:
    """Write shards `first` to `first + count`, skipping those that are there; see `write_shard`."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        start = time.perf_counter()
        write_shard(folder, index, size, all_seeds=all_seeds, wanted=wanted)
        print(f"shard {index}: {time.perf_counter() - start:.1f} s", flush=True)
