"""The language of a run: an option, part of the settings, and known to every process."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from scalptrack.cli.check import _finding_line
from scalptrack.cli.main import main
from scalptrack.pipeline import analyse_photograph
from scalptrack.records import Catalog, Photograph, Settings, Status
from scalptrack.results import run_and_write
from scalptrack.tables import fingerprint
from scalptrack.translation import current_language, in_language
from scalptrack.workers import process_pool
from tests.longitudinal.series import FIRST_DAY


@pytest.fixture
def photos(tmp_path):
    """One photograph, which is empty."""
    folder = tmp_path / "photos" / "anna" / "vertex"
    folder.mkdir(parents=True)
    (folder / "2026-01-10.jpg").touch()
    return tmp_path / "photos"


def _photograph(photos) -> Photograph:
    name = "anna/vertex/2026-01-10.jpg"
    return Photograph("anna", "vertex", FIRST_DAY, 1, photos / name, name, "a" * 64, 640, 480)


def _run(*arguments: str):
    return CliRunner().invoke(main, ["track", *arguments])


def test_an_unknown_language_is_a_usage_error_that_names_those_that_there_are(photos, tmp_path):
    result = _run(str(photos), "--out", str(tmp_path / "out"), "--language", "tlh")
    assert result.exit_code == 2
    assert "'tlh' is not one of 'en', 'de'" in result.output


def test_reasons_of_rejected_files_are_in_the_language_and_messages_english(photos, tmp_path):
    result = _run(str(photos), "--out", str(tmp_path / "out"), "--language", "de")
    assert result.exit_code == 2
    assert "There is no usable photograph in" in result.output
    assert "ist leer (0 Bytes). Kopieren Sie die Datei erneut von der Kamera." in result.output
    assert current_language() == "en"


def test_without_the_option_everything_is_english(photos, tmp_path):
    result = _run(str(photos), "--out", str(tmp_path / "out"))
    assert "is empty (0 bytes). Copy it again from the camera." in result.output


def test_worker_processes_know_the_language(photos):
    photograph = _photograph(photos)
    with process_pool(1) as pool:
        analysis = pool.submit(analyse_photograph, photograph, Settings(language="de")).result()
    assert analysis.status is Status.REJECTED
    assert analysis.reason.message == (
        "anna/vertex/2026-01-10.jpg ist leer (0 Bytes). Kopieren Sie die Datei erneut von der "
        "Kamera."
    )


@pytest.mark.parametrize(("language", "word"), [("en", "rejected"), ("de", "aussortiert")])
def test_the_language_stands_in_provenance_and_report(photos, tmp_path, language, word):
    catalog = Catalog(photos, (_photograph(photos),), ())
    result = run_and_write(catalog, Settings(language=language), out=tmp_path / "out")
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["language"] == language
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in page
    assert f">{word}<" in page
    assert result.outcomes[0].status.value == "rejected"
    table = (tmp_path / "out" / "measurements.csv").read_text(encoding="utf-8")
    assert table.startswith("subject,view,visit_date,replicate,photo,")
    assert ",rejected," in table
    assert current_language() == "en"


def test_the_cache_keeps_languages_apart():
    texts = {fingerprint(Settings(language=each), "method") for each in ("en", "de")}
    assert len(texts) == 2


def test_check_says_what_is_wrong_in_the_language_and_codes_stay(photos):
    photo = str(photos / "anna" / "vertex" / "2026-01-10.jpg")
    result = CliRunner().invoke(main, ["check", photo, "--language", "de"])
    assert result.exit_code == 1
    assert f"{photo}: NICHT brauchbar" in result.stdout
    assert "  Fehler: leer. " in result.stdout
    assert "ist leer (0 Bytes)." in result.stdout
    assert current_language() == "en"
    result = CliRunner().invoke(main, ["check", photo, "--language", "de", "--json"])
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["code"], finding["severity"]) == ("empty", "error")
    assert "ist leer" in finding["advice"]


def test_measures_of_check_have_the_marks_and_units_of_the_language():
    finding = {
        "code": "head_turned",
        "severity": "warning",
        "value": 17.25,
        "limit": 15.0,
        "unit": "degrees",
        "advice": "!",
    }
    assert _finding_line(finding) == "warning: head turned (17.2 degrees, limit 15 degrees). !"
    with in_language("de"):
        assert _finding_line(finding) == "Warnung: Kopf gedreht (17,2 Grad, Grenze 15 Grad). !"
        copy = finding | {"code": "screenshot"}
        assert _finding_line(copy) == "Warnung: Bildschirmfoto. !"
