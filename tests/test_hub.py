"""Decoders from a Hub on loopback, through the real client: few bytes, the right ones, always."""

import functools
import io
import logging
import socket
import time

import numpy as np
import pytest
from huggingface_hub import constants, hf_hub_download
from safetensors.numpy import save

from fakes.hub import Hub
from fakes.service import Fault
from lib import transport
from lib.transport import Patience, UnansweredError
from lib.weights import hub as client
from lib.weights.hub import HubError, fetch_tensor, resolve_commit
from lib.weights.tensors import TensorError

REPO = "google/gemma-scope-2b-pt-res"
PATH = "layer_12/width_16k/average_l0_82/params.npz"
SHAPE = (300, 512)
QUICK = Patience(attempts=4, first_wait=0.01, timeout=10.0)
HURRIED = Patience(attempts=4, first_wait=0.01, timeout=0.5)  # where a timeout is what is tried
GET = rf"GET /{REPO}/{PATH}"  # a range of the content; the Hub's own addresses have /resolve/ in them


@functools.cache
def params(shape=SHAPE, seed=1, compressed=False):
    random = np.random.default_rng(seed)
    arrays = {name: random.standard_normal(shape, dtype=np.float32) for name in ("W_enc", "W_dec")}
    content = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(content, **arrays)
    return content.getvalue(), arrays["W_dec"]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with Hub({REPO: {PATH: params()[0]}}) as service:
        point_at(service.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
        monkeypatch.setattr(client, "RANGE", 64 * 1024)  # ten ranges, as a real layer has
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
        yield service


def point_at(url, monkeypatch):
    """What HF_ENDPOINT does when it is set before huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def fetch(hub, shape=SHAPE, path=PATH, patience=QUICK):
    return fetch_tensor(REPO, path, hub.commits[REPO], "W_dec", shape, patience=patience)


def assert_right(values, seed=1):
    np.testing.assert_array_equal(values, params(seed=seed)[1])


def test_a_branch_becomes_a_commit_in_one_small_request(hub):
    assert resolve_commit(REPO, "main", QUICK) == hub.commits[REPO]
    assert hub.count("GET /api/models/.*") == 1
    assert hub.sent < 500


def test_a_full_commit_needs_no_request(hub):
    assert (
        resolve_commit(REPO, "0123456789abcdef0123456789abcdef01234567")
        == "0123456789abcdef" * 2 + "01234567"
    )
    assert hub.requests == []


def test_only_the_decoder_travels(hub):
    assert_right(fetch(hub))
    decoder = params()[1].nbytes
    assert hub.content.sent <= 1.02 * decoder
    assert len(hub.requests) == 1  # where the file lies
    assert len(hub.content.requests) == 2 + -(-decoder // client.RANGE)  # directory, header, ranges


def test_a_whole_gemma_layer_takes_half_of_its_file(hub, monkeypatch, caplog):
    monkeypatch.undo()  # ranges of the real size
    point_at(hub.url, monkeypatch)
    shape = (16384, 2304)
    hub.repos[REPO] = {PATH: params(shape)[0]}
    with caplog.at_level(logging.INFO):
        values = fetch(hub, shape)
    assert hub.content.sent <= 1.001 * values.nbytes == 1.001 * 150_994_944
    assert hub.content.count() == 11
    assert "of 301990" in caplog.text  # bytes fetched beside the file's size
    np.testing.assert_array_equal(values[::1000], params(shape)[1][::1000])
    params.cache_clear()


def test_safetensors_too(hub):
    decoder = params()[1].astype(np.float16)
    hub.repos[REPO] = {"sae.safetensors": save({"W_enc": np.zeros(SHAPE, np.float32), "W_dec": decoder})}
    np.testing.assert_array_equal(fetch(hub, path="sae.safetensors"), decoder)
    assert hub.content.sent <= 1.03 * decoder.nbytes


def test_several_ranges_are_under_way_at_once(hub):
    hub.content.faults = [Fault("stall", GET, times=4, skip=2, at=100, seconds=0.3)]
    assert_right(fetch(hub))
    assert 2 <= hub.content.busiest <= client.CONNECTIONS


def test_tokens_stay_with_the_hub(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert_right(fetch(hub))
    assert all(each.headers.get("authorization") == f"Bearer {hub.token}" for each in hub.requests)
    assert not any("authorization" in each.headers for each in hub.content.requests)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", GET, times=3, skip=3, at=20_000),
        Fault("truncate", GET, times=3, skip=3, at=20_000),
        Fault("short", GET, times=2, skip=3, at=1000),
        Fault("stall", GET, times=2, skip=3, at=20_000, seconds=1.5),
        Fault("trickle", GET, times=1, skip=3),
        Fault("status", GET, times=3, skip=1, status=500),
        Fault("status", GET, times=3, skip=3, status=503, body=b"<html>busy</html>"),
        Fault("status", GET, times=2, skip=3, status=429),
        Fault("status", GET, times=2, skip=3, status=429, headers={"Retry-After": "0"}),
        Fault("headers", GET, times=2, skip=3, headers={"Content-Range": "bytes 0-65535/900000"}),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}{'-after' if fault.headers else ''}",
)
def test_a_range_that_fails_is_repeated_by_itself(hub, fault):
    hub.content.faults = [fault]
    assert_right(fetch(hub, patience=HURRIED if fault.kind in ("stall", "trickle") else QUICK))
    ranges = 2 + -(-params()[1].nbytes // client.RANGE)
    assert ranges < hub.content.count() <= ranges + 3
    assert hub.content.sent <= params()[1].nbytes + 20_000 + 3 * client.RANGE


def test_a_dropped_connection_costs_no_byte_twice(hub):
    hub.content.faults = [Fault("truncate", GET, times=5, skip=2, at=40_000)]
    assert_right(fetch(hub))
    assert hub.content.sent <= 1.02 * params()[1].nbytes


def test_retry_after_is_waited_for(hub):
    hub.content.faults = [Fault("status", GET, skip=3, status=429, headers={"Retry-After": "1"})]
    started = time.monotonic()
    assert_right(fetch(hub))
    assert time.monotonic() - started >= 1.0


def test_the_hub_itself_may_stumble(hub):
    hub.faults = [Fault("status", times=2, status=500), Fault("reset", times=1)]
    assert resolve_commit(REPO, "main", QUICK) == hub.commits[REPO]
    hub.faults = [Fault("status", times=2, status=429, headers={"Retry-After": "0"})]
    assert_right(fetch(hub))


def test_a_server_without_ranges_sends_the_whole_file(hub, caplog):
    hub.content.ranges = False
    assert_right(fetch(hub))
    assert "does not send ranges; fetching the whole file" in caplog.text


def test_a_compressed_member_costs_the_whole_file(hub, caplog):
    hub.repos[REPO] = {PATH: params(compressed=True)[0]}
    assert_right(fetch(hub))
    assert "W_dec is compressed; fetching the whole file" in caplog.text


def test_a_whole_file_survives_a_cut_as_well(hub):
    hub.content.ranges = False
    hub.content.faults = [Fault("truncate", GET, times=2, skip=1, at=300_000)]
    assert_right(fetch(hub))


def test_a_file_that_changes_between_two_ranges_is_begun_again(hub, caplog):
    other = params(seed=2)[0]

    class Switch(Fault):
        def change(self, answer):
            hub.repos[REPO] = {PATH: other}
            return answer

    hub.content.faults = [Switch("switch", GET, skip=2)]
    assert_right(fetch(hub), seed=2)
    assert "starting over" in caplog.text


def test_a_damaged_transfer_is_begun_again(hub, caplog):
    hub.content.faults = [Fault("corrupt", GET, skip=4, at=77)]
    assert_right(fetch(hub))
    assert "W_dec is damaged" in caplog.text


def test_a_file_that_keeps_changing_is_given_up(hub):
    hub.content.faults = [Fault("corrupt", GET, skip=2, times=99, at=77)]
    with pytest.raises(HubError, match=rf"{REPO}/{PATH}.*began 3 times"):
        fetch(hub)


def test_another_commit_than_asked_for_is_refused(hub):
    hub.faults = [Fault("headers", times=9, headers={"X-Repo-Commit": "f" * 40})]
    with pytest.raises(HubError, match=f"answered with commit {'f' * 40}"):
        fetch(hub)


def test_an_address_that_expires_is_asked_for_again(hub):
    class Expire(Fault):
        def change(self, answer):
            hub.content.signature += 1
            return answer

    hub.content.faults = [Expire("expire", GET, skip=4)]
    assert_right(fetch(hub))
    assert 2 <= len(hub.requests) <= 3


@pytest.mark.parametrize(("token", "hint"), [(None, "no token is set"), ("hf_other", "the token in use")])
def test_a_gated_repository_says_what_to_do(hub, monkeypatch, token, hint):
    hub.gated = (REPO,)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    for call in (lambda: resolve_commit(REPO, "main", QUICK), lambda: fetch(hub)):
        with pytest.raises(HubError, match=rf"{REPO}: .* refused .*{hint}.*accept.*HF_TOKEN") as caught:
            call()
        assert "hf_other" not in str(caught.value)
    assert len(hub.requests) == 2  # a refusal is not asked again


def test_a_gated_repository_opens_with_the_token(hub, monkeypatch):
    hub.gated = (REPO,)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert_right(fetch(hub))


def test_missing_things_are_named(hub):
    with pytest.raises(HubError, match=f"{REPO}: has no revision v9"):
        resolve_commit(REPO, "v9", QUICK)
    with pytest.raises(HubError, match=f"{REPO}: has no file layer_99/params.npz at {hub.commits[REPO]}"):
        fetch(hub, path="layer_99/params.npz")
    with pytest.raises(HubError, match=r"google/nothing: .*HTTP 401"):
        resolve_commit("google/nothing", "main", QUICK)


def test_another_shape_costs_a_few_kilobytes(hub):
    with pytest.raises(TensorError, match=rf"{PATH}: W_dec has shape \(300, 512\), expected \(300, 513\)"):
        fetch(hub, (300, 513))
    assert hub.content.sent < 20_000


def test_an_error_page_in_place_of_the_file_is_not_taken_for_it(hub):
    hub.faults = [Fault("html", times=99)]
    with pytest.raises(HubError, match="is HF_ENDPOINT a Hub"):
        fetch(hub)


def test_nobody_listens(hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        point_at(f"http://127.0.0.1:{free.getsockname()[1]}", monkeypatch)
    with pytest.raises(UnansweredError, match=f"{REPO}, revision main: .* 4 attempts.*refused"):
        resolve_commit(REPO, "main", QUICK)


def test_a_service_that_stays_broken_ends_with_its_reason(hub):
    hub.content.faults = [Fault("status", GET, times=999, skip=4, status=502)]
    with pytest.raises(UnansweredError, match=f"{REPO}/{PATH}, bytes .* HTTP 502 Bad Gateway"):
        fetch(hub)


def test_the_cache_is_used_and_offline_mode_needs_nothing_else(hub, monkeypatch, tmp_path):
    hf_hub_download(REPO, PATH)
    hub.forget()
    hub.content.forget()
    assert_right(fetch(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert resolve_commit(REPO, "main") == hub.commits[REPO]
    assert_right(fetch(hub))
    assert hub.requests == hub.content.requests == []
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(HubError, match=f"{REPO}/{PATH}.*HF_HUB_OFFLINE"):
        fetch(hub)
    with pytest.raises(HubError, match=f"{REPO}: HF_HUB_OFFLINE.*revision main"):
        resolve_commit(REPO, "main")


def test_long_transfers_show_progress(hub, monkeypatch, caplog):
    monkeypatch.setattr(transport, "PROGRESS_EVERY", 0.0)
    with caplog.at_level(logging.INFO):
        fetch(hub)
    assert " of 1 MB, " in caplog.text
