"""Secrets of the environment: what can be sent, and what no message shows."""

import sys
from types import SimpleNamespace

import pytest

from lib.environment import NAMES, check_network, secret
from lib.errors import UserError
from lib.job import job_log
from write_manifest import generated_at


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_the_first_secret_that_is_set_comes_without_white_space_around_it(monkeypatch):
    assert secret("GITHUB_TOKEN", "GH_TOKEN") is None
    monkeypatch.setenv("GH_TOKEN", " second\r\n")
    monkeypatch.setenv("GITHUB_TOKEN", " \n")
    assert secret("GITHUB_TOKEN", "GH_TOKEN") == "second"


@pytest.mark.parametrize("value", ["top\nsecret", "top secret", "tøpsecret", "top\x7fsecret", "top\u200bsecret"])
def test_a_secret_that_cannot_be_sent_is_refused_without_showing_it(monkeypatch, value):
    monkeypatch.setenv("NEURONPEDIA_API_KEY", value)
    with pytest.raises(UserError, match=r"^NEURONPEDIA_API_KEY holds a space, a line break or") as error:
        secret("NEURONPEDIA_API_KEY")
    assert "secret" not in str(error.value)


def test_no_spelling_of_a_secret_reaches_a_log(monkeypatch, tmp_path):
    monkeypatch.setenv("NEURONPEDIA_API_KEY", "zanzibar+1/\n")
    monkeypatch.setenv("HF_TOKEN", " zanzíbar-2 ")
    monkeypatch.setenv("https_proxy", "http://user:zanzibar-3@127.0.0.1:3128")
    hub = SimpleNamespace(get_token=lambda: "zanzibar-4")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    with job_log(SimpleNamespace(log=[tmp_path / "log.txt"], rule="fetch")) as log:
        log.info("%s|%r|%s", "zanzibar+1/\n", "zanzibar+1/\n", "key=zanzibar%2B1/%0A")
        print("zanzibar+1/", "zanzíbar-2", ascii("zanzíbar-2"), "http://user:zanzibar-3@127.0.0.1", "zanzibar-4")
    text = (tmp_path / "log.txt").read_text()
    assert "zan" not in text
    assert text.count("***") == 8


@pytest.mark.parametrize("epoch", ["abc", "1e9", "99999999999999999999", "253402300800"])
def test_a_source_date_that_is_no_time_is_refused_by_name(monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(UserError, match=rf"SOURCE_DATE_EPOCH is '{epoch}': set it to the seconds since 1970"):
        generated_at()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("all_proxy", "socks://127.0.0.1:7890/", "all_proxy begins with socks://: write http://HOST:PORT"),
        ("HTTPS_PROXY", "ftp://proxy", "HTTPS_PROXY begins with ftp://"),
        ("NO_PROXY", "localhost,fe80::/10", "NO_PROXY is 'localhost,fe80::/10': write host names"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "SSL_CERT_FILE is /nowhere/ca.pem, which does not exist"),
    ],
)
def test_a_variable_that_would_break_the_network_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@proxy:8080")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1,.example.org,::1")
    check_network()
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message):
        check_network()
