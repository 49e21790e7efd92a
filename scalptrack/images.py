"""The only reader and writer of pixels.

Every photograph enters through `read_photograph` and is the same kind of array from then on: RGB,
``uint8``, ``(H, W, 3)``, upright, in sRGB. Pillow decodes, because it raises on a truncated file
where ``cv2.imread`` returns a picture padded with grey.

Decisions
---------
* Transparent pixels are composited on white: a cut-out head then lies on the background that
  studios use, and no colour hidden under full transparency comes to light.
* 16-bit grey is scaled by 257 (65535 becomes 255); 32-bit float pictures have no agreed scale and
  are refused.
* An embedded colour profile that can't be used is ignored: the pixels are then taken as sRGB.
* Raw files of cameras are refused, because only their small preview could be decoded.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from scalptrack.errors import ImageReadError, OutputError
from scalptrack.exif import DECODER_ERRORS, capture_of, orientation_of
from scalptrack.records import CaptureInfo, ImageArray

MIN_SIDE_PX = 64
"""Shortest side that is still read; issue 3 asks for an answer at 64 px."""

PHOTOGRAPH_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff"}
    | {".webp", ".bmp", ".gif", ".jp2", ".avif", ".heic", ".heif"}
)
"""Suffixes of files that claim to be photographs, whether or not they can be decoded here."""

RAW_SUFFIXES = frozenset(
    {".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2"}
    | {".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".3fr", ".erf"}
)
"""Raw files of cameras: most open as a TIFF that shows only a small preview."""

_FORMATS = {
    "JPEG": JpegImagePlugin,
    "MPO": MpoImagePlugin,
    "PNG": PngImagePlugin,
    "TIFF": TiffImagePlugin,
    "WEBP": WebPImagePlugin,
    "BMP": BmpImagePlugin,
    "GIF": GifImagePlugin,
    "JPEG2000": Jpeg2KImagePlugin,
}
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

# EXIF orientation -> the operation that makes the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Header(NamedTuple):
    """What the header of a picture says.

    Attributes
    ----------
    width_px, height_px : int
        Size of the upright picture.
    capture : CaptureInfo
        When and with what it was taken.
    format : str
        ``"JPEG"`` (also for the multi-picture files of phones), ``"PNG"``, ``"TIFF"``, ...
    """

    width_px: int
    height_px: int
    capture: CaptureInfo
    format: str


def read_photograph(path: Path, *, max_megapixels: float = 150.0) -> tuple[ImageArray, CaptureInfo]:
    """Read a photograph as upright sRGB.

    Parameters
    ----------
    path : Path
        The file; it is opened read-only.
    max_megapixels : float
        Largest picture that is decoded, checked from the header. Pillow's own bound against
        decompression bombs (about 178 megapixels) holds in any case.

    Returns
    -------
    image : uint8 (H, W, 3)
        RGB, upright, sRGB, writable and contiguous.
    capture : CaptureInfo
        When and with what it was taken; no other metadata is kept.

    Raises
    ------
    ImageReadError
        With code ``missing``, ``unreadable``, ``empty``, ``not_an_image``,
        ``unsupported_format``, ``too_small``, ``too_large``, ``truncated`` or ``corrupt``.
    """
    with _opened(path, max_megapixels) as image:
        header = _header_of(image)
        orientation = orientation_of(image)
        _load(image, path)
        with _decoder_errors(path):
            upright = image if orientation == 1 else image.transpose(_UPRIGHT[orientation])
            array = _to_srgb(upright, path)
    return array, header.capture


def read_header(path: Path, *, max_megapixels: float = 150.0) -> Header:
    """Size, capture information and format of a picture, without decoding its pixels.

    Raises
    ------
    ImageReadError
        As `read_photograph`, but a file that is damaged behind its header passes.
    """
    with _opened(path, max_megapixels) as image:
        return _header_of(image)


def verify_photograph(path: Path, *, max_megapixels: float = 150.0) -> Header:
    """Header of a picture whose pixels can all be decoded.

    The whole file is decoded once; for a JPEG at an eighth of its size, which reads every byte of
    it but costs half the time.

    Raises
    ------
    ImageReadError
        As `read_photograph`.
    """
    with _opened(path, max_megapixels) as image:
        header = _header_of(image)
        with _decoder_errors(path):
            image.draft(None, (image.width // 8, image.height // 8))
        _load(image, path)
        if image.mode in {"F", "LAB"}:
            raise _unsupported_pixels(path, image.mode)
        return header


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits.

    Raises
    ------
    ImageReadError
        With code ``missing`` or ``unreadable``.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _access_error(path, error) from error


def encode_image(array: ImageArray, *, suffix: str, quality: int = 90) -> bytes:
    """Encode a picture as PNG or JPEG, without metadata; the same array gives the same bytes.

    Parameters
    ----------
    array : uint8 (H, W) or (H, W, 3)
        Grey or RGB.
    suffix : str
        ``".png"``, ``".jpg"`` or ``".jpeg"``.
    quality : int
        Of a JPEG, 1 to 95; from 90 on colour is kept at full resolution.

    Raises
    ------
    ValueError
        If the array is no picture, or the suffix is not one of the three.
    """
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not is_picture or array.size == 0:
        msg = f"expected uint8 (H, W) or (H, W, 3), got {array.dtype} {array.shape}"
        raise ValueError(msg)
    picture = Image.fromarray(np.ascontiguousarray(array))
    buffer = io.BytesIO()
    match suffix.lower():
        case ".png":
            picture.save(buffer, format="PNG", compress_level=6)
        case ".jpg" | ".jpeg":
            subsampling = 0 if quality >= 90 else 2
            picture.save(buffer, format="JPEG", quality=quality, subsampling=subsampling)
        case _:
            msg = f"can't write {suffix!r}: use .png, .jpg or .jpeg"
            raise ValueError(msg)
    return buffer.getvalue()


def write_image(path: Path, array: ImageArray, *, quality: int = 90) -> None:
    """Write a picture as its suffix says (see `encode_image`), all of it or nothing.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    write_bytes_atomic(path, encode_image(array, suffix=path.suffix, quality=quality))


