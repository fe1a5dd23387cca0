"""Neuronpedia on loopback: every label or a clear refusal, and nothing asked twice."""

import gzip
import logging
from dataclasses import replace
from email.utils import formatdate
from types import SimpleNamespace

import pandas as pd
import pytest

from fakes.neuronpedia import Api, Bucket, api_feature, explanation_row, export, feature_row, jsonl
from fakes.service import Fault
from lib.errors import UserError
from lib.labels import neuronpedia
from lib.labels.explanations import Row, feature_table, statements
from lib.labels.neuronpedia import api_rows, export_rows

MODEL, SOURCE = "gemma-2-2b", "12-gemmascope-res-16k"
COUNT = 600
ANSWERS = "labels.answers.jsonl"
BATCH = f"GET /v1/{MODEL}/{SOURCE}/explanations/batch-{{}}.jsonl.gz"
ASK = f"GET /api/feature/{MODEL}/{SOURCE}/"

# Feature 7 has no explanation, feature 8 two.
EXPLAINED = [
    explanation_row(MODEL, SOURCE, index, f" label {index}\n", "gpt-4o-mini") for index in range(COUNT) if index != 7
] + [explanation_row(MODEL, SOURCE, 8, "another", "gemini-2.5-flash-lite")]
FACTS = [feature_row(MODEL, SOURCE, index) for index in range(COUNT)]
OBJECTS = export(MODEL, SOURCE, EXPLAINED, FACTS, size=100)  # 6 + 6 files
FEATURES = {
    (MODEL, SOURCE, index): api_feature(MODEL, SOURCE, index, [row for row in EXPLAINED if row["index"] == str(index)])
    for index in range(40)
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Attempts follow one another without a wait."""
    monkeypatch.setattr(neuronpedia, "RETRY", neuronpedia.RETRY.new(backoff_factor=0, backoff_jitter=0))


@pytest.fixture
def bucket():
    with Bucket(OBJECTS) as service:
        yield service


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setenv("NEURONPEDIA_API_KEY", "np-reader")
    with Api(FEATURES) as service:
        yield service


def from_bucket(bucket, *kinds) -> list[Row]:
    return list(export_rows(bucket.url, MODEL, SOURCE, kinds or ["explanations"]))


def from_api(api, folder, rate=60_000, source=SOURCE) -> list[Row]:
    return list(api_rows(api.address, MODEL, source, range(40), rate, folder / ANSWERS))


def features_of(rows):
    return feature_table(rows, COUNT, SOURCE)


def assert_all_labels(rows, count=COUNT):
    known = [each for where, row in rows for each in statements(where, row, COUNT, SOURCE)]
    texts = {(each["index"], each["label"]) for each in known if "label" in each}
    assert texts == {(index, f"label {index}") for index in range(count) if index != 7} | {(8, "another")}


# --- the bulk exports


def test_facts_come_with_the_features_export(bucket):
    rows = from_bucket(bucket, "explanations", "features")
    assert_all_labels(rows)
    assert bucket.count() == 1 + 12  # the list, the batches
    features = features_of(rows)
    assert features["density"][7] == pytest.approx(1 / 9, abs=1e-6)
    assert features["top_tokens"][7] == ["tok7", "tok8"]
    assert features["max_activation"][599] == 10.0 + 599 % 13
    assert features_of(from_bucket(bucket, "features"))["label"].isna().all()


def test_several_folders_repeated_rows_and_strange_files(bucket):
    seven = [explanation_row(MODEL, SOURCE, 7, "seven", "o3")]
    bucket.objects |= export(MODEL, SOURCE, [*EXPLAINED[:50], *seven], folder="explanations-o3")
    bucket.objects |= {f"v1/{MODEL}/{SOURCE}/{name}": b"?" for name in ("README", "explanations/.x.jsonl")}
    rows = from_bucket(bucket)
    assert {row["explainer"] for _, row in rows if row["index"] == "7"} == {"o3"}
    assert_all_labels((where, row) for where, row in rows if row["index"] != "7")


def test_a_list_of_several_pages(bucket):
    bucket.page = 5
    assert_all_labels(from_bucket(bucket))
    assert bucket.count("GET /") == 3


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<IsTruncated>true</IsTruncated>", "its pages repeat"),
        ("<Contents><Key>a</Key><Size>1</Size></Contents><IsTruncated>true</IsTruncated>", "its pages repeat"),
        ("<Contents><Key>a</Key><Size>1</Size></Contents>", "not a page of a bucket's list: b'<List.*KeyError"),
        ("<Contents><Key>a</Key></Contents><IsTruncated>false</IsTruncated>", "not a page .*AttributeError"),
    ],
)
def test_a_list_that_does_not_end_well_is_refused(bucket, page, message):
    page = f"<ListBucketResult>{page}</ListBucketResult>".encode()
    bucket.faults = [Fault("replace", "GET /", times=99, body=page)]
    with pytest.raises(UserError, match=f"the file list of .*{message}"):
        from_bucket(bucket)


NETWORK_FAULTS = {
    "reset": Fault("reset", at=50),
    "truncated": Fault("truncate", at=50),
    "short": Fault("short", at=10),
    "500": Fault("status", status=500),
    "522": Fault("status", status=522),
    "503 wait": Fault("status", status=503, headers={"Retry-After": "0"}),
    "429": Fault("status", status=429),
    "429 until": Fault("status", status=429, headers={"Retry-After": formatdate(0, usegmt=True)}),
    "429 unclear": Fault("status", status=429, headers={"Retry-After": "soon"}),
    "html": Fault("html"),
    "json": Fault("replace", body=b'{"error": "try again"}'),
}


@pytest.mark.parametrize("fault", NETWORK_FAULTS.values(), ids=NETWORK_FAULTS)
@pytest.mark.parametrize("on", ["GET /", BATCH.format(3)], ids=["list", "batch"])
def test_what_passes_is_repeated(bucket, fault, on):
    bucket.faults = [replace(fault, on=on, times=2)]
    assert_all_labels(from_bucket(bucket))
    assert bucket.count() == 1 + 6 + 2


def test_silence_ends_an_attempt(bucket, monkeypatch):
    monkeypatch.setattr(neuronpedia, "TIMEOUT", 1)
    bucket.faults = [Fault("stall", BATCH.format(3))]
    assert_all_labels(from_bucket(bucket))
    assert bucket.count() > 1 + 6


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (403, 1), (404, 1), (501, 1), (500, 6)])
def test_a_refusal_is_not_repeated_and_fails_the_layer(bucket, status, requests):
    bucket.faults = [Fault("status", BATCH.format("[24]"), times=99, status=status)]
    reasons = "; ".join(rf"explanations/batch-{number}.jsonl.gz: HTTP {status} [^;]*" for number in (2, 4))
    with pytest.raises(UserError, match=rf"2 of 6 files [^:]*: {reasons}\. Run again"):
        from_bucket(bucket)
    assert bucket.count(BATCH.format(2)) == requests
    bucket.faults = [Fault("status", "GET /", times=99, status=status)]
    bucket.requests.clear()
    with pytest.raises(UserError, match=rf"HTTP {status} .*Check labels.export_url"):
        from_bucket(bucket)
    assert bucket.count() == requests


def test_broken_files_are_named(bucket):
    content = gzip.compress(jsonl(FACTS[:499]) + b'{"index": "499",\n')
    bucket.objects[BATCH.format(3).removeprefix("GET /")] = content
    with pytest.raises(UserError, match=r"1 of 6 files [^:]*: explanations/batch-3.jsonl.gz: line 500: not a JSON"):
        from_bucket(bucket)


def test_more_bytes_than_listed_are_refused(bucket):
    bucket.faults = [Fault("replace", BATCH.format(3), times=99, body=jsonl(FACTS))]
    with pytest.raises(UserError, match=r"batch-3.jsonl.gz: longer than [\d,]+ bytes"):
        from_bucket(bucket)
    assert bucket.count(BATCH.format(3)) == 6


def test_a_source_that_is_not_there(bucket):
    bucket.objects = {}
    with pytest.raises(UserError, match=f"{MODEL}/{SOURCE}/: no explanations.*catalogue"):
        from_bucket(bucket)


def test_rows_of_another_sae_are_refused(bucket):
    stray = explanation_row(MODEL, SOURCE, COUNT, "one too many", "x")
    bucket.objects |= export(MODEL, SOURCE, [stray], folder="explanations-x")
    with pytest.raises(UserError, match=r"explanations-x/batch-0.jsonl.gz, line 1: index 600 is outside"):
        features_of(from_bucket(bucket))
    stray |= {"index": "1", "layer": "13-x"}
    bucket.objects |= export(MODEL, SOURCE, [stray], folder="explanations-x")
    with pytest.raises(UserError, match="source 13-x, not to 12-gemmascope"):
        features_of(from_bucket(bucket))


def test_nobody_listens():
    with pytest.raises(UserError, match=r"127.0.0.1:9.*refused"):
        from_bucket(SimpleNamespace(url="http://127.0.0.1:9"))


def test_waits_are_shown_and_never_endless(bucket, monkeypatch, caplog):
    waits = []
    monkeypatch.setattr(neuronpedia, "time", SimpleNamespace(sleep=waits.append))
    caplog.set_level(logging.INFO)
    bucket.faults = [Fault("status", "GET /", status=429, headers={"Retry-After": "600"})]
    assert_all_labels(from_bucket(bucket))
    assert waits == [600]
    shown = [each.message for each in caplog.records if each.name == "progress"]
    assert [message.partition(": ")[2] for message in shown] == ["HTTP 429 Too Many Requests; trying again in 600 s"]
    bucket.faults = [Fault("status", "GET /", status=503, headers={"Retry-After": "3600"})]
    with pytest.raises(
        UserError, match=r"HTTP 503 Service Unavailable: asks for a wait of 3600 s. Run the same command again after"
    ):
        from_bucket(bucket)
    assert waits == [600]


# --- the API


def test_the_api_knows_the_same(api, bucket, tmp_path):
    rows = from_api(api, tmp_path)
    assert_all_labels(rows, 40)
    assert api.count() == 40
    exported = features_of(from_bucket(bucket, "explanations", "features"))
    pd.testing.assert_frame_equal(features_of(rows), exported[:40])


def test_a_feature_that_the_api_does_not_know_has_no_label(api, tmp_path):
    del api.features[MODEL, SOURCE, 3]
    assert from_api(api, tmp_path)[3][1] == {"index": 3}


@pytest.mark.parametrize("fault", NETWORK_FAULTS.values(), ids=NETWORK_FAULTS)
def test_the_api_may_stumble(api, tmp_path, fault):
    api.faults = [replace(fault, on=ASK + ".*", times=2, skip=5)]
    assert_all_labels(from_api(api, tmp_path), 40)
    assert api.count() == 40 + 2


@pytest.mark.parametrize(("status", "headers"), [(401, {}), (403, {}), (404, {"Content-Type": "text/html"}), (501, {})])
def test_a_refusal_of_the_api_stops_at_once(api, tmp_path, status, headers):
    api.faults = [Fault("status", times=99, status=status, headers=headers)]
    with pytest.raises(UserError, match=f"HTTP {status} .*check NEURONPEDIA_API_KEY and labels.api_url"):
        from_api(api, tmp_path)
    assert api.count() == 1


def test_the_key_follows_no_redirect(api, bucket, tmp_path):
    api.faults = [Fault("status", times=99, status=302, headers={"Location": bucket.url})]
    with pytest.raises(UserError, match=r"HTTP 302 Found\. .*labels.api_url"):
        from_api(api, tmp_path)
    assert bucket.count() == 0


def test_nothing_is_asked_twice_after_a_failure_or_a_kill(api, tmp_path):
    api.faults = [Fault("status", ASK + "11", times=99, status=502)]
    with pytest.raises(UserError, match=r"/11: HTTP 502 .*11 of 40 answers are kept in .*: run again later"):
        from_api(api, tmp_path)
    assert api.count() == 11 + 6
    answers = tmp_path / ANSWERS
    answers.write_bytes(answers.read_bytes()[:-10])  # as a kill leaves it: the last line, of feature 10, is torn
    api.forget()
    assert_all_labels(from_api(api, tmp_path), 40)
    assert api.count() == 30
    assert len(answers.read_bytes().splitlines()) == 1 + 40
    from_api(api, tmp_path, source="13-x")
    assert api.count() == 30 + 40


def test_requests_keep_to_the_rate(api, tmp_path, monkeypatch):
    pauses = []
    clock = SimpleNamespace(monotonic=lambda: 100.0 + sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(neuronpedia, "time", clock)
    from_api(api, tmp_path, rate=75)
    assert pauses == pytest.approx([0.0] + 39 * [0.8])


def test_answers_about_another_feature_are_not_taken(api, tmp_path):
    api.features[MODEL, SOURCE, 4] = api.features[MODEL, SOURCE, 5]
    with pytest.raises(UserError, match=r"/4: the answer is about feature 5"):
        from_api(api, tmp_path)
    api.features[MODEL, SOURCE, 4] = FEATURES[MODEL, SOURCE, 4] | {"layer": "13-x"}
    with pytest.raises(UserError, match="/4: belongs to the source 13-x"):
        features_of(api_rows(api.address, MODEL, SOURCE, range(40), 60_000, tmp_path / ANSWERS))
    assert b"13-x" not in (tmp_path / ANSWERS).read_bytes()


def test_an_endless_answer_is_not_read_to_its_end(api, tmp_path, monkeypatch):
    monkeypatch.setattr(neuronpedia, "LONGEST_LINE", 100)
    with pytest.raises(UserError, match="longer than 100 bytes"):
        from_api(api, tmp_path)
