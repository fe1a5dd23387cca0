"""Releases on a GitHub on loopback, through PyGithub: whole or a draft, whatever goes wrong, and never over another."""

import json
import logging
import os
import re

import pytest

import publish_github
from fakes.github import GitHub
from fakes.service import Fault
from lib import patience
from lib.errors import UserError
from lib.publishing.files import File
from publish_github import TIMEOUT, UploadConnection, assets_of, check_sizes, release_files
from test_scripts import job

TARGET = {"repository": "owner/maps", "tag": "toy-v1", "title": "Maps of Toy", "notes": "What they are."}
UPLOAD = "POST /api/uploads/.*"
CREATE = "POST /api/v3/repos/owner/maps/releases"
PUBLISH = r"PATCH /api/v3/.*/releases/\d+"
REPOSITORY, RELEASES = "GET /api/v3/repos/owner/maps", "GET .*/releases"


@pytest.fixture(scope="module")
def running():
    with GitHub(page=3) as service:  # everything comes in several pages
        yield service


@pytest.fixture
def github(running):
    running.clear()
    running.digests = True
    return running


@pytest.fixture(autouse=True)
def waits(monkeypatch) -> list[float]:
    """The seconds of every wait, none of which is waited for; it is 1000 s after the epoch."""
    seconds: list[float] = []
    monkeypatch.setattr(patience, "sleep", seconds.append)
    monkeypatch.setattr(publish_github, "time", lambda: 1000.0)
    return seconds


@pytest.fixture
def files(tmp_path) -> dict[str, File]:
    """Seven files, one of them larger than what a socket takes at once."""
    contents = {f"layer-{number}.json": b"%d" % number * (10 + number) for number in range(6)}
    contents["features.parquet"] = os.urandom(3_000_000)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: File.of(tmp_path / name) for name in contents}


def send(github, files, token=None, **changes):
    return release_files({"api_url": github.api_url} | TARGET | changes, token or github.token, files)


def contents(files) -> dict[str, bytes]:
    return {name: file.path.read_bytes() for name, file in files.items()}


def test_all_files_become_the_assets_of_one_release_that_is_a_draft_until_then(github, files):
    release = send(github, files)
    assert github.published("toy-v1") == contents(files)
    assert [(each["name"], each["body"]) for each in github.releases.values()] == [("Maps of Toy", "What they are.")]
    assert release.html_url == f"{github.url}/owner/maps/releases/tag/toy-v1"
    writes = [each for each in github.requests if each.method != "GET"]
    assert [each.method for each in writes] == ["POST"] * (1 + len(files)) + ["PATCH"]
    assert json.loads(writes[0].body)["draft"] is True
    github.forget()
    send(github, files)
    assert {each.method for each in github.requests} == {"GET"}


@pytest.mark.parametrize(
    ("kind", "status", "body", "again"),
    [
        ("cut", 0, b"", 1),
        ("lost", 0, b"", 0),
        ("status", 502, b"<html>Oops", 1),
        ("status", 422, b'{"errors": [{"code": "already_exists"}]}', 1),
    ],
)
def test_an_upload_that_breaks_is_sent_again_unless_it_arrived(github, files, kind, status, body, again):
    github.faults = [Fault(kind, UPLOAD, skip=len(files) - 1, at=1_000_000, status=status, body=body)]
    send(github, files)
    assert github.uploads() == [*files] + ["features.parquet"] * again
    assert github.published("toy-v1") == contents(files)


def test_an_upload_that_keeps_breaking_leaves_a_draft_which_the_next_run_completes(github, files):
    github.faults = [Fault("cut", UPLOAD, times=99, skip=3)]
    with pytest.raises(UserError, match=r"release toy-v1 of owner/maps: no usable answer .*Run the same command again"):
        send(github, files)
    assert github.uploads().count("layer-3.json") == patience.ATTEMPTS
    assert github.published("toy-v1") is None
    assert [asset["state"] for asset in github.drafts()[0]["assets"]] == ["uploaded"] * 3 + ["starter"]
    github.forget()
    send(github, files)
    assert github.uploads() == list(files)[3:]
    assert github.published("toy-v1") == contents(files)
    assert len(github.releases) == 1


