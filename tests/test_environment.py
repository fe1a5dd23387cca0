"""Secrets of the environment: what can be sent, and what no message shows."""

import sys
import warnings
from types import SimpleNamespace

import pytest

from lib.environment import NAMES, secret
from lib.errors import UserError
from lib.job import job_log
from lib.planning.schema import ConfigError
from lib.planning.settings import check_environment


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


def test_a_warning_after_the_end_of_a_job_does_not_reach_the_screen(tmp_path, capsys):
    with pytest.raises(SystemExit), job_log(SimpleNamespace(log=[tmp_path / "log.txt"], rule="fetch")):
        raise UserError("damaged")
    warnings.warn("unclosed file", ResourceWarning, stacklevel=1)
    assert capsys.readouterr().err == f"fetch: failed; its log is {tmp_path / 'log.txt'}\n"


@pytest.mark.parametrize("value", ["abc", "1e9", "-1", "", "99999999999999999999", "253402300800"])
@pytest.mark.parametrize("name", ["SOURCE_DATE_EPOCH", "HF_HUB_DOWNLOAD_TIMEOUT"])
def test_seconds_that_are_none_stop_the_run_before_any_job(monkeypatch, name, value):
    monkeypatch.setenv(name, "86400")
    check_environment()
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"{name} is '{value}': set it to whole seconds"):
        check_environment()
