"""The language of a run: an option, part of the settings, and known to every process."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from scalptrack.cli.check import _finding_line
from scalptrack.cli.main import main
from scalptrack.cli.register import _registered_line
from scalptrack.cli.segment import _line
from scalptrack.errors import HeadNotFoundError
from scalptrack.pipeline import analyse_photograph
from scalptrack.records import Catalog, Photograph, Settings, Status
from scalptrack.registration.close_up import MIN_SIDE_PX, extract_close_up
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


def test_segment_says_reasons_and_measures_in_the_language_and_codes_stay(photos, tmp_path):
    photo = str(photos / "anna" / "vertex" / "2026-01-10.jpg")
    arguments = ["segment", photo, "--out", str(tmp_path / "out"), "--language", "de"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert f"{photo}: keine Bedeckung. {photo} ist leer (0 Bytes)." in result.stdout
    assert result.stderr.endswith("1 photograph: 0 measured, 1 without a number\n")
    (document,) = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)["photographs"]
    assert document["status"] == "rejected"
    assert "ist leer (0 Bytes)." in document["reason"]
    assert current_language() == "en"


def test_segment_names_what_is_wrong_in_the_language(samples, tmp_path):
    small = tmp_path / "small.jpg"
    with Image.open(next((samples / "subject-03" / "vertex").glob("2024-06-03*.jpg"))) as image:
        image.resize((image.width // 8, image.height // 8)).save(small, quality=95)
    arguments = ["segment", str(small), "--out", str(tmp_path / "out"), "--language", "de"]
    result = CliRunner().invoke(main, arguments)
    assert "small.jpg lässt sich nicht messen: niedrige Auflösung (" in result.stdout
    assert " px Kopfbreite, die Grenze ist 200). Gehen Sie näher heran" in result.stdout


def test_measures_of_segment_have_the_marks_of_the_language():
    result = {
        "photo": "a.jpg",
        "status": "measured",
        "coverage_fraction": 0.5432,
        "coverage_low_fraction": 0.49,
        "coverage_high_fraction": 0.6,
        "region_px": 120000,
        "excluded_fraction": 0.08,
    }
    assert _line(result) == (
        "a.jpg: visible hair coverage 54.3 % (95 % interval 49 to 60 %) of 120000 px of scalp "
        "(8 % of the scalp excluded)"
    )
    with in_language("de"):
        assert _line(result) == (
            "a.jpg: sichtbare Haarbedeckung 54,3 % (95‑%‑Intervall 49 bis 60 %) von 120000 px "
            "Kopfhaut (8 % der Kopfhaut ausgenommen)"
        )


@pytest.fixture
def wall(tmp_path):
    """A photograph of nobody."""
    noise = np.random.default_rng(3).normal(150, 6, (300, 250, 3))
    path = tmp_path / "wall.png"
    Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(path)
    return path


def test_register_refuses_in_the_language_and_codes_stay(wall):
    arguments = ["register", str(wall), str(wall), "--language", "de"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stdout.startswith("abgelehnt: In diesem Foto ")
    assert result.stderr.endswith("1 pair: 0 registered, 1 refused\n")
    document = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert (document["status"], document["reason_code"]) == ("refused", "unusable_photograph")
    assert document["reason"].startswith("In diesem Foto ")
    assert current_language() == "en"


def test_register_says_how_a_pair_was_aligned_in_the_language(wall, monkeypatch):
    document = {
        "status": "registered",
        "tier": "A",
        "method": "features",
        "residual_px": 1.25,
        "inliers": 120,
        "overlap": 0.875,
        "points": [[1.5, 2.25], None],
    }
    monkeypatch.setattr("scalptrack.single.register_photographs", lambda *_, **__: document)
    said = CliRunner().invoke(main, ["register", str(wall), str(wall), "--language", "de"]).stdout
    assert said == (
        "ausgerichtet, Stufe A: Restabweichung 1,25 px, 120 Punkte stimmen überein, Überlappung "
        "0,88\nPunkt 1: 1.50,2.25\nPunkt 2: nicht zu sehen\n"
    )
    with in_language("de"):
        lines = [_registered_line(document | {"method": each}) for each in ("outline", "strip")]
    assert lines == [
        "ausgerichtet, Stufe A, nur nach dem Umriss: Überlappung 0,88. Eine andere Person mit "
        "solchem Haar sähe genauso aus.",
        "ausgerichtet, Stufe A, nach dem gedruckten Stirnband: Restabweichung 1,25 px, 120 Marken "
        "stimmen überein, Überlappung 0,88. Eine andere Person mit diesem Band sähe genauso aus.",
    ]


def test_a_close_up_is_refused_in_the_language(samples):
    with in_language("de"), pytest.raises(HeadNotFoundError, match="eine Nahaufnahme von 90 x"):
        extract_close_up(np.zeros((MIN_SIDE_PX, 90, 3), np.uint8))
    head = str(next((samples / "subject-03" / "vertex").glob("2024-06-03*.jpg")))
    arguments = ["register", head, head, "--close-up", "--language", "de"]
    assert "ist keine Nahaufnahme: Kopfhaut füllt " in CliRunner().invoke(main, arguments).stdout
