"""Addresses: which are URLs, how names join a root, and that nothing that gives access is shown."""

from __future__ import annotations

import pytest

from scalptrack.study.addresses import PhotoRoot, is_url, problem_of, shown, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/a.jpg", True),
        ("memory://a.jpg", True),
        ("simplecache::s3://bucket/a.jpg", True),
        ("C:/photos/a.jpg", False),
        ("C://photos/a.jpg", False),
        ("anna/vertex/2024-01-10.jpg", False),
        ("a::b.jpg", False),
        ("/data/a.jpg", False),
    ],
)
def test_a_url_is_told_from_a_path(text, expected):
    assert is_url(text) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@host:8080/a.jpg?sig=secret#secret", "https://host:8080/a.jpg"),
        ("https://host/a@2x.jpg", "https://host/a@2x.jpg"),
        ("https://secret@host", "https://host"),
        ("s3://bucket/IMG #3.jpg", "s3://bucket/IMG #3.jpg"),
        ("s3://key:secret@bucket/a.jpg?versionId=secret", "s3://bucket/a.jpg"),
        ("abfs://photos@account.host/a.jpg?secret", "abfs://photos@account.host/a.jpg"),
        ("abfs://photos:secret@account.host/a.jpg", "abfs://photos@account.host/a.jpg"),
        ("file:///data/who?.jpg", "file:///data/who?.jpg"),
        ("anna/a.jpg?x", "anna/a.jpg?x"),
    ],
)
def test_what_gives_access_is_not_shown(url, expected):
    assert shown(url) == expected


@pytest.mark.parametrize(
    ("root", "name", "expected"),
    [
        ("s3://bucket/trial", "a/b c.jpg", "s3://bucket/trial/a/b c.jpg"),
        ("s3://bucket/trial/", "./a.jpg", "s3://bucket/trial/a.jpg"),
        ("s3://bucket", "a?.jpg", "s3://bucket/a?.jpg"),
        ("memory://", "a.jpg", "memory://a.jpg"),
        ("file:///", "a.jpg", "file:///a.jpg"),
        ("file:///data", "a.jpg", "file:///data/a.jpg"),
        ("https://me:pw@host/d?sig=1", "a b#1.jpg", "https://me:pw@host/d/a%20b%231.jpg?sig=1"),
        ("s3://bucket/trial", "gs://other/a.jpg", "gs://other/a.jpg"),
        ("s3://bucket/trial", "/data/a.jpg", None),
        ("/data", "a.jpg", None),
        ("/data", "s3://bucket/a.jpg", "s3://bucket/a.jpg"),
    ],
)
def test_names_begin_at_the_root(root, name, expected):
    assert PhotoRoot(root).url_of(name) == expected


def test_a_name_does_not_lead_out_of_a_url():
    assert PhotoRoot("s3://bucket/trial").leaves("../other/a.jpg")
    assert PhotoRoot("s3://bucket/trial").leaves("a/../../b.jpg")
    assert not PhotoRoot("s3://bucket/trial").leaves("a/../b.jpg")
    assert not PhotoRoot("/data").leaves("../a.jpg")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("zip://a.jpg::s3://bucket/x.zip", "is a chain of addresses"),
        ("sftp://me:se/cret@host/a.jpg", "is no address that can be read (it begins with sftp://)"),
        ("sftp://me:se?cret@host/a.jpg", "is no address that can be read (it begins with sftp://)"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_its_password(url, words):
    assert problem_of(url).startswith(words)
    assert "cret" not in problem_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/a.jpg",
        "https://me:pw@host:8080/a.jpg",
        "https://[fd00--1]:8080/a.jpg",
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/photos/a.jpg",
        "file:///data/a:b.jpg",
    ],
)
def test_a_url_that_can_be_used_has_no_problem(url):
    assert problem_of(url) == ""


def test_messages_of_libraries_are_cleared_of_what_gives_access():
    url = "https://me:p%40ssword@host/a.jpg?sig=ab%2Bcdef&se=1"
    text = "GET https://me:p%40ssword@host/a.jpg?sig=ab%2Bcdef failed: p@ssword, ab+cdef, sig"
    assert without_secrets(text, url) == "GET https://host/a.jpg failed: …, …, sig"


def test_the_representation_of_a_root_does_not_show_it():
    assert "secret" not in repr(PhotoRoot("https://me:secret@host/"))
