"""What becomes of photographs: traces removed, judged, kept under a free name, or forgotten."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from pictures import EXIF_IFD, FOCAL_LENGTH_35MM, GPS_IFD, MAKE, MODEL, ORIENTATION, scene
from PIL import Image

from scalptrack.capture.filing import Filing
from scalptrack.capture.looking import Judgement, Sight
from scalptrack.capture.session import CaptureSession
from scalptrack.catalog import catalog_folder
from scalptrack.errors import ImageReadError, InputError, OutputError
from scalptrack.images import decode_frame, read_photograph, without_traces, write_new_bytes

DAY = date(2026, 4, 12)
MOMENT = datetime.fromisoformat("2026-04-12T09:30:05")
PLANTED = (b"Anna Secret", b"SN-4711", b"planted trailer", b"planted comment")


def jpeg(*, shade: int = 0, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.roll(scene(), shade, axis=1)).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


def planted() -> bytes:
    """A JPEG of a phone: a place, names, numbers, a comment, and a second picture behind it."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL], exif[ORIENTATION] = "Acme", "One", 6
    exif[0x013B], exif[0x8298] = "Anna Secret", "Anna Secret"
    inner = exif.get_ifd(EXIF_IFD)
    inner[FOCAL_LENGTH_35MM], inner[0xA431] = 26, "SN-4711"
    exif.get_ifd(GPS_IFD)[1] = "N"
    exif.get_ifd(GPS_IFD)[2] = (48.0, 8.0, 15.0)
    content = jpeg(exif=exif.tobytes(), comment="planted comment", progressive=True)
    return content + b"planted trailer"


