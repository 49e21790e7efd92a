"""The guide of a series: its outline, its page, and what becomes of photographs that can't lead."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from builders import disc, segmentation_of
from click.testing import CliRunner
from pictures import FOCAL_LENGTH_35MM, MAKE, exif_bytes
from PIL import Image

from scalptrack.cli.main import main
from scalptrack.guide import draw_outline
from scalptrack.images import encode_transparent_png
from scalptrack.printing import Protocol, draw_protocol, protocol_pdf
from scalptrack.records import CaptureInfo, RegionClass
from scalptrack.single import Opened

PROTOCOL = Protocol(
    subject="anna",
    view="frontal",
    reference_name="anna/frontal/2026-01-10.jpg",
    reference_date="10 January 2026",
    picture=np.full((120, 90, 3), 128, np.uint8),
    distance_cm=48.3,
    focal_length_35mm=26.0,
    camera="Acme One",
    head_width_fraction=0.62,
)


def texts(protocol: Protocol, paper: str = "a4") -> list[str]:
    (axes,) = draw_protocol(protocol, paper).figure.axes
    return [each.get_text() for each in axes.texts]


@pytest.fixture(scope="module")
def guided(samples, tmp_path_factory):
    """Folder, result and JSON of `guide` over a series whose first photograph shows no head."""
    root = tmp_path_factory.mktemp("guide")
    vertex = root / "photos" / "anna" / "vertex"
    vertex.mkdir(parents=True)
    grey = np.random.default_rng(1).normal(128, 20, (400, 400, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(grey).save(vertex / "2024-01-01.png")
    photo = samples / "subject-03" / "vertex" / "2024-03-04_1.jpg"
    exif = exif_bytes({MAKE: "Acme", FOCAL_LENGTH_35MM: 56})
    Image.open(photo).save(vertex / "2024-03-04.jpg", quality=95, exif=exif)
    shutil.copytree(vertex, root / "empty" / "ben" / "frontal")
    (root / "empty" / "ben" / "frontal" / "2024-03-04.jpg").unlink()
    arguments = ["guide", str(root / "photos"), "--out", str(root / "out"), "--json"]
    result = CliRunner().invoke(main, arguments)
    return root, result, json.loads(result.stdout)


def test_the_earliest_usable_photograph_leads(guided):
    _, result, document = guided
    assert result.exit_code == 0, result.output
    assert document["schema"] == "scalptrack.guide/1"
    (guide,) = document["guides"]
    assert (guide["subject"], guide["view"]) == ("anna", "vertex")
    assert guide["reference"] == "anna/vertex/2024-03-04.jpg"
    assert [each["photo"] for each in guide["passed_over"]] == ["anna/vertex/2024-01-01.png"]
    assert guide["camera"] == "Acme"
    assert result.stderr.splitlines()[-1] == "1 view: 1 guide written, 0 without"


def test_the_distance_is_that_of_the_rendered_camera(guided, samples):
    truth = json.loads((samples / "truth.json").read_text())["photographs"]
    expected = truth["subject-03/vertex/2024-03-04_1.jpg"]
    (guide,) = guided[2]["guides"]
    assert guide["distance_cm"] == pytest.approx(expected["visit"]["distance_cm"], rel=0.15)
    # Mean of breadth and length: seen from above a head is 1.27 times as long as it is broad.
    share = np.sqrt(1.27) * expected["head_width_px"] / 900
    assert guide["head_width_fraction"] == pytest.approx(share, rel=0.1)


def test_the_outline_has_the_photographs_shape_and_lets_the_camera_through(guided):
    root, _, document = guided
    path = root / "out" / document["guides"][0]["files"]["outline"]
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGBA", (900, 1200))
        opacity = np.asarray(image)[..., 3]
    assert opacity[0, 0] == opacity[-1, -1] == 0
    assert opacity[600, 450] == 110
    assert 0.002 < (opacity == 255).mean() < 0.05


def test_a_rerun_writes_the_same_and_a_file_of_the_users_is_kept(guided):
    root, _, document = guided
    files = [root / "out" / each for each in document["guides"][0]["files"].values()]
    before = [each.read_bytes() for each in files]
    arguments = ["guide", str(root / "photos"), "--out", str(root / "out")]
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 0, again.output
    assert again.stdout == f"anna, vertex: {files[1]}, by anna/vertex/2024-03-04.jpg\n"
    assert [each.read_bytes() for each in files] == before
    files[0].write_bytes(b"mine")
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert "was not written by scalptrack" in refused.stderr
    assert files[0].read_bytes() == b"mine"


def test_a_series_without_a_usable_photograph_gets_a_reason(guided):
    root = guided[0]
    arguments = ["guide", str(root / "empty"), "--out", str(root / "none")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout.startswith("ben, frontal: The 1 photograph can't be a reference. ")
    assert "Error: There is no guide: no view has a usable photograph." in result.stderr


def test_lines_lie_on_the_borders_of_head_and_scalp():
    # A hole in the scalp gets no line.
    head, scalp = disc(240, 80), disc(240, 50) & ~disc(240, 12)
    segmentation = segmentation_of(np.zeros((240, 240)), scalp)
    classes = np.where(head & ~scalp, np.uint8(RegionClass.OTHER_SKIN), segmentation.classes)
    segmentation = replace(segmentation, classes=classes)
    opened = Opened(np.full((240, 240, 3), 90, np.uint8), CaptureInfo(), segmentation)
    picture, outline = draw_outline(opened)
    y, x = np.mgrid[:240, :240]
    radius = np.hypot(x - 119.5, y - 119.5)
    yellow = (np.abs(picture.astype(int) - (255, 225, 60)).max(axis=2) < 40) & (radius > 0)
    near = np.minimum(np.abs(radius - 80), np.abs(radius - 50))
    for border in (80, 50):
        assert (yellow & (np.abs(radius - border) < 4)).sum() > 2 * np.pi * border
    assert near[yellow].max() < 4
    assert (outline[..., 3][radius > 90] == 0).all()
    assert (outline[..., 3][radius < 40] == 110).all()


def test_the_page_names_what_to_keep_the_same():
    words = texts(PROTOCOL)
    assert "Next photographs: anna, frontal" in words
    assert "To be compared with the photograph of 10 January 2026." in words
    assert {"Acme One", "26 mm (35 mm film)", "about 48 cm", "62 % of its shorter side"} <= set(
        words
    )
    assert any(each.startswith("1. View from the front: face the camera") for each in words)
    assert "scalptrack check TODAY.jpg --against anna/frontal/2026-01-10.jpg" in words


def test_what_the_file_does_not_state_is_not_made_up():
    unknown = replace(PROTOCOL, view="scar", distance_cm=None, focal_length_35mm=None, camera=None)
    words = texts(unknown, "letter")
    assert "not known" in words
    assert "not stated: the main lens (1x), no zoom" in words
    assert "not stated: always use the same one" in words
    assert any(each.startswith("1. View: hold the head as in the picture") for each in words)


def test_no_text_leaves_the_page():
    long = replace(PROTOCOL, subject="a" * 90, camera="b" * 90, reference_name="c" * 200)
    for paper in ("a4", "letter"):
        sheet = draw_protocol(long, paper)
        renderer = sheet.figure.canvas.get_renderer()
        boxes = [each.get_window_extent(renderer) for each in sheet.figure.axes[0].texts]
        page = sheet.figure.bbox
        assert min(each.x0 for each in boxes) > 0
        assert max(each.x1 for each in boxes) < page.x1
        assert min(each.y0 for each in boxes) > 0


def test_the_same_facts_give_the_same_page():
    assert protocol_pdf(PROTOCOL, "a4") == protocol_pdf(PROTOCOL, "a4")


def test_a_picture_without_opacity_is_not_taken_for_one_with_it():
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 4\)"):
        encode_transparent_png(np.zeros((4, 4, 3), np.uint8))
