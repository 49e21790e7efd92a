"""Whether registration says the same with another number of threads and on another processor.

    python -m lab.benchmarks.processors FOLDER [--pairs N]

FOLDER holds several photographs of each person with their truth (``lab.training.renders
--validation``). The same pairs are aligned in processes of their own: as here, with two threads,
and with the vector instructions of newer processors taken from OpenCV, NumPy and OpenBLAS. Printed
is how far the mapped points of the scalp differ, and whether any pair is decided otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lab.benchmarks.bad_pairs import evenly, followed
from lab.benchmarks.bad_photographs import Picture
from lab.benchmarks.registration import exif_focal, load
from scalptrack.registration import extract_features, register

OLD_PROCESSOR = {
    "OPENCV_CPU_DISABLE": "AVX2,FP16,AVX512_SKX,AVX512_ICL,AVX512_COMMON,AVX_512F",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_ICL",
    "OPENBLAS_CORETYPE": "Nehalem",
}
VARIANTS: dict[str, dict[str, str]] = {
    "as here, one thread": {"OPENBLAS_NUM_THREADS": "1", "THREADS": "1"},
    "two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "THREADS": "2"},
    "older processor": {"OPENBLAS_NUM_THREADS": "1", "THREADS": "1"} | OLD_PROCESSOR,
}
SEED = 20260101


def aligned(folder: Path, count: int) -> list[dict[str, Any]]:
    """What registration says of the pairs in this process."""
    cv2.setNumThreads(int(os.environ.get("THREADS", "1")))
    rows = []
    for pair in evenly(followed([Picture(shot) for shot in load(folder)]), count):
        features = [
            extract_features(
                each.image(), each.true_segmentation(), focal_length_35mm=exif_focal(each.shot)
            )
            for each in pair
        ]
        found = register(*features, seed=SEED)
        row = {"names": [each.name for each in pair], "registered": found.registered}
        if found.transform is not None:
            grid = features[0].grid.photograph_points()[features[0].scalp.ravel()][::50]
            mapped = found.transform.map_points(grid)
            row |= {"points": mapped.tolist(), "width_px": features[1].head_width_px}
            row["gates"] = {gate.name: gate.value for gate in found.gates}
        rows.append(row)
    return rows


def in_process(folder: Path, count: int, environment: dict[str, str]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "lab.benchmarks.processors", str(folder)]
    command += ["--pairs", str(count), "--worker"]
    found = subprocess.run(
        command, env=os.environ | environment, capture_output=True, check=True, text=True
    )
    return json.loads(found.stdout.splitlines()[-1])


def compare(base: list[dict[str, Any]], other: list[dict[str, Any]]) -> str:
    """How far two runs differ, in words."""
    otherwise = sum(a["registered"] != b["registered"] for a, b in zip(base, other, strict=True))
    gaps, middle, gates = [0.0], [0.0], [0.0]
    for a, b in zip(base, other, strict=True):
        if not (a["registered"] and b["registered"]):
            continue
        gap = np.linalg.norm(np.array(a["points"]) - np.array(b["points"]), axis=1)
        gaps.append(100.0 * float(np.nanmax(gap)) / a["width_px"])
        middle.append(100.0 * float(np.nanmedian(gap)) / a["width_px"])
        gates += [
            abs(a["gates"][name] - b["gates"][name]) / max(abs(a["gates"][name]), 1e-9)
            for name in a["gates"].keys() & b["gates"].keys()
        ]
    return (
        f"{otherwise} of {len(base)} pairs decided otherwise; points differ by at most "
        f"{max(gaps):.4f} % of the head's width (medians of the pairs: "
        f"{', '.join(f'{each:.4f}' for each in middle[1:])} %), a gate's value by at most "
        f"{100 * max(gates):.2f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(aligned(options.folder, options.pairs)))
        return
    base: list[dict[str, Any]] | None = None
    for name, environment in VARIANTS.items():
        found = in_process(options.folder, options.pairs, environment)
        if base is None:
            base = found
            print(f"{name}: {sum(row['registered'] for row in found)} of {len(found)} registered")
        else:
            print(f"{name}: {compare(base, found)}", flush=True)


if __name__ == "__main__":
    main()
