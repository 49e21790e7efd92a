import json
import os
import random
from datetime import date, timedelta

import numpy as np
import pillow_heif
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scalptrack.catalog import catalog_folder, catalog_manifest, read_events, write_manifest
from scalptrack.cli.main import main
from scalptrack.errors import InputError, OutputError
from scalptrack.filenames import read_dates, read_path, view_named
from scalptrack.records import Event

TODAY = date(2026, 6, 1)


@pytest.fixture
def folder(tmp_path):
    """Folder with a function that puts a photograph, different each time, into it."""
    return PhotoFolder(tmp_path / "photos")


class PhotoFolder:
    def __init__(self, root):
        self.root = root
        self.root.mkdir()
        self.rng = np.random.default_rng(5)

    def add(self, name, *, taken=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if taken:
            day, _, clock = taken.partition(" ")
            exif.get_ifd(0x8769)[0x9003] = f"{day.replace('-', ':')} {clock or '10:00:00'}"
        pixels = self.rng.integers(0, 255, (70, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, exif=exif)
        return path

    def read(self, **options):
        return catalog_folder(self.root, today=TODAY, **options)


def places(catalog):
    return [
        (each.subject, each.view, each.visit_date.isoformat(), each.replicate, each.name)
        for each in catalog.photographs
    ]


def codes(catalog):
    return {each.name: each.reason.code for each in catalog.rejected}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("p01/vertex/2025-03-12.jpg", ("p01", "vertex", None)),
        ("山田 太郎/vertex/2025年3月12日.jpg", ("山田 太郎", "vertex", None)),
        ("山田/2025年03月12日/vertex_2.jpg", ("山田", "vertex", 2)),
        ("김/vertex/2025년 3월 12일.jpg", ("김", "vertex", None)),
        ("p01/vertex/2025-03-12_2.jpg", ("p01", "vertex", 2)),
        ("p01/Crown/20250312_b.JPG", ("p01", "vertex", 2)),
        ("p01/2025-03-12_front.jpg", ("p01", "frontal", None)),
        ("p01/2025_03_12_left_side_2.jpg", ("p01", "left-temporal", 2)),
        ("p01/2025-03-12/vertex.jpg", ("p01", "vertex", None)),
        ("p01/2025-03-12/top view (3).jpg", ("p01", "vertex", 3)),
        ("p01/2025-03-12/vertex2.jpg", ("p01", "vertex", 2)),
        ("p01/visit 2 2025-03-12/back of head.jpg", ("p01", "occipital", None)),
        ("p01_vertex_2025-03-12.jpg", ("p01", "vertex", None)),
        ("Anna Müller_right-temporal_2025-03-12_1.jpg", ("Anna Müller", "right-temporal", 1)),
        ("017_top_20250312.jpg", ("017", "vertex", None)),
        ("anna_scar_2025-03-12.jpg", ("anna", "scar", None)),
        ("vertex/2025-03-12.jpg", ("me", "vertex", None)),
        ("2025-03-12_vertex.jpg", ("me", "vertex", None)),
        ("2025-03-12.jpg", ("me", "unspecified", None)),
        ("anna/2025-03-12.jpg", ("anna", "unspecified", None)),
        ("p01/donor area/2025-03-12.jpg", ("p01", "donor area", None)),
        ("arm-a/p01/vertex/2025-03-12.jpg", ("arm-a/p01", "vertex", None)),
        ("vertex/p01/2025-03-12.jpg", ("p01", "vertex", None)),
        ("M1/vertex/2025-03-12.jpg", ("M1", "vertex", None)),
        ("p01/vertex/IMG_20250312_101500.jpg", ("p01", "vertex", None)),
        ("p01/vertex/IMG_20250312_101500_1.jpg", ("p01", "vertex", 1)),
        ("p01/vertex/PXL_20250312_101500123.jpg", ("p01", "vertex", None)),
        ("p01/vertex/20250312101500.jpg", ("p01", "vertex", None)),
        ("p01/vertex/2025-03-12 10.15.00.jpg", ("p01", "vertex", None)),
        ("p01/vertex/WhatsApp Image 2025-03-12 at 10.15.00.jpeg", ("p01", "vertex", None)),
        ("p01/vertex/IMG-20250312-WA0003.jpg", ("p01", "vertex", None)),
        ("p01/vertex/12. März 2025 (2).jpg", ("p01", "vertex", 2)),
        ("p01/vertex/Mar 12 2025.jpg", ("p01", "vertex", None)),
        ("p01/vertex/2025-Mar-12_rep02.jpg", ("p01", "vertex", 2)),
        ("p01/p01_vertex_2025-03-12.jpg", ("p01", "vertex", None)),
    ],
)
def test_layouts(path, expected):
    reading = read_path(path.split("/"), root_name="me")
    assert (reading.subject, reading.view, reading.replicate) == expected
    assert reading.dates == (date(2025, 3, 12),)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("vertex", "vertex"),
        ("TOP", "vertex"),
        ("Left Side", "left-temporal"),
        ("temporal_right", "right-temporal"),
        ("midscalp", "mid-pattern"),
        ("Mid Pattern", "mid-pattern"),
        ("view of the back", "occipital"),
        ("donor area", None),
        ("topaz", None),
        ("", None),
    ],
)
def test_view_names(text, view):
    assert view_named(text) == view


