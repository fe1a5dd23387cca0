"""Neuronpedia on loopback: every label or a clear refusal, and no question asked twice."""

import gzip
import json
import logging
import socket
import time
from email.utils import formatdate

import pytest

from fakes.neuronpedia import Api, Bucket, api_feature, batches, explanation_row, export, feature_row, jsonl
from fakes.service import Fault
from lib.labels.explanations import Feature, LabelError
from lib.labels.neuronpedia import AccessError, IncompleteError, Journal, fetch_api, fetch_export
from lib.transport import Patience, UnansweredError

MODEL, SOURCE = "gemma-2-2b", "12-gemmascope-res-16k"
COUNT = 600
QUICK = Patience(attempts=4, first_wait=0.01, timeout=10.0)
HURRIED = Patience(attempts=4, first_wait=0.01, timeout=0.5)  # where a timeout is what is tried
BATCH = f"GET /v1/{MODEL}/{SOURCE}/explanations/batch-{{}}.jsonl.gz"
ASK = f"GET /api/feature/{MODEL}/{SOURCE}/.*"


def explained(count=COUNT):
    """Rows of which feature 7 has none, feature 8 two."""
    rows = [
        explanation_row(MODEL, SOURCE, index, f" label {index}\n", "gpt-4o-mini")
        for index in range(count)
        if index != 7
    ]
    return [*rows, explanation_row(MODEL, SOURCE, 8, "another", "gemini-2.5-flash-lite")]


def facts(count=COUNT):
    return [feature_row(MODEL, SOURCE, index) for index in range(count)]


OBJECTS = export(MODEL, SOURCE, explained(), facts(), size=100)  # 6 + 6 files
FEATURES = {
    (MODEL, SOURCE, index): api_feature(
        MODEL, SOURCE, index, [row for row in explained() if row["index"] == str(index)]
    )
    for index in range(40)
}


@pytest.fixture
def bucket():
    with Bucket(OBJECTS) as service:
        yield service


@pytest.fixture
def api():
    with Api(FEATURES) as service:
        yield service


@pytest.fixture
def journal(tmp_path):
    return lambda: Journal(tmp_path / "labels.journal", {"model": MODEL, "source": SOURCE})


def from_bucket(bucket, journal, patience=QUICK, **options):
    return fetch_export(MODEL, SOURCE, COUNT, journal(), url=bucket.url, patience=patience, **options)


def from_api(api, journal, indices=range(40), rate=60_000, key="np-reader", patience=QUICK):
    options = {"key": key, "requests_per_minute": rate, "url": api.address, "patience": patience}
    return fetch_api(MODEL, SOURCE, list(indices), COUNT, journal(), **options)


def assert_all_labels(features, indices=range(COUNT)):
    assert list(features) == list(indices)
    texts = {index: sorted(each.text for each in feature.explanations) for index, feature in features.items()}
    expected = {index: [f"label {index}"] for index in indices}
    assert texts == expected | {7: [], 8: ["another", "label 8"]}


# --- the bulk exports


def test_every_label_in_a_handful_of_requests(bucket, journal):
    assert_all_labels(from_bucket(bucket, journal))
    assert bucket.count() == 1 + 6  # the list, the batches of explanations


def test_facts_come_with_the_features_export(bucket, journal):
    features = from_bucket(bucket, journal, facts=True)
    assert_all_labels(features)
    assert features[7].density == pytest.approx(1 / 9, abs=1e-6)
    assert features[7].top_tokens == ["tok7", "tok8"]
    assert features[599].max_activation == 10.0 + 599 % 13
    assert from_bucket(bucket, journal, explanations=False, facts=True)[0].explanations == set()


def test_several_folders_of_explanations_are_one_source(bucket, journal):
    more = [explanation_row(MODEL, SOURCE, 7, "seven", "o3")]
    bucket.objects |= export(MODEL, SOURCE, more, folder="explanations-o3")
    features = from_bucket(bucket, journal)
    assert {each.explainer for each in features[7].explanations} == {"o3"}
    assert len(features[8].explanations) == 2


def test_a_listing_of_several_pages(bucket, journal):
    bucket.page = 2
    assert_all_labels(from_bucket(bucket, journal))
    assert bucket.count("GET /") == 3


def test_embeddings_are_not_kept(bucket, journal):
    bucket.faults = [Fault("status", BATCH.format(5), times=99)]
    with pytest.raises(IncompleteError):
        from_bucket(bucket, journal)
    kept = b"".join(path.read_bytes() for path in journal().folder.iterdir())
    assert b"embedding" not in kept
    assert len(kept) < 200 * COUNT


NETWORK_FAULTS = [
    Fault("reset", times=3, at=200),
    Fault("truncate", times=3, at=200),
    Fault("short", times=3, at=10),
    Fault("stall", times=2, at=200, seconds=1.0),
    Fault("status", times=3, status=500),
    Fault("status", times=3, status=503, headers={"Retry-After": "0"}),
    Fault("status", times=3, status=429),
    Fault("status", times=3, status=429, headers={"Retry-After": formatdate(usegmt=True)}),
    Fault("html", times=3),
]


