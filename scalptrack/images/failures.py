"""What is said of a file that can't be read: one sentence and one stable code for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from scalptrack.errors import ImageReadError
from scalptrack.images.exif import DECODER_ERRORS
from scalptrack.translation import tr

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

_PNG_HEADER_BYTES = 33
"""Signature and IHDR chunk."""

_JPEG_HEADER_BYTES = 600
"""Tables and frame header of a baseline JPEG take about so much."""


@contextmanager
def decoder_errors(path: Path) -> Iterator[None]:
    """Turn what a decoder raises into an `ImageReadError`."""
    try:
        yield
    except MemoryError as error:
        raise ImageReadError(
            "too_large", tr("{path} does not fit into memory. Reduce the photograph.", path=path)
        ) from error
    except DECODER_ERRORS as error:
        raise damaged(path, error) from error


def access_error(path: Path, error: OSError) -> ImageReadError:
    """Why a file can't even be opened."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ImageReadError(
            "missing", tr("{path} does not exist. Check its name and folder.", path=path)
        )
    return ImageReadError(
        "unreadable",
        tr(
            "{path} can't be opened: {error}. Check the file's permissions.",
            path=path,
            error=error.strerror or error,
        ),
    )


def damaged(path: Path, error: BaseException) -> ImageReadError:
    """The error for a file that is a picture, but not a whole one."""
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    cut_off = any(
        word in detail.lower() for word in ("truncated", "end of file", "not enough", "too short")
    )
    if cut_off or isinstance(error, EOFError) or _ends_early(path):
        return ImageReadError(
            "truncated",
            tr("{path} is cut off: its end is missing. Copy it again from the camera.", path=path),
        )
    return ImageReadError(
        "corrupt",
        tr(
            "{path} is damaged ({detail}). Copy it again from the camera.", path=path, detail=detail
        ),
    )


def unidentified(path: Path, readable: tuple[str, ...]) -> ImageReadError:
    """The error for a file that no decoder recognises: other formats are told from no pictures.

    ``readable`` names the decoders that there are.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        return access_error(path, error)
    name = _name_of_foreign_format(head)
    starts_well = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*"))
    if starts_well or {"AVIF": "AVIF", "HEIC": "HEIF"}.get(name or "") in readable:
        # No decoder gets through the header of what it should be able to read.
        return damaged(path, OSError("its header can't be read"))
    if name is not None:
        return ImageReadError(
            "unsupported_format",
            tr(
                "{path} is a {name} picture, which this installation can't "
                "read. Export it as JPEG.",
                path=path,
                name=name,
            ),
        )
    return ImageReadError(
        "not_an_image",
        tr("{path} is not a picture. Use JPEG, HEIC, PNG, TIFF or WebP files.", path=path),
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


def _ends_early(path: Path) -> bool:
    """Whether a container says that it is longer than its file, where it says so at all."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
            if head[4:8] == b"ftyp":
                return _boxes_end(file, size) > size
    except OSError:
        return False
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") + 8 > size
    if head.startswith(b"\x89PNG\r\n"):
        return size < _PNG_HEADER_BYTES
    if head.startswith((b"II*\0", b"MM\0*")):
        return int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big") >= size
    return head.startswith(b"\xff\xd8\xff") and size < _JPEG_HEADER_BYTES


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box of an ISO base media file (ISO/IEC 14496-12) says that it ends."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        box = file.read(16)
        length = int.from_bytes(box[:4], "big")
        if length == 1:
            length = int.from_bytes(box[8:16], "big")
        if length < 8:  # 0 is "up to the end"; the others are none
            return size
        position += length
    return position


def unsupported_pixels(path: Path, kind: str) -> ImageReadError:
    """The error for a picture whose pixels have no agreed meaning as a photograph."""
    return ImageReadError(
        "unsupported_format",
        tr(
            "{path} has pixels of a kind that is not a photograph's ({kind}). Export it as JPEG.",
            path=path,
            kind=kind,
        ),
    )
