"""Tables and statistics of a trial whose coverages are known."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from pyarrow.parquet import read_table
from study.study_files import invoke
from study.trial import DAYS, coverage, make_trial

from scalptrack.errors import InputError
from scalptrack.study.analysis import analyse_study, is_stated
from scalptrack.study.stats_tables import StatsSettings
from scalptrack.study.store import AnalysisRow
from scalptrack.study.tidy import flagged_names, load_results, tier_b_names, visit_table, without


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return make_trial(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def exported(trial):
    result = invoke("export", trial.folder, "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == "94 photographs, 94 with a result\n"
    return trial.folder / "export"


@pytest.fixture(scope="module")
def stats(trial):
    options = ("--control", "placebo", "--difference", "5", "--covariate", "age", "--json")
    result = invoke("stats", trial.folder, *options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), trial.folder / "stats"


def _csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _mean(number: int, day: int) -> float:
    """Mean coverage of a visit in percent, from what the trial was made of."""
    arm = ("drug", "placebo")[number % 2]
    kept = [r for r in (1, 2) if (number, day, r) != (3, 90, 2)]
    return 100 * float(np.mean([coverage(number, arm, day, r) for r in kept]))


def test_changes_are_counted_from_the_baseline_visit(exported):
    rows = _csv(exported / "visits.csv")
    assert len(rows) == 47
    for row in rows:
        number, days = int(row["subject"][1:]), int(row["days"])
        expected = _mean(number, days) - _mean(number, 0)
        assert float(row["coverage_percent"]) == pytest.approx(_mean(number, days), abs=1e-4)
        if days:
            assert float(row["change_points"]) == pytest.approx(expected, abs=1e-4)
            beyond = expected > float(row["mdc_points"])
            assert row["responder"] == ("yes" if beyond else "no")
        else:
            assert row["change_points"] == row["responder"] == row["verdict"] == ""


def test_every_photograph_has_its_row(exported):
    rows = _csv(exported / "photographs.csv")
    assert len(rows) == 94
    (refused,) = [row for row in rows if row["status"] != "measured"]
    assert (refused["photo"], refused["reason_code"]) == ("s3/90_2.jpg", "no_agreement")
    assert refused["coverage_percent"] == ""
    assert {row["tier"] for row in rows if row["photo"].startswith("s0/90")} == {"B"}
    assert {row["flags"] for row in rows if row["photo"].startswith("s1/180")} == {"dark"}
    assert _csv(exported / "missing_visits.csv") == [
        {"subject": "s2", "arm": "drug", "view": "vertex", "visit": "day 180"}
    ]


def test_parquet_and_json_say_the_same_as_the_csv(exported):
    document = json.loads((exported / "tables.json").read_text(encoding="utf-8"))
    for name in ("photographs", "visits", "missing_visits"):
        table = read_table(exported / f"{name}.parquet").to_pylist()
        rows = _csv(exported / f"{name}.csv")
        assert len(table) == len(rows) == len(document[name])
        for ours, text, plain in zip(table, rows, document[name], strict=True):
            for column, value in ours.items():
                shown = value.isoformat() if isinstance(value, dt.date) else value
                assert plain[column] == shown
                words = {True: "yes", False: "no", None: ""}
                is_word = value is None or isinstance(value, bool)
                assert text[column] == (words[value] if is_word else str(shown))


def test_the_schema_and_the_dictionary_describe_every_column(exported):
    schema = json.loads((exported / "tables.schema.json").read_text(encoding="utf-8"))
    document = json.loads((exported / "tables.json").read_text(encoding="utf-8"))
    assert set(schema["required"]) == set(document)
    dictionary = {(row["table"], row["column"]) for row in _csv(exported / "data_dictionary.csv")}
    names = {"string": str, "number": (int, float), "integer": int, "boolean": bool}
    for table in ("photographs", "visits", "missing_visits"):
        columns = schema["properties"][table]["items"]["properties"]
        assert dictionary >= {(table, column) for column in columns}
        for row in document[table]:
            assert set(row) == set(columns)
            for column, value in row.items():
                kind = columns[column]["type"][0]
                assert value is None or isinstance(value, names[kind])


def test_an_export_again_gives_the_same_bytes(trial, exported, tmp_path):
    assert invoke("export", trial.folder, "--out", tmp_path / "again").exit_code == 0
    for path in exported.glob("[!.]*"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_the_ancova_is_that_of_the_known_coverages(stats):
    document, _ = stats
    numbers = [n for n in range(16) if n != 2]
    change = np.array([_mean(n, 180) - _mean(n, 0) for n in numbers])
    design = np.array([[1, n % 2 == 0, _mean(n, 0), 30 + n] for n in numbers], dtype=float)
    expected = np.linalg.lstsq(design, change, rcond=None)[0][1]
    (row,) = [
        each
        for each in document["contrasts"]
        if (each["analysis"], each["model"], each["visit"]) == ("main", "ANCOVA", "day 180")
    ]
    assert row["difference"] == pytest.approx(expected, abs=1e-3)
    assert (row["subjects"], row["control_subjects"]) == (7, 8)
    assert row["difference_low"] < 15 < row["difference_high"]


def test_the_mixed_model_finds_the_known_difference_of_slopes(stats):
    document, _ = stats
    (row,) = [
        each
        for each in document["contrasts"]
        if (each["analysis"], each["model"]) == ("main", "mixed model")
    ]
    slopes = {
        n: np.polyfit(np.array(DAYS) / 365.25, [_mean(n, day) for day in DAYS], 1)[0]
        for n in range(16)
        if n != 2
    }
    arms = [[slope for n, slope in slopes.items() if n % 2 == arm] for arm in (0, 1)]
    assert row["difference"] == pytest.approx(np.mean(arms[0]) - np.mean(arms[1]), abs=1.5)
    assert row["difference_low"] < 30 < row["difference_high"]
    assert row["dof"] == 14


def test_p_values_are_adjusted_within_each_analysis_and_model(stats):
    document, _ = stats
    main = [each for each in document["contrasts"] if each["analysis"] == "main"]
    ancova = sorted(each["p_value"] for each in main if each["model"] == "ANCOVA")
    adjusted = sorted(each["p_holm"] for each in main if each["model"] == "ANCOVA")
    assert adjusted == pytest.approx([2 * ancova[0], max(2 * ancova[0], ancova[1])])
    assert {each["tests_in_family"] for each in main} == {1, 2}


def test_the_other_analyses_leave_out_what_they_say(trial, stats):
    document, _ = stats
    results = load_results(trial)
    assert tier_b_names(results) == {"s0/90_1.jpg", "s0/90_2.jpg"}
    assert flagged_names(results) == {"s1/180_1.jpg", "s1/180_2.jpg"}
    used = {
        (each["analysis"], each["visit"]): (each["subjects"], each["control_subjects"])
        for each in document["contrasts"]
        if each["model"] == "ANCOVA"
    }
    assert used == {
        ("main", "day 90"): (8, 8),
        ("main", "day 180"): (7, 8),
        ("without tier B", "day 90"): (7, 8),
        ("without tier B", "day 180"): (7, 8),
        ("without flagged photographs", "day 90"): (8, 8),
        ("without flagged photographs", "day 180"): (7, 7),
    }


def test_responders_are_counted_from_the_table_of_visits(trial, stats):
    document, _ = stats
    rows = visit_table(load_results(trial)).rows
    main = [each for each in document["responders"] if each["analysis"] == "main"]
    assert len(main) == 4
    for each in main:
        place = (each["visit"], each["arm"])
        answers = [r["responder"] for r in rows if (r["visit"], r["arm"]) == place]
        assert (each["responders"], each["subjects"]) == (sum(answers), len(answers))
    found = {(each["visit"], each["arm"]): each["responders"] for each in main}
    assert found["day 180", "drug"] > found["day 180", "placebo"]


def test_what_is_missing_is_stated(stats):
    document, _ = stats
    rows = {(each["visit"], each["arm"]): each for each in document["missing_data"]}
    assert rows["day 180", "drug"]["subjects"] == 8
    assert rows["day 180", "drug"]["photographed"] == 7
    assert rows["day 90", "placebo"]["reasons"] == "1 x no_agreement"
    assert rows["day 90", "placebo"]["with_a_change"] == 8


def test_the_methods_name_every_setting(stats):
    _, folder = stats
    text = (folder / "methods.md").read_text(encoding="utf-8")
    for words in (
        "94 photographs of 16 subjects",
        "seed 20260101",
        "1 planned visits had no photograph",
        "compared with placebo by analysis of covariance",
        "adjusted for the baseline coverage, and age",
        "Holm's procedure",
        "without tier B (2 photographs left out)",
        "without flagged photographs (2 photographs left out)",
        "difference of 5 points, power 0.8",
        "statsmodels",
    ):
        assert words in text
    assert (folder / "contrasts.csv").is_file()
    assert (folder / "sample_size.csv").is_file()


def test_how_well_photographs_of_a_visit_agree_is_stated(stats):
    document, folder = stats
    analyses = {each["analysis"]: each for each in document["repeatability"]}
    assert set(analyses) == {"main", "without tier B", "without flagged photographs"}
    main = analyses["main"]
    assert (main["subjects"], main["photographs"]) == (16, 32)
    assert main["sem_low"] < 0.4 < main["sem_high"]  # SD of the trial's photographs, in points
    assert len(_csv(folder / "repeatability.csv")) == 3


def test_the_statistics_are_in_the_log(trial, stats):
    last = [each for each in trial.log_lines() if each.action == "stats"][-1]
    assert last.details["settings"]["control"] == "placebo"


def test_a_sample_size_comes_from_the_study_s_own_sd(stats):
    document, _ = stats
    row = [each for each in document["sample_size"] if each["analysis"] == "main"][-1]
    assert row["sd_low"] < row["sd"] < row["sd_high"]
    assert row["subjects_low"] <= row["subjects"] <= row["subjects_high"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "Say with --control which one the others are compared with."),
        (("--control", "nobody"), "--control nobody: the study has drug, placebo."),
        (
            ("--control", "placebo", "--visit", "day 0"),
            "--visit day 0: the study has day 90, day 180.",
        ),
        (("--control", "placebo", "--covariate", "weight"), "the study has age."),
    ],
)
def test_a_setting_that_the_study_does_not_have_is_named(trial, options, text):
    result = invoke("stats", trial.folder, *options)
    assert result.exit_code == 2
    assert text in result.stderr


def test_no_conclusion_is_drawn_from_a_study_that_is_not_measured(tmp_path):
    store = make_trial(tmp_path, measured=False)
    result = invoke("stats", store.folder, "--control", "placebo")
    assert result.exit_code == 2
    assert "94 photographs" in result.stderr
    assert "scalptrack study run" in result.stderr
    exported = invoke("export", store.folder, "--quiet")
    assert exported.exit_code == 1
    assert {row["status"] for row in _csv(store.folder / "export" / "photographs.csv")} == {"to do"}


def test_no_conclusion_is_drawn_from_results_of_another_version(tmp_path):
    store = make_trial(tmp_path, per_arm=3)
    first = store.photographs()[0].sha256
    store.save_analysis(first, AnalysisRow("of another version", "", ""))
    result = invoke("stats", store.folder, "--control", "placebo")
    assert result.exit_code == 2
    assert "come from another version of scalptrack" in result.stderr
    exported = invoke("export", store.folder, "--quiet")
    assert exported.exit_code == 1
    assert "come from another version of scalptrack" in exported.stderr


def test_without_a_number_at_baseline_no_change_is_stated(trial):
    results = without(load_results(trial), {"s5/0_1.jpg", "s5/0_2.jpg"})
    rows = [row for row in visit_table(results).rows if row["subject"] == "s5"]
    assert [row["days"] for row in rows] == [0, 90, 180]
    assert all(row.get("change_points") is None for row in rows)
    assert [row.get("verdict") for row in rows] == [None, "not comparable", "not comparable"]
    assert rows[1]["coverage_percent"] is not None


def _with(results, *, arms=None, ages=None):
    """The results with other arms and ages of some subjects."""
    photographs = tuple(
        replace(
            each,
            arm=(arms or {}).get(each.subject, each.arm),
            covariates={"age": (ages or {}).get(each.subject, each.covariates["age"])},
        )
        for each in results.photographs
    )
    found = sorted({each.arm for each in photographs})
    return replace(results, photographs=photographs, arms=tuple(found))


def _contrasts(results, settings) -> list[dict]:
    tables = {table.name: table.rows for table in analyse_study(results, settings).tables}
    return [row for row in tables["contrasts"] if row["analysis"] == "main"]


def test_an_arm_with_too_few_subjects_is_stated_and_does_not_disappear(trial):
    results = _with(load_results(trial), arms={"s12": "third", "s14": "third"})
    rows = _contrasts(results, StatsSettings("placebo"))
    third = [row for row in rows if row.get("arm") == "third"]
    assert [(row["model"], row["visit"]) for row in third] == [
        ("ANCOVA", "day 90"),
        ("ANCOVA", "day 180"),
        ("mixed model", "all"),
    ]
    for row in third:
        assert (row["subjects"], row["control"]) == (2, "placebo")
        assert row["reason"] == (
            "the arm third has 2 subjects with the numbers that are needed; at least 3 are"
        )
        assert "difference" not in row
    assert [row["arm"] for row in rows if "difference" in row] == ["drug"] * 3


def test_a_covariate_that_is_not_known_leaves_its_subject_out_and_stays_a_number(trial):
    plain = _contrasts(load_results(trial), StatsSettings("placebo", covariates=("age",)))
    results = _with(load_results(trial), ages={"s4": "NA"})
    rows = _contrasts(results, StatsSettings("placebo", covariates=("age",)))
    assert rows[0]["reason"] == "1 subject without a covariate left out"
    assert rows[0]["subjects"] == plain[0]["subjects"] - 1
    assert rows[0]["dof"] == plain[0]["dof"] - 1
    texts = ("", " ", "NA", "n/a", "NaN", "null", ".", "?", "none", "0", "-")
    assert [text for text in texts if is_stated(text)] == ["none", "0", "-"]


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ({"s4": "forty"}, r"--covariate age holds numbers and words \('forty', line 0\)\."),
        ({"s4": "inf"}, r"--covariate age holds numbers and words \('inf', line 0\)\."),
        ({f"s{n}": "" for n in range(16)}, r"--covariate age holds no value\."),
    ],
)
def test_a_covariate_of_numbers_and_words_is_refused(trial, ages, words):
    results = _with(load_results(trial), ages=ages)
    with pytest.raises(InputError, match=words):
        analyse_study(results, StatsSettings("placebo", covariates=("age",)))


def test_a_covariate_of_words_is_one_of_groups(trial):
    ages = {f"s{n}": ("none", "some")[n // 2 % 2] for n in range(16)}
    rows = _contrasts(
        _with(load_results(trial), ages=ages), StatsSettings("placebo", covariates=("age",))
    )
    plain = _contrasts(load_results(trial), StatsSettings("placebo", covariates=("age",)))
    assert rows[0]["dof"] == plain[0]["dof"]
