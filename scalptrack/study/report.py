"""The statistics of a study as files, and in its log."""

from __future__ import annotations

from pathlib import Path

from scalptrack.outputs import OutputFolder
from scalptrack.plain import to_plain
from scalptrack.segmentation import shared_segmenter
from scalptrack.study.analysis import analyse_study
from scalptrack.study.export import write_tables
from scalptrack.study.stats_tables import StatsSettings, StudyStatistics, methods_text
from scalptrack.study.status import require_complete
from scalptrack.study.store import StudyStore
from scalptrack.study.tidy import load_results

METHODS_NAME = "methods.md"


def write_statistics(
    store: StudyStore, settings: StatsSettings, out: Path
) -> tuple[StudyStatistics, tuple[str, ...]]:
    """Make the statistics of a study and write them; the names of the files.

    Raises
    ------
    InputError
        If the study is not measured to its end, or a setting names what it doesn't have.
    OutputError
        If a file can't be written.
    """
    require_complete(store)
    results = load_results(store)
    statistics = analyse_study(results, settings)
    methods = methods_text(
        results,
        statistics,
        measuring=store.settings,
        segmentation=shared_segmenter().method,
        manifest_sha256=store.manifest_sha256,
    )
    OutputFolder(out).require_free((METHODS_NAME,))
    files = write_tables(statistics.tables, out, schema_name="scalptrack.study.statistics/1")
    OutputFolder(out).write_text(METHODS_NAME, methods)
    store.log("stats", {"settings": to_plain(statistics.settings), "left_out": statistics.left_out})
    return statistics, (*files, METHODS_NAME)
