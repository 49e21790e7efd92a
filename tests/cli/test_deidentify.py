"""Copies that don't say whose head it is: every planted word is searched in every byte."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pictures
import pytest
from builders import disc, segmentation_of
from click.testing import CliRunner
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from scalptrack.catalog import catalog_folder
from scalptrack.cli.main import main
from scalptrack.errors import HeadNotFoundError
from scalptrack.images import read_header, read_photograph
from scalptrack.records import RegionClass

WORDS = ("Zwetschge", "Friederike", "Hinterdupfing", "SN-90417733", "Praxis Dr. Knopf")
DAY = "2023-05-17"
DATES = ("2023:05:17", "2023-05-17", "20230517")
BIRTH_DATE = "19611109"
LATITUDE = ((48, 1), (8, 1), (14777, 1000))
GPS_TEXTS = ("48.1374",)


class Faceless:
    """A segmenter that finds the same head everywhere: scalp above, face below."""

    method = "test"

    def segment(self, image, *, perturbations=0):
        height, width = image.shape[:2]
        size = min(height, width)
        if image.mean() > 250:
            raise HeadNotFoundError("nothing here")
        head = disc(size, 0.4 * size)
        rows = np.arange(size)[:, np.newaxis] * np.ones(size, int)
        scalp = head & (rows < 0.5 * size)
        segmentation = segmentation_of(np.zeros((size, size)), scalp)
        classes = segmentation.classes.copy()
        if image[..., 2].mean() < 200:
            classes[head & ~scalp] = RegionClass.OTHER_SKIN
        return dataclasses.replace(segmentation, classes=classes, photograph_shape=(height, width))


@pytest.fixture
def light_segmenter(monkeypatch):
    monkeypatch.setattr("scalptrack.deidentify.shared_segmenter", Faceless)


def planted_exif():
    exif = Image.Exif()
    exif[0x010E] = WORDS[0]
    exif[0x013B] = WORDS[1]
    exif[0x8298] = WORDS[4]
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif[0x0132] = "2023:05:17 10:15:00"
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = "2023:05:17 10:15:00"
    inner[0xA430], inner[0xA431], inner[0xA435] = WORDS[1], WORDS[3], WORDS[3]
    inner[0x9286] = b"UNICODE\0" + WORDS[2].encode("utf-16-le")
    inner[0x927C] = b"maker " + WORDS[3].encode()
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", tuple(IFDRational(*each) for each in LATITUDE)
    place[29] = "2023:05:17"
    return exif


def xmp():
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-"
        f"syntax-ns#'><rdf:Description dc:creator='{WORDS[0]}' exif:GPSLatitude='{GPS_TEXTS[0]}' "
        f"photoshop:City='{WORDS[2]}' xmp:CreateDate='{DAY}T10:15:00' aux:SerialNumber='{WORDS[3]}'"
        "/></rdf:RDF></x:xmpmeta>"
    ).encode()


def iptc_segment():
    records = b""
    for number, text in ((80, WORDS[0]), (90, WORDS[2]), (55, "20230517"), (120, WORDS[4])):
        records += struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text.encode()
    records += b"\0" * (len(records) % 2)
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records
    return b"\xff\xed" + struct.pack(">H", len(block) + 2) + block


def named_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), "Zwet".encode("utf-16-be"))


@pytest.fixture
def planted(tmp_path):
    """Photographs with a name, dates, a place and serial numbers wherever a format has room."""
    folder = tmp_path / "originals" / "Friederike Zwetschge"
    scene = Image.fromarray(pictures.scene(300, 240))
    frontal, vertex = folder / "frontal", folder / "vertex"
    strange = folder / "Hinterdupfing donor"
    for each in (frontal, vertex, strange):
        each.mkdir(parents=True)
    exif, profile = planted_exif(), named_profile()
    scene.save(
        frontal / f"{DAY}_1.jpg", exif=exif, xmp=xmp(), comment=WORDS[0], icc_profile=profile
    )
    content = (frontal / f"{DAY}_1.jpg").read_bytes()
    content = content[:2] + iptc_segment() + content[2:] + b"trailer " + WORDS[3].encode()
    (frontal / f"{DAY}_1.jpg").write_bytes(content)
    texts = PngInfo()
    texts.add_text("Author", WORDS[0])
    texts.add_text("Comment", f"{WORDS[2]} {DAY}", zip=True)
    texts.add_itxt("Description", WORDS[4], zip=True)
    texts.add_itxt("XML:com.adobe.xmp", xmp().decode())
    scene.save(vertex / f"{DAY}.png", pnginfo=texts, exif=exif, icc_profile=profile)
    scene.rotate(3).save(vertex / "20230517_101500.tif", exif=exif, description=WORDS[0])
    (strange / f"Zwetschge_{DAY}.heic").write_bytes(
        pictures.heic(np.asarray(scene.rotate(5)), exif=None)
    )
    buffer = pictures.heic(np.asarray(scene.rotate(7)), xmp=xmp())
    (vertex / f"{DAY}_2.heic").write_bytes(buffer)
    scene.rotate(9).save(vertex / f"{DAY}_3.heic", "HEIF", exif=exif.tobytes(), xmp=xmp())
    scene.rotate(11).save(vertex / f"{DAY}_4.webp", exif=exif, xmp=xmp())
    scene.rotate(13).save(vertex / "Friederike.jpg")
    if find_spec("pydicom") is None:
        return tmp_path / "originals"
    (vertex / "scan.dcm").write_bytes(
        pictures.dicom(
            np.asarray(scene.rotate(15)),
            PatientName="Zwetschge^Friederike",
            StudyDate="20230517",
            PatientBirthDate=BIRTH_DATE,
            DeviceSerialNumber="SN-90417733",
            InstitutionName="Praxis Dr. Knopf",
        )
    )
    return tmp_path / "originals"


def needles():
    """Every planted value in each way that a file may hold it."""
    for word in (*WORDS, WORDS[0].lower(), *DATES, BIRTH_DATE, *GPS_TEXTS):
        yield word.encode()
        yield word.encode("utf-16-le")
        yield word.encode("utf-16-be")
    for order in "<>":
        yield struct.pack(f"{order}II", *LATITUDE[2])


def found_in(folder):
    """Planted values in names and bytes of all files below a folder, also in what is deflated."""
    found = []
    for path in folder.rglob("*"):
        content = path.relative_to(folder).as_posix().encode() + b"\n"
        if path.is_file():
            content += path.read_bytes()
        for start in range(len(content)):
            if content[start : start + 1] == b"x":
                try:
                    content += zlib.decompressobj().decompress(content[start:], 1 << 16)
                except zlib.error:
                    continue
        found += [(path.name, each) for each in needles() if each in content]
    return found


def invoke(*arguments):
    return CliRunner().invoke(main, ["deidentify", *map(str, arguments)])


def test_no_planted_byte_is_in_any_output(planted, tmp_path, light_segmenter):
    before = {path: path.read_bytes() for path in planted.rglob("*") if path.is_file()}
    out, key = tmp_path / "out", tmp_path / "my.key"
    assert len({name for name, _ in found_in(planted)}) >= 10
    result = invoke(
        planted, "--out", out, "--key", key, "--create-key", "--shift-dates", 300, "--json"
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.deidentify/1"
    assert document["counts"] == {"copied": len(before), "withheld": 0, "rejected": 0}
    assert len(before) >= 8
    assert found_in(out) == []
    assert before == {path: path.read_bytes() for path in planted.rglob("*") if path.is_file()}
    hidden = [path.name for path in out.rglob("*") if path.name.startswith(".")]
    assert hidden == [".scalptrack"]


def test_the_search_would_find_what_is_planted(planted, tmp_path):
    """The oracle itself: every planted value is found, and each file that holds one."""
    everything = {needle for _, needle in found_in(planted)}
    for text in (*WORDS, *DATES, *GPS_TEXTS):
        assert everything & {text.encode(), text.encode("utf-16-le")}, text
    assert any(len(needle) == 8 and b"\0" in needle for needle in everything)  # a GPS rational
    for path in planted.rglob("*.*"):
        alone = tmp_path / "alone"
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir()
        shutil.copy(path, alone / "a")
        nothing_inside = path.name in {f"Zwetschge_{DAY}.heic", "Friederike.jpg"}
        assert bool(found_in(alone)) != nothing_inside, path


def test_copies_hold_pixels_and_nothing_else(planted, tmp_path, light_segmenter):
    out = tmp_path / "out"
    invoke(planted, "--out", out, "--key", tmp_path / "my.key", "--create-key")
    pictures_written = [path for path in out.rglob("*") if path.suffix in {".jpg", ".png"}]
    assert len(pictures_written) == sum(path.is_file() for path in planted.rglob("*"))
    for path in pictures_written:
        with Image.open(path) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        capture = read_header(path).capture
        assert (capture.taken_at, capture.camera) == (None, None)


def test_copies_are_a_folder_that_can_be_tracked(planted, tmp_path, light_segmenter):
    out = tmp_path / "out"
    invoke(planted, "--out", out, "--key", tmp_path / "my.key", "--create-key")
    catalog = catalog_folder(out)
    assert [each.reason.code for each in catalog.rejected] == ["no_date"]
    subjects = {each.subject for each in catalog.photographs}
    assert len(subjects) == 1
    assert subjects.pop().startswith("p-")
    views = {each.view for each in catalog.photographs}
    assert {"frontal", "vertex"} < views
    assert {view[:5] for view in views - {"frontal", "vertex"}} == {"view-"}


def test_orientation_is_baked_in(tmp_path, light_segmenter):
    scene = pictures.scene(240, 200)
    folder = tmp_path / "photos" / "s" / "vertex"
    folder.mkdir(parents=True)
    exif = pictures.exif_bytes({pictures.ORIENTATION: 6})
    stored = Image.fromarray(np.ascontiguousarray(pictures.AS_STORED[6](scene)))
    stored.save(folder / f"{DAY}.jpg", exif=exif, quality=95)
    out = tmp_path / "out"
    invoke(tmp_path / "photos", "--out", out, "--key", tmp_path / "k", "--create-key")
    (path,) = out.rglob("*.jpg")
    with Image.open(path) as image:
        copy = np.asarray(image).astype(int)
    assert copy.shape == scene.shape
    # The stand-in finds skin here, so the lower part is covered; the upper one is the scene.
    assert np.abs(copy[:40] - scene[:40]).mean() < 3


def two_photographs(folder, *, faceless=False):
    target = folder / "anna" / "frontal"
    target.mkdir(parents=True)
    Image.fromarray(pictures.scene(240, 200)).save(target / "2024-01-01.jpg", quality=95)
    if faceless:
        blue = np.full((240, 200, 3), (30, 30, 240), np.uint8)
        Image.fromarray(blue).save(target / "2024-02-01.jpg", quality=95)
    return folder


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def rows_of(out):
    with (out / "deidentified.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_face_that_cannot_be_covered_is_withheld_and_listed(tmp_path, light_segmenter):
    photos = two_photographs(tmp_path / "photos", faceless=True)
    out, key = tmp_path / "out", tmp_path / "k"
    result = invoke(photos, "--out", out, "--key", key, "--create-key")
    assert result.exit_code == 1
    assert "withheld  anna/frontal/2024-02-01.jpg: The face could not be covered: no face was " in (
        result.stdout
    )
    assert (
        "2 files: 1 copied, 1 withheld because a face or text could not be covered" in result.stderr
    )
    assert [(row["status"], row["face"], bool(row["copy"])) for row in rows_of(out)] == [
        ("withheld", "not covered", False),
        ("copied", "covered", True),
    ]
    assert "anna" not in (out / "deidentified.csv").read_text()
    again = invoke(photos, "--out", tmp_path / "all", "--key", key, "--keep-uncovered", "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["counts"] == {"copied": 2, "withheld": 0, "rejected": 0}


def test_pictures_that_may_hold_text_are_withheld(tmp_path, light_segmenter):
    """A screenshot of a chat shows who sent the photograph; a clinic burns the name into it."""
    pytest.importorskip("pydicom")
    folder = two_photographs(tmp_path / "photos") / "anna" / "frontal"
    screen = pictures.scene(260, 200)
    Image.fromarray(screen).save(folder / "Screenshot_20240301-101500.png")
    texts = {"2024-04-01": "YES", "2024-05-01": "NO"}
    for day, answer in texts.items():
        content = pictures.dicom(pictures.scene(240, 210), BurnedInAnnotation=answer, StudyID=day)
        (folder / f"{day}.dcm").write_bytes(content)
    out, key = tmp_path / "out", tmp_path / "k"
    result = invoke(folder.parents[1], "--out", out, "--key", key, "--create-key", "--json")
    assert result.exit_code == 1
    copies = {each["name"][13:]: each for each in json.loads(result.stdout)["photographs"]}
    assert {name: each["status"] for name, each in copies.items()} == {
        "2024-01-01.jpg": "copied",
        "Screenshot_20240301-101500.png": "withheld",
        "2024-04-01.dcm": "withheld",
        "2024-05-01.dcm": "copied",
    }
    assert copies["Screenshot_20240301-101500.png"]["reason"] == (
        "Text could not be covered: a screenshot may show names beside the photograph."
    )
    assert copies["2024-04-01.dcm"]["reason"] == (
        "Text could not be covered: its file says that text is written into the picture, which may "
        "be a name."
    )
    assert len([path for path in out.rglob("*") if path.suffix in {".jpg", ".png"}]) == 2


def test_a_rerun_gives_the_same_bytes_and_another_key_other_names(tmp_path, light_segmenter):
    photos = two_photographs(tmp_path / "photos")
    out, key = tmp_path / "out", tmp_path / "k"
    options = ("--shift-dates", 100, "--quiet")
    assert invoke(photos, "--out", out, "--key", key, "--create-key", *options).exit_code == 0
    first = files_of(out)
    assert invoke(photos, "--out", out, "--key", key, *options).exit_code == 0
    assert first == files_of(out)
    other = tmp_path / "other"
    invoke(photos, "--out", other, "--key", tmp_path / "k2", "--create-key", *options)
    names = {path.parent.parent.name for path in (*out.rglob("*.jpg"), *other.rglob("*.jpg"))}
    assert len(names) == 2


def test_another_file_of_the_name_is_not_replaced(tmp_path, light_segmenter):
    photos = two_photographs(tmp_path / "photos")
    out, key = tmp_path / "out", tmp_path / "k"
    invoke(photos, "--out", out, "--key", key, "--create-key")
    (copy,) = out.rglob("*.jpg")
    copy.write_bytes(b"mine")
    result = invoke(photos, "--out", out, "--key", key)
    assert result.exit_code == 2
    assert "exists and differs from this copy" in result.stderr
    assert copy.read_bytes() == b"mine"


def test_a_second_run_keeps_what_the_first_one_listed(tmp_path, light_segmenter):
    """Next month's photographs alone, into the same folder."""
    out, key = tmp_path / "out", tmp_path / "k"
    invoke(two_photographs(tmp_path / "first", faceless=True), "--out", out, "--key", key,
           "--create-key")  # fmt: skip
    before, listed = files_of(out), rows_of(out)
    later = tmp_path / "second" / "anna" / "vertex"
    later.mkdir(parents=True)
    Image.fromarray(pictures.scene(200, 240)).save(later / "2024-03-01.jpg", quality=95)
    assert invoke(tmp_path / "second", "--out", out, "--key", key).exit_code == 0
    rows = rows_of(out)
    assert [row for row in rows if row in listed] == listed
    assert [row["view"] for row in rows if row not in listed] == ["vertex"]
    after = files_of(out)
    assert {name: after[name] for name in before if name.suffix == ".jpg"} == {
        name: content for name, content in before.items() if name.suffix == ".jpg"
    }
    assert sorted(row["copy"] for row in rows if row["copy"]) == sorted(
        name.as_posix() for name in after if name.suffix == ".jpg"
    )


