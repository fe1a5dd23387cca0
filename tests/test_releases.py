"""Releases on a GitHub on loopback, through PyGithub: whole or a draft, whatever goes wrong, and never over another."""

import json
import logging
import os
import time

import pytest

from fakes.github import GitHub
from fakes.service import Fault
from lib.job import UserError
from lib.publishing import github as github_api
from lib.publishing.files import File
from lib.publishing.github import Releases, check_limits, find_token
from lib.transport import Patience, UnansweredError
from publish_github import publish

TAG, TITLE, NOTES = "toy-v1", "Maps of Toy", "What they are."
QUICK = Patience(attempts=4, first_wait=0.01, timeout=5.0)
UPLOAD = "POST /api/uploads/.*"
CREATE = "POST /api/v3/repos/owner/maps/releases"
PUBLISH = r"PATCH /api/v3/.*/releases/\d+"


@pytest.fixture(scope="module")
def running():
    with GitHub(page=3) as service:  # everything comes in several pages
        yield service


@pytest.fixture
def github(running):
    running.clear()
    running.digests = True
    return running


@pytest.fixture
def files(tmp_path):
    """Seven files, one of them larger than what a socket takes at once."""
    contents = {f"layer-{number}.json": b"%d" % number * (10 + number) for number in range(6)}
    contents["features.parquet"] = os.urandom(3_000_000)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: File.of(tmp_path / name) for name in contents}


def releases(github, token=None, patience=QUICK):
    return Releases("owner/maps", token or github.token, github.api_url, patience)


def send(github, files, **options):
    return publish(releases(github, **options), TAG, TITLE, NOTES, files)


def contents(files):
    return {name: file.path.read_bytes() for name, file in files.items()}


def test_all_files_become_the_assets_of_one_public_release(github, files):
    record = send(github, files)
    assert github.published(TAG) == contents(files)
    assert len(github.releases) == 1
    release = next(iter(github.releases.values()))
    assert (release["name"], release["body"]) == (TITLE, NOTES)
    assert record["url"] == release["html_url"] == f"{github.url}/owner/maps/releases/tag/{TAG}"
    assert record["assets"]["layer-3.json"] == {"size": 13, "sha256": files["layer-3.json"].sha256}


def test_nothing_is_public_before_the_last_asset_is_there(github, files):
    send(github, files)
    order = [f"{each.method} {each.path}" for each in github.requests]
    assert max(number for number, each in enumerate(order) if "uploads" in each) < order.index(
        next(each for each in order if each.startswith("PATCH"))
    )
    assert json.loads(next(each for each in github.requests if each.method == "POST").body)["draft"] is True


def test_a_second_run_finds_everything_and_sends_nothing(github, files):
    first = send(github, files)
    github.forget()
    assert send(github, files) == first
    assert {each.method for each in github.requests} == {"GET"}


@pytest.mark.parametrize("kind", ["cut", "lost", "status"])
def test_an_upload_that_breaks_is_sent_again(github, files, kind):
    headers = {"Content-Type": "text/html"}
    github.faults = [
        Fault(kind, UPLOAD, times=2, skip=2, at=1, status=502, headers=headers, body=b"<html>Oops")
    ]
    send(github, files)
    assert github.published(TAG) == contents(files)
    assert len(github.releases) == 1


def test_a_large_upload_cut_in_the_middle_starts_from_its_beginning(github, files):
    github.faults = [Fault("cut", UPLOAD, skip=len(files) - 1, at=1_000_000)]
    send(github, files)
    assert github.uploads().count("features.parquet") == 2
    assert github.published(TAG) == contents(files)


def test_an_upload_that_keeps_breaking_leaves_a_draft_which_the_next_run_completes(github, files):
    github.faults = [Fault("cut", UPLOAD, times=99, skip=3)]
    with pytest.raises(
        UnansweredError, match=r"owner/maps: asset layer-3.json: no usable answer in 4 attempts"
    ):
        send(github, files)
    assert github.published(TAG) is None
    assert [asset["state"] for asset in github.drafts()[0]["assets"]] == ["uploaded"] * 3 + ["starter"]
    github.forget()
    send(github, files)
    assert github.uploads() == list(files)[3:]
    assert github.published(TAG) == contents(files)
    assert len(github.releases) == 1


def test_other_content_in_a_draft_is_replaced_and_lost_layers_go(github, files, tmp_path):
    draft = releases(github).find_or_draft(TAG, TITLE, NOTES)
    (tmp_path / "other").write_bytes(b"x" * files["layer-0.json"].size)  # as long, but another
    for name in ("layer-0.json", "layer-17.json.gz", "by-hand.txt"):
        draft.upload_asset(str(tmp_path / "other"), name=name)
    send(github, files)
    assert github.published(TAG) == contents(files) | {"by-hand.txt": b"x" * 10}


def test_a_draft_that_tells_no_checksums_is_sent_anew_and_compared_by_size(github, files):
    github.digests = False
    github.faults = [Fault("cut", UPLOAD, times=99, skip=3)]
    with pytest.raises(UnansweredError):
        send(github, files)
    github.forget()
    send(github, files)
    assert github.uploads() == list(files)
    assert github.published(TAG) == contents(files)


def test_a_draft_whose_making_was_not_answered_is_not_made_twice(github, files):
    github.faults = [Fault("lost", CREATE), Fault("lost", PUBLISH)]
    send(github, files)
    assert len(github.releases) == 1
    assert github.published(TAG) == contents(files)


