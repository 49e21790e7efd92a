"""Writing pictures and texts: all of a file or nothing."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image

from scalptrack.errors import OutputError
from scalptrack.records import ImageArray
from scalptrack.translation import tr


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


def encode_transparent_png(array: ImageArray) -> bytes:
    """Encode a picture with opacity as PNG, without metadata.

    Parameters
    ----------
    array : uint8 (H, W, 4)
        RGB and opacity.

    Raises
    ------
    ValueError
        If the array is no such picture.
    """
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 4 or array.size == 0:
        msg = f"expected uint8 (H, W, 4), got {array.dtype} {array.shape}"
        raise ValueError(msg)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, format="PNG", compress_level=6)
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
    with _whole_beside(path, data) as temporary:
        temporary.replace(path)


def write_new_bytes(path: Path, data: bytes) -> bool:
    """Write a file that doesn't exist yet, all of it or nothing; missing folders are made.

    Returns
    -------
    bool
        False, and nothing is written, where there is something of that name already, also if it
        came there in the same moment.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    with _whole_beside(path, data) as temporary:
        return _move_to_free_name(temporary, path)


@contextmanager
def _whole_beside(path: Path, data: bytes) -> Iterator[Path]:
    """A whole file beside a path, to be given its name; gone afterwards.

    Raises
    ------
    OutputError
        If it, or its name, can't be written.
    """
    temporary = path.with_name(f".scalptrack-{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
        yield temporary
    except OSError as error:
        message = tr(
            "{path} can't be written: {error}. Check the folder's permissions and the space on the "
            "disk, or choose another one.",
            path=path,
            error=error.strerror or error,
        )
        raise OutputError(message) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _move_to_free_name(temporary: Path, path: Path) -> bool:
    """Give a whole file its name, unless the name is taken."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError:
        # FAT and some network drives know no links: the name is claimed first, then filled.
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        temporary.replace(path)
    return True
