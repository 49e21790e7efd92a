"""``track --deidentify``: every planted word is searched in every byte that it writes.

Heads and alignments are stand-ins: they hold no words.
"""

from __future__ import annotations

import base64
import csv
import json
import re
import zlib

import numpy as np
import pytest
from builders import Shift
from click.testing import CliRunner
from pictures import scene
from PIL import Image

from scalptrack import aligning, pipeline, pseudonyms, results
from scalptrack.cli.main import main
from scalptrack.records import Quality, Registration, Tier
from scalptrack.zones import FoundZones
from scalptrack.zoning import ZonedSeries
from tests.cli.test_deidentify import GPS_TEXTS, WORDS, Faceless, planted_exif

NAME, DAY, LATER = "Friederike Zwetschge", "2023-05-17", "2023-08-17"
DATES = (DAY, LATER, "2023:05:17", "17 May 2023", "May 2023", "17 August 2023", "20230517")
WORDS_HERE = (*WORDS, NAME.lower(), *DATES, *GPS_TEXTS, "Kaltbrunn")


def everything_in(folder) -> bytes:
    """Names and bytes of all files below a folder, also what is deflated or in base64.

    Strings of a PDF are joined: kerning tears words into pieces.
    """
    parts = []
    for path in folder.rglob("*"):
        parts.append(path.relative_to(folder).as_posix().encode())
        if not path.is_file():
            continue
        contents = [path.read_bytes()]
        contents += [
            base64.b64decode(each + b"=" * (-len(each) % 4))
            for each in re.findall(rb"[A-Za-z0-9+/]{60,}", contents[0])
        ]
        for content in tuple(contents):
            for start in re.finditer(rb"x[\x01\x5e\x9c\xda]", content):
                try:
                    contents.append(zlib.decompressobj().decompress(content[start.start() :]))
                except zlib.error:
                    continue
        for content in tuple(contents):
            contents.append(b"".join(re.findall(rb"\(((?:\\.|[^\\()])*)\)", content)))
        parts += contents
    return b"\n".join(parts)


def planted_words(content: bytes) -> set[str]:
    lower = content.lower()
    return {
        word
        for word in WORDS_HERE
        for code in ("utf-8", "utf-16-le", "utf-16-be")
        if word.lower().encode(code) in lower
    }


def plant(root):
    """Three photographs that can be measured, and what can't, with names and dates everywhere."""
    exif = planted_exif()
    for shade, (view, day) in enumerate((("vertex", DAY), ("vertex", LATER), ("frontal", DAY))):
        folder = root / NAME / view
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.roll(scene(300, 300), 5 * shade, axis=1)
        Image.fromarray(picture).save(folder / f"{day}.jpg", quality=95, exif=exif)
    whole = (root / NAME / "vertex" / f"{DAY}.jpg").read_bytes()
    (root / NAME / "vertex" / f"Zwetschge_{LATER}_9.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.roll(scene(300, 300), 20, axis=1)).save(
        root / NAME / "vertex" / f"Screenshot {LATER}.png"
    )
    (root / NAME / "vertex" / "Hinterdupfing.txt").write_text(WORDS[3])
    events = f"date,label,subject\n{DAY},Praxis Dr. Knopf,\n{LATER},Kaltbrunn,{NAME}\n"
    (root / "events.csv").write_text(events)
    (root / "visits.csv").write_text(
        "subject,visit_date,hair_length_mm,parting,note\n"
        f"{NAME},{DAY},20,Kaltbrunn,Hinterdupfing\n{NAME},{LATER},30,left,\n"
        f"Kaltbrunn,{DAY},20,left,\n"
    )
    return root


