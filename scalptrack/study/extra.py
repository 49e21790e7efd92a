"""The packages that only studies need: what to say when they are not there."""

from __future__ import annotations

from importlib.util import find_spec

from scalptrack.errors import InputError

EXTRA_PACKAGES = ("sqlalchemy", "alembic", "pyarrow", "statsmodels")
INSTALL = "pip install 'scalptrack[study]'"


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
