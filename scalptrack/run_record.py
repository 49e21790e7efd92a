"""What `review` has to know of a run: where the photographs are, how to run it again, findings.

It lies in the output folder's state, ``.scalptrack/run.json``, because it holds absolute paths of
this computer: the results themselves name none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scalptrack.images import write_bytes_atomic
from scalptrack.outputs import STATE_FOLDER, OutputFolder
from scalptrack.plain import to_plain
from scalptrack.records import Catalog, Finding, Outcome, Settings

RUN_NAME = "run.json"
RUN_SCHEMA = "scalptrack.run/1"


def invocation(
    photos: Path,
    out: Path,
    settings: Settings,
    *,
    events: Path | None,
    visits: Path | None,
    references: Sequence[str],
    decisions: Path | None,
    pdf: bool,
    dicom: bool,
) -> tuple[str, ...]:
    """Arguments of ``scalptrack`` that give the same run again, with absolute paths."""
    base = Settings()
    words = ["track", str(photos.resolve()), "--out", str(out.resolve())]
    for option, path in (("--events", events), ("--visits", visits), ("--decisions", decisions)):
        words += [option, str(path.resolve())] if path is not None else []
    for each in references:
        words += ["--reference", each]
    words += ["--forehead", settings.forehead] if settings.forehead else []
    words += ["--seed", str(settings.seed)] if settings.seed != base.seed else []
    if settings.max_megapixels != base.max_megapixels:
        words += ["--max-megapixels", f"{settings.max_megapixels:g}"]
    words += ["--allow-outline"] if settings.allow_outline else []
    words += ["--strip"] if settings.strip else []
    words += ["--colour-card"] if settings.colour_card else []
    words += ["--language", settings.language] if settings.language != base.language else []
    words += ["--pdf"] if pdf else []
    words += ["--dicom"] if dicom else []
    return tuple(words)


def write_run_record(
    folder: OutputFolder,
    catalog: Catalog,
    outcomes: Sequence[Outcome],
    words: Sequence[str],
) -> None:
    """Write the record of a run into the state of its output folder."""
    document = {
        "schema": RUN_SCHEMA,
        "photographs": str(catalog.root.resolve()),
        "arguments": list(words),
        "findings": {each.sha256: findings_of(each) for each in outcomes if each.sha256},
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    write_bytes_atomic(folder.state_folder / RUN_NAME, text.encode("utf-8", "surrogatepass"))


def findings_of(outcome: Outcome) -> list[dict[str, Any]]:
    """All findings about a photograph, each once, as plain values."""
    found: tuple[Finding, ...] = outcome.quality.findings if outcome.quality else ()
    return [to_plain(each) for each in dict.fromkeys((*found, *outcome.warnings))]


def read_run_record(root: Path) -> dict[str, Any]:
    """The record of a folder's run; empty where there is none that can be read."""
    try:
        document = json.loads((root / STATE_FOLDER / RUN_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    sound = isinstance(document, dict) and document.get("schema") == RUN_SCHEMA
    return document if sound else {}
