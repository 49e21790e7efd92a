"""The page with the headband: exact sizes, markers where the layout says, no file overwritten."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.fiducials import find_strip, layout, strip
from scalptrack.printing import card_pdf, draw_headband, headband_pdf
from scalptrack.printing.headband import BAND_X_MM, BAND_Y_MM, PIECE_STEP_MM

PX_PER_MM = 300 / 25.4


def _run(*arguments: object):
    return CliRunner().invoke(main, ["card", "--strip", *map(str, arguments)])


@pytest.mark.parametrize(("paper", "points"), [("a4", (595.276, 841.89)), ("letter", (612, 792))])
def test_the_page_has_the_papers_size_and_holds_vectors_only(paper, points):
    content = headband_pdf(paper)
    box = re.search(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", content)
    assert [float(each) for each in box.groups()] == pytest.approx(points, abs=0.01)
    assert b"/Subtype /Image" not in content
    assert headband_pdf(paper) == content


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_all_markers_are_on_the_page_in_the_order_of_the_band(paper):
    figure = draw_headband(paper).figure
    figure.set_dpi(300)
    figure.canvas.draw()
    found = find_strip(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
    assert found.ids == tuple(layout.HEADBAND_IDS)
    side = strip.MARKER_MM
    for number, seen in zip(found.ids, found.corners, strict=True):
        x, y = strip.headband_markers()[number]
        piece = int(x // strip.PIECE_MM)
        left = BAND_X_MM + x - piece * strip.PIECE_MM
        top = BAND_Y_MM + piece * PIECE_STEP_MM + y
        truth = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
        assert np.abs((seen + 0.5) / PX_PER_MM - truth).max() < 0.3


def test_the_pieces_lie_on_the_paper_and_not_on_each_other():
    assert strip.LENGTH_MM > 620
    assert strip.BAND_MM < PIECE_STEP_MM
    assert BAND_X_MM + strip.PIECE_MM + strip.TAB_MM < 210 - 14
    assert BAND_Y_MM + strip.PIECES * PIECE_STEP_MM + 20 < 279.4


def test_card_strip_writes_the_page_and_says_what_to_do(tmp_path):
    out = tmp_path / "band.pdf"
    result = _run("--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"{out}: print it at 100 % (actual size), cut out the pieces and glue them.\n"
    )
    assert result.stderr == "1 page written\n"
    assert out.read_bytes() == headband_pdf("a4")


def test_card_strip_replaces_its_own_pages_and_nothing_else(tmp_path):
    out = tmp_path / "band.pdf"
    assert _run("--out", out).exit_code == 0
    assert _run("--out", out, "--paper", "letter").exit_code == 0
    assert out.read_bytes() == headband_pdf("letter")
    out.write_bytes(card_pdf("a4"))
    result = _run("--out", out)
    assert result.exit_code == 2
    message = f"Error: {out} exists and is not this headband. Choose another name for --out."
    assert message in result.stderr
    assert out.read_bytes() == card_pdf("a4")


def test_card_strip_describes_itself_as_json(tmp_path):
    document = json.loads(_run("--out", tmp_path / "band.pdf", "--json").stdout)
    assert document["schema"] == "scalptrack.strip/1"
    assert document["marker_ids"] == list(range(200, 236))
    assert (document["band_mm"], document["pieces"]) == ([648.0, 20.0], 4)
    assert (document["marker_mm"], document["pitch_mm"]) == (13.0, 18.0)
    assert (document["paper"], document["page_mm"]) == ("a4", [210.0, 297.0])
