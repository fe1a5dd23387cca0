"""layer-N.json: GraphJSONSchema, the front end's contract (docs/graph.schema.json)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lib.tables import numbers, texts


def layer_graph(model: str, features: pa.Table, edges: dict, metadata: dict, decimals: int) -> dict:
    """The graph of one layer as plain values.

    Parameters
    ----------
    features : as `lib.products.layer_table.layer_table` returns it; dead features get no node
    edges : `source`, `target` int (e,) and `weight` float (e,), as in edges.npz
    metadata : further keys of the metadata; nodes take the names of its `regions` for categories if labels bring none
    decimals : decimals of the positions and of the edges' weights

    Raises ValueError: no feature has a position, a coordinate is infinite, or an edge ends in a feature without a node.
    """
    live = features.filter(pc.is_valid(features["x"]))
    if not len(live):
        raise ValueError(f"{model}: no feature of this layer has a position, so there is nothing to export")
    layer = live["layer"][0].as_py()
    positions = rounded_positions(live, decimals)
    if not np.isfinite(positions).all():
        raise ValueError(f"{model} layer {layer}: a position is not finite")
    if not np.isin(np.concatenate([edges["source"], edges["target"]]), numbers(live["index"])).all():
        raise ValueError(f"{model} layer {layer}: an edge ends in a dead feature")
    prefix = f"{model}:{layer}:"
    nodes = [
        {
            "id": f"{prefix}{index}",
            "featureId": {"modelId": model, "layer": layer, "index": index},
            "position": position,
        }
        for index, position in zip(live["index"].to_pylist(), positions.tolist(), strict=True)
    ]
    for name, column in {"label": live["label"], "category": categories(live, metadata.get("regions", []))}.items():
        for node, text in zip(nodes, column.to_pylist(), strict=True):
            if text:
                node[name] = text
    weights = np.round(np.clip(edges["weight"].astype(np.float64), 0, 1), decimals)
    ends = (edges["source"].tolist(), edges["target"].tolist())
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
        "bounds": bounds(positions),
    }
    # The contract's nodes have no room for these, its metadata has: lists in the order of the nodes.
    columns = {"maxActivation": "max_activation", "region": "region_3"}
    columns |= {name: name for name in ("explainer", "density", "kept")}
    facts = {name: plain(live[column]) for name, column in columns.items() if live[column].null_count < len(live)}
    about = counts | metadata | ({"nodeFacts": facts} if facts else {})
    return {"metadata": about, "nodes": nodes, "edges": links}


def rounded_positions(live: pa.Table, decimals: int) -> np.ndarray:
    """Positions, float64 (m, 3), of a table's rows, none of them empty.

    They are rounded again: the table's are float32, which would be written with more decimals.
    """
    return np.round(np.column_stack([numbers(live[axis]) for axis in "xyz"]).astype(np.float64), decimals)


def bounds(positions: np.ndarray) -> dict[str, list[float]]:
    """The metadata's `bounds` of positions, float (m, 3)."""
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