def named(fault):
    return f"{fault.kind}{fault.status if fault.kind == 'status' else ''}{'-wait' if fault.headers else ''}"


@pytest.mark.parametrize("fault", NETWORK_FAULTS, ids=named)
@pytest.mark.parametrize("on", ["GET /", BATCH.format(3)], ids=["list", "batch"])
def test_what_passes_is_repeated(bucket, journal, fault, on):
    bucket.faults = [Fault(**(vars(fault) | {"on": on}))]
    patience = HURRIED if fault.kind == "stall" else QUICK
    assert_all_labels(from_bucket(bucket, journal, patience))
    assert 7 < bucket.count() <= 7 + 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"{}\n" * 9999)[:-40], "damaged gzip"),
        (gzip.compress(jsonl(facts()[:499]) + b'{"index": "499",\n'), "line 500: no JSON"),
        (b"<!DOCTYPE html><html>Sorry</html>", "no JSON .*DOCTYPE"),
    ],
    ids=["gzip", "line 500", "html"],
)
def test_broken_content_is_named_and_the_next_run_asks_for_it_alone(bucket, journal, content, reason):
    whole = bucket.objects[BATCH.format(3).removeprefix("GET /")]
    bucket.objects[BATCH.format(3).removeprefix("GET /")] = content
    with pytest.raises(IncompleteError, match=rf"{SOURCE}: 101 of 600 .*batch-3.jsonl.gz.*{reason}.*kept in"):
        from_bucket(bucket, journal)
    bucket.objects[BATCH.format(3).removeprefix("GET /")] = whole
    bucket.forget()
    assert_all_labels(from_bucket(bucket, journal))
    assert bucket.count() == 2


def test_facts_do_not_stand_for_explanations(bucket, journal):
    bucket.faults = [Fault("status", BATCH.format(2), times=99, status=404)]
    with pytest.raises(IncompleteError, match="101 of 600"):
        from_bucket(bucket, journal, facts=True)


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_batch_that_cannot_be_had_fails_with_count_and_reason(bucket, journal, status):
    bucket.faults = [Fault("status", BATCH.format(2), times=99, status=status)]
    with pytest.raises(
        IncompleteError, match=rf"101 of 600 features not answered \(.*batch-2.*HTTP {status}"
    ):
        from_bucket(bucket, journal)
    assert bucket.count(BATCH.format(2)) == (4 if status == 500 else 1)
    bucket.forget()
    assert_all_labels(from_bucket(bucket, journal))
    assert bucket.count() == 2


def test_a_changed_file_is_listed_anew_and_never_mixed(bucket, journal, caplog):
    class Switch(Fault):
        def change(self, answer):
            rows = [row | {"description": f"new {row['index']}"} for row in explained()]
            bucket.objects = export(MODEL, SOURCE, rows, size=100)
            return answer

    bucket.faults = [Switch("switch", BATCH.format(0))]
    features = from_bucket(bucket, journal, connections=1)
    assert {each.text for each in features[5].explanations | features[590].explanations} == {
        "new 5",
        "new 590",
    }
    assert "not the version that was listed; listing it anew" in caplog.text


def test_what_arrived_of_an_old_version_is_fetched_again(bucket, journal):
    bucket.faults = [Fault("status", BATCH.format(5), times=1, status=404)]
    with pytest.raises(IncompleteError):
        from_bucket(bucket, journal)
    new = [row | {"description": f"new {row['index']}"} for row in explained()]
    bucket.objects = export(MODEL, SOURCE, new, size=100)
    assert {each.text for each in from_bucket(bucket, journal)[5].explanations} == {"new 5"}


def test_a_file_that_keeps_changing_is_given_up(bucket, journal):
    bucket.faults = [Fault("headers", BATCH.format(2), times=99, headers={"ETag": '"other"'})]
    with pytest.raises(IncompleteError, match="changed 3 times"):
        from_bucket(bucket, journal)


def test_a_source_that_is_not_there(bucket, journal):
    bucket.objects = {}
    with pytest.raises(AccessError, match=f"{MODEL}/{SOURCE}/explanations.*nothing.*catalogue"):
        from_bucket(bucket, journal)
    bucket.faults = [Fault("status", times=9, status=403)]
    with pytest.raises(AccessError, match=r"HTTP 403 Forbidden; check labels.export_url"):
        from_bucket(bucket, journal)


def test_rows_of_another_sae_are_refused(bucket, journal):
    stray = [explanation_row(MODEL, SOURCE, COUNT, "one too many", "x")]
    bucket.objects |= export(MODEL, SOURCE, stray, folder="explanations-x")
    with pytest.raises(LabelError, match=r"explanations-x/batch-0.jsonl.gz, line 1: index 600 is outside"):
        from_bucket(bucket, journal)
    bucket.objects |= export(
        MODEL, SOURCE, [stray[0] | {"index": "1", "layer": "13-x"}], folder="explanations-x"
    )
    with pytest.raises(LabelError, match="source 13-x, not to 12-gemmascope"):
        from_bucket(bucket, journal)


