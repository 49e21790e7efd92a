"""Damage that libjpeg decodes without an error: the coded pixels no longer fit the picture."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from scalptrack.errors import ImageReadError
from scalptrack.images import read_photograph, verify_photograph
from scalptrack.images.jpeg_length import LEFT_BYTES, has_wrong_length


def picture(mode: str = "RGB", width: int = 203, height: int = 157) -> Image.Image:
    """Blotches: much to code, but no noise, in which a decoder soon finds back by chance."""
    levels = np.random.default_rng(4).integers(0, 256, (height, width, 3), dtype=np.uint8)
    soft = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(1.5))
    return ImageOps.autocontrast(soft).convert(mode)


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, "JPEG", **({"quality": 90} | options))
    return buffer.getvalue()


def without(content: bytes, size: int) -> bytes:
    half = len(content) // 2
    return content[:half] + content[half + size :]


@pytest.mark.parametrize("read", [read_photograph, verify_photograph])
def test_a_sector_that_is_missing_is_damage(tmp_path, read):
    path = tmp_path / "a.jpg"
    path.write_bytes(without(jpeg(), 512))
    with Image.open(path) as image:
        image.load()  # Pillow finds nothing wrong.
    with pytest.raises(ImageReadError) as caught:
        read(path)
    assert caught.value.code == "corrupt"
    assert "damaged (its coded pixels don't fit its size)" in str(caught.value)


def test_pixels_left_over_are_damage():
    content = jpeg()
    half = len(content) // 2
    assert has_wrong_length(content[: half + 4096] + content[half:])


def test_a_little_that_is_left_over_is_none():
    """Some webcams write bytes before the end marker, and the standard allows to fill up."""
    content = jpeg()
    for rest in (b"\xff" * 9, bytes(LEFT_BYTES // 2), b"\xaa" * (LEFT_BYTES // 2)):
        assert not has_wrong_length(content[:-2] + rest + b"\xff\xd9")
    assert has_wrong_length(content[:-2] + b"\xaa" * 2 * LEFT_BYTES + b"\xff\xd9")


def test_restart_markers_count_from_0_to_7_to_the_last_one_needed():
    content = jpeg(restart_marker_rows=1)
    second, third = content.index(b"\xff\xd1"), content.index(b"\xff\xd2")
    assert not has_wrong_length(content)
    assert has_wrong_length(content[:second] + content[third:])
    swapped = content[:second] + content[third : third + 2] + content[second + 2 :]
    assert has_wrong_length(swapped)
    last = (content.count(b"\xff\xd0"), jpeg_restarts(content))
    assert last == (2, 9)
    assert not has_wrong_length(content[:-2] + b"\xff\xd1" + b"\xff\xd9")  # as some encoders do
    assert has_wrong_length(content[:-2] + b"\xff\xd1\xff\xd2" + b"\xff\xd9")
    plain = jpeg()
    assert has_wrong_length(plain[:-2] + b"\xff\xd0" + plain[-2:])


def jpeg_restarts(content: bytes) -> int:
    return sum(content.count(bytes((0xFF, 0xD0 + number))) for number in range(8))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("coding", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_intact_files_pass(mode, coding):
    flat = Image.new("RGB", (640, 480), (200, 160, 130)).convert(mode)
    for image, quality, sampling in itertools.product(
        (picture(mode), picture(mode, 64, 65), flat), (30, 95), (0, 1, 2)
    ):
        assert not has_wrong_length(jpeg(image, quality=quality, subsampling=sampling, **coding)), (
            quality,
            sampling,
            image.size,
        )


def test_pictures_in_one_file_and_previews_are_no_damage():
    buffer = io.BytesIO()
    picture().save(buffer, "MPO", save_all=True, append_images=[picture("L").convert("RGB")])
    assert not has_wrong_length(buffer.getvalue())
    assert has_wrong_length(without(buffer.getvalue()[: len(buffer.getvalue()) // 2], 512))
    preview = jpeg(picture().resize((64, 48)))
    exif = Image.Exif()
    exif[0x010E] = "x" + preview.decode("latin-1")
    assert not has_wrong_length(jpeg(exif=exif))


def test_a_file_that_breaks_off_in_its_header_is_left_to_the_decoder():
    content = jpeg()
    for length in (0, 2, 20, 200, content.index(b"\xff\xda") + 6):
        assert not has_wrong_length(content[:length])