@pytest.mark.parametrize(
    ("path", "hint", "view"),
    [
        ("anna/crown/2026-01-10.jpg", "frontal", "vertex"),
        ("anna/donor area/2026-01-10.jpg", "frontal", "donor area"),
        ("2026-01-10.jpg", "frontal", "frontal"),
        ("2026-01-10.jpg", None, ""),
        ("anna/vertex/2026-01-10_frontal.jpg", "frontal", ""),
    ],
)
def test_the_path_names_the_view_before_the_file_itself_does(path, hint, view):
    assert read_path(path.split("/"), root_name="me").view_beside(hint) == view


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%Y_%m_%d", "%Y.%m.%d", "%d %b %Y", "%B %d, %Y"]),
    st.sampled_from(["", "IMG_", "photo ", "p01_vertex_"]),
    st.sampled_from(["", "_2", "_101500", " (1)", "_b"]),
)
def test_unambiguous_dates_are_read(day, form, before, behind):
    readings = read_dates(before + day.strftime(form) + behind)
    assert [reading.readings for reading in readings] == [(day,)]


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from("-._ "))
def test_a_date_with_the_year_last_is_certain_only_if_it_has_one_meaning(day, separator):
    text = day.strftime(f"%d{separator}%m{separator}%Y")
    (reading,) = read_dates(text)
    swapped = {day} | ({date(day.year, day.day, day.month)} if day.day <= 12 else set())
    assert set(reading.readings) == swapped


@given(st.text(max_size=30))
def test_every_name_is_read_as_some_subject_and_view(text):
    reading = read_path([text.replace("/", " "), text.replace("/", "_") + ".jpg"], root_name="me")
    assert reading.subject.strip()
    assert reading.view.strip()
    assert reading.has_date == bool(reading.date_text)


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_date_is_in_the_calendar_or_has_no_reading(year, month, day):
    (reading,) = read_dates(f"{year:04d}-{month:02d}-{day:02d}")
    try:
        expected = (date(year, month, day),) if year >= 1900 else ()
    except ValueError:
        expected = ()
    assert reading.readings == expected


def test_order_and_replicates(folder):
    names = [
        "b/vertex/2025-01-02.jpg",
        "a/vertex/IMG_10.jpg",
        "a/vertex/IMG_9.jpg",
        "a/vertex/2025-01-01_2.jpg",
        "a/frontal/2025-03-01.jpg",
        "a/frontal/2025-02-01.jpg",
    ]
    for name in names:
        folder.add(name, taken="2025-01-01" if "IMG" in name else None)
    expected = [
        ("a", "frontal", "2025-02-01", 1, "a/frontal/2025-02-01.jpg"),
        ("a", "frontal", "2025-03-01", 1, "a/frontal/2025-03-01.jpg"),
        ("a", "vertex", "2025-01-01", 1, "a/vertex/IMG_9.jpg"),
        ("a", "vertex", "2025-01-01", 2, "a/vertex/2025-01-01_2.jpg"),
        ("a", "vertex", "2025-01-01", 3, "a/vertex/IMG_10.jpg"),
        ("b", "vertex", "2025-01-02", 1, "b/vertex/2025-01-02.jpg"),
    ]
    catalog = folder.read()
    assert places(catalog) == expected
    assert catalog.rejected == ()
    assert catalog.notes == ()
    assert {(each.width_px, each.height_px) for each in catalog.photographs} == {(80, 70)}


