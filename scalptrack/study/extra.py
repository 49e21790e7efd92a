"""What is known of studies without their packages: a study's folder, and what to install."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from scalptrack.errors import InputError

EXTRA_PACKAGES = ("sqlalchemy", "alembic", "pyarrow", "statsmodels")
INSTALL = "pip install 'scalptrack[study]'"

DATABASE_NAME = "study.sqlite"
POINTER_NAME = "database.json"


def holds_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / DATABASE_NAME).is_file() or (folder / POINTER_NAME).is_file()


def require_extra() -> None:
    """Say what to install when a package of the extra ``study`` is missing.

    Raises
    ------
    InputError
        With the names of the missing packages and the command that installs them.
    """
    missing = [name for name in EXTRA_PACKAGES if find_spec(name) is None]
    if missing:
        message = (
            f"`scalptrack study` needs {', '.join(missing)}, which is not installed. "
            f"Install it with: {INSTALL}"
        )
        raise InputError(message)
