"""Decoded pixels of any kind become upright RGB, uint8, in sRGB."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from scalptrack.images.exif import DECODER_ERRORS
from scalptrack.images.failures import unsupported_pixels
from scalptrack.records import ImageArray

# EXIF orientation -> the operation that makes the picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# Chromaticities (x, y) of red, green and blue, ITU-T H.273, table 2; the white of all is D65.
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_WHITE_D65 = (0.3127, 0.3290)
_HDR_TRANSFERS = {8: "linear light", 16: "HDR, PQ", 18: "HDR, HLG"}

_AVIF_HEAD_BYTES = 65_536
"""The container's boxes lie before the picture's data."""

_ROWS_AT_ONCE = 256
"""Rows that are converted together, so that a large picture needs no third copy as floats."""


def check_colour(image: Image.Image, path: Path) -> None:
    """Raise for pixels whose values have no agreed meaning as a photograph's, before decoding.

    Raises
    ------
    ImageReadError
        With code ``unsupported_format``: floats, CIELAB, and high dynamic range.
    """
    if image.mode in {"F", "LAB"}:
        raise unsupported_pixels(path, image.mode)
    coding = colour_coding(image, path)
    if coding is not None and coding[1] in _HDR_TRANSFERS:
        raise unsupported_pixels(path, _HDR_TRANSFERS[coding[1]])


def to_srgb(image: Image.Image, path: Path, primaries: int = 1) -> ImageArray:
    """RGB uint8 (H, W, 3) in sRGB of a decoded picture of any mode.

    ``primaries`` is the code of ITU-T H.273 that the file's container gives; an embedded profile
    comes before it.
    """
    if image.mode.startswith("I"):
        grey = _eight_bits(np.asarray(image), path)
        return np.ascontiguousarray(np.repeat(grey[..., np.newaxis], 3, axis=2))
    profile = image.info.get("icc_profile")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    colour = apply_profile(image, profile)
    if alpha is not None:
        white = Image.new("RGB", colour.size, (255, 255, 255))
        white.paste(colour, mask=alpha)
        colour = white
    array = np.array(colour, dtype=np.uint8)
    return array if profile else from_primaries(array, primaries)


def _eight_bits(grey: np.ndarray[Any, Any], path: Path) -> ImageArray:
    """16-bit grey (H, W) scaled to uint8."""
    if grey.size and (int(grey.min()) < 0 or int(grey.max()) > 0xFFFF):
        raise unsupported_pixels(path, "32-bit integer")
    return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)


def apply_profile(image: Image.Image, profile: object) -> Image.Image:
    """RGB picture in sRGB; a missing, broken or unsuitable profile leaves the pixels as they are.

    A profile that calls itself sRGB is not applied, so that such pixels stay exactly the same.
    """
    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if not ImageCms.getProfileDescription(source).lower().startswith("srgb"):
                converted = ImageCms.profileToProfile(
                    image, source, _srgb_profile(), outputMode="RGB"
                )
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, *DECODER_ERRORS):
            pass
    return image.convert("RGB")


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def colour_coding(image: Image.Image, path: Path) -> tuple[int, int] | None:
    """Primaries and transfer curve (codes of ITU-T H.273) that a HEIF or AVIF container gives."""
    if image.format == "HEIF":
        nclx = image.info.get("nclx_profile")
        if not isinstance(nclx, dict):
            return None
        return int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
    if image.format != "AVIF":
        return None
    with path.open("rb") as file:
        head = file.read(_AVIF_HEAD_BYTES)
    _, found, codes = head.partition(b"colrnclx")
    if not found or len(codes) < 4:
        return None
    return int.from_bytes(codes[:2], "big"), int.from_bytes(codes[2:4], "big")


def from_primaries(array: ImageArray, primaries: int) -> ImageArray:
    """RGB uint8 (H, W, 3) of other primaries with the curve of sRGB, converted to sRGB.

    Unspecified and nearly equal primaries leave the picture as it is.
    """
    if primaries not in _PRIMARIES or primaries == 1:
        return array
    matrix = np.linalg.inv(_to_xyz(_PRIMARIES[1])) @ _to_xyz(_PRIMARIES[primaries])
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    for start in range(0, len(array), _ROWS_AT_ONCE):
        light = (linear[array[start : start + _ROWS_AT_ONCE]] @ matrix.T).clip(0, 1)
        level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        array[start : start + _ROWS_AT_ONCE] = np.rint(255 * level).astype(np.uint8)
    return array


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray[Any, Any]:
    """Matrix (3, 3) from linear RGB to XYZ in which the three together are D65."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in (*primaries, _WHITE_D65)]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
