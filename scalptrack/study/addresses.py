"""Where photographs lie: paths of this computer, or URLs, which are shown without what opens them.

A user's name, a password, and what stands behind a question mark may give access to a store. They
are used while a photograph is fetched, and are never written, printed or stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from posixpath import normpath
from urllib.parse import parse_qsl, quote, unquote

from scalptrack.errors import InputError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(?:::[A-Za-z0-9+.\-]+)*://")
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://[^\s'\"<>]+")
_HOST = re.compile(r"[^:]*(?::\d+)?|\[[^\]]*\](?::\d+)?|arn:.*")
_ON_DISK = frozenset({"file", "local"})
"""Schemes whose addresses are paths: no host, and a question mark is part of a name."""

_CONTAINER_BEFORE_AT = frozenset({"abfs", "abfss", "wasb", "wasbs"})
"""Azure writes the container where others write the user."""

_SHORTEST_SECRET = 4
"""Shorter pieces of a URL aren't replaced in messages: they would be found everywhere."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """Pieces of a URL; the query has its question mark, the user its ``@``."""

    scheme: str
    user: str
    host: str
    path: str
    query: str


def is_url(text: str) -> bool:
    """Whether a text is a URL and no path; a Windows drive is no scheme."""
    return _URL.match(text) is not None


def shown(address: str) -> str:
    """A URL without user, password, query and fragment; a path as it is.

    >>> shown("https://me:secret@host:8080/a/b.jpg?sig=abc")
    'https://host:8080/a/b.jpg'
    >>> shown("s3://bucket/a b.jpg")
    's3://bucket/a b.jpg'
    """
    if not is_url(address):
        return address
    parts = _parts(address)
    user = ""
    if parts.scheme.lower() in _CONTAINER_BEFORE_AT and parts.user:
        user = parts.user.removesuffix("@").partition(":")[0] + "@"
    return f"{parts.scheme}://{user}{parts.host}{parts.path}"


def problem_of(url: str) -> str:
    """Why a URL can't be used, without showing what it may give away; empty when it can."""
    if "::" in url:
        return "is a chain of addresses (::): give the address of the photograph itself"
    parts = _parts(url)
    if parts.scheme.lower() not in _ON_DISK and not _HOST.fullmatch(parts.host):
        return (
            f"is no address that can be read (it begins with {parts.scheme}://): signs such as "
            "/ ? @ in a user's name or a password have to be written as %2F %3F %40"
        )
    return ""


def without_secrets(text: str, url: str) -> str:
    """A message of somebody else's program without what gives access.

    Parameters
    ----------
    text : str
        The message.
    url : str
        The address that it is about: pieces of its user and query are replaced wherever they are.
    """
    parts = _parts(url)
    user = parts.user.removesuffix("@")
    if parts.scheme.lower() in _CONTAINER_BEFORE_AT:
        user = user.partition(":")[2]
    secrets = {user, *user.split(":", 1), parts.query.removeprefix("?")}
    secrets |= {value for _, value in parse_qsl(parts.query.removeprefix("?"))}
    secrets |= {each for secret in secrets for each in (unquote(secret), quote(secret, safe=""))}
    text = _URL_IN_TEXT.sub(lambda found: shown(found.group()), text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text


@dataclass(frozen=True, slots=True)
class PhotoRoot:
    """Where the names of a study's photographs begin.

    Parameters
    ----------
    address : str
        An absolute folder of this computer, or a URL.
    """

    address: str = field(repr=False)

    def url_of(self, name: str) -> str | None:
        """URL of a photograph; None for a file of this computer."""
        if is_url(name):
            return name
        if not is_url(self.address) or PurePath(name).is_absolute():
            return None
        parts = _parts(self.address)
        relative = normpath(name)
        if parts.scheme.lower() in {"http", "https"}:
            relative = quote(relative)
        folder = parts.path
        if (folder or parts.host) and not folder.endswith("/"):
            folder += "/"
        return f"{parts.scheme}://{parts.user}{parts.host}{folder}{relative}{parts.query}"

    def path_of(self, name: str) -> Path:
        """Path of a photograph that is a file of this computer."""
        return Path(self.address) / name

    def leaves(self, name: str) -> bool:
        """Whether a name leads out of a root that is a URL."""
        relative = is_url(self.address) and not is_url(name) and not PurePath(name).is_absolute()
        return relative and normpath(name).split("/")[0] == ".."


def given_root(photos: str) -> PhotoRoot:
    """Where names of photographs begin, as a user gave it.

    Raises
    ------
    InputError
        If it is no folder, or a URL that can't be used.
    """
    if is_url(photos):
        problem = problem_of(photos)
        if problem:
            message = f"--photos {problem}."
            raise InputError(message)
        return PhotoRoot(photos)
    if not Path(photos).is_dir():
        message = f"--photos {photos} is no folder. Give the folder, or a URL such as s3://BUCKET."
        raise InputError(message)
    return PhotoRoot(str(Path(photos).resolve()))


def _parts(url: str) -> _Parts:
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _ON_DISK:
        return _Parts(scheme, "", "", rest, "")
    rest, mark, query = rest.partition("?")
    if scheme.lower() in {"http", "https"}:
        rest = rest.partition("#")[0]
        query = query.partition("#")[0]
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    return _Parts(scheme, user + at, host, slash + path, mark + query)
