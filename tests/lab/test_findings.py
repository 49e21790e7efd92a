"""Faults done to rendered photographs, and how alarms and misses of the findings are counted."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lab.benchmarks.fault_photographs import PlacedSegmenter, framed
from lab.benchmarks.faults import GRADES, Frame, damaged, exposed, photographed
from lab.benchmarks.findings import by_finding, passes_at
from lab.shares import interval
from lab.strands.scene import render
from scalptrack.segmentation.crops import Crop

SIZE, HEAD_PX = 128, 80.0
SEED = next(seed for seed in range(950_001, 950_100) if framed(seed))


@pytest.fixture(scope="module")
def scene():
    return render(SEED, SIZE)


def taken(scene, fault, strength):
    return damaged(fault, strength, scene, exposed(scene), HEAD_PX, SEED)


def test_the_head_is_where_the_segmenter_was_told():
    scene = render(SEED, 512)
    _, image = photographed(exposed(scene), np.random.default_rng(1))
    rows, columns = np.nonzero(scene.region)
    side = int(1.3 * max(np.ptp(rows), np.ptp(columns)))
    crop = Crop(int(columns.mean() - side / 2), int(rows.mean() - side / 2), side)
    assert PlacedSegmenter().seen(image, crop).grid == crop.grid()


@pytest.mark.parametrize("frame", [Frame(), Frame(0.4), Frame(corner=(12.0, 30.0))])
def test_a_frame_leads_back_to_the_undamaged_picture(frame):
    points = np.random.default_rng(1).uniform(0, 700, (20, 2))
    np.testing.assert_allclose(frame.inverse_points(frame.map_points(points)), points)


@pytest.mark.parametrize(("fault", "grade"), [("cut off", 2), ("small head", 3)])
def test_a_pixel_is_found_again_in_a_smaller_or_cut_picture(scene, fault, grade):
    strength = GRADES[fault][grade] if fault == "cut off" else HEAD_PX / 2
    _, image, frame = taken(scene, fault, strength)
    _, whole, _ = taken(scene, "other noise", 0.0)
    whole = cv2.GaussianBlur(whole, (0, 0), 1.5).astype(np.float32)
    y, x = np.mgrid[4 : image.shape[0] - 4 : 3, 4 : image.shape[1] - 4 : 3]
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
    back = frame.inverse_points(points).astype(np.float32)
    there = cv2.remap(whole, back[:, np.newaxis, 0], back[:, np.newaxis, 1], cv2.INTER_LINEAR)
    here = cv2.GaussianBlur(image, (0, 0), 1.5 * frame.scale).astype(np.float32)
    there = there[:, 0].mean(-1)
    here = here[y.ravel(), x.ravel()].mean(-1)
    assert np.corrcoef(here, there)[0, 1] > 0.985


def test_a_fault_grows_with_its_grade_and_stays_in_its_place(scene):
    _, clean, _ = taken(scene, "other noise", 0.0)
    for fault in sorted(set(GRADES) - {"other noise", "small head", "cut off"}):
        gaps = []
        for strength in (GRADES[fault][0], GRADES[fault][-1]):
            image = taken(scene, fault, strength)[1]
            gaps.append(float(np.abs(image.astype(float) - clean)[scene.region].mean()))
        assert gaps[1] > 1.3 * gaps[0], fault


def test_a_photograph_is_the_same_whenever_it_is_taken(scene):
    for fault in ("shake", "shadow", "colour cast"):
        first, again = (taken(scene, fault, GRADES[fault][1])[0] for _ in range(2))
        assert first == again


def test_the_pixels_are_those_of_the_file(scene):
    code, image = photographed(exposed(scene), np.random.default_rng(1), 60)
    stored = np.asarray(Image.open(io.BytesIO(code)).convert("RGB"))
    assert np.abs(stored.astype(int) - image).max() <= 2


@pytest.mark.parametrize(
    ("hits", "count", "expected"),
    [(0, 10, (0, 30.85)), (3, 10, (6.67, 65.25)), (10, 10, (69.15, 100))],
)
def test_interval_is_clopper_and_pearsons(hits, count, expected):
    assert interval(hits, count) == pytest.approx(expected, abs=0.01)


def row(fault, strength, shift, *findings):
    return {"seed": 1, "fault": fault, "strength": strength, "shift": shift,
            "findings": [(code, severity, 0.0) for code, severity in findings]}  # fmt: skip


def test_alarms_and_misses_are_counted_over_the_harmless_and_the_harmful(capsys):
    rows = [
        row("clean", 0.0, 0.0),
        row("clean", 0.0, 0.0, ("blurred", "warning")),
        row("defocus", 0.25, 0.5),
        row("defocus", 0.5, -1.0, ("blurred", "warning")),
        row("defocus", 0.8, -3.0, ("blurred", "warning")),
        row("defocus", 0.8, 2.5),
        row("defocus", 1.2, 7.0, ("blurred", "error")),
        row("defocus", 1.2, 6.0, ("glare", "warning")),
        row("defocus", 1.2, float("nan"), ("no_head", "error")),
    ]
    assert passes_at(rows, "defocus") == "0.5 to 0.8 % of head width (SD)"
    by_finding(rows)
    line = next(each for each in capsys.readouterr().out.splitlines() if "| defocus" in each)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert [cell.split(" (")[0] for cell in cells[2:]] == ["2 of 4", "2 of 4", "1 of 4", "1 of 2"]
