"""The commands of a study as a group: documented, with examples, and light until they work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from study.study_files import invoke

from scalptrack.cli.study import study_command
from scalptrack.study import store

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "cv2", "scipy", "sqlalchemy", "alembic", "pyarrow", "statsmodels", "pandas")


@pytest.mark.parametrize("command", sorted(study_command.commands))
def test_every_command_is_documented_and_shows_an_example(command):
    guide = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    assert f"scalptrack study {command} trial" in guide
    documents = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert f"`scalptrack.study.{command}/1`" in documents
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"  scalptrack study {command} trial" in result.output
    assert "--json" in result.output
    assert "--quiet" in result.output


def test_the_help_of_a_command_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from scalptrack.cli.main import main\n"
        "try:\n    main(['study', 'stats', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["run", "status", "export", "stats"])
def test_a_folder_without_a_study_is_an_error_that_says_what_to_do(command, tmp_path):
    result = invoke(command, tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path} holds no study. Make one: scalptrack study init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_entered_is_said_and_no_traceback(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder / "study.sqlite"))

    monkeypatch.setattr(store, "open_database", refuse)
    result = invoke("status", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {tmp_path / 'study.sqlite'} can't be used: Permission denied. Check the "
        "permissions of the file and of the folders that it is in.\n"
    )
