"""The sample photographs, and one run of the main job over a few of them for all tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from schema_checks import documents_are_as_described, watched_documents

__all__ = ["documents_are_as_described", "watched_documents"]

SAMPLES = Path(__file__).parents[1] / "sample_images"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample photographs; tests copy from it and never write to it."""
    return SAMPLES


@pytest.fixture(scope="session")
def few_photographs(tmp_path_factory, samples) -> Path:
    """A folder as a user has it: three good visits, and three files that can't be measured."""
    folder = tmp_path_factory.mktemp("few") / "photos"
    source = samples / "subject-03" / "vertex"
    target = folder / "subject-03" / "vertex"
    target.mkdir(parents=True)
    names = sorted(each.name for each in source.glob("*.jpg"))
    good = [name for name in names if name.startswith(("2024-03-04", "2024-06-03"))][:3]
    for name in good:
        shutil.copy(source / name, target / name)
    content = (source / good[0]).read_bytes()
    (target / "2024-10-01.jpg").write_bytes(content[: len(content) // 2])
    (target / "notes.txt").write_text("not a photograph")
    shutil.copy(source / good[0], target / "2025-01-01.jpg")
    return folder


@pytest.fixture(scope="session")
def tracked(tmp_path_factory, few_photographs):
    """Exit code, output and result folder of `track` over `few_photographs`."""
    from click.testing import CliRunner

    from scalptrack.cli.main import main

    out = tmp_path_factory.mktemp("tracked") / "results"
    result = CliRunner().invoke(main, ["track", str(few_photographs), "--out", str(out)])
    return result, out
