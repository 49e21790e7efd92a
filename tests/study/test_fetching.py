"""Copies of photographs at URLs: whole and verified, or one of a few clear reasons."""

from __future__ import annotations

import hashlib
import logging
import re
from unittest import mock

import pytest
from study.stores import FaultyFileSystem, HttpError

from scalptrack.errors import ImageReadError, OutputError
from scalptrack.study import fetching
from scalptrack.study.fetching import examine, fetched, most_bytes
from scalptrack.translation import in_language
from tests.pseudo import LANGUAGE, outside, write_pseudo_language

URL = "faulty://clinic/a.jpg"
CONTENT = bytes(range(256)) * 20
LIMIT = 10_000


@pytest.fixture(autouse=True)
def store():
    FaultyFileSystem.reset()
    FaultyFileSystem.files["clinic/a.jpg"] = CONTENT
    yield FaultyFileSystem
    FaultyFileSystem.reset()


def _error(folder, url=URL, *, limit=LIMIT) -> ImageReadError:
    with (
        pytest.raises(ImageReadError) as caught,
        fetched(url, folder, max_bytes=limit),
    ):
        pass
    assert list(folder.iterdir()) == []
    return caught.value


def test_a_copy_is_the_whole_photograph_and_gone_unless_it_gets_a_name(tmp_path):
    folder = tmp_path / "new" / "copies"
    with fetched(URL, folder, max_bytes=LIMIT) as (copy, sha256):
        assert sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert copy.read_bytes() == CONTENT
        copy.rename(folder / "kept")
    with fetched(URL, folder, max_bytes=LIMIT) as (copy, _):
        assert copy.exists()
    assert [each.name for each in folder.iterdir()] == ["kept"]


def test_the_store_says_size_and_version_without_being_read(store):
    store.facts["clinic/a.jpg"] = {"ETag": '"v1"'}
    found = examine(URL, max_bytes=LIMIT)
    assert (found.size_bytes, found.version) == (5120, '"v1"')
    store.facts["clinic/a.jpg"] = {"mtime": 12.5}
    assert examine(URL, max_bytes=LIMIT).version == "5120 12.5"
    store.facts["clinic/a.jpg"] = {"size": None, "created": 12.5}
    assert examine(URL, max_bytes=LIMIT).version == ""
    assert {what for what, _ in store.asked} == {"info"}


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (
            FileNotFoundError("a"),
            "missing",
            "faulty://clinic/a.jpg does not exist. Check how it is written.",
        ),
        (HttpError(404, "no"), "missing", "does not exist"),
        (
            PermissionError(13, "Forbidden"),
            "unreadable",
            "faulty://clinic/a.jpg may not be read: [Errno 13] Forbidden. Give this computer",
        ),
        (HttpError(403, "signature expired"), "unreadable", "may not be read: signature expired."),
        (type("NoCredentialsError", (Exception,), {})("none"), "unreadable", "may not be read"),
        (
            ConnectionRefusedError("refused"),
            "not_reached",
            "faulty://clinic/a.jpg could not be fetched: refused. Check the network and the store, "
            "and run it again.",
        ),
        (TimeoutError(), "not_reached", "could not be fetched: TimeoutError. Check"),
        (HttpError(503, "slow down.\nmore"), "not_reached", "could not be fetched: slow down."),
        (KeyError("odd"), "not_reached", "could not be fetched: KeyError: 'odd'. Check"),
        (IsADirectoryError("a"), "not_an_image", "is a folder. Name a photograph in it."),
    ],
)
def test_each_failure_of_a_store_is_a_reason(store, tmp_path, fault, code, words):
    store.fail("clinic/a.jpg", fault)
    error = _error(tmp_path)
    assert error.code == code
    assert words in str(error)


def test_each_failure_is_in_the_catalogue(store, tmp_path, monkeypatch):
    """What a library says itself stays as it is."""
    catalogues = write_pseudo_language(tmp_path / "locale")
    folder, file = tmp_path / "copies", tmp_path / "file"
    folder.mkdir()
    file.touch()
    said = []

    def fail(url: str = URL) -> None:
        with in_language(LANGUAGE, folder=catalogues):
            said.append(str(_error(folder, url)))

    for fault in (
        FileNotFoundError("0"),
        PermissionError(13, "0"),
        HttpError(503, "0"),
        IsADirectoryError("0"),
    ):
        store.fail("clinic/a.jpg", fault)
        fail()
    store.reset()
    store.files["clinic/a.jpg"] = CONTENT
    store.facts["clinic/a.jpg"] = {"size": LIMIT + 1}
    fail()
    store.facts["clinic/a.jpg"] = {"size": 0}
    fail()
    fail("unheard://clinic/a.jpg")
    with (
        in_language(LANGUAGE, folder=catalogues),
        pytest.raises(OutputError) as raised,
        fetched(URL, file / "copies", max_bytes=LIMIT),
    ):
        pass
    said.append(str(raised.value))
    monkeypatch.setattr("scalptrack.study.fetching.find_spec", lambda _name: None)
    fail()
    assert len(set(said)) == 9
    assert re.findall(r"[^\W\d_]{2,}", outside(said)) == []


