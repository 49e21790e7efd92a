"""Assembles `sample_images/` from the rendered photographs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from lab.phantom.covisible import covisible_coverage, read_dense_truth
from lab.phantom.render import PhotographSpec
from lab.phantom.samples import BAD, SERIES, SUBJECTS, TRUNCATED_SHARE, sample_specs

TRUTH_SCHEMA = "scalptrack-sample-truth/1"
_TEXTS = Path(__file__).parent / "sample_texts"


def publish_samples(work: Path, out: Path) -> int:
    """Write `sample_images` to `out` from the finished renders in `work`.

    Returns the number of photographs. Photographs that are not rendered yet are left out,
    so that an unfinished set can be looked at.
    """
    specs = [spec for spec in sample_specs() if (work / f"{spec.name}.json").exists()]
    out.mkdir(parents=True, exist_ok=True)
    for spec in specs:
        target = out / f"{spec.name}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(work / f"{spec.name}.jpg", target)
        if BAD.get(spec.name) == "truncated":
            content = target.read_bytes()
            target.write_bytes(content[: int(len(content) * TRUNCATED_SHARE)])
    for name, place in (("notes.txt", "subject-02/vertex"), ("events.csv", ""), ("README.md", "")):
        shutil.copyfile(_TEXTS / name, out / place / name)
    truth = _truth(specs, work)
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    write_checksums(out)
    return len(specs)


def _truth(specs: list[PhotographSpec], work: Path) -> dict[str, Any]:
    photographs: dict[str, Any] = {}
    for spec in specs:
        record = json.loads((work / f"{spec.name}.json").read_text())
        zones = {name: zone for name, zone in record["coverage"].items() if zone["region_px"]}
        own = zones.pop("scalp", {"region_px": 0, "coverage_fraction": None})
        photographs[f"{spec.name}.jpg"] = {
            "fault": BAD.get(spec.name),
            "own_region": own,
            "covisible_region": None,
            "zones": zones,
            "head_width_px": record["head_width_px"],
            "camera": record["camera"],
            "visit": record["visit"],
            "subject_seed": spec.subject_seed,
        }
    for subject, view in SERIES:
        _add_covisible(photographs, specs, f"{subject}/{view}/", work)
    return {
        "schema": TRUTH_SCHEMA,
        "definition": "coverage = sum of hair fractions / pixels, scalp seen at < 60 degrees",
        "subjects": {name: {"seed": seed, **traits} for name, (seed, traits) in SUBJECTS.items()},
        "photographs": photographs,
    }


def _add_covisible(
    photographs: dict[str, Any], specs: list[PhotographSpec], prefix: str, work: Path
) -> None:
    names = [s.name for s in specs if s.name.startswith(prefix) and s.name not in BAD]
    series = [read_dense_truth(work / name) for name in names]
    for name, coverage in zip(names, covisible_coverage(series), strict=True):
        photographs[f"{name}.jpg"]["covisible_region"] = coverage


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` (the format of sha256sum) over every other file of `folder`."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "SHA256SUMS":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))
