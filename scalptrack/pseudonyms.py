"""Pseudonyms and shifted dates that only the holder of a key can make again.

Both are HMAC-SHA-256 (RFC 2104, https://doi.org/10.17487/RFC2104) of what they stand for. The same
key gives the same pseudonym, so that photographs that are added later join their series; without
the key a list of names can't be tried out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from scalptrack.errors import InputError

KEY_HEADING = "scalptrack-key/1"
KEY_BYTES = 32

PSEUDONYM_CHARACTERS = 10
"""50 bits: two of a thousand subjects share a pseudonym with a probability below 1e-9."""


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """A secret of 32 bytes; it is never printed."""

    secret: bytes = field(repr=False)

    def subject(self, name: str) -> str:
        """Pseudonym of a subject.

        Examples
        --------
        >>> PseudonymKey(b"k" * 32).subject("anna")
        'p-du24bdvd44'
        """
        return f"p-{self._letters('subject', name)}"

    def label(self, kind: str, text: str) -> str:
        """Pseudonym of any other text that may hold a name: a view, a file."""
        return f"{kind}-{self._letters(kind, text)[:8]}"

    def identity(self, sha256: str) -> str:
        """What stands for a content's hash, as 64 digits: who has a copy can't look for it."""
        return self._digest("content", sha256).hex()

    def shifted(self, day: date, subject: str, *, max_days: int) -> date:
        """A date moved back by 1 to ``max_days`` days, the same for all dates of a subject.

        Intervals between visits stay what they are.
        """
        digest = self._digest("shift", subject)
        return day - timedelta(days=1 + int.from_bytes(digest[:8], "big") % max_days)

    def _letters(self, kind: str, text: str) -> str:
        letters = base64.b32encode(self._digest(kind, text)).decode().lower()
        return letters[:PSEUDONYM_CHARACTERS]

    def _digest(self, kind: str, text: str) -> bytes:
        message = f"{kind}\0{unicodedata.normalize('NFC', text).strip()}"
        return hmac.new(self.secret, message.encode("utf-8"), hashlib.sha256).digest()


def create_key(path: Path) -> PseudonymKey:
    """Make a key and write it to a new file that only its owner can read.

    Raises
    ------
    InputError
        If the file exists (a key is never overwritten), or can't be written.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    text = f"{KEY_HEADING}\n{secret.hex()}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
    except FileExistsError as error:
        msg = f"{path} exists, and a key is never overwritten. Leave out --create-key to use it."
        raise InputError(msg) from error
    except OSError as error:
        msg = f"The key {path} can't be written: {error.strerror or error}. Choose another place."
        raise InputError(msg) from error
    return PseudonymKey(secret)


def read_key(path: Path) -> PseudonymKey:
    """Read a key that `create_key` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it holds no key.
    """
    try:
        heading, _, digits = path.read_text(encoding="ascii").strip().partition("\n")
        secret = bytes.fromhex(digits)
    except FileNotFoundError as error:
        msg = f"The key {path} doesn't exist. Add --create-key to make it, and keep it safe."
        raise InputError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{path} can't be read as a key. Give the file that --create-key made."
        raise InputError(msg) from error
    if heading.strip() != KEY_HEADING or len(secret) != KEY_BYTES:
        msg = f"{path} holds no key of scalptrack. Give the file that --create-key made."
        raise InputError(msg)
    return PseudonymKey(secret)