def test_other_content_in_a_draft_is_replaced_and_maps_no_longer_listed_go(github, files):
    github.faults = [Fault("status", PUBLISH, times=99, status=500)]
    names = ("layer-0.json", "layer-1.json", "layer-17.json.gz", "atlas.layer-17.parquet", "by-hand.txt")
    with pytest.raises(UserError, match=r"HTTP 500, .*Run the same command again"):
        send(github, dict.fromkeys(names, files["layer-1.json"]))
    github.drafts()[0]["assets"][1]["state"] = "starter"
    github.forget()
    send(github, files)
    assert github.uploads() == list(files)
    assert github.published("toy-v1") == contents(files) | {"by-hand.txt": b"1" * 11}


def test_a_draft_that_reports_no_digests_is_sent_again_and_compared_by_size(github, files):
    github.digests = False
    github.faults = [Fault("status", PUBLISH, times=99, status=500)]
    with pytest.raises(UserError):
        send(github, files)
    github.forget()
    send(github, files)
    assert github.uploads() == list(files)
    assert github.published("toy-v1") == contents(files)


def test_a_post_without_an_answer_is_not_repeated_blindly(github, files):
    github.faults = [Fault("lost", CREATE), Fault("lost", PUBLISH)]
    send(github, files)
    assert github.count(CREATE) == 1
    assert github.published("toy-v1") == contents(files)


def test_a_file_that_arrives_altered_stays_in_a_draft(github, files):
    github.faults = [Fault("clipped", UPLOAD)]
    with pytest.raises(UserError, match=r"stays a draft: layer-0.json arrived altered"):
        send(github, files)
    assert github.published("toy-v1") is None


def test_a_public_release_of_other_maps_is_left_alone(github, files, tmp_path):
    send(github, files)
    before = github.published("toy-v1")
    github.releases[99] = github.releases[1] | {"id": 99, "draft": True, "assets": []}
    (tmp_path / "layer-2.json").write_bytes(b"another map!")
    files["layer-2.json"] = File.of(tmp_path / "layer-2.json")
    files["layer-9.json"] = files["layer-1.json"]
    with pytest.raises(UserError, match=r"not hold layer-2.json, layer-9.json as here.*publish.github.tag"):
        send(github, files)
    assert github.published("toy-v1") == before


def test_other_releases_are_left_alone(github, files):
    few = {"layer-0.json": files["layer-0.json"]}
    for number in range(5):
        send(github, few, tag=f"older-{number}")
    send(github, few)
    assert len(github.releases) == 6
    assert github.published("toy-v1") == contents(few)


@pytest.mark.parametrize("on", [UPLOAD, CREATE, RELEASES, PUBLISH])
@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"Retry-After": "7"}, "You have exceeded a secondary rate limit", 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, "API rate limit exceeded for user ID 1.", 31),
        ({}, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", 60),
    ],
    ids=["Retry-After", "reset", "neither"],
)
def test_a_rate_limit_is_waited_for(github, files, waits, caplog, on, status, headers, message, seconds):
    few = {"layer-0.json": files["layer-0.json"]}
    body = json.dumps({"message": message}).encode()
    github.faults = [Fault("status", on, status=status, headers=headers, body=body)]
    with caplog.at_level(logging.INFO, "progress"):
        send(github, few)
    assert waits == [seconds]
    assert f"trying again in {seconds} s" in caplog.text
    assert github.published("toy-v1") == contents(few)


@pytest.mark.parametrize("on", [UPLOAD, RELEASES])
def test_a_rate_limit_of_more_than_ten_minutes_ends_the_run(github, files, waits, on):
    github.faults = [Fault("status", on, status=403, headers={"Retry-After": "3600"}, body=b"{}")]
    with pytest.raises(UserError, match=r"api/v3, release .*asks for a wait of 3600 s. Run the same command again"):
        send(github, files)
    assert waits == []


