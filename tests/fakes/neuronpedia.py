"""Neuronpedia as a client sees it: the bucket of bulk exports, and the API."""

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from fakes.service import Answer, Request, Service, json_answer


def explanation_row(model_id: str, source_id: str, index: int, text: str, explainer: str) -> dict[str, Any]:
    """A row of an export, with an embedding, which is most of its bytes."""
    return {
        "modelId": model_id,
        "layer": source_id,
        "index": str(index),
        "description": text,
        "embedding": json.dumps([round((index % 7) / 7 + j / 256, 6) for j in range(256)]),
        "typeName": "oai_token-act-pair",
        "explanationModelName": explainer,
    }


def feature_row(model_id: str, source_id: str, index: int) -> dict[str, Any]:
    return {
        "modelId": model_id,
        "layer": source_id,
        "index": str(index),
        "maxActApprox": 10.0 + index % 13,
        "frac_nonzero": round(1 / (2 + index % 101), 6),
        "pos_str": [f" tok{index}", f"tok{index + 1}"],
        "freq_hist_data_bar_heights": [0.1] * 50,
    }


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def export(
    model_id: str,
    source_id: str,
    explanations: Iterable[Mapping[str, Any]],
    features: Iterable[Mapping[str, Any]] = (),
    *,
    folder: str = "explanations",
    size: int = 1024,
) -> dict[str, bytes]:
    """The bucket's objects for one source, by key: rows ordered by index as text, `size` per file."""
    objects = {}
    for name, rows in ((folder, explanations), ("features", features)):
        ordered = sorted(rows, key=lambda row: row["index"])
        for number, start in enumerate(range(0, len(ordered), size)):
            content = gzip.compress(jsonl(ordered[start : start + size]), mtime=0)
            objects[f"v1/{model_id}/{source_id}/{name}/batch-{number}.jsonl.gz"] = content
    return objects


class Bucket(Service):
    """A public S3 bucket: ListObjectsV2 with pages of `page` keys, and GET."""

    def __init__(self, objects: Mapping[str, bytes], page: int = 1000) -> None:
        super().__init__()
        self.objects, self.page = dict(objects), page

    def respond(self, request: Request) -> Answer:
        if request.path == "/" and request.query.get("list-type") == "2":
            return self._list(request.query)
        body = self.objects.get(request.path.removeprefix("/"))
        if body is None:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return Answer(200, body, {"Content-Type": "application/x-gzip"})

    def _list(self, query: Mapping[str, str]) -> Answer:
        keys = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")))
        keys = [key for key in keys if key > query.get("start-after", "")]
        page, more = keys[: self.page], len(keys) > self.page
        content = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size></Contents>" for key in page
        )
        content += f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        return Answer(200, f'<ListBucketResult xmlns="{namespace}">{content}</ListBucketResult>'.encode())


class Api(Service):
    """/api/feature/{modelId}/{sourceId}/{index}, for those who have the key.

    features : (model, source, index) -> the feature's object; any other index answers 404.
    """

    def __init__(self, features: Mapping[tuple[str, str, int], Mapping[str, Any]], key: str = "np-reader") -> None:
        super().__init__()
        self.features, self.key = dict(features), key

    @property
    def address(self) -> str:
        return f"{self.url}/api"

    def respond(self, request: Request) -> Answer:
        if request.headers.get("x-api-key") != self.key:
            return json_answer({"error": "Invalid API key"}, 401)
        found = re.fullmatch(r"/api/feature/([^/]+)/([^/]+)/(\d+)", request.path)
        feature = self.features.get((found[1], found[2], int(found[3]))) if found else None
        return json_answer({"error": "Feature not found"}, 404) if feature is None else json_answer(feature)


def api_feature(model_id: str, source_id: str, index: int, explanations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A feature as the API sends it."""
    return {**feature_row(model_id, source_id, index), "explanations": list(explanations), "activations": []}
