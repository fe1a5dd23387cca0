"""layer-N.json: GraphJSONSchema, the front end's contract."""

import numpy as np
import orjson

DECIMALS = 4


def layer_graph(
    model: str,
    layer: int,
    coords: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    labels: dict[int, dict],
    metadata: dict,
) -> dict:
    """The graph of one layer as plain values.

    Parameters
    ----------
    coords : float32 (n, 3), dead features NaN: they get no node
    edges : source, target int32 (e,), weight float32 (e,)
    labels : by feature index, what is known of it: `label`, `explainer`, `density`, `max_activation`, `category`
    metadata : further keys of the metadata

    Raises
    ------
    ValueError
        No feature has a position, a coordinate is infinite, or an edge ends in a feature without a node.
    """
    live = np.flatnonzero(~np.isnan(coords).any(axis=1))
    positions = np.round(coords[live].astype(np.float64), DECIMALS) + 0.0  # + 0.0: no -0.0
    if not len(live):
        raise ValueError(f"{model} layer {layer}: no feature has a position, so there is nothing to export")
    if not np.isfinite(positions).all():
        raise ValueError(f"{model} layer {layer}: a position is not finite")
    source, target, weight = edges
    if not np.isin(np.concatenate([source, target]), live).all():
        raise ValueError(f"{model} layer {layer}: an edge ends in a dead feature")
    prefix = f"{model}:{layer}:"
    nodes = []
    for index, position in zip(live.tolist(), positions.tolist(), strict=True):
        node = {
            "id": f"{prefix}{index}",
            "featureId": {"modelId": model, "layer": layer, "index": index},
            "position": position,
        }
        known = labels.get(index, {})
        node |= {key: known[key] for key in ("label", "category") if known.get(key)}
        nodes.append(node)
    weights = np.round(np.clip(weight.astype(np.float64), 0, 1), DECIMALS)
    links = [
        {
            "id": f"{prefix}{a}-{b}",
            "source": f"{prefix}{a}",
            "target": f"{prefix}{b}",
            "weight": w,
            "type": "coactivation",  # the contract has no word for cosine similarity
        }
        for a, b, w in zip(source.tolist(), target.tolist(), weights.tolist(), strict=True)
    ]
    counts = {
        "modelId": model,
        "layers": [layer],
        "featureCount": len(nodes),
        "edgeCount": len(links),
        "labeledCount": sum("label" in node for node in nodes),
        "deadCount": len(coords) - len(nodes),
        "bounds": {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()},
    }
    facts = node_facts([labels.get(index, {}) for index in live.tolist()])
    return {"metadata": counts | metadata | facts, "nodes": nodes, "edges": links}


def node_facts(known: list[dict]) -> dict:
    """What is known of the features beside their labels, as lists in the order of the nodes.

    The contract's nodes have no place for it, its metadata has: `nodeFacts` holds `explainer` (string or null),
    `density` and `maxActivation` (number or null); a list of nothing but null is left out.
    """
    names = {"explainer": "explainer", "density": "density", "max_activation": "maxActivation"}
    facts = {name: [_short(row.get(key)) for row in known] for key, name in names.items()}
    facts = {name: values for name, values in facts.items() if any(value is not None for value in values)}
    return {"nodeFacts": facts} if facts else {}


def _short(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value  # float32 has no more to say


def to_bytes(graph: dict) -> bytes:
    """Compact JSON. orjson writes NaN as null, which `layer_graph` has made impossible in positions and weights."""
    return orjson.dumps(graph)