def test_the_same_explicit_replicate_twice_keeps_both(folder):
    folder.add("a/vertex/2025-01-01_1.jpg")
    folder.add("a/crown/2025-01-01_1.jpg")
    assert [(place[3], place[4]) for place in places(folder.read())] == [
        (1, "a/crown/2025-01-01_1.jpg"),
        (2, "a/vertex/2025-01-01_1.jpg"),
    ]


def test_the_cameras_date_is_used_when_the_name_has_none(folder):
    folder.add("a/vertex/DSC_0001.JPG", taken="2025-03-04")
    folder.add("a/vertex/DSC_0002.jpg")
    folder.add("a/vertex/DSC_0003.jpg", taken="1980-01-01")
    folder.add("a/vertex/DSC_0004.jpg", taken="2026-12-01")
    catalog = folder.read()
    assert [place[2] for place in places(catalog)] == ["2025-03-04"]
    assert codes(catalog) == {
        "a/vertex/DSC_0002.jpg": "no_date",
        "a/vertex/DSC_0003.jpg": "no_date",
        "a/vertex/DSC_0004.jpg": "impossible_date",
    }


def test_ambiguous_dates_are_never_guessed(folder):
    folder.add("a/vertex/03-04-2025.jpg")
    folder.add("a/vertex/03.05.2025.jpg", taken="2025-05-03")
    folder.add("a/vertex/06-07-2025.jpg", taken="2025-09-09")
    folder.add("a/vertex/13-07-2025.jpg")
    folder.add("a/vertex/01-02-25.jpg")
    folder.add("a/2025-01-01/vertex_2025-02-01.jpg")
    catalog = folder.read()
    assert [place[2] for place in places(catalog)] == ["2025-05-03", "2025-07-13"]
    ambiguous = ["2025-01-01/vertex_2025-02-01", "vertex/01-02-25", "vertex/03-04-2025"]
    ambiguous.append("vertex/06-07-2025")
    assert codes(catalog) == {f"a/{name}.jpg": "ambiguous_date" for name in ambiguous}
    (message,) = (each.reason.message for each in catalog.rejected if "03-04" in each.name)
    assert message == (
        "a/vertex/03-04-2025.jpg: '03-04-2025' may mean 2025-03-04 or 2025-04-03, and the camera "
        "wrote no date that decides. Name the photograph YYYY-MM-DD, for instance 2025-03-04."
    )


def test_impossible_dates(folder):
    folder.add("a/vertex/2025-02-30.jpg", taken="2025-02-28")
    folder.add("a/vertex/1825-02-03.jpg")
    folder.add("a/vertex/2026-06-03.jpg")
    folder.add("a/vertex/2026-06-02.jpg")
    catalog = folder.read()
    assert [place[2] for place in places(catalog)] == ["2026-06-02"]
    assert set(codes(catalog).values()) == {"impossible_date"}
    assert len(catalog.rejected) == 3


def test_contradicting_names(folder):
    folder.add("p01/vertex/2025-01-01.jpg")
    folder.add("p02/vertex/2025-01-01_frontal.jpg")
    folder.add("p02/vertex/p01_2025-01-01.jpg")
    folder.add("p02/vertex/p02_2025-01-01.jpg")
    catalog = folder.read()
    assert [place[4] for place in places(catalog)] == [
        "p01/vertex/2025-01-01.jpg",
        "p02/vertex/p02_2025-01-01.jpg",
    ]
    assert codes(catalog) == {
        "p02/vertex/2025-01-01_frontal.jpg": "ambiguous_view",
        "p02/vertex/p01_2025-01-01.jpg": "ambiguous_subject",
    }


def test_a_clock_that_contradicts_the_name_is_noted(folder):
    folder.add("a/vertex/2025-01-01.jpg", taken="2025-01-02")
    folder.add("a/vertex/2025-02-01.jpg", taken="2024-02-01")
    (note,) = folder.read().notes
    assert note == (
        "The camera wrote another date than the name, and the name was believed: "
        "a/vertex/2025-02-01.jpg."
    )


