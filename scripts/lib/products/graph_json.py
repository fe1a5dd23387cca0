"""layer-N.json: GraphJSONSchema, the front end's contract (docs/graph.schema.json)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lib.tables import numbers, texts

# Of the nodes, which have no room for these in the contract: by name in `nodeFacts` of the metadata, the column.
FACTS = {
    "maxActivation": "max_activation",
    "region": "region_3",
    "explainer": "explainer",
    "density": "density",
    "kept": "kept",
}


def layer_graph(model: str, features: pa.Table, edges: dict, metadata: dict, decimals: int) -> dict:
    """The graph of one layer as plain values.

    Parameters
    ----------
    features : as `lib.products.layer_table.layer_table` returns it; dead features get no node
    edges : `source`, `target` int (e,) and `weight` float (e,), as in edges.npz
    metadata : further keys of the metadata; nodes take the names of its `regions` for categories if labels bring none
    decimals : decimals of the positions and of the edges' weights

    Raises ValueError: a coordinate is infinite, or an edge ends in a feature without a node.
    """
    live = features.filter(pc.is_valid(features["x"]))
    layer = live["layer"][0].as_py()
    if not np.isin(np.concatenate([edges["source"], edges["target"]]), numbers(live["index"])).all():
        raise ValueError(f"{model} layer {layer}: an edge ends in a dead feature")
    prefix = f"{model}:{layer}:"
    nodes = [
        {"id": f"{prefix}{index}", "featureId": {"modelId": model, "layer": layer, "index": index}}
        for index in live["index"].to_pylist()
    ]
    bounds = move(nodes, live, decimals)
    for name, column in {"label": live["label"], "category": categories(live, metadata["regions"])}.items():
        for node, text in zip(nodes, column.to_pylist(), strict=True):
            if text:
                node[name] = text
    ends = edges["source"].tolist(), edges["target"].tolist()
    weights = np.round(np.clip(edges["weight"].astype(np.float64), 0, 1), decimals)
    links = [
        {
            "id": f"{prefix}{source}-{target}",
            "source": f"{prefix}{source}",
            "target": f"{prefix}{target}",
            "weight": weight,
            "type": "coactivation",  # the contract has no word for cosine similarity
        }
        for source, target, weight in zip(*ends, weights.tolist(), strict=True)
    ]
    counts = {
        "modelId": model,
        "layers": [layer],
        "featureCount": len(nodes),
        "edgeCount": len(links),
        "labeledCount": sum("label" in node for node in nodes),
        "deadCount": len(features) - len(nodes),
        "bounds": bounds,
    }
    facts = {name: plain(live[column]) for name, column in FACTS.items() if live[column].null_count < len(live)}
    about = counts | metadata | ({"nodeFacts": facts} if facts else {})
    return {"metadata": about, "nodes": nodes, "edges": links}


def move(nodes: list[dict], live: pa.Table, decimals: int) -> dict[str, list[float]]:
    """Give nodes the positions in the rows of a table, none of them empty; return the metadata's `bounds` of these.

    Raises ValueError: a coordinate is infinite.
    """
    # Rounded again: the table's are float32, which would be written with more decimals.
    positions = np.round(np.column_stack([numbers(live[axis]) for axis in "xyz"]).astype(np.float64), decimals)
    if not np.isfinite(positions).all():
        raise ValueError("a position is not finite")
    for node, position in zip(nodes, positions.tolist(), strict=True):
        node["position"] = position
    return {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}


def categories(features: pa.Table, regions: list[dict]) -> pa.ChunkedArray:
    """The labels' categories; if there are none at all, of each feature the name of its largest region with a name."""
    if features["category"].null_count < len(features):
        return features["category"]
    ids, names = (texts([region.get(key) for region in regions]) for key in ("id", "name"))
    levels = ("region_1", "region_2", "region_3")
    return pc.coalesce(*(names.take(pc.index_in(features[level], ids)) for level in levels))


def plain(column: pa.ChunkedArray) -> list:
    """A column as JSON values: missing is None, and float32 is rounded to the five digits it can be trusted with."""
    return [float(f"{value:.5g}") if isinstance(value, float) else value for value in column.to_pylist()]
