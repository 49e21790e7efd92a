"""Which place a path means: a study holds decisions in its database, anything else is a file."""

from __future__ import annotations

from pathlib import Path

from scalptrack.errors import InputError
from scalptrack.review.decision_file import DECISIONS_NAME, DecisionFile
from scalptrack.review.store import DecisionStore, Source
from scalptrack.study.extra import holds_study, require_extra


def decisions_at(path: Path) -> DecisionStore:
    """The decisions of a study, of a folder of results, or in a file.

    Parameters
    ----------
    path : Path
        A study's folder, another folder, or the file itself, which needn't be there yet.

    Raises
    ------
    InputError
        If the study can't be opened, or the packages for it are not installed.
    """
    if not holds_study(path):
        return DecisionFile(path / DECISIONS_NAME if path.is_dir() else path)
    require_extra()
    from scalptrack.study.decisions import StudyDecisions
    from scalptrack.study.store import StudyStore

    return StudyDecisions(StudyStore(path))


def source_at(path: Path) -> Source:
    """The decisions that somebody names, for `track` or to take them over.

    Parameters
    ----------
    path : Path
        As for `decisions_at`; here they have to be there.

    Raises
    ------
    InputError
        If there are none, or they were changed by something else than scalptrack.
    """
    store = decisions_at(path)
    if isinstance(store, DecisionFile) and not store.path.is_file():
        msg = (
            f"{path} holds no decisions. Give a file that `scalptrack review` wrote, or the folder "
            "of a study."
        )
        raise InputError(msg)
    return Source(path.resolve().name, store.read())