def test_files_that_are_no_photographs(folder):
    whole = folder.add("a/vertex/2025-01-01.jpg").read_bytes()
    (folder.root / "a/vertex/2025-02-01.jpg").write_bytes(whole[: len(whole) // 2])
    (folder.root / "a/vertex/2025-03-01.jpg").write_text("no picture")
    (folder.root / "a/vertex/2025-04-01.jpg").touch()
    (folder.root / "a/notes.txt").write_text("a text")
    (folder.root / "a/README.md").write_text("in a subject's folder")
    catalog = folder.read()
    assert codes(catalog) == {
        "a/README.md": "not_a_photograph",
        "a/notes.txt": "not_a_photograph",
        "a/vertex/2025-02-01.jpg": "truncated",
        "a/vertex/2025-03-01.jpg": "not_an_image",
        "a/vertex/2025-04-01.jpg": "empty",
    }
    truncated = catalog.rejected[2]
    assert (truncated.subject, truncated.view, truncated.visit_date) == (
        "a",
        "vertex",
        date(2025, 2, 1),
    )
    assert truncated.reason.message == (
        "a/vertex/2025-02-01.jpg is cut off: its end is missing. Copy it again from the camera."
    )
    assert (catalog.rejected[1].subject, catalog.rejected[1].visit_date) == ("", None)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX systems alone")
def test_names_that_are_no_text_are_rejected_and_can_be_written_everywhere(folder, tmp_path):
    """An archive of a Windows computer: track used to end with a traceback after measuring."""
    folder.add("a/vertex/2025-01-01.jpg")
    for name in (
        "J\udcf6rg/vertex/2025-01-01.jpg",
        "b/vertex/caf\udce9 2025-01-02.jpg",
        "a\nb/1.jpg",
    ):
        folder.add(name)
    catalog = folder.read()
    assert [each.name for each in catalog.photographs] == ["a/vertex/2025-01-01.jpg"]
    assert codes(catalog) == {
        r"J\xf6rg/vertex/2025-01-01.jpg": "unreadable_name",
        r"a\x0ab/1.jpg": "unreadable_name",
        r"b/vertex/caf\xe9 2025-01-02.jpg": "unreadable_name",
    }
    assert catalog.rejected[0].reason.message == (
        r"J\xf6rg/vertex/2025-01-01.jpg: its name is not UTF-8; an archive from an old Windows "
        "computer may have made it. Rename the file, or the folder with these letters."
    )
    within = catalog_folder(folder.root / "J\udcf6rg", today=TODAY)
    assert places(within) == [(r"J\xf6rg", "vertex", "2025-01-01", 1, "vertex/2025-01-01.jpg")]
    write_manifest(within, folder.root / "J\udcf6rg" / "manifest.csv")
    with pytest.raises(OutputError, match="has a name that is not UTF-8, which"):
        write_manifest(within, tmp_path / "manifest.csv")
    assert not (tmp_path / "manifest.csv").exists()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX systems alone")
def test_a_document_that_names_such_a_file_is_json(folder):
    folder.root.joinpath("caf\udce9.jpg").write_bytes(b"")
    result = CliRunner().invoke(main, ["check", f"{folder.root}/caf\udce9.jpg", "--json"])
    document = json.loads(result.stdout_bytes.decode("utf-8", "strict"))
    assert document["photographs"][0]["photo"].endswith("/caf\udce9.jpg")


def test_no_message_holds_the_path_of_this_machine(folder):
    folder.add("a/vertex/2025-01-01.jpg").write_bytes(b"\xff\xd8\xff")
    (folder.root / "a/vertex/2025-03-01.jpg").write_text("no picture")
    catalog = folder.read(max_megapixels=1e-6)
    assert len(catalog.rejected) == 2
    assert not any(str(folder.root) in each.reason.message for each in catalog.rejected)


def test_a_photograph_without_suffix_is_one(folder):
    folder.add("a/vertex/2025-01-01.jpg").rename(folder.root / "a/vertex/2025-01-01")
    assert places(folder.read()) == [("a", "vertex", "2025-01-01", 1, "a/vertex/2025-01-01")]


def test_side_files_hidden_files_and_outputs_are_noted(folder):
    folder.add("a/vertex/2025-01-01.jpg")
    for name in ("README.md", "truth.json", "SHA256SUMS", "events.csv", "manifest.csv"):
        (folder.root / name).write_text("")
    for name in (".DS_Store", "a/Thumbs.db", "a/vertex/._2025-01-01.jpg"):
        (folder.root / name).write_text("")
    folder.add("results/overlay.jpg")
    (folder.root / "results/provenance.json").write_text(json.dumps({"schema": "scalptrack.x/1"}))
    folder.add("cache/picture.jpg")
    (folder.root / "cache/.scalptrack").touch()
    folder.add("other/picture.jpg")
    (folder.root / "other/provenance.json").write_text(json.dumps({"schema": "another"}))
    asked = folder.add("asked/2025-01-01.jpg")
    catalog = folder.read(skip=[asked.parent])
    assert len(catalog.photographs) == 1
    assert codes(catalog) == {
        "other/picture.jpg": "no_date",
        "other/provenance.json": "not_a_photograph",
    }
    assert list(catalog.notes) == [
        "asked was left out as asked.",
        "cache was left out: it holds results of scalptrack.",
        "results was left out: it holds results of scalptrack.",
        "README.md was left out: it goes with the photographs, but is none.",
        "SHA256SUMS was left out: it goes with the photographs, but is none.",
        "events.csv was left out: it goes with the photographs, but is none.",
        "manifest.csv was left out: give it instead of the folder to use what it says.",
        "truth.json was left out: it goes with the photographs, but is none.",
        "Hidden and system files and folders left out: 3.",
    ]


def test_two_phones_that_number_alike_are_no_exports_of_one_another(folder):
    """Two photographs of one stem are one exposure only if their cameras' clocks allow it."""
    pillow_heif.register_heif_opener()
    folder.add("a/vertex/IMG_1.heic", taken="2025-01-01")
    folder.add("a/vertex/IMG_1.jpg", taken="2025-02-01")
    folder.add("a/vertex/IMG_2.heic", taken="2025-03-01")
    folder.add("a/vertex/IMG_2.jpg", taken="2025-03-01")
    folder.add("a/vertex/IMG_3.heic", taken="2025-04-01")
    folder.add("a/vertex/IMG_3.jpg", taken="2025-04-01 03:00:01")
    folder.add("a/vertex/IMG_4.heic", taken="2025-05-01")
    folder.add("a/vertex/IMG_4.jpg", taken="2025-05-01 10:01:00")
    folder.add("a/vertex/2025-06-01.heic")
    folder.add("a/vertex/2025-06-01.jpg")
    catalog = folder.read()
    assert [each.name.rpartition("/")[2] for each in catalog.photographs] == [
        *("IMG_1.heic", "IMG_1.jpg", "IMG_2.heic", "IMG_3.heic", "IMG_4.heic", "IMG_4.jpg"),
        "2025-06-01.heic",
    ]
    note = "Left out beside their photographs: JPEG exports of HEIC photographs (3)."
    assert (catalog.rejected, catalog.notes) == ((), (note,))


@pytest.mark.parametrize("content", [b"", None])
def test_the_export_of_a_broken_photograph_is_used(folder, content):
    pillow_heif.register_heif_opener()
    broken = folder.add("a/vertex/2025-01-01.heic")
    broken.write_bytes(broken.read_bytes()[:-2000] if content is None else content)
    folder.add("a/vertex/2025-01-01.jpg")
    (folder.root / "a/vertex/2025-01-01.dng").write_bytes(b"II*\0 not looked at")
    catalog = folder.read()
    assert [each.name for each in catalog.photographs] == ["a/vertex/2025-01-01.jpg"]
    assert list(codes(catalog)) == ["a/vertex/2025-01-01.heic"]
    assert catalog.notes == (
        "Left out beside their photographs: raw files with a developed copy (1).",
    )


def test_an_export_goes_with_its_photograph_also_where_that_has_no_date(folder):
    pillow_heif.register_heif_opener()
    folder.add("a/vertex/x.heic")
    folder.add("a/vertex/x.jpg")
    catalog = folder.read()
    assert codes(catalog) == {"a/vertex/x.heic": "no_date"}
    assert len(catalog.notes) == 1


def test_a_folder_of_results_is_refused(folder):
    (folder.root / "provenance.json").write_text(json.dumps({"schema": "scalptrack.x/1"}))
    with pytest.raises(InputError, match="holds results of scalptrack"):
        folder.read()
    with pytest.raises(InputError, match="is not a folder"):
        catalog_folder(folder.root / "none")


def test_copies_are_rejected_naming_the_first(folder):
    content = folder.add("a/vertex/2025-03-01.jpg", taken="2025-03-01").read_bytes()
    (folder.root / "a/vertex/2025-01-01.jpg").write_bytes(content)
    (folder.root / "a/vertex/2025-03-01_2.jpg").write_bytes(content)
    catalog = folder.read()
    assert [place[4] for place in places(catalog)] == ["a/vertex/2025-03-01.jpg"]
    assert [(each.reason.code, each.reason.message) for each in catalog.rejected] == [
        (
            "duplicate_of",
            f"a/vertex/{name}.jpg is the same file as a/vertex/2025-03-01.jpg, which is used. A "
            "replicate must be another photograph; remove the copy.",
        )
        for name in ("2025-01-01", "2025-03-01_2")
    ]


def test_links(folder, tmp_path):
    outside = PhotoFolder(tmp_path / "outside")
    outside.add("2025-05-01.jpg")
    own = folder.add("a/vertex/2025-04-01.jpg")
    (folder.root / "a/vertex/2025-05-01.jpg").symlink_to(outside.root / "2025-05-01.jpg")
    (folder.root / "a/vertex/2025-01-01.jpg").symlink_to(own)
    (folder.root / "a/vertex/2025-06-01.jpg").symlink_to("nowhere")
    (folder.root / "b").symlink_to(outside.root)
    (folder.root / "c").symlink_to(folder.root / "a")
    catalog = folder.read()
    assert [place[4] for place in places(catalog)] == ["a/vertex/2025-04-01.jpg"]
    assert codes(catalog) == {
        "a/vertex/2025-01-01.jpg": "duplicate_of",
        "a/vertex/2025-05-01.jpg": "outside_link",
        "a/vertex/2025-06-01.jpg": "missing",
        "b": "outside_link",
    }
    assert catalog.notes == ("c was left out: it is a link to a folder of this folder.",)


def test_unreadable_files(folder, monkeypatch):
    folder.add("a/vertex/2025-01-01.jpg")
    path_type = type(folder.root)
    opened = path_type.open

    def refuse(self, *arguments, **options):
        if self.name == "2025-01-01.jpg":
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(path_type, "open", refuse)
    assert codes(folder.read()) == {"a/vertex/2025-01-01.jpg": "unreadable"}


def test_every_file_is_accounted_for_in_any_order(folder, monkeypatch):
    for index in range(12):
        folder.add(f"s{index % 3}/vertex/2025-0{1 + index // 3}-0{1 + index % 4}.jpg")
    (folder.root / "s0/a.pdf").write_bytes(b"%PDF")
    first = folder.read()
    walk = os.walk
    shuffle = random.Random(3).shuffle

    def shuffled(*arguments, **options):
        for where, folders, names in walk(*arguments, **options):
            shuffle(folders)
            shuffle(names)
            yield where, folders, names

    monkeypatch.setattr(os, "walk", shuffled)
    assert folder.read() == first
    assert len(first.photographs) + len(first.rejected) == 13


def test_progress_is_told(folder):
    for day in (1, 2, 3):
        folder.add(f"a/vertex/2025-01-0{day}.jpg")
    steps = []
    folder.read(on_progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_manifest_round_trip(folder, tmp_path):
    folder.add("a/vertex/2025-01-01.jpg")
    folder.add("a/vertex/2025-01-01_2.jpg")
    folder.add("ä b/rück,seite/2025-01-01.jpg")
    catalog = folder.read()
    manifest = tmp_path / "elsewhere" / "manifest.csv"
    write_manifest(catalog, manifest)
    header = manifest.read_text(encoding="utf-8").splitlines()[0]
    assert header == "photo,subject,view,visit_date,replicate"
    again = catalog_manifest(manifest)
    hashes = [each.sha256 for each in catalog.photographs]
    assert [place[:4] for place in places(again)] == [place[:4] for place in places(catalog)]
    assert [each.sha256 for each in again.photographs] == hashes
    assert again.photographs[0].name == "../photos/a/vertex/2025-01-01.jpg"
    assert again.rejected == ()


def test_a_recognised_view_waits_in_the_manifest_until_it_is_confirmed(folder):
    folder.add("a/2025-01-01.jpg")
    folder.add("a/2025-01-01_2.jpg")
    folder.add("a/vertex/2025-01-01.jpg")
    manifest = folder.root / "m.csv"
    catalog = folder.read()
    write_manifest(catalog, manifest, recognised={"a/2025-01-01_2.jpg": "frontal"})
    lines = manifest.read_text().splitlines()
    assert lines[0] == "photo,subject,view,visit_date,replicate,view_confirmed"
    assert "a/2025-01-01_2.jpg,a,frontal,2025-01-01,,no" in lines
    assert "a/2025-01-01.jpg,a,unspecified,2025-01-01,1," in lines
    waiting = catalog_manifest(manifest)
    assert codes(waiting) == {"a/2025-01-01_2.jpg": "unconfirmed_view"}
    assert waiting.rejected[0].reason.message == (
        "a/2025-01-01_2.jpg: its view, frontal, was recognised in the picture and is not "
        "confirmed. Look at it, correct the view where it is wrong, and write yes in the column "
        "view_confirmed."
    )
    assert (waiting.rejected[0].view, len(waiting.photographs)) == ("frontal", 2)
    manifest.write_text(manifest.read_text().replace(",,no", ",,Yes"))
    confirmed = catalog_manifest(manifest)
    assert ("a", "frontal", "2025-01-01", 1, "a/2025-01-01_2.jpg") in places(confirmed)
    assert confirmed.rejected == ()
    manifest.write_text(manifest.read_text().replace(",,Yes", ",,maybe"))
    with pytest.raises(InputError, match="view_confirmed 'maybe' is neither yes nor no"):
        catalog_manifest(manifest)


def test_a_manifest_is_not_overwritten_unless_told(folder):
    folder.add("a/vertex/2025-01-01.jpg")
    manifest = folder.root / "manifest.csv"
    write_manifest(folder.read(), manifest)
    write_manifest(folder.read(), manifest)
    corrected = manifest.read_text().replace("vertex,", "crown,")
    manifest.write_text(corrected)
    with pytest.raises(OutputError, match="exists and differs"):
        write_manifest(folder.read(), manifest)
    assert manifest.read_text() == corrected
    assert catalog_manifest(manifest).photographs[0].view == "vertex"
    write_manifest(folder.read(), manifest, overwrite=True)
    assert manifest.read_text() != corrected


def test_a_manifest_from_a_spreadsheet(folder):
    whole = folder.add("x.jpg").read_bytes()
    folder.add("sub/y.jpg")
    (folder.root / "z.jpg").write_bytes(whole[:-300])
    (folder.root / "copy.jpg").write_bytes(whole)
    manifest = folder.root / "m.csv"
    manifest.write_bytes(
        "\ufeffSubject;Photo;VIEW;visit_date;comment\r\n"
        "p1;x.jpg;Front;2025-01-02;\r\n"
        "\r\n"
        'p1;sub\\y.jpg;frontal;2025-01-02;"one; two"\r\n'
        "p1;z.jpg;frontal;2025-01-02;\r\n"
        "p2;copy.jpg;frontal;2025-01-02;\r\n".encode()
    )
    catalog = catalog_manifest(manifest)
    assert places(catalog) == [
        ("p1", "frontal", "2025-01-02", 1, "sub/y.jpg"),
        ("p1", "frontal", "2025-01-02", 2, "x.jpg"),
    ]
    assert codes(catalog) == {"copy.jpg": "duplicate_of", "z.jpg": "truncated"}


def test_a_manifest_sets_references_and_keeps_them(folder):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        folder.add(name)
    manifest = folder.root / "m.csv"
    manifest.write_text(
        "photo,subject,view,visit_date,reference\n"
        "a.jpg,p,vertex,2025-01-01,no\n"
        "b.jpg,p,vertex,2025-02-01,Yes\n"
        "c.jpg,p,frontal,2025-02-01,\n"
    )
    catalog = catalog_manifest(manifest)
    marks = {each.name: each.set_as_reference for each in catalog.photographs}
    assert marks == {"a.jpg": False, "b.jpg": True, "c.jpg": False}
    again = folder.root / "again.csv"
    write_manifest(catalog, again)
    lines = again.read_text().splitlines()
    assert lines[0] == "photo,subject,view,visit_date,replicate,reference"
    assert "b.jpg,p,vertex,2025-02-01,1,yes" in lines
    assert "a.jpg,p,vertex,2025-01-01,1," in lines
    assert {
        each.name: each.set_as_reference for each in catalog_manifest(again).photographs
    } == marks


def test_mistakes_about_references_of_a_manifest(folder):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        folder.add(name)
    manifest = folder.root / "m.csv"
    manifest.write_text(
        "photo,subject,view,visit_date,reference\n"
        "a.jpg,p,front,2025-01-01,yes\n"
        "b.jpg,p,frontal,2025-02-01,yes\n"
        "c.jpg,p,vertex,2025-02-01,maybe\n"
    )
    with pytest.raises(InputError) as caught:
        catalog_manifest(manifest)
    assert str(caught.value) == (
        f"{manifest} has 2 mistakes:\n"
        "  line 4: reference 'maybe' is neither yes nor no\n"
        "  line 3: line 2 already sets the reference of this subject and view"
    )


def test_a_reference_of_a_manifest_that_is_rejected_is_an_error(folder):
    whole = folder.add("a.jpg").read_bytes()
    (folder.root / "b.jpg").write_bytes(whole[:-300])
    manifest = folder.root / "m.csv"
    manifest.write_text(
        "photo,subject,view,visit_date,reference\n"
        "a.jpg,p,vertex,2025-01-01,\n"
        "b.jpg,p,vertex,2025-02-01,yes\n"
    )
    with pytest.raises(InputError, match=r"line 3: b\.jpg can't be the reference: .*b\.jpg"):
        catalog_manifest(manifest)


def test_all_mistakes_of_a_manifest_are_reported_with_their_lines(folder):
    folder.add("x.jpg")
    manifest = folder.root / "m.csv"
    manifest.write_text(
        "photo,subject,view,visit_date,replicate\n"
        "x.jpg,p1,vertex,03/04/2025,1\n"
        '"x.jpg","p1\n",vertex,2025-02-30,0\n'
        ",p1,,2025-01-01,\n"
        "x.jpg,p1,vertex,2025-01-01,2\n"
        "x.jpg,p1,vertex,2025-01-01,3\n"
        "y.jpg,p1,vertex,2025-01-01,2\n"
    )
    with pytest.raises(InputError) as caught:
        catalog_manifest(manifest)
    assert str(caught.value) == (
        f"{manifest} has 5 mistakes:\n"
        "  line 2: visit_date '03/04/2025' is not a date of the calendar written as YYYY-MM-DD\n"
        "  line 3: visit_date '2025-02-30' is not a date of the calendar written as YYYY-MM-DD; "
        "replicate '0' is not a whole number from 1\n"
        "  line 5: photo is empty; view is empty\n"
        "  line 7: x.jpg is already in line 6\n"
        "  line 8: replicate 2 of this subject, view and visit_date is already in line 6"
    )


def test_photographs_that_a_manifest_only_claims(folder):
    folder.add("x.jpg")
    manifest = folder.root / "m.csv"
    tomorrow = date.today() + timedelta(days=3)  # noqa: DTZ011
    manifest.write_text(
        f"photo,subject,view,visit_date\ny.jpg,p,vertex,2025-01-01\nx.jpg,p,vertex,{tomorrow}\n"
    )
    with pytest.raises(InputError) as caught:
        catalog_manifest(manifest)
    assert str(caught.value) == (
        f"{manifest} has 2 mistakes:\n"
        "  line 2: y.jpg does not exist\n"
        f"  line 3: visit_date {tomorrow} lies in the future"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty. Its first line must name the columns photo, subject, view, visit_date."),
        (b"photo,view\n", "line 1: the columns subject, visit_date are missing."),
        (b"\xff\xfe\x00", 'is not UTF-8 text. Save it as "CSV UTF-8".'),
        (b'photo,subject,view,visit_date\n"a,b\n', "Check the quotation marks."),
        (
            b"photo,subject,view,visit_date\na.jpg,Smith, J,vertex,2025-01-01\n",
            "line 2: 5 cells for 4 columns",
        ),
    ],
)
def test_tables_that_are_none(tmp_path, content, message):
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        catalog_manifest(tmp_path / "m.csv")
    assert message in str(caught.value)


def test_a_missing_manifest(tmp_path):
    with pytest.raises(InputError, match="can't be read: No such file"):
        catalog_manifest(tmp_path / "none.csv")


def test_events(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("date,label,subject\n2025-03-01,haircut,\n2025-01-01,treatment begins,p01\n")
    assert read_events(path) == (
        Event(date(2025, 1, 1), "treatment begins", "p01"),
        Event(date(2025, 3, 1), "haircut"),
    )
    path.write_text("label\tdate\nhaircut\t2025-03-01\n")
    assert read_events(path) == (Event(date(2025, 3, 1), "haircut"),)
    path.write_text("date,label\n2025-03-01,\n1 March,x\n")
    with pytest.raises(InputError) as caught:
        read_events(path)
    assert str(caught.value) == (
        f"{path} has 2 mistakes:\n"
        "  line 2: label is empty\n"
        "  line 3: date '1 March' is not a date of the calendar written as YYYY-MM-DD"
    )