@pytest.mark.parametrize("on", [REPOSITORY, RELEASES, CREATE, UPLOAD, PUBLISH])
def test_a_server_error_is_repeated(github, files, on):
    few = {"layer-0.json": files["layer-0.json"]}
    github.faults = [Fault("status", on, times=2, status=503)]
    send(github, few)
    assert github.published("toy-v1") == contents(few)
    assert len(github.releases) == 1


@pytest.mark.parametrize(
    ("token", "repository", "message"),
    [
        ("ghp_wrong", "owner/maps", "HTTP 401, Bad credentials. The token in GITHUB_TOKEN or GH_TOKEN is wrong"),
        ("ghp_reader", "owner/maps", "HTTP 403, Resource not accessible.*Contents: read and write"),
        ("ghp_writer", "owner/other", "owner/other.*HTTP 404.*publish.github.repository"),
    ],
)
def test_a_refusal_says_what_to_do_shows_no_token_and_is_not_repeated(github, files, waits, token, repository, message):
    with pytest.raises(UserError, match=message) as error:
        send(github, files, token=token, repository=repository)
    assert token not in str(error.value)
    assert waits == []
    assert github.releases == {}


def test_an_address_that_is_not_githubs_api(github, files, waits):
    github.faults = [Fault("html", times=99)]
    with pytest.raises(UserError, match=r"api/v3, release toy-v1 of owner/maps: no usable answer \(.*login page"):
        send(github, files)
    assert waits == []
    with pytest.raises(UserError, match=r"127.0.0.1:9/api/v3, release toy-v1 of owner/maps: no usable answer"):
        send(github, files, api_url="http://127.0.0.1:9/api/v3")


def test_a_release_is_public_only_if_github_says_so(github, files):
    github.faults = [Fault("html", PUBLISH)]
    with pytest.raises(UserError, match="GitHub does not say that it is public"):
        send(github, files)


def test_assets_have_no_folders():
    assert assets_of({"layer-3.json": 1, "atlas/layer-3.json": 2}) == {"layer-3.json": 1, "atlas.layer-3.json": 2}


def test_what_github_does_not_take_is_refused(tmp_path):
    huge, large = (File(tmp_path, size, "0" * 64) for size in (2 * 2**30, 2 * 2**30 - 1))
    with pytest.raises(UserError, match=r"under 2 GiB, not layer-0.json \(2,147,483,648 bytes\)"):
        check_sizes({"layer-0.json": huge})
    check_sizes({"layer-0.json": large})


def test_the_upload_host_has_a_timeout_too():
    assert UploadConnection("uploads.github.com").timeout == TIMEOUT


@pytest.mark.parametrize(
    ("token", "content", "message"),
    [
        ("ghp_writer", b"changed", "SHA256SUMS: layer-3.json changed"),
        ("", b"3" * 13, "no token: set GITHUB_TOKEN or GH_TOKEN to .*Contents: read and write"),
    ],
)
def test_without_a_token_or_with_changed_files_nothing_is_sent(
    github, files, tmp_path, monkeypatch, token, content, message
):
    monkeypatch.setenv("GITHUB_TOKEN", token)
    monkeypatch.delenv("GH_TOKEN", raising=False)
    (tmp_path / "SHA256SUMS").write_text("".join(f"{file.sha256}  {name}\n" for name, file in files.items()))
    target = TARGET | {"api_url": github.api_url}
    publishing = job("publish_github", tmp_path, {"checksums": "SHA256SUMS"}, {"record": "github.json"}, release=target)
    (tmp_path / "layer-3.json").write_bytes(content)
    assert re.search(message, publishing.fails())
    assert github.requests == []
    assert not (tmp_path / "github.json").exists()
