"""Decoders from a Hub on loopback, through the real client: few bytes, few requests, the right values or an error."""

import functools
import gzip
import io
import json
import logging
import math
import time
import tracemalloc
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from huggingface_hub import close_session, constants, hf_hub_download
from safetensors.numpy import save

from fakes.hub import Hub, use_endpoint
from fakes.service import Fault
from fetch_decoder import opener
from lib import progress
from lib.errors import UserError
from lib.patience import heard
from lib.weights import hub as client
from lib.weights.tensors import read_decoder
from resolve_revision import resolve_commit

REPO = "google/gemma-scope-2b-pt-res"
PATH = "layer_12/width_16k/average_l0_82/params.npz"
SHAPE = (300, 512)
RANGES = 10  # that the decoder takes here
GET = rf"GET /{REPO}/{PATH}"  # from the content host; the Hub's own addresses have /resolve/ in them


@functools.cache
def params(savez=np.savez):
    random = np.random.default_rng(1)
    arrays = {name: random.standard_normal(SHAPE, dtype=np.float32) for name in ("W_enc", "W_dec")}
    content = io.BytesIO()
    savez(content, **arrays)
    return content.getvalue(), arrays["W_dec"]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with Hub({REPO: {PATH: params()[0]}}) as service:
        service.use(monkeypatch, tmp_path / "cache")
        monkeypatch.setattr(client, "RANGE", 64_000)
        monkeypatch.setattr(client, "WINDOW", 6_000)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
        # As a job's log does.
        logging.getLogger("huggingface_hub.utils._http").addFilter(heard)
        sleep = time.sleep
        monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds / 100))  # between the library's attempts
        yield service


def fetch(hub, shape=SHAPE, path=PATH):
    open_file = functools.partial(client.open_file, REPO, hub.commits[REPO])
    return read_decoder(open_file, path, "W_dec", dict(zip(("features", "d_model"), shape, strict=True)))[0]


def both_fail(hub, message):
    """Neither a commit nor a decoder is to be had, and the message says why."""
    for call in (lambda: resolve_commit(REPO, "main", PATH), lambda: fetch(hub)):
        with pytest.raises(UserError, match=message) as caught:
            call()
        assert str(caught.value).startswith(REPO)
        assert "hf_other" not in str(caught.value)


def assert_right(values):
    np.testing.assert_array_equal(values, params()[1])


def test_a_branch_becomes_a_commit_in_one_small_request(hub):
    commit = resolve_commit(REPO, "main", PATH)
    assert commit == hub.commits[REPO]
    assert hub.count() == 1
    assert hub.sent < 500


@pytest.mark.parametrize("path", [PATH, "sae.safetensors", "compressed.npz"])
def test_only_the_decoder_travels(hub, path):
    tensors = {"W_enc": np.zeros(SHAPE, np.float32), "W_dec": params()[1]}
    hub.repos[REPO] |= {"sae.safetensors": save(tensors), "compressed.npz": params(np.savez_compressed)[0]}
    assert_right(fetch(hub, path=path))
    assert hub.content.sent <= 1.05 * params()[1].nbytes
    assert hub.count() == 1  # the size of the file and the address of its content
    assert hub.content.count() <= 2 + RANGES  # the directory, the decoder's headers, its values


RANDOM = np.random.default_rng(2).standard_normal((30, 3, 20), dtype=np.float32)
FLAT, BFLOAT16 = RANDOM[:, 0], ml_dtypes.bfloat16
ORDER, TURNED, SUMMED = ["features", "d_model"], ["d_model", "features"], ["features", "outputs", "d_model"]