def test_what_hides_behind_a_not_found_of_http_is_said(store, tmp_path):
    def not_found(cause: Exception) -> FileNotFoundError:
        error = FileNotFoundError(URL)
        error.__cause__ = cause
        return error

    for cause, code in [
        (HttpError(403, "no"), "unreadable"),
        (HttpError(404, "no"), "missing"),
        (ConnectionResetError("gone"), "not_reached"),
        (KeyError("x"), "missing"),
    ]:
        store.fail("clinic/a.jpg", not_found(cause))
        assert _error(tmp_path).code == code


def test_a_broken_connection_is_made_anew_once(store, tmp_path):
    store.fail("clinic/a.jpg", ConnectionResetError("reset"), times=1)
    with fetched(URL, tmp_path, max_bytes=LIMIT) as (copy, _):
        assert copy.read_bytes() == CONTENT
    assert len(store.made) == 2
    store.reset()
    store.fail("clinic/a.jpg", ConnectionResetError("reset"), times=2)
    assert _error(tmp_path).code == "not_reached"
    assert len(store.asked) == 2


@pytest.mark.parametrize("size", [10_001, None])
def test_a_file_that_is_too_large_is_not_read(store, tmp_path, size):
    store.files["clinic/a.jpg"] = bytes(5 << 20)
    store.facts["clinic/a.jpg"] = {"size": size}
    error = _error(tmp_path)
    assert error.code == "too_large"
    assert "has more than 0 MB, which no photograph of the allowed size has" in str(error)
    # Where its size isn't known it is begun, and not read to its end.
    assert (("open", "clinic/a.jpg") in store.asked) is (size is None)


def test_the_limit_leaves_room_for_every_photograph_of_the_allowed_size():
    assert most_bytes(150) == 1_232_000_000
    assert most_bytes(0.01) > 32_000_000


@pytest.mark.parametrize("size", [5121, 5119])
def test_a_photograph_that_comes_in_part_is_not_taken(store, tmp_path, size):
    store.facts["clinic/a.jpg"] = {"size": size}
    error = _error(tmp_path)
    assert error.code == "not_reached"
    assert f"the connection ended after 5120 of {size} bytes" in str(error)


def test_an_empty_file_and_a_folder_are_no_photographs(store, tmp_path):
    store.files["clinic/a.jpg"] = b""
    assert _error(tmp_path).code == "empty"
    store.facts["clinic/a.jpg"] = {"type": "directory"}
    assert _error(tmp_path).code == "not_an_image"


def test_a_disk_that_refuses_the_copy_is_not_blamed_on_the_store(store, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match=r"A copy of faulty://clinic/a\.jpg can't be written to"),
        fetched(URL, tmp_path / "file" / "copies", max_bytes=LIMIT),
    ):
        pass
    for name in ("open", "write"):
        disk = mock.MagicMock()
        disk.return_value.__enter__.return_value = disk.return_value
        full = disk if name == "open" else disk.return_value.write
        full.side_effect = OSError(28, "No space left on device")
        store.asked.clear()
        monkeypatch.setattr("pathlib.Path.open", disk)
        with (
            pytest.raises(OutputError, match=r"can't be written to .*: No space left on device\."),
            fetched(URL, tmp_path, max_bytes=LIMIT),
        ):
            pass
        assert len(store.asked) == 2, "asked again after the disk was full"


def test_passwords_and_queries_are_in_no_message_and_no_log(store, tmp_path, caplog):
    url = "faulty://me:pass-word@clinic/a.jpg?sig=signature"
    with caplog.at_level(logging.DEBUG, logger="scalptrack"):
        for fault in (
            HttpError(403, f"GET {url} pass-word signature"),
            KeyError(f"{url}: pass-word, signature"),
        ):
            store.fail("clinic/a.jpg", fault)
            error = _error(tmp_path, url)
            assert "faulty://clinic/a.jpg" in str(error)
            assert "pass-word" not in str(error)
            assert "signature" not in str(error)
    assert "KeyError" in caplog.text
    assert "pass-word" not in caplog.text
    assert "sig=signature" not in caplog.text


def test_a_missing_package_names_the_command_that_installs_it(tmp_path, monkeypatch):
    from fsspec.registry import known_implementations

    about = {"class": "no_such_store.Files", "err": "Install no_such_store"}
    monkeypatch.setitem(known_implementations, "nostore", about)
    error = _error(tmp_path, "nostore://bucket/a.jpg")
    assert error.code == "missing_package"
    assert str(error) == (
        "nostore://bucket/a.jpg needs no_such_store, which is not installed. Install it with: "
        "pip install no_such_store"
    )
    error = _error(tmp_path, "nonsense://bucket/a.jpg")
    assert "begins with a name that fsspec doesn't know" in str(error)
    monkeypatch.setattr(fetching, "find_spec", lambda _name: None)
    assert str(_error(tmp_path)) == (
        "faulty://clinic/a.jpg needs fsspec, which is not installed. Install it with: "
        "pip install 'scalptrack[study,remote]'"
    )
