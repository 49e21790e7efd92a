"""Copies of photographs that lie at a URL, read through fsspec; nothing is ever written there.

fsspec and what it needs for a kind of store are only imported when a URL is read. Whatever such a
library raises becomes one of a few reasons, in words that hold no password and no query.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from scalptrack.errors import ImageReadError, OutputError, ScalptrackError
from scalptrack.study.addresses import shown, without_secrets
from scalptrack.translation import tr

logger = logging.getLogger(__name__)

INSTALL = "pip install 'scalptrack[study,remote]'"
CHUNK_BYTES = 1 << 20
BYTES_PER_PIXEL = 8
"""A picture without compression has at most four channels of 16 bits; see `most_bytes`."""

BYTES_BESIDE_PIXELS = 32_000_000
"""Previews and metadata."""

TRANSIENT_CODES = frozenset({"missing", "unreadable", "not_reached", "missing_package"})
"""Reasons of a failed fetch that another attempt may not meet again."""

OUTAGE_CODES = frozenset({"not_reached", "missing_package"})
"""Those of them that are about the way to a photograph, and not about the photograph."""

_TRIES = 2
_DENIED = frozenset({401, 403})
_NO_RIGHTS = frozenset(
    {
        "AuthenticationException",
        "ClientAuthenticationError",
        "DefaultCredentialsError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "TokenRetrievalError",
    }
)
"""What the libraries of stores raise for want of rights, by name: they need not be installed."""

_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "crc32c", "generation")
_TIMES = ("LastModified", "Last-Modified", "last_modified", "updated", "mtime", "modified")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What a store says of a photograph before it is fetched.

    Attributes
    ----------
    size_bytes : int or None
        None where the store doesn't say it.
    version : str
        Changes when the content does; empty where the store has no such thing.
    """

    url: str = field(repr=False)
    size_bytes: int | None
    version: str


def most_bytes(max_megapixels: float) -> int:
    """Size beyond which a file at a URL is no photograph of so many megapixels."""
    return int(max_megapixels * 1e6) * BYTES_PER_PIXEL + BYTES_BESIDE_PIXELS


def examine(url: str, *, max_bytes: int) -> RemoteFile:
    """Ask the store for a photograph, without reading it.

    Raises
    ------
    ImageReadError
        With code ``missing_package``, ``missing``, ``unreadable`` (no permission),
        ``not_reached``, ``not_an_image`` (a folder), ``empty`` or ``too_large``.
    """
    return _tried(url, lambda files, path: _examined(url, files.info(path), max_bytes))


@contextmanager
def fetched(url: str, folder: Path, *, max_bytes: int) -> Iterator[tuple[Path, str]]:
    """A copy of a photograph and its SHA-256; gone at the end where it was not given a name.

    Parameters
    ----------
    url : str
        Address of the photograph.
    folder : Path
        Where the copy is made; its temporary name begins with ``.scalptrack-``.
    max_bytes : int
        A larger file is not read, or not to its end where the store doesn't say its size.

    Raises
    ------
    ImageReadError
        As `examine`.
    OutputError
        If the copy can't be written.
    """
    copy = folder / f".scalptrack-{secrets.token_hex(8)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield copy, _tried(url, lambda files, path: _copied(url, files, path, copy, max_bytes))
    except OSError as error:
        raise _not_kept(url, folder, error) from error
    finally:
        with suppress(OSError):
            copy.unlink(missing_ok=True)


def _tried(url: str, work: Callable[[Any, str], Answer]) -> Answer:
    """Work on a store; once more with a new connection where the first one may be at fault."""
    if find_spec("fsspec") is None:
        raise ImageReadError("missing_package", _needs(shown(url), "fsspec", INSTALL))
    from fsspec.core import url_to_fs

    last: ImageReadError | None = None
    for attempt in range(_TRIES):
        try:
            # A connection that was kept may be broken, and its list of files old.
            files, path = url_to_fs(url, skip_instance_cache=attempt > 0)
            return work(files, path)
        except ScalptrackError:
            raise
        except Exception as error:  # noqa: BLE001 (libraries of stores raise whatever they like)
            last = _failure(url, error)
            if last.code not in {"missing", "not_reached"}:
                break
    raise last or ImageReadError("not_reached", shown(url))


def _examined(url: str, info: Mapping[str, Any], max_bytes: int) -> RemoteFile:
    """What a store says of a photograph, if it may be one."""
    if info.get("type") == "directory":
        raise _is_folder(shown(url))
    size = info.get("size")
    if size == 0:
        message = tr("{path} is empty (0 bytes). Copy it there again.", path=shown(url))
        raise ImageReadError("empty", message)
    if size is not None and size > max_bytes:
        raise _too_large(url, max_bytes)
    times = [str(info[name]) for name in _TIMES if info.get(name)]
    version = next((str(info[name]) for name in _VERSIONS if info.get(name)), "")
    if not version and times and size is not None:
        version = f"{size} {' '.join(times)}"
    return RemoteFile(url, size, version)


