import hashlib
import io
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import PIL
import pytest
from pictures import (
    AS_STORED,
    DATE_CHANGED,
    DATE_DIGITIZED,
    DATE_ORIGINAL,
    FOCAL_LENGTH_35MM,
    GPS_DATE,
    GPS_IFD,
    MAKE,
    MODEL,
    ORIENTATION,
    SOFTWARE,
    png_with_header,
)
from PIL import Image, ImageCms, ImageFile
from PIL.PngImagePlugin import PngInfo

from scalptrack.errors import ImageReadError, OutputError
from scalptrack.images import (
    encode_image,
    read_header,
    read_photograph,
    sha256_of_file,
    verify_photograph,
    write_bytes_atomic,
    write_image,
    write_text_atomic,
)


def scene(height=90, width=120):
    """A smooth picture without any symmetry, uint8 (H, W, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 2, y * 2, 40 + (x + y) // 2], axis=2).astype(np.uint8)


def save(path, array=None, *, exif=None, **options):
    picture = Image.fromarray(scene() if array is None else np.ascontiguousarray(array))
    tags = Image.Exif()
    for tag, value in (exif or {}).items():
        inner = tag in {DATE_ORIGINAL, DATE_DIGITIZED, FOCAL_LENGTH_35MM}
        place = tags.get_ifd(0x8769) if inner else tags
        (tags.get_ifd(GPS_IFD) if tag == GPS_DATE else place)[tag] = value
    picture.save(path, exif=tags, **options)
    return path


def code_of(call, *arguments, **options):
    with pytest.raises(ImageReadError) as caught:
        call(*arguments, **options)
    return caught.value.code


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_all_orientations_are_made_upright_once(tmp_path, orientation, suffix):
    path = tmp_path / f"photo{suffix}"
    options = {"quality": 95} if suffix == ".jpg" else {}
    options |= {"lossless": True} if suffix == ".webp" else {}
    save(path, AS_STORED[orientation](scene()), exif={ORIENTATION: orientation}, **options)
    image, _ = read_photograph(path)
    assert image.shape == (90, 120, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert np.abs(image.astype(int) - scene()).mean() < 2
    assert read_header(path)[:2] == (120, 90)
    assert verify_photograph(path)[:2] == (120, 90)


def test_a_wrong_orientation_tag_is_ignored(tmp_path):
    save(tmp_path / "a.jpg", exif={ORIENTATION: 42})
    assert read_photograph(tmp_path / "a.jpg")[0].shape == (90, 120, 3)


def test_date_prefers_the_moment_of_exposure(tmp_path):
    path = tmp_path / "a.jpg"
    first, second, third = "2024:03:01 10:00:00", "2024:03:02 10:00:00", "2024:03:03 10:00:00"
    save(path, exif={DATE_ORIGINAL: first, DATE_DIGITIZED: second, DATE_CHANGED: third})
    assert read_photograph(path)[1].taken_at == datetime(2024, 3, 1, 10)  # noqa: DTZ001
    save(path, exif={DATE_DIGITIZED: second, DATE_CHANGED: third})
    assert read_photograph(path)[1].taken_at == datetime(2024, 3, 2, 10)  # noqa: DTZ001
    save(path, exif={DATE_ORIGINAL: "0000:00:00 00:00:00", DATE_CHANGED: third})
    assert read_header(path).capture.taken_at == datetime(2024, 3, 3, 10)  # noqa: DTZ001
    save(path, exif={DATE_CHANGED: "yesterday"})
    assert read_header(path).capture.taken_at is None


CHANGED = "2024:05:20 10:00:00"


@pytest.mark.parametrize(
    ("software", "name", "cause"),
    [
        ("Adobe Photoshop 25.1 (Windows)", "Photoshop", "an edit"),
        ("Adobe Photoshop Lightroom 6.2 (Macintosh)", "Photoshop Lightroom", "an edit"),
        ("Snapseed 2.0", "Snapseed", "an edit"),
        ("gimp 2.10.36", "GIMP", "an edit"),
        ("Google", "Google", "an edit"),
        ("Photos 8.0", "Photos", "an edit"),
        ("Microsoft Windows Photo Viewer 6.1.7600.16385", "Windows Photo", "an edit"),
        ("EPSON Scan", "EPSON Scan", "a scan"),
    ],
)
def test_the_date_of_an_edit_is_not_that_of_the_exposure(tmp_path, software, name, cause):
    path = tmp_path / "a.jpg"
    save(path, exif={DATE_CHANGED: CHANGED, SOFTWARE: software})
    capture = read_header(path).capture
    assert capture.taken_at is None
    assert capture.date_doubt == (
        f"its only date, 2024-05-20, was written by {name} and may be that of {cause}"
    )
    save(path, exif={DATE_CHANGED: CHANGED, SOFTWARE: software, DATE_ORIGINAL: CHANGED})
    capture = read_header(path).capture
    assert (capture.taken_at, capture.date_doubt) == (datetime(2024, 5, 20, 10), None)  # noqa: DTZ001


@pytest.mark.parametrize(
    "software",
    [
        "",
        "16.3.1",
        "HDR+ 1.0.585804376zd",
        "S918BXXU3AWF7",
        "MediaTek Camera",
        "Our Photos 3",
        "Xdxo 1",
    ],
)
def test_a_cameras_only_date_is_believed(tmp_path, software):
    save(tmp_path / "a.jpg", exif={DATE_CHANGED: CHANGED, SOFTWARE: software, MODEL: "One"})
    capture = read_header(tmp_path / "a.jpg").capture
    assert (capture.taken_at, capture.date_doubt) == (datetime(2024, 5, 20, 10), None)  # noqa: DTZ001


@pytest.mark.parametrize(("satellites", "agrees"), [("2024:05:21", True), ("2024:03:12", False)])
def test_a_date_that_satellites_contradict_is_not_believed(tmp_path, satellites, agrees):
    """GPS is in UTC: one day apart is no contradiction. The date of the exposure stays above it."""
    path = tmp_path / "a.jpg"
    save(path, exif={DATE_CHANGED: CHANGED, GPS_DATE: satellites})
    capture = read_header(path).capture
    assert (capture.taken_at is not None) == agrees
    if not agrees:
        assert capture.date_doubt == (
            "its dates disagree (2024-05-20 and 2024-03-12), and one may be that of an edit"
        )
    save(path, exif={DATE_CHANGED: CHANGED, DATE_ORIGINAL: CHANGED, GPS_DATE: satellites})
    assert read_header(path).capture.taken_at == datetime(2024, 5, 20, 10)  # noqa: DTZ001


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".heic"])
@pytest.mark.parametrize(
    ("xmp", "doubt"),
    [
        ('xmp:CreatorTool="GIMP 2.10"', "was written by GIMP"),
        ("/><photoshop:DateCreated>2024-03-12</photoshop:DateCreated><x", "its dates disagree"),
        ('exif:DateTimeOriginal="2024-03-12T10:15:00"', "its dates disagree"),
        ('xmp:CreateDate="2024-05-20T09:00:00" xmp:CreatorTool="16.3.1"', None),
        ('xmp:CreateDate="2024-99-99"', None),
    ],
)
def test_what_xmp_says_against_the_only_date(tmp_path, suffix, xmp, doubt):
    path = tmp_path / f"a{suffix}"
    packet = f"<x:xmpmeta><rdf:Description {xmp}/></x:xmpmeta>".encode()
    options = {"pnginfo": png_text(packet)} if suffix == ".png" else {"xmp": packet}
    exif = {DATE_CHANGED: CHANGED}
    if suffix == ".tif":
        exif, options = exif | {700: packet}, {}
    save(path, exif=exif, **options)
    capture = read_header(path).capture
    assert (doubt or "") in (capture.date_doubt or "")
    assert (capture.taken_at is None) == (doubt is not None)


def png_text(packet):
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    return texts


def test_focal_length_and_camera(tmp_path):
    path = tmp_path / "a.jpg"
    save(path, exif={FOCAL_LENGTH_35MM: 26, MAKE: "Acme\0", MODEL: "Acme One"})
    capture = read_photograph(path)[1]
    assert capture.focal_length_35mm == 26
    assert capture.camera == "Acme One"
    save(path, exif={FOCAL_LENGTH_35MM: 0, MAKE: "Acme", MODEL: "Two"})
    capture = read_photograph(path)[1]
    assert capture.focal_length_35mm is None
    assert capture.camera == "Acme Two"


def test_broken_exif_is_no_exif_and_no_warning(tmp_path):
    path = save(tmp_path / "a.jpg", exif={MODEL: "One", DATE_ORIGINAL: "2024:03:01 10:00:00"})
    content = bytearray(path.read_bytes())
    start = content.find(b"Exif\0\0") + 14
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image, capture = read_photograph(path)
    assert image.shape == (90, 120, 3)
    assert capture.taken_at is None


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    if mode == "YCbCr" and int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("Pillow before 13 can't read back the YCbCr TIFF that it writes itself")
    suffix = ".tif" if mode in {"CMYK", "YCbCr"} else ".png"
    picture = Image.fromarray(scene()).convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    image, _ = read_photograph(tmp_path / f"a{suffix}")
    assert image.shape == (90, 120, 3)
    expected = np.asarray(picture.convert("RGB"), dtype=int)
    assert np.abs(image - expected).mean() < 1


def test_cmyk_jpeg(tmp_path):
    Image.fromarray(scene()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    image, _ = read_photograph(tmp_path / "a.jpg")
    assert np.abs(image.astype(int) - scene()).mean() < 4


def test_sixteen_bits_keep_their_scale(tmp_path):
    values = np.linspace(0, 65535, 100 * 80).reshape(80, 100).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    image, _ = read_photograph(tmp_path / "a.png")
    assert image[0, 0].tolist() == [0, 0, 0]
    assert image[-1, -1].tolist() == [255, 255, 255]
    assert np.abs(image[..., 1] - values / 257).max() <= 0.51


def test_transparent_pixels_become_white(tmp_path):
    cut_out = np.dstack([scene(), np.full((90, 120), 255, np.uint8)])
    cut_out[:40, :, 3] = 0
    Image.fromarray(cut_out).save(tmp_path / "a.png")
    image, _ = read_photograph(tmp_path / "a.png")
    assert (image[:40] == 255).all()
    assert (image[40:] == scene()[40:]).all()


def wide_gamut_profile():
    """An RGB profile whose red and green are exchanged: its use can't be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "abcd".encode("utf-16-be"))


