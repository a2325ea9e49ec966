"""What is taken out of texts, and what stays."""

import json
import string
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.bundle.core.scrubbing import LEFT_OUT, Scrubber

SECRET = "Zq8-canary/4+x"
secrets = st.text(string.ascii_letters + string.digits + '-_/+="\\ é', min_size=6, max_size=40)


@given(secrets, st.text(max_size=40), st.text(max_size=40))
def test_what_is_known_is_gone_however_it_is_written(secret: str, before: str, after: str) -> None:
    written = [secret, json.dumps(secret), secret.encode().hex(), b64encode(secret.encode()).decode()]
    for form in written:
        assert form.strip('"=') not in Scrubber([secret])(f"{before}{form}{after}")


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"rw,user=me,mfspassword={SECRET},noatime",
        f"mfsmd5pass={SECRET}",
        f'{{"api_key": "{SECRET}", "n": 1}}',
        f'{{"tokens": ["{SECRET}", "x"]}}',
        f'{{"secret": {{"inner": "{SECRET}"}}}}',
        f"why: the passphrase: '{SECRET} and more'",
        f"Authorization: Bearer {SECRET}",
        f"curl -H 'X-Auth: basic {SECRET}'",
        f"program --token {SECRET} --level 3",
        f"program --api-key={SECRET}",
        f"https://me:{SECRET}@pager.example/x",
        f"https://hooks.example/services/{SECRET}?a=b",
        f"https://pager.example/?key={SECRET}",
        f"postgresql://me:{SECRET}@db.example/x",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n",
        f"mfs_{'a' * 20}{SECRET.replace('/', '_').replace('+', '_')}",
    ],
)
def test_what_looks_like_a_secret_is_gone(text: str) -> None:
    said = Scrubber([])(text)
    for word in (SECRET, SECRET.replace("/", "_").replace("+", "_"), "canary"):
        assert word not in said


@pytest.mark.parametrize(
    "text",
    [
        "/mnt/mfs/images/100/vm-100-disk-0.raw is mapped: index 3, process 1234 serves it",
        "/dev/nbd0 /srv ext4 rw,relatime 0 0",
        '{"volume": "/srv/disk-0", "index": 3, "stage": "mapped"}',
        "refused: level 3 (storage) is needed",
        '{"head": {"lines": 12, "digest": "' + "a" * 64 + '"}}',
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert Scrubber(["Zq8-canary"])(text) == text


def test_of_an_address_the_host_stays() -> None:
    assert Scrubber([])("told https://me:pw@hooks.example:8443/a/b?c=d") == "told https://hooks.example:8443"


def test_json_stays_json() -> None:
    document = {"token": "abcdefgh", "secret_count": 5, "inner": {"password": None, "name": "x"}, "keys": ["a", "b"]}
    said = json.loads(Scrubber([])(json.dumps(document)))
    assert said == {
        "token": LEFT_OUT,
        "secret_count": LEFT_OUT,
        "inner": {"password": None, "name": "x"},
        "keys": LEFT_OUT,
    }


@given(st.text(max_size=200))
def test_twice_is_the_same_as_once(text: str) -> None:
    scrub = Scrubber([SECRET])
    assert scrub(scrub(text)) == scrub(text)