class Judge:
    """Judges every photograph to be good, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[Path] = []

    def watch(self, frame: np.ndarray, camera_side_px: int) -> Sight:
        return Sight((), False, camera_side_px)

    def judge(self, path: Path) -> Judgement:
        self.seen.append(path)
        image, _ = read_photograph(path)
        return Judgement((), (), None, image.shape[1], image.shape[0])


def session_in(folder: Path, wanted: int = 2) -> CaptureSession:
    return CaptureSession(
        Filing(folder, "anna", "vertex", DAY),
        Judge(),
        wanted=wanted,
        max_megapixels=50.0,
        now=lambda: MOMENT,
    )


def files_in(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.*"))


def test_nothing_but_the_picture_and_its_camera_is_kept(tmp_path):
    content = planted()
    clean = without_traces(content, taken_at=MOMENT)
    for word in PLANTED:
        assert word in content
        assert word not in clean
    (tmp_path / "before.jpg").write_bytes(content)
    (tmp_path / "after.jpg").write_bytes(clean)
    before, _ = read_photograph(tmp_path / "before.jpg")
    after, capture = read_photograph(tmp_path / "after.jpg")
    assert np.array_equal(before, after)
    assert before.shape == (120, 90, 3)
    assert (capture.taken_at, capture.focal_length_35mm) == (MOMENT, 26)
    assert (capture.camera, capture.copied_by) == ("Acme One", None)
    with Image.open(tmp_path / "after.jpg") as image:
        assert dict(image.getexif().get_ifd(GPS_IFD)) == {}


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_every_kind_of_jpeg_keeps_its_pixels(options):
    content = jpeg(**options)
    clean = without_traces(content, taken_at=MOMENT)
    frames = [decode_frame(each, max_megapixels=1) for each in (content, clean)]
    assert np.array_equal(*frames)


def test_a_colour_profile_stays():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = without_traces(jpeg(icc_profile=profile), taken_at=MOMENT)
    with Image.open(io.BytesIO(clean)) as image:
        assert image.info["icc_profile"] == profile


def test_what_is_no_whole_jpeg_is_refused():
    whole = jpeg()
    png = io.BytesIO()
    Image.fromarray(scene()).save(png, "PNG")
    for content in (b"", b"\xff\xd8", png.getvalue(), whole[:-2], whole[: len(whole) // 2]):
        with pytest.raises(ImageReadError, match="not a whole JPEG"):
            without_traces(content, taken_at=MOMENT)
    for content in (b"", png.getvalue(), whole[: len(whole) // 2]):
        with pytest.raises(ImageReadError, match="not a whole JPEG"):
            decode_frame(content, max_megapixels=1)
    with pytest.raises(ImageReadError, match=r"at most 0\.001 are read"):
        decode_frame(whole, max_megapixels=0.001)


def test_kept_photographs_are_replicates_of_the_catalog(tmp_path):
    session = session_in(tmp_path)
    for shade in (0, 7):
        shot = session.shoot(jpeg(shade=shade), "camera")
        kept = session.keep(shot.id)
        assert kept.judgement is shot.judgement
    assert session.complete
    assert session.all_usable
    catalog = catalog_folder(tmp_path)
    found = [
        (each.name, each.view, each.visit_date, each.replicate) for each in catalog.photographs
    ]
    assert found == [
        ("anna/vertex/2026-04-12_1.jpg", "vertex", DAY, 1),
        ("anna/vertex/2026-04-12_2.jpg", "vertex", DAY, 2),
    ]
    assert catalog.rejected == ()
    assert [each.sha256 for each in catalog.photographs] == [each.sha256 for each in session.kept]
    with pytest.raises(InputError, match="All 2 photographs of this visit are taken"):
        session.shoot(jpeg(shade=9), "camera")


def test_what_is_discarded_leaves_nothing(tmp_path):
    session = session_in(tmp_path)
    shot = session.shoot(jpeg(), "video frame")
    (judged,) = session._watcher.seen
    assert not judged.exists()
    session.discard(shot.id)
    with pytest.raises(InputError, match="kept or discarded before"):
        session.keep(shot.id)
    assert (session.retaken, session.kept, session.shot) == (1, (), None)
    assert list(tmp_path.iterdir()) == []


def test_another_photograph_replaces_the_one_that_waited(tmp_path):
    session = session_in(tmp_path)
    first, second = session.shoot(jpeg(), "camera"), session.shoot(jpeg(shade=3), "camera")
    with pytest.raises(InputError, match="kept or discarded before"):
        session.keep(first.id)
    assert session.keep(second.id).photo == "anna/vertex/2026-04-12_1.jpg"
    assert session.retaken == 1


def test_numbers_go_on_after_what_is_there_and_nothing_is_overwritten(tmp_path):
    folder = tmp_path / "anna" / "vertex"
    folder.mkdir(parents=True)
    (folder / "2026-04-12.png").write_bytes(b"first")
    (folder / "2026-04-12_2.jpg").write_bytes(b"second")
    (folder / "2026-04-11_7.jpg").write_bytes(b"yesterday")
    filing = Filing(tmp_path, "anna", "vertex", DAY)
    assert filing.file(b"third") == ("anna/vertex/2026-04-12_3.jpg", 3)
    assert (folder / "2026-04-12_2.jpg").read_bytes() == b"second"
    assert len(list(folder.iterdir())) == 4


def test_a_file_that_appears_in_the_same_moment_is_kept(tmp_path, monkeypatch):
    filing = Filing(tmp_path, "anna", "vertex", DAY)
    monkeypatch.setattr(Filing, "_first_number", lambda self: 1)
    write_new_bytes(tmp_path / filing.name(1), b"theirs")
    assert filing.file(b"ours")[1] == 2
    assert (tmp_path / filing.name(1)).read_bytes() == b"theirs"


def test_where_no_links_can_be_made_nothing_is_overwritten_either(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert write_new_bytes(tmp_path / "a.jpg", b"one") is True
    assert write_new_bytes(tmp_path / "a.jpg", b"two") is False
    assert [each.name for each in tmp_path.iterdir()] == ["a.jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"one"


def test_a_place_that_cannot_be_written_is_said_and_the_photograph_still_waits(tmp_path):
    (tmp_path / "anna").write_text("a file")
    session = session_in(tmp_path)
    shot = session.shoot(jpeg(), "camera")
    with pytest.raises(OutputError, match="can't be written"):
        session.keep(shot.id)
    (tmp_path / "anna").unlink()
    assert session.keep(shot.id).replicate == 1


@pytest.mark.parametrize(
    ("subject", "view", "words"),
    [
        ("a/b", "vertex", "'a/b' can't be a folder's name. Choose another --subject."),
        ("..", "vertex", "'..' can't be a folder's name. Choose another --subject."),
        ("anna", "", "'' can't be a folder's name. Choose another --view."),
        ("vertex", "frontal", "A photograph in vertex/frontal would be read as one of"),
        ("2026-01-01", "vertex", "would be read as one of the subject without a name"),
    ],
)
def test_names_that_the_catalog_would_misread_are_refused(tmp_path, subject, view, words):
    with pytest.raises(InputError) as raised:
        Filing(tmp_path, subject, view, DAY)
    assert words in str(raised.value)


@pytest.mark.parametrize("view", ["vertex", "mid-pattern", "scar"])
@pytest.mark.parametrize("subject", ["anna", "Jörg Müller", "P 007", "田中"])
def test_usual_names_are_filed_as_they_are(tmp_path, subject, view):
    assert Filing(tmp_path, subject, view, DAY).name(2) == f"{subject}/{view}/2026-04-12_2.jpg"