def stand_ins(patch: pytest.MonkeyPatch) -> None:
    registered = Registration(Tier.A, Shift(), (), 0.5, 80, 0.9, ())
    for module in (pipeline, results):
        patch.setattr(module, "shared_segmenter", Faceless)
    patch.setattr(results, "model_checksum", lambda: "0" * 64)
    patch.setattr(pipeline, "check_quality", lambda *each: Quality(()))
    patch.setattr(pipeline, "extract_features", lambda *each, **more: object())
    patch.setattr(results, "with_zones", lambda each, **more: ZonedSeries(each, FoundZones()))
    patch.setattr(aligning, "register", lambda *each, **more: registered)
    # With a key drawn by lot some shifted dates would by chance be planted ones.
    patch.setattr(pseudonyms.secrets, "token_bytes", lambda length: b"\x07" * length)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Originals, results, and what the command said."""
    root = tmp_path_factory.mktemp("nameless")
    photos = plant(root / f"{NAME} photos")
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    arguments = ["track", str(photos), "--out", str(root / "out"), "--pdf", "--json"]
    arguments += ["--deidentify", str(root / "my.key"), "--create-key", "--shift-dates", "300"]
    with pytest.MonkeyPatch.context() as patch:
        stand_ins(patch)
        result = CliRunner().invoke(main, [*arguments, "--jobs", "1"])
    assert before == {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    return root, result


def test_the_search_would_find_what_is_planted(run):
    found = planted_words(everything_in(run[0] / f"{NAME} photos"))
    assert found >= {*WORDS, DAY, LATER, "2023:05:17", "Kaltbrunn"}


def test_no_planted_word_is_in_any_output(run):
    root, result = run
    assert result.exit_code == 1, result.output
    assert planted_words(everything_in(root / "out")) == set()
    assert planted_words(result.output.encode()) == set()
    names = {path.name for path in (root / "out").rglob("*") if path.is_file()}
    assert {"report.html", "report.pdf", "timeline.svg", "measurements.csv"} <= names
    assert not (root / "out" / ".scalptrack" / "cache").exists()


def test_everything_else_is_there(run):
    root, result = run
    with (root / "out" / "measurements.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [each["status"] for each in rows] == ["measured"] * 4 + ["rejected"] * 2
    (subject,) = {each["subject"] for each in rows} - {""}
    assert re.fullmatch(r"p-[a-z2-7]{10}", subject)
    days = sorted({each["visit_date"] for each in rows if each["view"] == "vertex"} - {""})
    assert len(days) == 2
    assert all(re.fullmatch(r"2022-\d\d-\d\d|2023-0[1-7]-\d\d", day) for day in days)
    truncated = next(each for each in rows if each["reason_code"] == "truncated")
    assert truncated["reason"] == (
        "Rejected: truncated. The full reason names the file: see `scalptrack catalog`."
    )
    document = json.loads(result.stdout)
    assert document["provenance"]["deidentified"] is True
    (vertex,) = [each for each in document["timelines"] if each["view"] == "vertex"]
    assert sorted(each["label"] for each in vertex["events"]) == ["event 1", "event 2"]
    pictures = [path.name for path in (root / "out" / subject / "vertex").glob("*.aligned.jpg")]
    assert len(pictures) == 2  # The screenshot, which may show names, is measured and not shown.
    assert "not shown, as a face or text could not be covered: 1." in result.stderr


def test_the_face_is_grey_in_every_picture_of_a_frontal_view(run):
    root, _ = run
    shown = list((root / "out").glob("p-*/frontal/*.jpg"))
    assert {path.name.split(".")[-2] for path in shown} == {"overlay", "aligned"}
    for path in shown:
        with Image.open(path) as image:
            pixels = np.asarray(image).astype(int)
        assert np.abs(pixels[int(0.85 * len(pixels)) : -2] - 128).max() < 8
        assert np.ptp(pixels[: len(pixels) // 3]) > 100


def test_other_results_are_not_mixed_with_nameless_ones(run, tmp_path):
    root, _ = run
    photos, out = str(root / f"{NAME} photos"), str(root / "out")
    key = ["--deidentify", str(root / "my.key")]
    named = CliRunner().invoke(main, ["track", photos, "--out", out])
    assert named.exit_code == 2
    assert "holds de-identified results. Choose another folder for --out." in named.stderr
    other_dates = CliRunner().invoke(main, ["track", photos, "--out", out, *key])
    assert other_dates.exit_code == 2
    assert "holds other files than results that were de-identified" in other_dates.stderr
    (tmp_path / "mine.txt").write_text("mine")
    mine = CliRunner().invoke(main, ["track", photos, "--out", str(tmp_path), *key])
    assert "Choose an empty folder for --out." in mine.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
    alone = CliRunner().invoke(main, ["track", photos, "--out", out, "--shift-dates", "9"])
    assert "--create-key and --shift-dates go with --deidentify KEYFILE." in alone.stderr
