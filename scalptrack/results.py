"""The main job's outputs: runs the pipeline over a catalog and writes everything it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scalptrack.cache import RecordCache
from scalptrack.conclusions import NOTHING_STATED, Conclusions, Stated, conclude
from scalptrack.images import read_photograph
from scalptrack.longitudinal.hair_index import hair_index
from scalptrack.outputs import OutputFolder
from scalptrack.pictures import PhotographPictures
from scalptrack.pipeline import RECORD_TYPES, track
from scalptrack.plain import to_plain
from scalptrack.records import (
    Catalog,
    ImageArray,
    Outcome,
    SaltEstimate,
    Settings,
    Status,
    Timeline,
    ZoneTimeline,
)
from scalptrack.report import build_pdf, build_report
from scalptrack.report_sections import report_context
from scalptrack.run_record import write_run_record
from scalptrack.segmentation import model_checksum, shared_segmenter
from scalptrack.series_files import (
    PDF_NAME,
    TABLES_AND_REPORT,
    TOP_NAMES,
    Products,
    SeriesFiles,
    write_series_files,
)
from scalptrack.tables import changes_csv, fingerprint, measurements_csv, provenance
from scalptrack.translation import in_language, tr
from scalptrack.wording import plural
from scalptrack.zone_tables import zones_csv
from scalptrack.zoning import with_zones


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything a run says, as numbers and records."""

    outcomes: tuple[Outcome, ...]
    timelines: tuple[Timeline, ...]
    provenance: dict[str, Any]
    notes: tuple[str, ...] = ()
    zones: tuple[ZoneTimeline, ...] = ()
    salt: tuple[SaltEstimate, ...] = ()

    @property
    def measured(self) -> int:
        """How many photographs have a coverage."""
        return sum(each.status is Status.MEASURED for each in self.outcomes)

    @property
    def all_measured(self) -> bool:
        """True when nothing was rejected or refused."""
        return self.measured == len(self.outcomes)

    def counts_line(self) -> str:
        """The line that every run ends with."""
        counts = Counter(each.status for each in self.outcomes)
        return (
            f"{plural(len(self.outcomes), 'file')}: {counts[Status.MEASURED]} measured, "
            f"{counts[Status.REFUSED]} refused, {counts[Status.REJECTED]} rejected"
        )

    def document(self) -> dict[str, Any]:
        """The JSON document of ``track``."""
        return {
            "schema": "scalptrack.track/1",
            "outcomes": [_outcome_document(each) for each in self.outcomes],
            "timelines": to_plain(self.timelines),
            "zones": to_plain(self.zones),
            "salt": to_plain(self.salt),
            "notes": list(self.notes),
            "provenance": self.provenance,
        }


def _outcome_document(outcome: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = to_plain(outcome)
    if outcome.measurement is not None:
        coverage = outcome.measurement.coverage_fraction
        document["coverage_fraction"] = coverage
        document["hair_index"] = to_plain(hair_index(coverage))
    return document


def run_and_write(
    catalog: Catalog,
    settings: Settings,
    *,
    out: Path,
    stated: Stated = NOTHING_STATED,
    products: Products = TABLES_AND_REPORT,
    invocation: Sequence[str] = (),
    executor: Executor | None = None,
    use_cache: bool = True,
    on_step: Callable[[str], None] = lambda _name: None,
) -> RunResult:
    """Measure a catalog and write tables, charts, pictures and the report.

    Parameters
    ----------
    catalog : Catalog
        What was understood of the folder.
    settings : Settings
        Everything that decides a result.
    out : Path
        The output folder; what the program did not write there is never touched.
    stated : Stated
        Events, what the user stated of the visits, and what a reviewer decided.
    products : Products
        What is written beside tables and report, and whether names stand in it.
    invocation : sequence of str
        Arguments that give this run again, for `review`.
    executor : Executor or None
        Runs analyses of photographs at the same time.
    use_cache : bool
        Use what an earlier run with the same settings and versions computed.
    on_step : callable
        Called with the name of each photograph that was analysed.

    Raises
    ------
    OutputError
        When an output would overwrite what the program did not write, or can't be written.
    InputError
        When there is no translation into the language of the settings.
    """
    with in_language(settings.language):
        return _run_and_write(
            catalog,
            settings,
            OutputFolder(out),
            stated,
            products,
            invocation=invocation,
            executor=executor,
            use_cache=use_cache,
            on_step=on_step,
        )


def _run_and_write(
    catalog: Catalog,
    settings: Settings,
    folder: OutputFolder,
    stated: Stated,
    products: Products,
    *,
    invocation: Sequence[str],
    executor: Executor | None,
    use_cache: bool,
    on_step: Callable[[str], None],
) -> RunResult:
    """Measure a catalog and write everything, in the language that was entered."""
    folder.require_free(products.top_names)
    cache = _open_cache(folder, settings, kept=use_cache and not products.deidentified)
    measured = track(
        catalog,
        settings,
        cache=cache,
        corrections=stated.corrections,
        executor=executor,
        on_step=on_step,
    )
    zoned = [with_zones(each, forehead=settings.forehead) for each in measured]
    run = conclude(catalog, zoned, stated)
    written = write_series_files(run, folder, cache, settings, products)
    document = _provenance(run, settings, stated, products, written)
    _write_tables(run, document, folder)
    title = catalog.root.name or tr("photographs")
    context = report_context(run, written, document, title=title, tables=TOP_NAMES[:4])
    folder.write_text("report.html", build_report(context))
    if not products.deidentified:  # It holds paths and names.
        write_run_record(folder, catalog, run.outcomes, invocation)
    if products.pdf:
        folder.write_bytes(PDF_NAME, build_pdf(context, lambda name: _picture(folder, name)))
    return RunResult(run.outcomes, run.timelines, document, context.notes, run.zones, run.salt)


def _open_cache(folder: OutputFolder, settings: Settings, *, kept: bool) -> RecordCache:
    """What earlier runs with the same settings and versions computed; empty when none is kept."""
    return RecordCache(
        folder.state_folder / "cache" if kept else None,
        RECORD_TYPES | {PhotographPictures.__name__: PhotographPictures},
        fingerprint=fingerprint(replace(settings, forehead=""), shared_segmenter().method),
    )


def _provenance(
    run: Conclusions,
    settings: Settings,
    stated: Stated,
    products: Products,
    written: SeriesFiles,
) -> dict[str, Any]:
    """Where every number of the run comes from."""
    document = provenance(
        run.outcomes,
        settings,
        method=shared_segmenter().method,
        model_sha256=model_checksum(),
        conditions=stated.conditions,
        outputs=[*products.top_names, *written.names],
        decisions=stated.corrections.record,
    )
    return document | {"deidentified": products.deidentified}


def _write_tables(run: Conclusions, document: dict[str, Any], folder: OutputFolder) -> None:
    """Write the tables that stand beside the report."""
    folder.write_text("measurements.csv", measurements_csv(run.outcomes, run.timelines))
    folder.write_text("changes.csv", changes_csv(run.timelines))
    folder.write_text("zones.csv", zones_csv(run.zones))
    folder.write_text("provenance.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _picture(folder: OutputFolder, name: str) -> ImageArray:
    """Pixels of a picture that this run wrote."""
    image, _ = read_photograph(folder.root / name, max_megapixels=20.0)
    return image
