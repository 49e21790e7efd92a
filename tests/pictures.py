"""Pictures in every format that people bring, made here from a scene that is known exactly."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4"
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
SOFTWARE, GPS_DATE = 0x0131, 0x001D
MAKE, MODEL, ORIENTATION, DATE_CHANGED = 0x010F, 0x0110, 0x0112, 0x0132
DATE_ORIGINAL, DATE_DIGITIZED, FOCAL_LENGTH_35MM = 0x9003, 0x9004, 0xA405

# What a camera did to the upright scene for each EXIF orientation (the inverse of the standard's
# table), written with NumPy so that it doesn't share code with what is tested.
AS_STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


def scene(height: int = 90, width: int = 120) -> np.ndarray:
    """A smooth picture without any symmetry, uint8 (H, W, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 240 // width, y * 180 // height, 40 + (x + y) // 4], 2).astype(np.uint8)


def exif_bytes(tags: dict[int, Any]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        inner = tag in {DATE_ORIGINAL, DATE_DIGITIZED, FOCAL_LENGTH_35MM}
        place = exif.get_ifd(EXIF_IFD) if inner else exif
        (exif.get_ifd(GPS_IFD) if tag == GPS_DATE else place)[tag] = value
    return exif.tobytes()


def heic(array: np.ndarray, *, exif: dict[int, Any] | None = None, **options: Any) -> bytes:
    """HEIC; an orientation in ``exif`` also becomes the container's own rotation."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    options = {"quality": 95, "chroma": 444} | options
    picture = Image.fromarray(np.ascontiguousarray(array))
    picture.save(buffer, "HEIF", exif=exif_bytes(exif or {}), **options)
    return buffer.getvalue()


def heic_ten_bit(array: np.ndarray, **options: Any) -> bytes:
    """HEIC with 10 bits per sample from an 8-bit picture."""
    import pillow_heif

    size = (array.shape[1], array.shape[0])
    wide = array.astype(np.uint16) * 257
    file = pillow_heif.from_bytes(mode="RGB;16", size=size, data=wide.tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=95, chroma=444, **options)
    return buffer.getvalue()


def dng(
    array: np.ndarray, *, orientation: int = 1, date: str = "", size: tuple[int, int] | None = None
) -> bytes:
    """Uncompressed 16-bit Bayer DNG (RGGB) of a linear picture; ``size`` is what the header claims.

    Each photosite keeps its own channel, with the curve of sRGB undone.
    """
    levels = array / 255.0
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    linear = np.rint(light * 65535).astype(np.uint16)
    mosaic = np.empty(array.shape[:2], np.uint16)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = linear[row::2, column::2, channel]
    width, height = size or (array.shape[1], array.shape[0])
    # XYZ to camera: the camera's colours are linear sRGB.
    matrix = [(32406, -15372, -4986), (-9689, 18758, 415), (557, -2040, 10570)]
    rationals = b"".join(struct.pack("<ii", value, 10000) for row in matrix for value in row)
    neutral = struct.pack("<IIIIII", 1, 1, 1, 1, 1, 1)
    pixels = mosaic.tobytes()
    tags: list[tuple[int, int, int, bytes]] = [
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, 1, struct.pack("<H", 16)),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", 32803)),
        (271, 2, 5, b"Acme\0"),
        (272, 2, 4, b"Raw\0"),
        (273, 4, 1, b""),
        (274, 3, 1, struct.pack("<H", orientation)),
        (277, 3, 1, struct.pack("<H", 1)),
        (278, 4, 1, struct.pack("<I", height)),
        (279, 4, 1, struct.pack("<I", width * height * 2)),
        (306, 2, 20, (date or "2024:03:01 10:00:00").encode() + b"\0"),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes([0, 1, 1, 2])),
        (50706, 1, 4, bytes([1, 4, 0, 0])),
        (50708, 2, 9, b"Acme Raw\0"),
        (50717, 4, 1, struct.pack("<I", 65535)),
        (50721, 10, 9, rationals),
        (50728, 5, 3, neutral),
        (50778, 3, 1, struct.pack("<H", 21)),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    extra, entries = b"", b""
    bodies = {tag: body for tag, _, _, body in tags}
    extra_size = sum(len(body) + len(body) % 2 for body in bodies.values() if len(body) > 4)
    for tag, kind, count, body in tags:
        content = struct.pack("<I", start + extra_size) if tag == 273 else body
        if len(content) > 4:
            place = struct.pack("<I", start + len(extra))
            extra += content + b"\0" * (len(content) % 2)
            content = place
        entries += struct.pack("<HHI", tag, kind, count) + content.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + entries + struct.pack("<I", 0) + extra + pixels


def dicom(array: np.ndarray, *, frames: int = 1, **attributes: Any) -> bytes:
    """DICOM of RGB (H, W, 3) or grey (H, W), uint8 or uint16, uncompressed."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = attributes.pop("SOPClassUID", VL_PHOTOGRAPHIC)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["scalptrack"])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.Rows, dataset.Columns = array.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8 * array.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    dataset.SamplesPerPixel = 3 if array.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if array.ndim == 3 else "MONOCHROME2"
    if array.ndim == 3:
        dataset.PlanarConfiguration = 0
    if frames != 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = np.ascontiguousarray(array).tobytes() * frames
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in attributes.items():
            setattr(dataset, name, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def png_with_header(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that it does not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(content)) + name + content
        chunks += struct.pack(">I", zlib.crc32(name + content))
    return b"\x89PNG\r\n\x1a\n" + chunks


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