def test_repeated_rows_count_once(bucket, journal):
    bucket.objects |= export(MODEL, SOURCE, explained()[:50], folder="explanations-again")
    assert_all_labels(from_bucket(bucket, journal))


def test_nobody_listens(journal):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UnansweredError, match=f"{url}.*4 attempts.*refused"):
        fetch_export(MODEL, SOURCE, COUNT, journal(), url=url, patience=QUICK)


# --- the API


def test_the_api_knows_the_same(api, bucket, journal):
    answers = from_api(api, journal)
    assert_all_labels(answers, range(40))
    assert api.count() == 40
    exported = from_bucket(bucket, journal, facts=True)
    assert {index: exported[index] for index in answers} == answers


def test_an_unknown_feature_is_an_answer(api, journal):
    del api.features[MODEL, SOURCE, 3]
    assert from_api(api, journal)[3] == Feature()
    assert api.count() == 40


@pytest.mark.parametrize("fault", NETWORK_FAULTS, ids=named)
def test_the_api_may_stumble(api, journal, fault):
    api.faults = [Fault(**(vars(fault) | {"on": ASK, "skip": 5, "at": min(fault.at, 50)}))]
    patience = HURRIED if fault.kind == "stall" else QUICK
    assert_all_labels(from_api(api, journal, patience=patience), range(40))
    assert api.count() <= 40 + 3


def test_a_missing_key_stops_before_any_request(api, journal):
    with pytest.raises(AccessError, match=r"NEURONPEDIA_API_KEY is not set.*neuronpedia.org/account"):
        from_api(api, journal, key=None)
    assert api.count() == 0


def test_a_refused_key_stops_at_once_and_is_not_shown(api, journal):
    with pytest.raises(AccessError, match=r"key was refused \(HTTP 401\).*neuronpedia.org/account") as caught:
        from_api(api, journal, key="np-wrong")
    assert api.count() <= 8
    assert "np-wrong" not in str(caught.value)


def test_only_the_rest_is_asked_for_after_a_failure(api, journal):
    api.faults = [Fault("status", f"GET /api/feature/{MODEL}/{SOURCE}/(11|23)", times=99)]
    with pytest.raises(
        IncompleteError, match=r"2 of 40 features not answered \(HTTP 500 Internal Server Error\)"
    ):
        from_api(api, journal)
    api.forget()
    assert_all_labels(from_api(api, journal), range(40))
    assert sorted(each.path.rpartition("/")[2] for each in api.requests) == ["11", "23"]


def test_a_torn_line_of_the_journal_is_asked_again(api, journal):
    api.faults = [Fault("status", f"GET /api/feature/{MODEL}/{SOURCE}/39", times=99)]
    with pytest.raises(IncompleteError):
        from_api(api, journal)
    answers = journal().folder / "answers.jsonl"
    answers.write_bytes(answers.read_bytes()[:-10])
    api.forget()
    assert_all_labels(from_api(api, journal), range(40))
    assert api.count() == 2
    assert len(answers.read_bytes().splitlines()) == 40


def test_a_service_that_is_down_is_not_asked_for_everything(api, journal):
    api.faults = [Fault("status", ASK, times=9999, status=502)]
    with pytest.raises(IncompleteError, match=r"40 of 40 .*HTTP 502"):
        from_api(api, journal)
    assert api.count() < 4 * 20


def test_the_limit_is_kept(api, journal):
    api.per_second = 12
    started = time.monotonic()
    from_api(api, journal, indices=range(20), rate=600)
    assert time.monotonic() - started >= 19 * 0.1
    assert api.count() == 20  # never above the limit, so never refused


def test_beyond_the_limit_everybody_waits(api, journal, caplog):
    api.per_second = 15
    assert_all_labels(from_api(api, journal), range(40))
    assert api.count() < 40 + 15
    assert "HTTP 429" in caplog.text


def test_answers_about_another_feature_are_not_taken(api, journal):
    api.features[MODEL, SOURCE, 4] = api.features[MODEL, SOURCE, 5]
    with pytest.raises(IncompleteError, match="the answer is about feature 5"):
        from_api(api, journal)
    api.features[MODEL, SOURCE, 4] = FEATURES[MODEL, SOURCE, 4] | {"layer": "13-x"}
    with pytest.raises(LabelError, match="source 13-x"):
        from_api(api, journal)


# --- the journal


def test_a_journal_of_something_else_is_emptied(tmp_path):
    folder = tmp_path / "labels.journal"
    Journal(folder, {"source": "a"}).keep_answer({"index": 1})
    assert Journal(folder, {"source": "a"}).answers() == [{"index": 1}]
    assert Journal(folder, {"source": "b"}).answers() == []


def test_progress_is_shown(bucket, journal, caplog, monkeypatch):
    monkeypatch.setattr("lib.progress.PROGRESS_EVERY", 0.0)
    with caplog.at_level(logging.INFO):
        from_bucket(bucket, journal)
    assert "6 of 6 files" in caplog.text


def test_batches_are_ordered_as_text():
    rows = [json.loads(line) for line in gzip.decompress(batches(facts(12))[0]).splitlines()]
    assert [row["index"] for row in rows] == ["0", "1", "10", "11", *map(str, range(2, 10))]
