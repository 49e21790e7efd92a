"""How often a damaged JPEG is decoded without complaint, though its picture is another one.

Run: ``python -m lab.benchmarks.jpeg_damage sample_images/subject-01/frontal/2024-01-15.jpg ...``.
Each photograph is written by several encoders, with and without restart markers, and damaged at
random places of its coded pixels. A copy counts as changed when more than 1 % of its pixels are off
by more than 8 levels, and as missed when it is changed and read all the same. The table in
docs/inputs.md comes from here. Then intact files of many kinds are read: none may be rejected.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from scalptrack.errors import ImageReadError
from scalptrack.images import read_photograph

LEVELS, SHARE = 8, 0.01
LONG_SIDE_PX = 800
SECTOR, CLUSTER = 512, 4096

Damage = Callable[[bytearray, int, int, np.random.Generator], None]


def flipped(content: bytearray, start: int, end: int, rng: np.random.Generator) -> None:
    """One byte of the coded pixels is another one."""
    content[rng.integers(start, end)] ^= int(rng.integers(1, 256))


def zeroed(content: bytearray, start: int, end: int, rng: np.random.Generator) -> None:
    place = int(rng.integers(start, end - SECTOR))
    content[place : place + SECTOR] = bytes(SECTOR)


def scrambled(content: bytearray, start: int, end: int, rng: np.random.Generator) -> None:
    place = int(rng.integers(start, end - SECTOR))
    content[place : place + SECTOR] = rng.bytes(SECTOR)


def swapped(content: bytearray, start: int, end: int, rng: np.random.Generator) -> None:
    """Two clusters of a file system took each other's place."""
    first = int(rng.integers(start, end - 2 * CLUSTER))
    second = int(rng.integers(first + CLUSTER, end - CLUSTER))
    one, other = content[first : first + CLUSTER], content[second : second + CLUSTER]
    content[first : first + CLUSTER], content[second : second + CLUSTER] = other, one


def dropped(content: bytearray, start: int, end: int, rng: np.random.Generator) -> None:
    """One sector is missing and what follows it moved up."""
    place = int(rng.integers(start, end - SECTOR))
    del content[place : place + SECTOR]


DAMAGES: dict[str, Damage] = {
    "one byte flipped": flipped,
    "512 bytes zeroed": zeroed,
    "512 bytes random": scrambled,
    "512 bytes missing": dropped,
    "two 4 kB clusters swapped": swapped,
}


def written(picture: Image.Image) -> dict[str, bytes]:
    """The picture by several encoders."""
    kinds: dict[str, dict[str, object]] = {
        "quality 75, 4:2:0": {"quality": 75},
        "quality 92, 4:2:0, tables optimized": {"quality": 92, "optimize": True},
        "quality 95, 4:4:4": {"quality": 95, "subsampling": 0},
        "quality 92, restart every row": {"quality": 92, "restart_marker_rows": 1},
        "quality 92, progressive": {"quality": 92, "progressive": True},
    }
    found = {}
    for name, options in kinds.items():
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", **options)
        found[name] = buffer.getvalue()
    bgr = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)
    restart = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_RST_INTERVAL, 4]
    found["OpenCV, quality 90, restart every 4 blocks"] = cv2.imencode(".jpg", bgr, restart)[
        1
    ].tobytes()
    return found


def outcome(path: Path, content: bytes, intact: np.ndarray) -> str:
    """``"rejected"``, ``"unchanged"`` (or hardly), or ``"missed"``."""
    path.write_bytes(content)
    try:
        picture, _ = read_photograph(path)
    except ImageReadError:
        return "rejected"
    if picture.shape != intact.shape:
        return "missed"
    off = np.abs(picture.astype(np.int16) - intact).max(axis=2) > LEVELS
    return "missed" if off.mean() > SHARE else "unchanged"


def intact_files(pictures: list[Image.Image], rng: np.random.Generator) -> Iterator[bytes]:
    """Files of many sizes, contents, colour spaces and codings, as they come from the encoder."""
    modes = ("RGB", "L", "CMYK")
    codings: tuple[dict[str, object], ...] = (
        {},
        {"optimize": True},
        {"progressive": True},
        {"restart_marker_rows": 1},
        {"restart_marker_blocks": 3},
    )
    samplings = (0, 1, 2)
    for mode, coding, quality, sampling in itertools.product(
        modes, codings, (25, 60, 85, 95, 100), samplings
    ):
        for picture in pieces(pictures, rng):
            buffer = io.BytesIO()
            options = {"quality": quality, "subsampling": sampling, **coding}
            picture.convert(mode).save(buffer, "JPEG", **options)
            yield buffer.getvalue()
    for picture in pieces(pictures, rng):
        bgr = np.asarray(picture)[..., ::-1]
        for interval in (0, 1, 7):
            parameters = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_RST_INTERVAL, interval]
            yield cv2.imencode(".jpg", bgr, parameters)[1].tobytes()


def pieces(pictures: list[Image.Image], rng: np.random.Generator) -> Iterator[Image.Image]:
    """A cutting of odd size, a flat picture, a picture with a flat end, and noise."""
    picture = pictures[rng.integers(len(pictures))]
    width, height = (int(rng.integers(64, each)) for each in picture.size)
    yield picture.crop((0, 0, width, height))
    yield Image.new("RGB", (width, height), (200, 160, 130))
    ended = picture.copy()
    ended.paste((0, 0, 0), (0, picture.height // 3, *picture.size))
    yield ended
    noise = rng.integers(0, 256, (97, 131, 3), dtype=np.uint8)
    yield Image.fromarray(noise)


def rejected_intact(
    pictures: list[Image.Image], path: Path, rng: np.random.Generator
) -> tuple[int, int]:
    """How many intact files are rejected, of how many."""
    rejected = total = 0
    for content in intact_files(pictures, rng):
        path.write_bytes(content)
        total += 1
        try:
            read_photograph(path)
        except ImageReadError as error:
            rejected += 1
            print(error)
    return rejected, total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--copies", type=int, default=60, help="of each encoder and damage")
    options = parser.parse_args()
    rng = np.random.default_rng(20260101)
    pictures = [Image.open(path).convert("RGB") for path in options.photographs]
    for picture in pictures:
        picture.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX))
    sources = [written(picture) for picture in pictures]
    print("| encoder | damage | copies | changed | of these rejected | missed |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photograph.jpg"
        for encoder in sources[0]:
            for damage in DAMAGES:
                print(row(encoder, damage, sources, options.copies, path, rng), flush=True)
        rejected, total = rejected_intact(pictures, path, rng)
        print(f"{rejected} of {total} intact files rejected")


def row(
    encoder: str,
    damage: str,
    sources: list[dict[str, bytes]],
    copies: int,
    path: Path,
    rng: np.random.Generator,
) -> str:
    """One line of the table; a rejected copy counts as changed."""
    counts = {"rejected": 0, "unchanged": 0, "missed": 0}
    for source in sources:
        content = source[encoder]
        path.write_bytes(content)
        intact = read_photograph(path)[0].astype(np.int16)
        start = content.index(b"\xff\xda") + 14
        for _ in range(copies // len(sources)):
            copy = bytearray(content)
            DAMAGES[damage](copy, start, len(content) - 2, rng)
            counts[outcome(path, bytes(copy), intact)] += 1
    changed = counts["rejected"] + counts["missed"]
    total = changed + counts["unchanged"]
    return (
        f"| {encoder} | {damage} | {total} | {changed} | {counts['rejected']} | "
        f"{counts['missed']} |"
    )


if __name__ == "__main__":
    main()
