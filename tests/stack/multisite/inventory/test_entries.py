"""What is entered is brought to one spelling, or refused by a line that says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.stack.multisite.inventory.entries import BackendEntry, ServiceEntry, SiteEntry, domain_of, host_of


def is_domain(text: str) -> bool:
    try:
        return bool(domain_of(text))
    except ValueError:
        return False


def test_the_entry_that_people_know_from_the_first_days_is_taken() -> None:
    entry = BackendEntry.model_validate(
        {
            "service": "api",
            "site": "dijon",
            "addr": "10.200.0.23",
            "port": 8080,
            "health": "http://10.200.0.23:8080/health",
        }
    )
    assert entry.address == "10.200.0.23:8080"


@pytest.mark.parametrize(
    ("given_", "domain"),
    [("API.Example.COM.", "api.example.com"), ("Bücher.example", "xn--bcher-kva.example"), ("a", "a")],
)
def test_domains_have_one_spelling(given_: str, domain: str) -> None:
    assert domain_of(given_) == domain


@pytest.mark.parametrize("wrong", ["*.example.com", "a b", "", ".", "a..b", "x" * 64, "-a.test", "a" + ".a" * 127])
def test_what_is_no_domain_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        domain_of(wrong)


@pytest.mark.parametrize(("given_", "host"), [("[::1]", "::1"), ("10.0.0.1", "10.0.0.1"), ("Web.Lan", "web.lan")])
def test_hosts(given_: str, host: str) -> None:
    assert host_of(given_) == host


@pytest.mark.parametrize("wrong", ["10.0.0.256", "1.2.3", "a/b", "a:b", "{http.request.host}"])
def test_what_is_no_host_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        host_of(wrong)


@pytest.mark.parametrize(
    "field", [{"port": 0}, {"port": "80"}, {"weight": 101}, {"health": "health"}, {"health": "/a b"}, {"nope": 1}]
)
def test_fields_are_checked(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BackendEntry.model_validate({"service": "a", "site": "b", "host": "h", "port": 80, **field})


def test_a_domain_twice_in_two_spellings_is_refused() -> None:
    with pytest.raises(ValidationError, match="given twice"):
        ServiceEntry.model_validate({"name": "a", "domains": ["A.test", "a.test"]})


def test_a_header_smuggles_no_line() -> None:
    with pytest.raises(ValidationError):
        ServiceEntry.model_validate({"name": "a", "domains": ["a.test"], "headers": {"X": "a\r\nSet-Cookie: b"}})


@given(st.text(max_size=300).filter(is_domain))
def test_a_spelling_is_final(text: str) -> None:
    domain = domain_of(text)
    assert domain_of(domain) == domain
    assert domain.isascii()
    assert domain == domain.lower()


def test_a_site_has_what_wireguard_needs() -> None:
    site = SiteEntry.model_validate({"name": "dijon", "wg_endpoint": "vpn.test:51820", "wg_subnet": "10.200.3.0/24"})
    assert site.wg_subnet == "10.200.3.0/24"
    with pytest.raises(ValidationError):
        SiteEntry.model_validate({"name": "dijon", "wg_subnet": "10.200.3.1/24"})
