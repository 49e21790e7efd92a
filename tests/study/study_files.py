"""Manifests of small studies, with files that need not be photographs of anything."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.images import encode_image

COLUMNS = ("photo", "subject", "view", "visit_date", "replicate", "arm", "site", "age")


def tiny_photograph(number: int) -> bytes:
    """A JPEG whose content is different for every number."""
    pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    return encode_image(pixels, suffix=".jpg")


def write_manifest(folder: Path, rows: list[tuple[str, ...]], *, columns=COLUMNS) -> Path:
    """The manifest, and a file for every row whose photo isn't there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        path = folder / row[0]
        if row[0] and not path.exists() and "absent" not in row[0]:
            path.write_bytes(tiny_photograph(number))
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def good_rows(subjects: int = 2) -> list[tuple[str, ...]]:
    """Two dates with two replicates each, arms A and B in turn."""
    return [
        (f"s{s}_{day}_{r}.jpg", f"s{s}", "vertex", day, str(r), "AB"[s % 2], "north", "40")
        for s in range(subjects)
        for day in ("2024-01-10", "2024-04-10")
        for r in (1, 2)
    ]


def invoke(*arguments: object):
    return CliRunner().invoke(main, ["study", *(str(each) for each in arguments)])
