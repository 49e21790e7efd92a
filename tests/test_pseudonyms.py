import hashlib
import hmac
import stat
import sys
from datetime import date, timedelta

import pytest

from scalptrack.errors import InputError
from scalptrack.pseudonyms import PseudonymKey, create_key, read_key

KEY, OTHER = PseudonymKey(b"k" * 32), PseudonymKey(b"o" * 32)


def test_a_created_key_is_read_back_and_never_overwritten(tmp_path):
    path = tmp_path / "my.key"
    key = create_key(path)
    before = path.read_bytes()
    assert read_key(path) == key
    assert len(key.secret) == 32
    with pytest.raises(InputError, match=r"my\.key exists, and a key is never overwritten"):
        create_key(path)
    assert path.read_bytes() == before
    assert create_key(tmp_path / "second.key") != key
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_secret_is_never_shown():
    assert "k" * 8 not in repr(KEY)
    assert (b"k" * 32).hex() not in repr(KEY)


@pytest.mark.parametrize(
    "content",
    [b"", b"scalptrack-key/1\n", b"scalptrack-key/1\n0011\n", b"x\n" + b"00" * 32, b"\xff\xfe"],
)
def test_what_is_no_key_is_refused(tmp_path, content):
    path = tmp_path / "my.key"
    path.write_bytes(content)
    with pytest.raises(InputError, match="key"):
        read_key(path)
    with pytest.raises(InputError, match=r"doesn't exist\. Add --create-key"):
        read_key(tmp_path / "none.key")
    with pytest.raises(InputError, match="can't be written"):
        create_key(tmp_path / "nowhere" / "my.key")


def test_pseudonyms_are_hmacs_of_their_key():
    digest = hmac.new(b"k" * 32, b"subject\0anna", hashlib.sha256).digest()
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    bits = int.from_bytes(digest, "big") >> (256 - 50)
    expected = "".join(letters[bits >> (45 - 5 * place) & 31] for place in range(10))
    assert KEY.subject("anna") == f"p-{expected}"
    assert KEY.subject("anna") != OTHER.subject("anna")
    assert KEY.subject("Jörg") == KEY.subject("Jo\u0308rg")
    assert len({KEY.subject(f"subject-{n}") for n in range(2000)}) == 2000
    assert KEY.label("view", "anna") != KEY.label("undated", "anna")


def test_shifted_dates_keep_their_intervals():
    first, second = date(2024, 2, 1), date(2024, 5, 31)
    shifts = set()
    for number in range(300):
        subject = f"s{number}"
        moved = KEY.shifted(first, subject, max_days=20)
        shifts.add((first - moved).days)
        assert KEY.shifted(second, subject, max_days=20) - moved == second - first
    assert shifts == set(range(1, 21))
    assert KEY.shifted(first, "anna", max_days=1) == first - timedelta(days=1)
