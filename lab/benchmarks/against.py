"""What ``check --against`` measures between photographs of one rendered person, and how exactly.

Reads a folder with ``truth.json`` (sample_images). Every photograph is compared with the first of
its subject and view: pose and distance beside the truth, and how much exposure, colour, fall of
light and blur differ between good photographs, which is what the limits must not warn of.

Usage: ``python -m lab.benchmarks.against FOLDER [--photographs N]``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from scalptrack.against import compare_sides, prepare_side
from scalptrack.errors import ScalptrackError
from scalptrack.records import Settings
from scalptrack.single import open_photograph


def true_pose(reference: dict, moving: dict) -> tuple[float, float, float, float]:
    """Nod, turn and roll in degrees, and distance in percent, from the renderer's cameras."""
    before, after = (np.array(each["camera_from_head_rotation"]) for each in (reference, moving))
    angles = Rotation.from_matrix(after @ before.T).as_euler("xyz", degrees=True)
    away = [np.linalg.norm(each["camera_from_head_translation_cm"]) for each in (reference, moving)]
    return (*angles, 100 * (away[1] / away[0] - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photographs", type=int, default=100)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    truth = json.loads((arguments.folder / "truth.json").read_text())["photographs"]
    good = sorted(name for name, each in truth.items() if not each.get("fault"))
    references: dict[str, tuple] = {}
    errors, others = [], []
    for name in good:
        series = name.rsplit("/", 1)[0]
        if series in references and len(errors) >= arguments.photographs:
            continue
        try:
            opened = open_photograph(arguments.folder / name, Settings())
        except ScalptrackError as error:
            print(name, error)
            continue
        side = prepare_side(opened.image, opened.segmentation, opened.capture)
        if series not in references:
            references[series] = (name, side)
            continue
        first, reference = references[series]
        found, findings = compare_sides(reference, side, seed=20260101)
        others.append(
            [
                found.exposure_stops or 0.0,
                max(found.warmth_stops or 0.0, found.green_stops or 0.0, key=abs),
                np.hypot(found.light_across_stops or 0.0, found.light_down_stops or 0.0),
                found.blur_percent or 0.0,
            ]
        )
        codes = [each.code for each in findings]
        measured = (found.nod_deg, found.turn_deg, found.roll_deg, found.distance_percent)
        if found.registered:
            expected = true_pose(truth[first]["camera"], truth[name]["camera"])
            errors.append(np.subtract(measured, expected))
            print(name, np.round(measured, 1), "truth", np.round(expected, 1), codes, flush=True)
        else:
            print(name, "not aligned", codes, flush=True)
        print("   exposure, colour, light, blur:", np.round(others[-1], 2), flush=True)
    print("\nlargest error of nod, turn, roll (degrees) and distance (%), median:")
    print(np.round(np.abs(errors).max(axis=0), 2), np.round(np.median(np.abs(errors), axis=0), 2))
    print("between good photographs, largest and median: exposure, colour, light, blur")
    print(np.round(np.abs(others).max(axis=0), 2), np.round(np.median(np.abs(others), axis=0), 2))


if __name__ == "__main__":
    main()