def test_photographs_of_a_day_that_come_one_by_one_keep_their_names(tmp_path, light_segmenter):
    """The second one sorts before the first: numbers given anew would mix them up."""
    out, key = tmp_path / "out", tmp_path / "k"
    folder = tmp_path / "photos" / "anna" / "frontal"
    folder.mkdir(parents=True)
    identities = []
    for name, width in (("2024-01-01 noon.jpg", 200), ("2024-01-01 dawn.jpg", 210)):
        Image.fromarray(pictures.scene(240, width)).save(folder / name, quality=95)
        options = () if identities else ("--create-key",)
        result = invoke(tmp_path / "photos", "--out", out, "--key", key, "--json", *options)
        assert result.exit_code == 0, result.output
        found = {each["name"]: each for each in json.loads(result.stdout)["photographs"]}
        identities.append({each["photograph"]: each["copy"] for each in found.values()})
    assert next(iter(identities[0].values())).endswith("/2024-01-01_1.jpg")
    assert identities[0].items() < identities[1].items()
    assert {row["photograph"]: row["copy"] for row in rows_of(out)} == identities[1]
    widths = {}
    for row in rows_of(out):
        with Image.open(out / row["copy"]) as image:
            widths[row["copy"][-6:]] = image.width
    assert widths == {"_1.jpg": 200, "_2.jpg": 210}