def _copied(url: str, files: Any, path: str, copy: Path, max_bytes: int) -> str:
    """SHA-256 of a photograph that was copied as a whole."""
    size = _examined(url, files.info(path), max_bytes).size_bytes
    digest = hashlib.sha256()
    count = 0
    with files.open(path, "rb") as stream, _written(url, copy) as write:
        while chunk := stream.read(CHUNK_BYTES):
            count += len(chunk)
            if count > max_bytes:
                raise _too_large(url, max_bytes)
            digest.update(chunk)
            write(chunk)
    if count != (count if size is None else size) or count == 0:
        message = f"the connection ended after {count} of {size or 'its'} bytes"
        raise ConnectionError(message)
    return digest.hexdigest()


@contextmanager
def _written(url: str, copy: Path) -> Iterator[Callable[[bytes], None]]:
    """What writes a copy; where the disk refuses, the store is not to blame."""

    def write(chunk: bytes) -> None:
        try:
            file.write(chunk)
        except OSError as error:
            raise _not_kept(url, copy.parent, error) from error

    try:
        file = copy.open("wb", buffering=0)
    except OSError as error:
        raise _not_kept(url, copy.parent, error) from error
    with file:
        yield write


def _not_kept(url: str, folder: Path, error: OSError) -> OutputError:
    return OutputError(
        tr(
            "A copy of {path} can't be written to {folder}: {error}. Check the folder's "
            "permissions and the space on the disk; everything that was finished is kept.",
            path=shown(url),
            folder=folder,
            error=error.strerror or error,
        )
    )


def _too_large(url: str, max_bytes: int) -> ImageReadError:
    return ImageReadError(
        "too_large",
        tr(
            "{path} has more than {limit:.0f} MB, which no photograph of the allowed size has "
            "(--max-megapixels). It was not fetched.",
            path=shown(url),
            limit=max_bytes / 1e6,
        ),
    )


def _is_folder(where: str) -> ImageReadError:
    message = tr("{path} is a folder. Name a photograph in it.", path=where)
    return ImageReadError("not_an_image", message)


def _needs(where: str, package: str, command: str) -> str:
    return tr(
        "{path} needs {package}, which is not installed. Install it with: {command}",
        path=where,
        package=package,
        command=command,
    )


def _failure(url: str, error: Exception) -> ImageReadError:
    """Why a photograph could not be fetched, from whatever a library raised."""
    error = _first_cause(error)
    where = shown(url)
    words = without_secrets(str(error), url).strip().splitlines() or [type(error).__name__]
    detail = words[0][:200].rstrip(".")
    if isinstance(error, ImportError):
        return _missing_package(where, error, detail)
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        message = tr(
            "{path} begins with a name that fsspec doesn't know. Check how it is written.",
            path=where,
        )
        return ImageReadError("missing_package", message)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or _status_of(error) == 404:
        message = tr("{path} does not exist. Check how it is written.", path=where)
        return ImageReadError("missing", message)
    if isinstance(error, IsADirectoryError):
        return _is_folder(where)
    names = {each.__name__ for each in type(error).__mro__}
    if isinstance(error, PermissionError) or _status_of(error) in _DENIED or names & _NO_RIGHTS:
        message = tr(
            "{path} may not be read: {detail}. Give this computer the right to read it, in the "
            "settings of the store's library or of fsspec; passwords and queries in a URL are not "
            "kept.",
            path=where,
            detail=detail,
        )
        return ImageReadError("unreadable", message)
    if not isinstance(error, OSError) and _status_of(error) is None:
        detail = f"{type(error).__name__}: {detail}"
        # Not an error of ours, and the same for thousands of photographs: for who asks for it.
        lines = "".join(traceback.format_exception(error))
        logger.info("fetching %s failed\n%s", where, without_secrets(lines, url))
    message = tr(
        "{path} could not be fetched: {detail}. Check the network and the store, and run it again.",
        path=where,
        detail=detail,
    )
    return ImageReadError("not_reached", message)


def _first_cause(error: Exception) -> Exception:
    """What is behind a "not found": fsspec says so of every page that it can't get by HTTP."""
    cause = error.__cause__
    if not isinstance(error, FileNotFoundError) or not isinstance(cause, Exception):
        return error
    says_more = _status_of(cause) is not None or isinstance(cause, OSError)
    return cause if says_more else error


def _missing_package(where: str, error: ImportError, detail: str) -> ImageReadError:
    """The kind of store is known to fsspec, which lacks the library for it."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    if cause.name:
        command = f"pip install {cause.name.partition('.')[0]}"
        return ImageReadError("missing_package", _needs(where, cause.name, command))
    message = tr(
        "{path} needs a package that is not installed: {detail}", path=where, detail=detail
    )
    return ImageReadError("missing_package", message)


def _status_of(error: Exception) -> int | None:
    """Status of HTTP that an error carries, under whatever name."""
    for name in ("status", "status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int):
            return value
    return None