def write_text_atomic(path: Path, text: str) -> None:
    """Write text as UTF-8 with its line ends as they are, all of it or nothing.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    write_bytes_atomic(path, text.encode("utf-8"))


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write a file through a temporary neighbour, so that nobody ever sees half of it.

    Missing folders are made.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    temporary = path.with_name(f".scalptrack-{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        msg = (
            f"{path} can't be written: {error.strerror or error}. "
            "Check the folder's permissions and the space on the disk, or choose another one."
        )
        raise OutputError(msg) from error


@contextmanager
def _opened(path: Path, max_megapixels: float) -> Iterator[Image.Image]:
    """The picture of a file with its header read and its size checked; silent, then closed."""
    _check_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(path)
        try:
            _check_size(path, image.size, max_megapixels)
            yield image
        finally:
            image.close()


def _check_file(path: Path) -> None:
    """Raise if a path is no file, is empty, or is of a kind that is never decoded."""
    try:
        size_bytes = path.stat().st_size
        if path.is_dir():
            raise ImageReadError("not_an_image", f"{path} is a folder. Name a photograph in it.")
    except OSError as error:
        raise _access_error(path, error) from error
    if size_bytes == 0:
        raise ImageReadError("empty", f"{path} is empty (0 bytes). Copy it again from the camera.")
    if path.suffix.lower() in RAW_SUFFIXES:
        raise ImageReadError(
            "unsupported_format",
            f"{path} is a raw file of a camera ({path.suffix}). Export it as JPEG.",
        )


def _open(path: Path) -> Image.Image:
    """Open a file with one of the decoders that we allow; reads no more than the header."""
    try:
        return Image.open(path, formats=_allowed_formats())
    except UnidentifiedImageError as error:
        raise _unidentified(path) from error
    except Image.DecompressionBombError as error:
        raise ImageReadError(
            "too_large",
            f"{path} claims more than 178 megapixels. Reduce it, for instance to 12 megapixels.",
        ) from error
    except PermissionError as error:
        raise _access_error(path, error) from error
    except DECODER_ERRORS as error:
        raise _damaged(path, error) from error


@cache
def _allowed_formats() -> tuple[str, ...]:
    """Names of the decoders that may open a file: pictures only, nothing that runs a program."""
    formats = list(_FORMATS)
    with suppress(ImportError):
        from PIL import AvifImagePlugin

        if AvifImagePlugin.SUPPORTED:
            formats.append("AVIF")
    with suppress(ImportError):
        import pillow_heif  # type: ignore[import-not-found, unused-ignore]

        pillow_heif.register_heif_opener()
        formats.append("HEIF")
    return tuple(name for name in formats if name in Image.OPEN)


def _check_size(path: Path, size: tuple[int, int], max_megapixels: float) -> None:
    """Raise if a picture is too small to be measured or too large to be decoded."""
    width, height = size
    if width * height > max_megapixels * 1e6:
        raise ImageReadError(
            "too_large",
            f"{path} has {width * height / 1e6:.3g} megapixels ({width} x {height}), at most "
            f"{max_megapixels:g} are read. Reduce it, for instance to 12 megapixels.",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageReadError(
            "too_small",
            f"{path} has {width} x {height} pixels, at least {MIN_SIDE_PX} on each side are "
            "needed. Use the original photograph, not its thumbnail.",
        )


def _header_of(image: Image.Image) -> Header:
    """The header of an opened picture."""
    width, height = image.size
    if orientation_of(image) >= 5:
        width, height = height, width
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return Header(width, height, capture_of(image), name)


def _load(image: Image.Image, path: Path) -> None:
    """Decode the first picture of a file.

    libjpeg fills what is missing in the middle of a file whose end is zeros (a copy that was cut
    off), so the end marker of a JPEG is asked for as well.
    """
    with _decoder_errors(path):
        image.load()
    if image.format in {"JPEG", "MPO"} and not _has_jpeg_end(path.read_bytes()):
        raise _damaged(path, OSError("truncated: no end marker"))


def _has_jpeg_end(content: bytes) -> bool:
    """Whether an end marker follows the first scan of a JPEG (previews in EXIF have their own)."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xDA:
            return content.find(b"\xff\xd9", position) >= 0
        if marker in {0x01, 0xFF} or 0xD0 <= marker <= 0xD8:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return b"\xff\xd9" in content[position:]


