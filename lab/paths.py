"""Where the files of a rendered photograph lie: its picture and its truth share a name."""

from __future__ import annotations

from pathlib import Path


def beside(base: Path, suffix: str) -> Path:
    """Return the file of this suffix, for the name that a photograph and its truth share.

    The name may hold dots, which `Path.with_suffix` would take for the start of its suffix.

    Examples
    --------
    >>> beside(Path("anna/2026-01-10.a"), ".hair.png").as_posix()
    'anna/2026-01-10.a.hair.png'
    """
    return base.with_name(base.name + suffix)
