"""Check a layer-N.json for everything that readers may rely on."""

import json
from decimal import Decimal

from jsonschema import Draft202012Validator

from conftest import ROOT

SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "graph.schema.json").read_text()))


def _refuse(constant: str):
    raise AssertionError(f"{constant} is not JSON")


def strict(text: bytes) -> dict:
    """Parse JSON strictly: reject NaN, infinities and duplicate keys."""

    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), f"duplicate key: {pairs}"
        return dict(pairs)

    return json.loads(text, parse_constant=_refuse, object_pairs_hook=unique)


def check_graph(text: bytes, model: str, layer: int) -> dict:
    """Assert every point of the contract; return the parsed graph."""
    graph = strict(text)
    SCHEMA.validate(graph)
    assert b"\n" not in text
    assert b": " not in text[:200]
    metadata, nodes, edges = graph["metadata"], graph["nodes"], graph["edges"]
    assert (metadata["modelId"], metadata["layers"]) == (model, [layer])
    for node in nodes:
        assert node["featureId"] | {"index": 0} == {"modelId": model, "layer": layer, "index": 0}
        assert node["id"] == f"{model}:{layer}:{node['featureId']['index']}"
        assert all(decimals(value) <= 4 for value in node["position"])
    ids = [node["id"] for node in nodes]
    unique_ids = set(ids)
    assert len(unique_ids) == len(ids)
    pairs = set()
    for edge in edges:
        assert edge["source"] in unique_ids
        assert edge["target"] in unique_ids
        assert edge["source"] != edge["target"]
        assert decimals(edge["weight"]) <= 4
        pairs.add(frozenset((edge["source"], edge["target"])))
    assert len(pairs) == len(edges) == len({edge["id"] for edge in edges})
    assert metadata["featureCount"] == len(nodes)
    assert metadata["edgeCount"] == len(edges)
    assert metadata["labeledCount"] == sum("label" in node for node in nodes)
    for side, extreme in (("min", min), ("max", max)):
        assert metadata["bounds"][side] == [extreme(node["position"][axis] for node in nodes) for axis in range(3)]
    for values in metadata.get("nodeFacts", {}).values():
        assert len(values) == len(nodes)
    return graph


def decimals(value: float) -> int:
    """Return the number of digits after the decimal point, as Python writes the value."""
    return max(0, -Decimal(repr(value)).as_tuple().exponent)