@pytest.mark.parametrize(
    ("files", "tensor", "axes", "decoder"),
    [
        ({"params.npz": {"W_enc": FLAT.T, "W_dec": FLAT}}, "W_dec", ORDER, FLAT),
        ({"params.safetensors": {"w_enc": FLAT.T, "w_dec": FLAT}}, "w_dec", ORDER, FLAT),
        ({"final.safetensors": {"decoder.weight": FLAT.T.astype(BFLOAT16)}}, "decoder.weight", TURNED, FLAT),
        ({"sae_weights.safetensors": {"decoder.weight": FLAT.T}}, "decoder.weight", TURNED, FLAT),
        ({"params.npz": {"W_dec": FLAT.T}}, "W_dec", TURNED, FLAT),
        ({"layer_0.safetensors": {"W_dec": FLAT.astype(np.float16)}}, "W_dec", ORDER, FLAT),
        ({"W_dec_7.safetensors": {"W_dec_7": RANDOM.astype(BFLOAT16)}}, "W_dec_7", SUMMED, RANDOM.sum(axis=1)),
        ({"params.npz": {"W_dec": np.asfortranarray(RANDOM)}}, "W_dec", SUMMED, RANDOM.sum(axis=1)),
        (
            {"sae.safetensors.index.json": {"W_dec": "b.safetensors"}, "b.safetensors": {"W_dec": FLAT}},
            "W_dec",
            ORDER,
            FLAT,
        ),
    ],
)
def test_every_layout_is_read_from_disk_and_from_the_hub_block_by_block(
    hub, tmp_path, monkeypatch, files, tensor, axes, decoder
):
    (tmp_path / "disk").mkdir()
    for name, content in files.items():
        path = tmp_path / "disk" / name
        if name.endswith(".npz"):
            np.savez(path, **content)
        elif name.endswith(".json"):
            path.write_text(json.dumps({"weight_map": content}))
        else:
            # The library writes the memory of an array, whatever its strides.
            path.write_bytes(save({key: np.ascontiguousarray(values) for key, values in content.items()}))
        hub.repos[REPO][f"layer_7/{name}"] = path.read_bytes()
    monkeypatch.setattr("lib.weights.tensors.BLOCK", 700)
    name, shape = next(iter(files)), {"features": 30, "d_model": 20, "outputs": None}
    for row, file, commit in (
        ({"repo": REPO, "weights": f"layer_7/{name}"}, None, hub.commits[REPO]),
        ({"repo": None, "weights": name}, tmp_path / "disk" / name, None),
    ):
        values, _ = read_decoder(
            opener(row, file, commit), row["weights"], tensor, {axis: shape[axis] for axis in axes}
        )
        np.testing.assert_allclose(values, decoder, atol=0.03)


def test_a_layer_of_gemma_takes_few_requests():
    assert 3 + math.ceil(16384 * 3584 * 4 / client.RANGE) <= 30


def test_the_token_stays_with_the_hub(hub, monkeypatch):
    hub.gated = (REPO,)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert resolve_commit(REPO, "main", PATH) == hub.commits[REPO]
    assert_right(fetch(hub))
    assert all(each.headers.get("authorization") == f"Bearer {hub.token}" for each in hub.requests)
    assert not any("authorization" in each.headers for each in hub.content.requests)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", GET, times=3, skip=3, at=20_000),
        Fault("truncate", GET, times=3, skip=3, at=20_000),
        Fault("status", GET, times=3, skip=1, status=500),
        Fault("status", GET, times=3, skip=3, status=503, body=b"<html>busy</html>"),
        Fault("status", GET, times=2, skip=3, status=429, headers={"Retry-After": "0"}),
        Fault("status", GET, times=2, skip=3, status=522),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_what_passes_is_repeated(hub, fault):
    hub.content.faults, repeats = [fault], fault.times
    assert_right(fetch(hub))
    assert hub.content.count() == 2 + RANGES + repeats


def test_silence_ends_an_attempt(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    hub.content.faults = [Fault("stall", GET, skip=3)]
    assert_right(fetch(hub))
    assert hub.content.count() > 2 + RANGES


def test_a_wait_is_shown_and_a_day_is_too_long(hub, caplog):
    hub.content.faults = [Fault("status", GET, times=1, skip=3, status=429, headers={"Retry-After": "20"})]
    with caplog.at_level(logging.INFO, "progress"):
        assert_right(fetch(hub))
    assert "Hugging Face: rate limit; trying again in 21 s" in caplog.text
    hub.content.faults = [Fault("status", GET, times=1, skip=3, status=429, headers={"Retry-After": "86400"})]
    with pytest.raises(UserError, match=r"params.npz .*asks for a wait of 86401 s. Run the same command again after"):
        fetch(hub)


def test_the_hub_itself_may_stumble(hub):
    for call in (lambda: resolve_commit(REPO, "main", PATH), lambda: fetch(hub)):
        hub.forget()
        hub.faults = [Fault("status", times=2, status=522), Fault("status", times=1, status=429)]
        call()
        assert [each.status for each in hub.requests][:3] == [522, 522, 429]


@pytest.mark.parametrize("skip", [0, 1, 2, 5])
@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "html"},
        {"kind": "status", "status": 200},
        {"kind": "replace", "body": b"longer than the range" * 4000},
        {"kind": "short", "at": 1000},
        {"kind": "headers", "headers": {"Content-Range": "bytes 0-63999/900000"}},
        {"kind": "corrupt", "at": 77},
    ],
    ids=lambda wrong: wrong["kind"],
)
def test_a_wrong_answer_never_becomes_a_matrix(hub, wrong, skip):
    hub.content.faults = [Fault(on=GET, times=99, skip=skip, **wrong)]
    with pytest.raises(UserError, match=PATH):
        fetch(hub)


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}], ids=["plain", "gzip"])
@pytest.mark.parametrize("skip", [0, 2])
def test_an_endless_answer_is_not_read_to_its_end(hub, skip, headers):
    content = gzip.compress(bytes(2**26)) if headers else bytes(2**26)
    hub.content.faults = [Fault("replace", GET, times=99, skip=skip, body=content, headers=headers)]
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=rf"{PATH} .*HTTP 206, range: .*, length: {len(content)}; .* check the net"):
            fetch(hub)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_login_page_is_not_taken_for_the_hub(hub):
    hub.faults = [Fault("html", times=99)]
    both_fail(hub, f"no usable answer from {hub.url}.*login page")
    hub.faults = [Fault("headers", times=99, headers={"X-Repo-Commit": "0" * 40})]
    with pytest.raises(UserError, match=f"{PATH} .* no usable answer .*commit {'0' * 40}"):
        fetch(hub)


