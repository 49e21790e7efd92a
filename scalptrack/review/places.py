"""Which place a path means: a study holds decisions in its database, anything else is a file."""

from __future__ import annotations

from pathlib import Path

from scalptrack.review.decision_file import DECISIONS_NAME, DecisionFile
from scalptrack.review.store import DecisionStore
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
