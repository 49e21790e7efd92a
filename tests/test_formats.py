"""HEIC, AVIF, raw files and DICOM: the same picture comes out of each, or a clear rejection."""

from __future__ import annotations

import io
import sys
from datetime import date, datetime
from functools import cache

import numpy as np
import pictures
import pytest
from pictures import AS_STORED, DATE_ORIGINAL, MAKE, MODEL, ORIENTATION, scene, written
from PIL import Image, ImageCms, ImageFile, features

from scalptrack.catalog import catalog_folder
from scalptrack.errors import ImageReadError
from scalptrack.images import read_header, read_photograph, verify_photograph
from scalptrack.images.copies import jpeg_quality
from scalptrack.quality import check_quality
from scalptrack.records import CaptureInfo, Severity

needs_raw = pytest.mark.skipif("not __import__('importlib').util.find_spec('rawpy')")
needs_dicom = pytest.mark.skipif("not __import__('importlib').util.find_spec('pydicom')")
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")


def avif(array, **options):
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(
        buffer, "AVIF", quality=95, subsampling="4:4:4", **options
    )
    return buffer.getvalue()


def noise(height=160, width=200):
    return np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)


MAKERS = {
    "heic": pictures.heic,
    "avif": avif,
    "dng": pictures.dng,
    "dcm": pictures.dicom,
}


@cache
def noise_as(suffix):
    return MAKERS[suffix](noise())


FORMATS = [
    "heic",
    pytest.param("avif", marks=needs_avif),
    pytest.param("dng", marks=needs_raw),
    pytest.param("dcm", marks=needs_dicom),
]


def error_of(call, *arguments, **options):
    with pytest.raises(ImageReadError) as caught:
        call(*arguments, **options)
    return caught.value


def difference(path, expected):
    image, _ = read_photograph(path)
    assert image.shape == expected.shape
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert image.flags.c_contiguous
    inner = np.abs(image.astype(int) - expected)[4:-4, 4:-4]
    return inner.mean()


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_scene_comes_back(tmp_path, suffix):
    path = written(tmp_path / f"a.{suffix}", MAKERS[suffix](scene()))
    assert difference(path, scene()) < 2
    assert verify_photograph(path)[:2] == read_header(path)[:2] == (120, 90)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_of_a_heic_is_applied_once(tmp_path, orientation):
    content = pictures.heic(AS_STORED[orientation](scene()), exif={ORIENTATION: orientation})
    path = written(tmp_path / "a.heic", content)
    assert difference(path, scene()) < 2
    assert read_header(path)[:2] == (120, 90)


@needs_avif
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_of_an_avif_is_applied_once(tmp_path, orientation):
    exif = pictures.exif_bytes({ORIENTATION: orientation})
    path = written(tmp_path / "a.avif", avif(AS_STORED[orientation](scene()), exif=exif))
    assert difference(path, scene()) < 2
    assert read_header(path)[:2] == (120, 90)


@needs_raw
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_rotation_of_a_raw_file_is_applied_once(tmp_path, orientation):
    stored = np.ascontiguousarray(AS_STORED[orientation](scene()))
    path = written(tmp_path / "a.dng", pictures.dng(stored, orientation=orientation))
    assert difference(path, scene()) < 2
    assert read_header(path)[:2] == (120, 90)


def test_a_heic_without_its_own_rotation_is_upright_whatever_exif_says(tmp_path):
    plain = pictures.heic(scene())
    turned = pictures.heic(scene(), exif={ORIENTATION: 6})
    assert b"irot" in turned
    assert b"irot" not in plain
    assert read_photograph(written(tmp_path / "a.heic", turned))[0].shape == (120, 90, 3)


def test_date_and_camera_of_a_heic(tmp_path):
    tags = {DATE_ORIGINAL: "2024:03:01 10:00:00", MAKE: "Acme", MODEL: "One"}
    capture = read_photograph(written(tmp_path / "a.heic", pictures.heic(scene(), exif=tags)))[1]
    assert capture == CaptureInfo(datetime(2024, 3, 1, 10), None, "Acme One")  # noqa: DTZ001


