"""Which addresses become links, and what is said about them."""

from __future__ import annotations

import pytest

from pyapp.views.language import Language
from pyapp.views.links import host_of, is_safe_link, trimmed
from pyapp.views.markdown import render
from tests.unit.views.auditor import audit

EN = Language("en")


@pytest.mark.parametrize("url", ["http://[", "javascript:x", "//a.test", "/x", "https:", "mailto:", "ftp://a.test"])
def test_unsafe_links(url: str) -> None:
    assert not is_safe_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://%65vil.test/",  # a browser goes to evil.test
        "http://foo.f)%10url(x",
        "http://a.test%20/",
        "http://a..test/",
        "http://a.test:99999/",
        "http://a.test:0/",
        "http://0x7f.1/",  # a browser goes to 127.0.0.1
        "http://2130706433/",
        "http://127.1./",
        "http://a.0x/",
        "http://[0:0::1]/",
        "http://[fe80::1%25a]/",
        "http://[::ffff:1.2.3.4]/",
    ],
)
def test_a_host_that_browsers_read_otherwise_is_no_address(url: str) -> None:
    assert not is_safe_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/",
        "http://a_b.test./",
        "http://127.0.0.1/",
        "http://[::1]:80/",
        "https://xn--bnk-6cd.test/",
    ],
)
def test_hosts_in_their_one_spelling(url: str) -> None:
    assert is_safe_link(url)


@pytest.mark.parametrize(
    ("url", "host"), [("https://a.test/x", "a.test"), ("mailto:a@b.test", "a@b.test"), ("nonsense", "")]
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("found", "url"),
    [
        ("https://a.test/x.", "https://a.test/x"),
        ("https://a.test/x),", "https://a.test/x"),
        ("https://a.test/x_(y)", "https://a.test/x_(y)"),
        ("https://a.test/?q=1&b=2", "https://a.test/?q=1&b=2"),
        ("https://a.test。", "https://a.test"),
        ("...", ""),
    ],
)
def test_punctuation_after_an_address_is_not_part_of_it(found: str, url: str) -> None:
    assert trimmed(found) == url


def test_bare_addresses_are_links() -> None:
    html = render("See https://a.test/x_y_z. Or (http://b.test)!", EN)
    assert audit(html).strip() == "See https://a.test/x_y_z (a.test). Or (http://b.test (b.test))!"
    assert html.count("<a ") == 2


@pytest.mark.parametrize(
    "text", ["xhttps://a.test", "`https://a.test`", "https://[", "ftp://a.test", "https://.", "https://_"]
)
def test_what_is_no_address_is_no_link(text: str) -> None:
    assert "<a " not in render(text, EN)


@pytest.mark.parametrize("text", ["[x]()", "[x](<>)", "[x](javascript:x)"])
def test_a_link_to_nowhere_is_no_link(text: str) -> None:
    assert "<a" not in render(text, EN)
    assert "link-host" not in render(text, EN)


def test_an_address_in_a_link_is_one_link() -> None:
    html = render("[https://bank.test](https://evil.test)", EN)
    assert html.count("<a ") == 1
    assert "(evil.test)" in html


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://bank.test@evil.test/", "evil.test"),
        ("https://bank.test%2f@evil.test/", "evil.test"),
        ("https://bank.test\\\\@evil.test/", "evil.test"),
        ("https://b\u0430nk.test/", "xn--bnk-6cd.test"),
        ("HTTPS://EVIL.TEST/", "evil.test"),
    ],
)
def test_the_host_shown_is_the_one_a_browser_would_go_to(address: str, host: str) -> None:
    assert f"({host})" in render(f"[bank](<{address}>)", EN)