@contextmanager
def _decoder_errors(path: Path) -> Iterator[None]:
    """Turn what a decoder raises into an `ImageReadError`."""
    try:
        yield
    except MemoryError as error:
        raise ImageReadError(
            "too_large", f"{path} does not fit into memory. Reduce the photograph."
        ) from error
    except DECODER_ERRORS as error:
        raise _damaged(path, error) from error


def _to_srgb(image: Image.Image, path: Path) -> ImageArray:
    """RGB uint8 (H, W, 3) in sRGB of a decoded picture of any mode."""
    if image.mode.startswith("I"):
        grey = _eight_bits(np.asarray(image), path)
        return np.ascontiguousarray(np.repeat(grey[..., np.newaxis], 3, axis=2))
    if image.mode in {"F", "LAB"}:
        raise _unsupported_pixels(path, image.mode)
    profile = image.info.get("icc_profile")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    colour = _apply_profile(image, profile)
    if alpha is not None:
        white = Image.new("RGB", colour.size, (255, 255, 255))
        white.paste(colour, mask=alpha)
        colour = white
    return np.array(colour, dtype=np.uint8)


def _eight_bits(grey: np.ndarray[Any, Any], path: Path) -> ImageArray:
    """16-bit grey (H, W) scaled to uint8."""
    if grey.size and (int(grey.min()) < 0 or int(grey.max()) > 0xFFFF):
        raise _unsupported_pixels(path, "32-bit integer")
    return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _apply_profile(image: Image.Image, profile: object) -> Image.Image:
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


def _access_error(path: Path, error: OSError) -> ImageReadError:
    """Why a file can't even be opened."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ImageReadError("missing", f"{path} does not exist. Check its name and folder.")
    return ImageReadError(
        "unreadable",
        f"{path} can't be opened: {error.strerror or error}. Check the file's permissions.",
    )


def _damaged(path: Path, error: BaseException) -> ImageReadError:
    """The error for a file that is a picture, but not a whole one."""
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    cut_off = any(
        word in detail.lower() for word in ("truncated", "end of file", "not enough", "too short")
    )
    if cut_off or isinstance(error, EOFError):
        return ImageReadError(
            "truncated",
            f"{path} is cut off: its end is missing. Copy it again from the camera.",
        )
    return ImageReadError(
        "corrupt", f"{path} is damaged ({detail}). Copy it again from the camera."
    )


def _unidentified(path: Path) -> ImageReadError:
    """The error for a file that no decoder recognises: other formats are told from no pictures."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        return _access_error(path, error)
    name = _name_of_foreign_format(head)
    starts_well = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*"))
    if starts_well or {"AVIF": "AVIF", "HEIC": "HEIF"}.get(name or "") in _allowed_formats():
        # No decoder gets through the header of what it should be able to read.
        return _damaged(path, OSError("truncated header"))
    if name is not None:
        return ImageReadError(
            "unsupported_format",
            f"{path} is a {name} picture, which this installation can't read. {_advice(name)}",
        )
    return ImageReadError(
        "not_an_image", f"{path} is not a picture. Use JPEG, PNG, TIFF or WebP files."
    )


def _name_of_foreign_format(head: bytes) -> str | None:
    """Name of a known picture format that we can't decode, from the file's first bytes."""
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIF_BRANDS:
            return "HEIC"
        if head[8:12] in _AVIF_BRANDS:
            return "AVIF"
        if head[8:12] == b"crx ":
            return "raw"
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return "JPEG XL"
    if head.startswith(b"8BPS"):
        return "Photoshop"
    return None


def _advice(name: str) -> str:
    if name == "HEIC":
        return "Install pillow-heif (pip install pillow-heif), or export it as JPEG."
    return "Export it as JPEG."


def _unsupported_pixels(path: Path, kind: str) -> ImageReadError:
    return ImageReadError(
        "unsupported_format",
        f"{path} has pixels of a kind that is not a photograph's ({kind}). Export it as JPEG.",
    )