def test_an_embedded_profile_is_converted_to_srgb(tmp_path):
    Image.fromarray(scene()).save(tmp_path / "a.png", icc_profile=wide_gamut_profile())
    image, _ = read_photograph(tmp_path / "a.png")
    exchanged = scene()[..., [1, 0, 2]].astype(int)
    assert np.abs(image - exchanged).mean() < 2


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_bad_profile_is_ignored(tmp_path, profile):
    Image.fromarray(scene()).save(tmp_path / "a.png", icc_profile=profile)
    assert (read_photograph(tmp_path / "a.png")[0] == scene()).all()


def test_an_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(scene()).save(tmp_path / "a.png", icc_profile=profile)
    assert (read_photograph(tmp_path / "a.png")[0] == scene()).all()


def test_the_first_of_several_pictures_is_read_as_jpeg(tmp_path):
    second = Image.fromarray(255 - scene())
    Image.fromarray(scene()).save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second], quality=95
    )
    image, _ = read_photograph(tmp_path / "a.jpg")
    assert np.abs(image.astype(int) - scene()).mean() < 3
    assert read_header(tmp_path / "a.jpg").format == "JPEG"


@pytest.mark.parametrize("read", [read_photograph, verify_photograph])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_jpeg_is_refused(tmp_path, read, progressive, share):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (400, 300, 3), dtype=np.uint8)
    content = save(tmp_path / "a.jpg", noise, progressive=progressive).read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: int(len(content) * share)])
    assert code_of(read, tmp_path / "a.jpg") == "truncated"
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_copy_that_ends_in_zeros_is_refused(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    content = save(tmp_path / "a.jpg", noise).read_bytes()
    half = len(content) // 2
    (tmp_path / "a.jpg").write_bytes(content[:half] + b"\0" * (len(content) - half))
    assert code_of(read_photograph, tmp_path / "a.jpg") == "truncated"


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_other_truncated_formats_are_refused(tmp_path, suffix):
    content = save(tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(content[: len(content) // 2])
    assert code_of(read_photograph, tmp_path / f"a{suffix}") == "truncated"


def test_codes_of_files_that_are_no_photographs(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("This is not a photograph.")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 200)
    (tmp_path / "new.jxl").write_bytes(b"\xff\x0a" + b"\0" * 200)
    (tmp_path / "camera.dng").write_bytes(save(tmp_path / "a.tif").read_bytes())
    expected = {
        "none.jpg": "missing",
        "empty.jpg": "empty",
        "text.jpg": "not_an_image",
        "phone.heic": "corrupt",
        "new.jxl": "unsupported_format",
        "camera.dng": "unsupported_format",
        ".": "not_an_image",
    }
    assert {name: code_of(read_photograph, tmp_path / name) for name in expected} == expected


def test_float_pixels_are_unsupported(tmp_path):
    Image.fromarray(np.ones((80, 80), np.float32)).save(tmp_path / "a.tif")
    assert code_of(read_photograph, tmp_path / "a.tif") == "unsupported_format"
    assert code_of(verify_photograph, tmp_path / "a.tif") == "unsupported_format"


@pytest.mark.parametrize(("width", "height"), [(12_000, 13_000), (40_000, 40_000)])
def test_a_bomb_is_refused_from_its_header(tmp_path, width, height):
    (tmp_path / "a.png").write_bytes(png_with_header(width, height))
    assert code_of(read_photograph, tmp_path / "a.png", max_megapixels=150) == "too_large"


def test_the_limit_of_megapixels_is_the_callers(tmp_path):
    path = save(tmp_path / "a.png", scene(100, 200))
    assert read_photograph(path, max_megapixels=0.02)[0].shape == (100, 200, 3)
    with pytest.raises(ImageReadError, match=r"has 0\.02 megapixels \(200 x 100\), at most 0\.019"):
        read_photograph(path, max_megapixels=0.019)


def test_smallest_side(tmp_path):
    assert read_photograph(save(tmp_path / "a.png", scene(64, 70)))[0].shape == (64, 70, 3)
    assert code_of(read_photograph, save(tmp_path / "b.png", scene(63, 70))) == "too_small"


def test_random_damage_always_has_a_code(tmp_path):
    rng = np.random.default_rng(7)
    contents = [save(tmp_path / f"a{suffix}").read_bytes() for suffix in (".jpg", ".png", ".tif")]
    path = tmp_path / "damaged"
    codes = set()
    for index in range(150):
        content = bytearray(contents[index % 3])
        for _ in range(rng.integers(1, 6)):
            content[rng.integers(0, min(len(content), 600))] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            assert read_photograph(path)[0].shape[2] == 3
        except ImageReadError as error:
            codes.add(error.code)
    assert {"corrupt", "truncated"} <= codes
    known = {"corrupt", "truncated", "not_an_image", "too_large", "too_small", "unsupported_format"}
    assert codes <= known


def test_sha256_of_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_of_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    assert code_of(sha256_of_file, tmp_path / "b") == "missing"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
@pytest.mark.parametrize("shape", [(90, 120), (90, 120, 3)])
def test_written_pictures_come_back_without_metadata(tmp_path, suffix, shape):
    array = scene() if len(shape) == 3 else scene()[..., 0]
    path = tmp_path / "new" / f"a{suffix}"
    write_image(path, array, quality=95)
    image, capture = read_photograph(path)
    expected = array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2)
    assert np.abs(image.astype(int) - expected).mean() < (2 if suffix != ".png" else 1e-9)
    assert capture == type(capture)()
    assert path.read_bytes() == encode_image(array, suffix=suffix, quality=95)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_quality_of_a_jpeg_matters():
    low, high = (encode_image(scene(), suffix=".jpg", quality=quality) for quality in (30, 95))
    assert len(low) < len(high)


@pytest.mark.parametrize(
    "array",
    [np.zeros((9, 9)), np.zeros((9, 9, 4), np.uint8), np.zeros((0, 9), np.uint8)],
)
def test_what_is_no_picture_is_not_encoded(array):
    with pytest.raises(ValueError, match="expected uint8"):
        encode_image(array, suffix=".png")
    with pytest.raises(ValueError, match=r"can.t write .\.bmp."):
        encode_image(scene(), suffix=".bmp")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_text_atomic(path, "old\n")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write_bytes_atomic(path, b"new")
    assert path.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_text_atomic(tmp_path / "ours", "text")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_reading_changes_no_byte(tmp_path):
    path = save(tmp_path / "a.jpg", exif={ORIENTATION: 6})
    before = path.read_bytes()
    path.chmod(0o444)
    read_photograph(path)
    verify_photograph(path)
    assert path.read_bytes() == before


def test_encoded_bytes_do_not_depend_on_the_memory_layout():
    array = scene()
    turned = np.asfortranarray(array)
    assert encode_image(array, suffix=".png") == encode_image(turned, suffix=".png")
    assert Image.open(io.BytesIO(encode_image(array, suffix=".png"))).info == {}