def test_a_copy_that_lies_there_stays_listed(tmp_path, light_segmenter):
    """What --keep-uncovered wrote is not called withheld by a run without it."""
    photos = two_photographs(tmp_path / "photos", faceless=True)
    out, key = tmp_path / "out", tmp_path / "k"
    invoke(photos, "--out", out, "--key", key, "--create-key", "--keep-uncovered")
    listed = rows_of(out)
    assert [(row["status"], row["face"]) for row in listed] == [
        ("copied", "covered"),
        ("copied", "not covered"),
    ]
    result = invoke(photos, "--out", out, "--key", key)
    assert result.exit_code == 1
    assert f"The copy of an earlier run is still there: {listed[1]['copy']}." in result.stdout
    assert rows_of(out) == listed


def test_what_was_withheld_and_is_copied_later_is_listed_once(tmp_path, light_segmenter):
    photos = two_photographs(tmp_path / "photos", faceless=True)
    out, key = tmp_path / "out", tmp_path / "k"
    invoke(photos, "--out", out, "--key", key, "--create-key")
    invoke(photos, "--out", out, "--key", key, "--keep-uncovered")
    assert [row["status"] for row in rows_of(out)] == ["copied", "copied"]


@pytest.mark.parametrize("change", ["edited", "written by hand"])
def test_a_table_that_is_the_users_is_not_replaced(tmp_path, light_segmenter, change):
    photos = two_photographs(tmp_path / "photos")
    out, key = tmp_path / "out", tmp_path / "k"
    if change == "edited":
        invoke(photos, "--out", out, "--key", key, "--create-key")
        mine = (out / "deidentified.csv").read_text().replace("covered", "covered, I looked")
    else:
        out.mkdir()
        mine = "my list\n"
    (out / "deidentified.csv").write_text(mine)
    options = () if key.exists() else ("--create-key",)
    before = files_of(out)
    result = invoke(photos, "--out", out, "--key", key, *options)
    assert result.exit_code == 2
    assert "deidentified.csv exists and was not written by scalptrack, or was changed since" in (
        result.stderr
    )
    assert files_of(out).keys() - before.keys() <= {Path(".scalptrack/written.json")}
    assert (out / "deidentified.csv").read_text() == mine


