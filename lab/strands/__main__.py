"""Generate training pictures: ``python -m lab.strands generate FOLDER``."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from lab.strands.develop import develop
from lab.strands.scene import SIZE_PX, has_long_sparse_hair, render, shows
from lab.strands.shards import generate


def contact_sheet(path: Path, first: int, count: int, columns: int, size: int) -> None:
    """Write a sheet of developed pictures, each beside its hair fraction and classes."""
    palette = np.array(
        [[30, 30, 30], [240, 180, 140], [90, 50, 20], [220, 80, 120], [60, 120, 230]], np.uint8
    )
    tiles = []
    for seed in range(first, first + count):
        scene = render(seed, size)
        photo = develop(np.random.default_rng(seed), scene.light)
        fraction = np.repeat((scene.fraction * 255).astype(np.uint8)[..., None], 3, -1)
        truth = np.vstack([palette[scene.classes][::2, ::2], fraction[::2, ::2]])
        truth[: size // 2][scene.region[::2, ::2]] //= 2
        truth[: size // 2][scene.region[::2, ::2]] += 100
        half = truth[:size]
        pad = np.zeros((size, half.shape[1], 3), np.uint8)
        pad[: half.shape[0]] = half
        tiles.append(np.hstack([photo, pad]))
    rows = [np.hstack(tiles[k : k + columns]) for k in range(0, count, columns)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write shards, skipping those that are there")
    make.add_argument("folder", type=Path)
    make.add_argument("--first", type=int, default=0)
    make.add_argument("--count", type=int, default=100)
    make.add_argument("--size", type=int, default=SIZE_PX)
    make.add_argument("--training-only", action="store_true", help="leave out held-out seeds")
    only = make.add_mutually_exclusive_group()
    only.add_argument("--view", help="only pictures of this view, such as portrait")
    only.add_argument("--long-sparse", action="store_true", help="only long hair on a bare scalp")
    sheet = commands.add_parser("sheet", help="a picture of pictures and their truth")
    sheet.add_argument("file", type=Path)
    sheet.add_argument("--first", type=int, default=0)
    sheet.add_argument("--count", type=int, default=12)
    sheet.add_argument("--columns", type=int, default=3)
    sheet.add_argument("--size", type=int, default=SIZE_PX)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.command == "generate":
        everything = not options.training_only
        wanted = has_long_sparse_hair if options.long_sparse else None
        if options.view:
            wanted = partial(shows, options.view)
        generate(
            options.folder,
            options.first,
            options.count,
            options.size,
            all_seeds=everything,
            wanted=wanted,
        )
    else:
        contact_sheet(options.file, options.first, options.count, options.columns, options.size)


if __name__ == "__main__":
    main()