def test_what_arrives_otherwise_stays_a_draft(github, files):
    github._add, right = (
        lambda release, name, content, state: right(release, name, content[:-1], state),
        github._add,
    )
    try:
        with pytest.raises(UserError, match=r"stays a draft.*layer-0.json has 9 bytes there, 10 here"):
            send(github, files)
    finally:
        del github._add
    assert github.published(TAG) is None


def test_a_public_release_of_other_maps_is_left_alone(github, files, tmp_path):
    send(github, files)
    before = github.published(TAG)
    (tmp_path / "layer-2.json").write_bytes(b"another map!")
    files["layer-2.json"] = File.of(tmp_path / "layer-2.json")
    files["layer-9.json"] = files["layer-1.json"]
    with pytest.raises(UserError, match="is public already, and is not changed") as error:
        send(github, files)
    assert "layer-2.json is another file there" in str(error.value)
    assert "layer-9.json is not there" in str(error.value)
    assert "publish.github.tag" in str(error.value)
    assert github.published(TAG) == before


def test_other_releases_are_left_alone(github, files):
    for number in range(5):
        publish(releases(github), f"older-{number}", TITLE, NOTES, {"layer-0.json": files["layer-0.json"]})
    send(github, files)
    assert len(github.releases) == 6
    assert github.published(TAG) == contents(files)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Retry-After": "1"}, "You have exceeded a secondary rate limit"),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "now"},
            "API rate limit exceeded for user ID 1.",
        ),
        ({}, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."),
    ],
    ids=["Retry-After", "reset", "neither"],
)
@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_waited_for(github, files, monkeypatch, caplog, headers, message, status):
    monkeypatch.setattr(github_api, "SECONDARY_WAIT", 1)
    headers = {name: str(int(time.time())) if value == "now" else value for name, value in headers.items()}
    body = json.dumps({"message": message}).encode()
    github.faults = [Fault("status", UPLOAD, skip=1, status=status, headers=headers, body=body)]
    started = time.monotonic()
    with caplog.at_level(logging.INFO, "progress"):
        send(github, {name: files[name] for name in ("layer-0.json", "layer-1.json")})
    assert 0.9 < time.monotonic() - started < 5
    assert "GitHub's rate limit is reached; going on in 1 s" in caplog.text
    assert github.published(TAG) == contents({name: files[name] for name in ("layer-0.json", "layer-1.json")})


@pytest.mark.parametrize("on", ["GET /api/v3/repos/owner/maps", "GET .*/releases", CREATE, UPLOAD, PUBLISH])
@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_stumbles_is_asked_again(github, files, on, status):
    github.faults = [Fault("status", on, times=2, status=status)]
    send(github, {"layer-0.json": files["layer-0.json"]})
    assert github.published(TAG) == {"layer-0.json": b"0" * 10}
    assert len(github.releases) == 1


def test_a_wrong_token_is_told_and_not_shown(github, files):
    with pytest.raises(
        UserError, match=r"refused \(HTTP 401: Bad credentials\).*GITHUB_TOKEN or GH_TOKEN"
    ) as error:
        send(github, files, token="ghp_wrong")
    assert "ghp_wrong" not in str(error.value)
    assert len(github.requests) == 1


def test_a_token_that_may_only_read_is_told(github, files):
    with pytest.raises(UserError, match=r"HTTP 403: Resource not accessible.*Contents: read and write"):
        send(github, files, token=github.reader)
    assert github.releases == {}


def test_a_repository_that_is_not_there_is_told(github):
    with pytest.raises(UserError, match=r"owner/other.*HTTP 404.*publish.github.repository"):
        Releases("owner/other", github.token, github.api_url, QUICK)


def test_an_address_that_is_no_api_is_told(github):
    github.faults = [Fault("html")]
    with pytest.raises(UserError, match=r"is publish\.github\.api_url right"):
        releases(github)


def test_a_host_that_is_not_there_is_told(github):
    with pytest.raises(
        UnansweredError, match=r"127.0.0.1:9/api/v3, owner/maps: the repository: no usable answer"
    ):
        Releases("owner/maps", github.token, "http://127.0.0.1:9/api/v3", QUICK)


def test_what_github_does_not_take_is_refused_before_anything_is_sent(tmp_path):
    huge = File(tmp_path / "layer-0.json", 2 * 2**30, "0" * 64)
    with pytest.raises(UserError, match=r"2 GiB or more: layer-0.json \(2,147,483,648 bytes\)"):
        check_limits({"layer-0.json": huge})
    small = File(tmp_path / "layer-0.json", 2 * 2**30 - 1, "0" * 64)
    check_limits({f"layer-{number}.json": small for number in range(1000)})
    with pytest.raises(UserError, match="1000 assets a release, here are 1001"):
        check_limits({f"layer-{number}.json": small for number in range(1001)})


def test_the_token_comes_from_the_environment(monkeypatch):
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"set GITHUB_TOKEN .*Contents: read and write"):
        find_token()
    monkeypatch.setenv("GH_TOKEN", "second")
    assert find_token() == "second"
    monkeypatch.setenv("GITHUB_TOKEN", "first")
    assert find_token() == "first"


def test_the_upload_host_has_a_timeout_too():
    """PyGithub gives its connections to hosts other than the API's none of their own."""
    assert github_api._Https("uploads.github.com").timeout == github_api.UPLOAD_TIMEOUT