def exchanged_profile():
    """An RGB profile whose red and green are exchanged: its use can't be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "abcd".encode("utf-16-be"))


@pytest.mark.parametrize("suffix", ["heic", pytest.param("avif", marks=needs_avif)])
def test_an_embedded_profile_is_converted(tmp_path, suffix):
    content = MAKERS[suffix](scene(), icc_profile=exchanged_profile())
    path = written(tmp_path / f"a.{suffix}", content)
    assert difference(path, scene()[..., [1, 0, 2]].astype(int)) < 3


def display_p3(srgb):
    """Display P3 levels of sRGB levels, with the published matrix of its specification."""
    levels = srgb / 255.0
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.8224620, 0.1775380, 0], [0.0331942, 0.9668058, 0], [0.0170826, 0.0723974, 0.9105199]]
    )
    light = linear @ matrix.T
    wide = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * wide).astype(np.uint8)


def test_wide_primaries_of_the_container_are_converted(tmp_path):
    content = pictures.heic_ten_bit(
        display_p3(scene()), color_primaries=12, transfer_characteristics=13
    )
    path = written(tmp_path / "a.heic", content)
    assert difference(path, scene()) < 2.5
    assert np.abs(display_p3(scene()).astype(int) - scene()).mean() > 5


@needs_avif
def test_wide_primaries_of_an_avif_are_converted(tmp_path):
    content = avif(display_p3(scene()))
    place = content.index(b"colrnclx") + 8
    changed = content[:place] + (12).to_bytes(2, "big") + content[place + 2 :]
    assert difference(written(tmp_path / "a.avif", changed), scene()) < 2.5


def test_ten_bits_keep_their_scale(tmp_path):
    path = written(tmp_path / "a.heic", pictures.heic_ten_bit(scene()))
    assert difference(path, scene()) < 2


@pytest.mark.parametrize("read", [read_photograph, verify_photograph])
@pytest.mark.parametrize(("transfer", "word"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(tmp_path, read, transfer, word):
    content = pictures.heic_ten_bit(scene(), color_primaries=9, transfer_characteristics=transfer)
    error = error_of(read, written(tmp_path / "a.heic", content))
    assert error.code == "unsupported_format"
    assert word in str(error)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("read", [read_photograph, verify_photograph])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_truncated_file_is_refused(tmp_path, suffix, read, share):
    content = noise_as(suffix)
    path = written(tmp_path / f"a.{suffix}", content[: int(len(content) * share)])
    error = error_of(read, path)
    assert error.code in {"truncated", "corrupt"}
    assert path.name in str(error)
    assert "Copy it again" in str(error)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_file_is_refused(tmp_path, suffix):
    assert error_of(read_photograph, written(tmp_path / f"a.{suffix}", b"")).code == "empty"


@pytest.mark.parametrize("suffix", FORMATS)
def test_random_damage_has_a_code(tmp_path, suffix):
    rng = np.random.default_rng(11)
    original = MAKERS[suffix](scene())
    known = {"corrupt", "truncated", "not_an_image", "too_large", "too_small", "unsupported_format"}
    codes = set()
    for _ in range(40):
        content = bytearray(original)
        for place in rng.integers(0, min(len(content), 500), rng.integers(1, 8)):
            content[place] = rng.integers(0, 256)
        path = written(tmp_path / f"a.{suffix}", bytes(content))
        try:
            assert read_photograph(path)[0].shape[2] == 3
        except ImageReadError as error:
            codes.add(error.code)
    assert codes
    assert codes <= known


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("read", [read_photograph, read_header, verify_photograph])
def test_the_limit_of_megapixels_holds_for_the_header(tmp_path, suffix, read):
    path = written(tmp_path / f"a.{suffix}", MAKERS[suffix](scene(100, 200)))
    assert read(path, max_megapixels=0.02) is not None
    error = error_of(read, path, max_megapixels=0.019)
    assert error.code == "too_large"
    assert "has 0.02 megapixels (200 x 100), at most 0.019" in str(error)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_small_picture_is_refused(tmp_path, suffix):
    path = written(tmp_path / f"a.{suffix}", MAKERS[suffix](scene(60, 80)))
    assert error_of(read_header, path).code == "too_small"


@needs_raw
def test_a_raw_file_is_recognised_by_its_content(tmp_path):
    renamed = written(tmp_path / "a.tif", pictures.dng(scene()))
    assert difference(renamed, scene()) < 2
    assert read_header(renamed).format == "RAW"
    jpeg = tmp_path / "b.dng"
    Image.fromarray(scene()).save(jpeg, "JPEG", quality=95)
    assert read_header(jpeg).format == "JPEG"
    assert difference(jpeg, scene()) < 3
    assert read_header(renamed).capture.taken_at == datetime(2024, 3, 1, 10)  # noqa: DTZ001


@needs_raw
def test_an_absurd_raw_file_is_refused_from_its_header(tmp_path):
    content = pictures.dng(scene(), size=(30_000, 20_000))
    assert error_of(read_photograph, written(tmp_path / "a.dng", content)).code == "too_large"


def test_extras_that_are_not_installed_are_named(tmp_path, monkeypatch):
    for library in ("rawpy", "pydicom"):
        monkeypatch.setitem(sys.modules, library, None)
    raw = written(tmp_path / "a.dng", pictures.dng(scene()))
    error = error_of(verify_photograph, raw)
    assert error.code == "unsupported_format"
    assert "pip install 'scalptrack[raw]'" in str(error)
    error = error_of(read_header, written(tmp_path / "a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 99))
    assert error.code == "unsupported_format"
    assert "pip install 'scalptrack[dicom]'" in str(error)


@needs_dicom
@pytest.mark.parametrize("kind", ["grey 8", "grey 16", "grey 12", "inverted", "YBR", "palette"])
def test_every_kind_of_dicom_pixels_becomes_rgb(tmp_path, kind):
    grey = scene()[..., 1]
    expected = np.repeat(grey[..., np.newaxis], 3, 2)
    if kind == "grey 8":
        content = pictures.dicom(grey)
    elif kind == "grey 16":
        content = pictures.dicom(grey.astype(np.uint16) * 257)
    elif kind == "grey 12":
        twelve = np.rint(grey / 255 * 4095).astype(np.uint16)
        content = pictures.dicom(twelve, BitsStored=12, HighBit=11)
    elif kind == "inverted":
        content = pictures.dicom(255 - grey, PhotometricInterpretation="MONOCHROME1")
    elif kind == "YBR":
        ycc = np.asarray(Image.fromarray(scene()).convert("YCbCr"))
        content = pictures.dicom(ycc, PhotometricInterpretation="YBR_FULL")
        expected = scene()
    else:
        table = (np.arange(256, dtype=np.uint16) * 257).tobytes()
        tables = {
            f"{colour}PaletteColorLookupTable{part}": value
            for colour in ("Red", "Green", "Blue")
            for part, value in (("Data", table), ("Descriptor", [256, 0, 16]))
        }
        content = pictures.dicom(grey, PhotometricInterpretation="PALETTE COLOR", **tables)
    assert difference(written(tmp_path / "a.dcm", content), expected) < 1.5


@needs_dicom
def test_dicom_files_that_are_no_photographs_are_refused(tmp_path):
    tomogram = pictures.dicom(
        scene()[..., 0], SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT"
    )
    error = error_of(verify_photograph, written(tmp_path / "a.dcm", tomogram))
    assert error.code == "unsupported_format"
    assert "no photograph (modality CT)" in str(error)
    film = pictures.dicom(scene(), frames=3)
    error = error_of(read_header, written(tmp_path / "b.dcm", film))
    assert "3 frames" in str(error)


@needs_dicom
def test_a_dicom_gives_its_date_and_view_and_never_the_patient(tmp_path):
    content = pictures.dicom(
        scene(),
        PatientName="Zwetschge^Anna",
        PatientID="4711-0815",
        PatientBirthDate="19700101",
        StudyDate="20240312",
        StudyTime="101500",
        Laterality="L",
        ReferringPhysicianName="Knopf^Jim",
    )
    written(tmp_path / "folder" / "subject-9" / "scan.dcm", content)
    catalog = catalog_folder(tmp_path / "folder")
    (photograph,) = catalog.photographs
    assert photograph.subject == "subject-9"
    assert photograph.visit_date == date(2024, 3, 12)
    assert photograph.view == "left-temporal"
    assert photograph.capture.taken_at == datetime(2024, 3, 12, 10, 15)  # noqa: DTZ001
    for word in ("Zwetschge", "4711", "1970", "Knopf"):
        assert word not in repr(catalog)


@needs_dicom
def test_the_folder_decides_the_view_before_the_dicom(tmp_path):
    content = pictures.dicom(scene(), StudyDate="20240312", ViewPosition="VERTEX")
    written(tmp_path / "p" / "s" / "occipital" / "a.dcm", content)
    assert [each.view for each in catalog_folder(tmp_path / "p").photographs] == ["occipital"]


@needs_dicom
@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_damaged_dicom_quotes_nothing_of_the_patient(tmp_path, share):
    content = pictures.dicom(noise(), PatientName="Zwetschge^Anna", StudyDate="not a date")
    path = written(tmp_path / "a.dcm", content[: int(len(content) * share)])
    assert "Zwetschge" not in str(error_of(verify_photograph, path))


def test_what_lies_beside_a_photograph_is_accounted_for_without_alarm(tmp_path):
    folder = tmp_path / "p" / "anna" / "vertex"
    written(folder / "2024-03-01.HEIC", pictures.heic(scene()))
    written(folder / "2024-03-01.MOV", b"\0\0\0\x14ftypqt  ")
    written(folder / "2024-03-01.AAE", b"<plist/>")
    written(folder / "2024-03-01.HEIC.supplemental-metadata.json", b"{}")
    written(folder / "2024-04-01.dng", pictures.dng(scene()))
    Image.fromarray(scene()).save(folder / "2024-04-01.jpg")
    written(folder / "2024-05-01.heic", pictures.heic(scene(92, 120)))
    Image.fromarray(scene(92, 120)).save(folder / "2024-05-01.JPG", "JPEG")
    written(folder / "holiday.mov", b"\0\0\0\x14ftypqt  ")
    catalog = catalog_folder(tmp_path / "p")
    assert [each.name for each in catalog.photographs] == [
        "anna/vertex/2024-03-01.HEIC",
        "anna/vertex/2024-04-01.jpg",
        "anna/vertex/2024-05-01.heic",
    ]
    assert [each.name for each in catalog.rejected] == ["anna/vertex/holiday.mov"]
    assert catalog.rejected[0].reason.code == "not_a_photograph"
    assert sorted(catalog.notes) == [
        "Left out beside their photographs: JPEG exports of HEIC photographs (1).",
        "Left out beside their photographs: films of live photos (1).",
        "Left out beside their photographs: raw files with a developed copy (1).",
        "Left out beside their photographs: sidecar files (2).",
    ]


@pytest.mark.parametrize("quality", [30, 50, 70, 80, 90, 95])
def test_the_quality_of_a_jpeg_is_estimated(quality):
    buffer = io.BytesIO()
    Image.fromarray(scene()).save(buffer, "JPEG", quality=quality)
    assert abs(jpeg_quality(Image.open(buffer)) - quality) < 1.5


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("IMG-20230105-WA0003.jpg", "messenger"),
        ("WhatsApp Image 2023-01-05 at 10.15.00.jpeg", "messenger"),
        ("signal-2023-01-05-101500.jpg", "messenger"),
        ("photo_2023-01-05_10-15-00.jpg", "messenger"),
        ("FB_IMG_1672913700000.jpg", "messenger"),
        ("Screenshot_20230105-101500.jpg", "screenshot"),
        ("Bildschirmfoto 2023-01-05 um 10.15.00.jpg", "screenshot"),
        ("Capture d’écran 2023-01-05.jpg", "screenshot"),
        ("2023-01-05.jpg", None),
        ("IMG_20230105_101500.jpg", None),
    ],
)
def test_copies_are_known_by_their_names(tmp_path, name, kind):
    Image.fromarray(scene()).save(tmp_path / name, "JPEG", quality=92)
    assert read_header(tmp_path / name).capture.copied_by == kind
    assert read_photograph(tmp_path / name)[1].copied_by == kind
    exif = pictures.exif_bytes({MAKE: "Acme", MODEL: "One"})
    Image.fromarray(scene()).save(tmp_path / name, "JPEG", quality=92, exif=exif)
    assert read_header(tmp_path / name).capture.copied_by is None


JPEG_KINDS = [
    {"quality": quality, "optimize": optimize, "subsampling": subsampling}
    for quality in (30, 75, 95)
    for optimize in (False, True)
    for subsampling in (0, 2)
]


def jpeg(array, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", JPEG_KINDS, ids=str)
def test_an_empty_sector_in_a_jpeg_is_damage_and_empty_sky_is_not(options, tmp_path, monkeypatch):
    """libjpeg decodes the hole: half of the picture then has other colours at other places."""
    # Pillow's own buffer is too small for optimized noise.
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 2**22)
    content = jpeg(noise(300, 240), **options)
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    verify_photograph(path)
    start = content.find(b"\xff\xda") + 200
    for fill in (b"\0", b"\xff"):
        for place in np.linspace(start, len(content) - 600, 7).astype(int):
            path.write_bytes(content[:place] + fill * 512 + content[place + 512 :])
            with pytest.raises(ImageReadError) as caught:
                verify_photograph(path)
            # A hole that holds the last marker looks like an end that is missing.
            assert caught.value.code in {"corrupt", "truncated"}
            with pytest.raises(ImageReadError):
                read_photograph(path)
    for level in (0, 255):
        empty = np.full((1500, 1200, 3), level, np.uint8)
        empty[700:800, 500:600] = noise(100, 100)
        path.write_bytes(jpeg(empty, **options))
        verify_photograph(path)


def test_ones_that_fill_up_before_the_end_marker_are_no_damage(tmp_path):
    content = jpeg(noise(300, 240), quality=90)
    assert content.endswith(b"\xff\xd9")
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + b"\xff" * 4096 + b"\xff\xd9")
    filled, _ = read_photograph(path)
    path.write_bytes(content)
    assert (filled == read_photograph(path)[0]).all()


def test_a_recompressed_copy_is_known_by_its_tables(tmp_path):
    path = tmp_path / "2023-01-05.jpg"
    Image.fromarray(scene()).save(path, quality=75)
    assert read_header(path).capture.copied_by == "recompressed"
    exif = pictures.exif_bytes({DATE_ORIGINAL: "2023:01:05 10:15:00"})
    Image.fromarray(scene()).save(path, quality=75, exif=exif)
    assert read_header(path).capture.copied_by is None


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("messenger", "messenger_copy"),
        ("screenshot", "screenshot"),
        ("recompressed", "recompressed_copy"),
        ("annotated", "burned_in_text"),
        (None, None),
    ],
)
def test_a_copy_is_an_information_and_no_error(kind, code):
    image = np.full((300, 300, 3), 128, np.uint8)
    with_copy = check_quality(image, None, CaptureInfo(copied_by=kind)).findings
    without = check_quality(image, None, CaptureInfo()).findings
    added = [each for each in with_copy if each not in without]
    assert [each.code for each in added] == ([code] if code else [])
    assert all(each.severity is Severity.INFO for each in added)
    assert all("riginal" in each.advice or "photograph itself" in each.advice for each in added)


def webp(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "WEBP", quality=90)
    return buffer.getvalue()


@cache
def large_as(suffix):
    return (webp if suffix == "webp" else MAKERS[suffix])(noise(400, 480))


CONCEALING = ["heic", pytest.param("avif", marks=needs_avif), "webp"]


@pytest.mark.parametrize("read", [read_photograph, verify_photograph])
@pytest.mark.parametrize("suffix", CONCEALING)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_copy_that_ends_in_zeros_is_refused(tmp_path, read, suffix, share):
    """The decoders themselves return a picture whose lower part is invented."""
    content = large_as(suffix)
    kept = int(len(content) * share)
    path = written(tmp_path / f"a.{suffix}", content[:kept] + bytes(len(content) - kept))
    assert error_of(read, path).code == "truncated"


@pytest.mark.parametrize("suffix", CONCEALING)
def test_a_hole_of_zeros_is_refused(tmp_path, suffix):
    content = large_as(suffix)
    start = len(content) // 2
    assert len(content) > start + 20_000
    holed = content[:start] + bytes(20_000) + content[start + 20_000 :]
    error = error_of(read_photograph, written(tmp_path / f"a.{suffix}", holed))
    assert error.code == "corrupt"
    assert read_photograph(written(tmp_path / f"b.{suffix}", content)) is not None