@pytest.mark.parametrize("commit", ["", "../../x", "main", "F" * 40])
def test_only_a_commit_is_taken_for_one(hub, commit):
    hub.faults = [Fault("headers", headers={"X-Repo-Commit": commit})]
    with pytest.raises(UserError, match=f"{REPO}, revision main: no usable answer from {hub.url}"):
        resolve_commit(REPO, "main", PATH)


@pytest.mark.parametrize("status", [403, 502])
def test_a_content_host_that_goes_on_refusing(hub, caplog, status):
    hub.content.faults = [Fault("status", GET), Fault("status", GET, times=99, skip=4, status=status)]
    with pytest.raises(UserError, match=rf"{PATH} .*, bytes .* HTTP {status} .*\. Run the same") as caught:
        fetch(hub)
    assert "Retrying in 1s" in caplog.text
    assert "Signature" not in caplog.text + str(caught.value)  # an address is as good as a password


@pytest.mark.parametrize(("token", "hint"), [(None, "no token is set"), ("hf_other", "the token in use")])
def test_a_gated_repository_says_what_to_do(hub, monkeypatch, token, hint):
    hub.gated = (REPO,)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    both_fail(hub, rf"HTTP 40[13] .*{hint}.*accept its terms.*HF_TOKEN")
    assert hub.count() == 2  # a refusal is not repeated


def test_missing_things_are_named(hub):
    with pytest.raises(UserError, match=f"{REPO}, revision v9: does not exist"):
        resolve_commit(REPO, "v9", PATH)
    with pytest.raises(UserError, match=f"{REPO}, layer_99/params.npz at {hub.commits[REPO]}: does not exist"):
        fetch(hub, path="layer_99/params.npz")
    with pytest.raises(UserError, match=r"google/nothing, .*HTTP 401"):
        resolve_commit("google/nothing", "main", PATH)
    assert hub.count() == 3


def test_another_shape_costs_a_few_kilobytes(hub):
    with pytest.raises(UserError, match=rf"{PATH}: W_dec has shape \(300, 512\), expected \(300, 513\)"):
        fetch(hub, (300, 513))
    assert hub.content.sent < 20_000


def test_nobody_listens(hub, monkeypatch):
    use_endpoint("http://127.0.0.1:9", monkeypatch)
    both_fail(hub, "no usable answer from http://127.*refused.*Run the same command again")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("all_proxy", "socks://127.0.0.1:7890/", "Unknown scheme for proxy URL"),
        ("NO_PROXY", "localhost,fe80::/10", "Invalid port"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "No such file"),
        ("SSL_CERT_FILE", __file__, "no certificate"),
    ],
)
def test_a_variable_that_breaks_the_network_is_a_hint_in_the_error(hub, monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)
    close_session()  # the next client reads the environment
    both_fail(hub, rf"no usable answer .*{reason}.*\(HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE\)")


def test_the_cache_is_enough_offline(hub, monkeypatch, tmp_path):
    hf_hub_download(REPO, PATH)
    hub.forget()
    hub.content.forget()
    assert_right(fetch(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert resolve_commit(REPO, "main", PATH) == hub.commits[REPO]
    assert_right(fetch(hub))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    both_fail(hub, "not in .*/empty, and HF_HUB_OFFLINE is set")
    assert hub.requests == hub.content.requests == []


def test_a_flipped_bit_in_the_cache_is_noticed(hub):
    cached = Path(hf_hub_download(REPO, PATH))
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 1
    cached.resolve().write_bytes(content)
    with pytest.raises(UserError, match=r"params.npz: damaged in the cache; delete it and what it links to"):
        fetch(hub)


def test_long_transfers_show_progress(hub, monkeypatch, caplog):
    monkeypatch.setattr(progress, "PROGRESS_EVERY", 0.0)
    with caplog.at_level(logging.INFO):
        fetch(hub)
    assert " of 1 MB, " in caplog.text
