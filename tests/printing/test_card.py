"""The printed page: exact sizes, the same bytes, and that a detector finds what was drawn."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.fiducials import layout, markers
from scalptrack.printing import card_pdf, draw_card
from scalptrack.printing.card import CARD_X_MM, CARD_Y_MM, STRIP_X_MM, STRIP_Y_MM

DPI = 300
PX_PER_MM = DPI / 25.4


def _raster(paper: str) -> np.ndarray:
    figure = draw_card(paper).figure
    figure.set_dpi(DPI)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


@pytest.fixture(scope="module")
def a4() -> np.ndarray:
    return _raster("a4")


def _found(picture: np.ndarray) -> dict[int, np.ndarray]:
    detector = cv2.aruco.ArucoDetector(markers.dictionary())
    corners, ids, _ = detector.detectMarkers(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    return {int(n): c.reshape(4, 2) for n, c in zip(ids.ravel(), corners, strict=True)}


def _run(*arguments: object):
    return CliRunner().invoke(main, ["card", *map(str, arguments)])


@pytest.mark.parametrize(("paper", "points"), [("a4", (595.276, 841.89)), ("letter", (612, 792))])
def test_the_page_has_the_papers_size_and_holds_vectors_only(paper, points):
    content = card_pdf(paper)
    box = re.search(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", content)
    assert [float(each) for each in box.groups()] == pytest.approx(points, abs=0.01)
    assert b"/Subtype /Image" not in content
    assert b"CreationDate" not in content


def test_a_square_of_the_board_is_13_mm_in_the_file_itself():
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", card_pdf("a4"), re.DOTALL)
    page = max((_inflated(each) for each in streams), key=lambda each: each.count(b" l\n"))
    x0, bottom = CARD_X_MM + 6, 297 - CARD_Y_MM - 6 - 13
    corner = re.compile(rb"([\d.]+) ([\d.]+) m\n([\d.]+) ([\d.]+) l\n([\d.]+) ([\d.]+) l")
    mm = [np.array([float(n) for n in m.groups()]) * 25.4 / 72 for m in corner.finditer(page)]
    square = [(p.reshape(3, 2).min(axis=0), np.ptp(p.reshape(3, 2), axis=0)) for p in mm]
    sides = [side for low, side in square if np.abs(low - (x0, bottom)).max() < 0.01]
    assert any(np.abs(side - 13).max() < 0.001 for side in sides)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_another_process_writes_the_same_bytes():
    code = (
        "import hashlib\nfrom scalptrack.printing import card_pdf\n"
        "print(hashlib.sha256(card_pdf('letter')).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_all_markers_of_the_page_are_found_where_the_layout_says(a4):
    found = _found(a4)
    expected = {
        number: (CARD_X_MM + x, CARD_Y_MM + y, layout.MARKER_MM)
        for number, (x, y) in layout.board_markers().items()
    } | {
        number: (STRIP_X_MM + x, STRIP_Y_MM + y, layout.STRIP_MARKER_MM)
        for number, (x, y) in layout.strip_markers().items()
    }
    assert set(found) == set(expected)
    for number, (x, y, side) in expected.items():
        corners = (found[number] + 0.5) / PX_PER_MM
        truth = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        assert np.abs(corners - truth).max() < 0.2


def test_the_patches_on_the_page_have_their_stated_colours(a4):
    for patch in layout.patches():
        x, y = patch.centre_mm
        pixel = a4[round((CARD_Y_MM + y) * PX_PER_MM), round((CARD_X_MM + x) * PX_PER_MM)]
        assert np.abs(pixel.astype(int) - patch.srgb).max() <= 1


def test_the_picture_of_the_card_and_the_page_agree(a4):
    expected = markers.card_picture(6)
    size = (expected.shape[1] / 6 * PX_PER_MM, expected.shape[0] / 6 * PX_PER_MM)
    x0, y0 = CARD_X_MM * PX_PER_MM, CARD_Y_MM * PX_PER_MM
    part = a4[round(y0) : round(y0 + size[1]), round(x0) : round(x0 + size[0])]
    part = cv2.resize(part, expected.shape[1::-1], interpolation=cv2.INTER_AREA)
    inner = np.s_[30:-60, 30:-30]
    difference = np.abs(part.astype(int) - expected.astype(int))[inner]
    assert (difference > 128).mean() < 0.02


def test_board_and_opencv_agree_on_where_the_markers_are():
    points = markers.board().getObjPoints()
    ids = markers.board().getIds().ravel()
    for number, corners in zip(ids, points, strict=True):
        x, y = layout.board_markers()[int(number)]
        origin = (x - layout.BOARD_X_MM, y - layout.BOARD_Y_MM)
        assert corners[0][:2] == pytest.approx(origin, abs=1e-4)


def test_the_versions_share_no_marker():
    used = [set(layout.board_markers(v)) | set(layout.strip_markers(v)) for v in (1, 2)]
    assert not used[0] & used[1]
    assert [{layout.version_of(n) for n in ids} for ids in used] == [{1}, {2}]


def test_card_writes_the_page_and_says_what_to_do(tmp_path):
    out = tmp_path / "card.pdf"
    result = _run("--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"{out}: print it at 100 % (actual size) and check both printed scales.\n"
    )
    assert result.stderr == "1 page written\n"
    assert out.read_bytes() == card_pdf("a4")


def test_card_replaces_its_own_pages_and_nothing_else(tmp_path):
    out = tmp_path / "card.pdf"
    assert _run("--out", out).exit_code == 0
    assert _run("--out", out, "--paper", "letter").exit_code == 0
    assert out.read_bytes() == card_pdf("letter")
    out.write_bytes(b"a letter to somebody")
    result = _run("--out", out)
    assert result.exit_code == 2
    assert (
        f"Error: {out} exists and is not this card. Choose another name for --out." in result.stderr
    )
    assert out.read_bytes() == b"a letter to somebody"


def test_card_describes_itself_as_json(tmp_path):
    out = tmp_path / "card.pdf"
    document = json.loads(_run("--out", out, "--paper", "letter", "--json").stdout)
    assert document["schema"] == "scalptrack.card/1"
    assert (document["version"], document["dictionary"]) == (1, "DICT_5X5_250")
    assert document["page_mm"] == [215.9, 279.4]
    assert document["marker_ids"]["board"] == list(range(17))
    assert {"name": "g1", "x_mm": 7.5, "y_mm": 76.5, "srgb": [235] * 3} in document["patches"]
