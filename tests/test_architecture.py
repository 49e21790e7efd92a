"""The layout's promises: who may import what, who may touch pixels, and a light ``--help``."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import scalptrack

PACKAGE = Path(scalptrack.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
STAGES = (
    "catalog",
    "quality",
    "segmentation",
    "registration",
    "measurement",
    "longitudinal",
    "zones",
)
HEAVY = ("cv2", "skimage", "scipy", "matplotlib", "numpy", "PIL", "jinja2", "pillow_heif")
OPTIONAL = ("rawpy", "pydicom")
PIXEL_CALLS = {
    ("cv2", "imread"),
    ("cv2", "imwrite"),
    ("cv2", "imdecode"),
    ("cv2", "imencode"),
    ("Image", "open"),
    ("Image", "save"),
    ("io", "imread"),
    ("io", "imsave"),
    ("plt", "imread"),
    ("rawpy", "imread"),
    ("pydicom", "dcmread"),
    ("pillow_heif", "open_heif"),
    ("pillow_heif", "read_heif"),
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _stage_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_click_is_imported_by_the_command_line_alone(path):
    uses_click = any(name == "click" or name.startswith("click.") for name in _imports(path))
    assert not uses_click or path.relative_to(PACKAGE).parts[0] == "cli"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_pixels_are_read_and_written_by_images_alone(path):
    calls = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
    }
    assert not calls & PIXEL_CALLS or _stage_of(path) == "images"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path):
    stage = _stage_of(path)
    ours = {name.split(".")[1] for name in _imports(path) if name.startswith("scalptrack.")}
    if stage in STAGES:
        assert not ours & {"cli", "pipeline", "results", "chart", "report"}
        assert not (ours - {stage}) & set(STAGES)
    if stage in {"records", "errors"}:
        assert not ours - {stage}
    if stage != "cli" and path.name != "__main__.py":
        assert "cli" not in ours


def _lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    inside = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - inside


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_functions_and_modules_are_short_enough_to_read(path):
    source = path.read_text(encoding="utf-8")
    functions = [
        each
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [each.name for each in functions if _lines_of_code(each) > 80] == []
    assert len(source.splitlines()) <= 450


def test_reading_a_jpeg_imports_no_extra(samples):
    photo = next((samples / "subject-01" / "vertex").glob("*.jpg"))
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from scalptrack.images import read_photograph\n"
        f"read_photograph(Path({str(photo)!r}))\n"
        f"print(sorted(set({OPTIONAL!r}) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from scalptrack.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
