"""A results folder with known content, made without measuring anything."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np

from scalptrack.images import encode_image
from scalptrack.outputs import OutputFolder
from scalptrack.records import Settings
from scalptrack.tables import CHANGE_COLUMNS, MEASUREMENT_COLUMNS, provenance

NAMES = (
    "anna/vertex/2026-01-10.jpg",
    "anna/vertex/2026-04-12.jpg",
    "anna/vertex/2026-07-12.jpg",
    "ben/frontal/2026-01-10.jpg",
)


def write_results(root: Path) -> tuple[Path, Path, dict[str, str]]:
    """Folder of results, folder of photographs, and the hash of each photograph by name."""
    out, photos = root / "results", root / "photos"
    hashes = {}
    for index, name in enumerate(NAMES):
        picture = np.full((120, 180, 3), 40 + 50 * index, np.uint8)
        picture[40:80, 60:120] = 200
        path = photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_image(picture, suffix=".jpg"))
        hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = [
        _row(NAMES[0], hashes, coverage=52.0, is_reference="yes"),
        _row(NAMES[1], hashes, coverage=54.0, half=9.0, warnings="uneven_light"),
        _row(NAMES[2], hashes, reason="could not be aligned.", reason_code="no_agreement"),
        _row(NAMES[3], hashes, coverage=61.0, is_reference="yes"),
    ]
    folder = OutputFolder(out)
    overlay, chart = "anna/vertex/2026-01-10_1.overlay.jpg", "anna/vertex/timeline.png"
    for name in (overlay, chart):
        folder.write_bytes(name, (photos / NAMES[0]).read_bytes())
    record = provenance(
        (), Settings(), method="none", model_sha256="0" * 64, outputs=[overlay, chart]
    )
    folder.write_text("provenance.json", json.dumps(record | {"deidentified": False}))
    _write_csv(out / "measurements.csv", MEASUREMENT_COLUMNS, rows)
    _write_csv(out / "changes.csv", CHANGE_COLUMNS, [])
    run = {
        "schema": "scalptrack.run/1",
        "photographs": str(photos),
        "arguments": ["track", str(photos), "--out", str(out), "--reference", NAMES[0]],
        "findings": {},
    }
    (out / ".scalptrack" / "run.json").write_text(json.dumps(run))
    return out, photos, hashes


def _row(
    name: str,
    hashes: dict[str, str],
    *,
    coverage: float | None = None,
    half: float = 4.0,
    **more: str,
) -> dict[str, str]:
    subject, view, file = name.split("/")
    row = {
        "subject": subject,
        "view": view,
        "visit_date": file.removesuffix(".jpg"),
        "replicate": "1",
        "photo": name,
        "sha256": hashes[name],
        "status": "refused" if coverage is None else "measured",
        "tier": "C" if coverage is None else "A",
        "is_reference": "no",
    }
    if coverage is not None:
        row |= {
            "coverage_percent": f"{coverage:.3f}",
            "coverage_low": f"{coverage - half:.3f}",
            "coverage_high": f"{coverage + half:.3f}",
            "excluded_percent": "10.00",
        }
    return row | more


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