def test_copies_of_a_run_that_ends_early_are_listed(tmp_path, light_segmenter):
    photos = two_photographs(tmp_path / "photos")
    later = photos / "anna" / "frontal" / "2024-02-01.jpg"
    Image.fromarray(pictures.scene(240, 210)).save(later, quality=95)
    out, key = tmp_path / "out", tmp_path / "k"
    invoke(photos, "--out", out, "--key", key, "--create-key")
    copies = sorted(out.rglob("*.jpg"))
    shutil.rmtree(out / ".scalptrack")
    (out / "deidentified.csv").unlink()
    copies[1].write_bytes(b"mine")
    assert invoke(photos, "--out", out, "--key", key).exit_code == 2
    assert [row["copy"] for row in rows_of(out)] == [copies[0].relative_to(out).as_posix()]


@pytest.mark.parametrize(
    ("out", "key", "options", "words"),
    [
        ("photos/copies", "k", ["--create-key"], "lie in one another"),
        (".", "k", ["--create-key"], "lie in one another"),
        ("out", "out/k", ["--create-key"], "would lie in "),
        ("out", "none", [], "doesn't exist. Add --create-key"),
        ("out", "taken", ["--create-key"], "a key is never overwritten"),
        ("out", "taken", [], "holds no key of scalptrack"),
    ],
)
def test_what_would_give_away_or_lose_something_ends_with_2(tmp_path, out, key, options, words):
    photos = two_photographs(tmp_path / "photos")
    (tmp_path / "taken").write_text("precious\n11\n")
    result = invoke(photos, "--out", tmp_path / out, "--key", tmp_path / key, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert (tmp_path / "taken").read_text() == "precious\n11\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_photograph_ends_with_2(tmp_path, light_segmenter):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("x")
    result = invoke(
        tmp_path / "photos", "--out", tmp_path / "out", "--key", tmp_path / "k", "--create-key"
    )
    assert result.exit_code == 2
    assert "Nothing was copied" in result.stderr


def test_the_eyes_of_a_rendered_head_are_covered(samples, tmp_path):
    """With the shipped network; the eyes of this render lie at rows 870 to 960 of 1200."""
    folder = tmp_path / "photos" / "s" / "frontal"
    folder.mkdir(parents=True)
    shutil.copy(samples / "subject-01" / "frontal" / "2024-10-14.jpg", folder)
    out = tmp_path / "out"
    result = invoke(tmp_path / "photos", "--out", out, "--key", tmp_path / "k", "--create-key")
    assert result.exit_code == 0, result.output
    (path,) = out.rglob("*.jpg")
    copy, _ = read_photograph(path)
    assert (np.abs(copy[800:].astype(int) - 128) <= 3).all()
    assert (np.abs(copy[:250].astype(int) - 128) > 3).mean() > 0.5
