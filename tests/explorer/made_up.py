"""Made-up maps of any size that resemble real ones: clusters in a ball, many links across it, labels that recur.

The proportions are those of real layers: 27 % of the features have no link, half of the links leave their cluster,
cosines pile up just above the threshold of 0.25, and labels are phrases, function words or missing.
"""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from .site import layer_file

REAL_SIZE = (16_384, 127_000)  # features, links: a layer of Gemma Scope with many strong cosines
WIDE = (131_072, 500_000)
LINKED = {"k": 25, "threshold": 0.25}  # the rule by which neighbours of a table are links
STORED = 40  # neighbours per feature in a table

SUBJECTS = [
    "water", "stone", "river", "monday", "court", "law", "music", "number", "list", "name", "king", "city", "animal",
    "colour", "verb", "negation", "war", "doctor", "kitchen", "father", "request", "driver", "soldier", "ship",
    "letter", "currency", "planet", "tax", "bird", "disease", "protein", "tense", "loop", "bracket",
]  # fmt: skip
TEMPLATES = ("{}", "references to {}", "mentions of {} and {}", "terms related to {}", "{}; also {}", "the word {}")
FUNCTION_WORDS = ("the", "of", "a; also an", "and", "in", "it is", ":", "to; also for")


def made_up_map(model: str, features: int, links: int) -> dict:
    """A layer-0.json as plain values. The same arguments give the same map."""
    random = np.random.default_rng(0)
    positions = clustered(features, random).round(4)
    pairs = linked_pairs(positions, links, random)
    weights = np.minimum(0.25 + random.exponential(0.045, size=len(pairs)), 1).round(4)
    labels = [made_up_label(random) for _ in range(features)]
    graph = layer_file(model, 0, labels, [*zip(*pairs.T.tolist(), weights.tolist(), strict=True)], positions.tolist())
    regions, smallest = made_up_regions(positions)
    graph["metadata"]["regions"] = regions
    density = (10 ** random.uniform(-5, -1, size=features)).round(6).tolist()
    graph["metadata"]["nodeFacts"] = {"density": density, "region": smallest}
    return graph


def made_up_table(graph: dict) -> tuple[pd.DataFrame, int]:
    """The layer-0.parquet of a made-up map, and the number of links that `LINKED` finds in it.

    A feature's links come first among its neighbours, strongest first; its nearest points, too dissimilar for a link,
    fill the rest. Hubs keep their `STORED` strongest.
    """
    nodes, features = graph["nodes"], len(graph["nodes"])
    positions = np.array([node["position"] for node in nodes], dtype=np.float32)
    ends = [[int(edge[end].rsplit(":")[-1]) for edge in graph["edges"]] for end in ("source", "target")]
    weights = [edge["weight"] for edge in graph["edges"]]
    near = cKDTree(positions).query(positions, k=STORED + 1)[1][:, 1:]
    far = pd.DataFrame({"feature": np.repeat(np.arange(features), STORED), "neighbor": near.ravel()})
    far["cosine"] = np.tile(np.linspace(0.24, 0.1, STORED), features)
    linked = [pd.DataFrame({"feature": a, "neighbor": b, "cosine": weights}) for a, b in (ends, ends[::-1])]
    stored = pd.concat([*linked, far]).drop_duplicates(["feature", "neighbor"])
    stored = stored.sort_values(["feature", "cosine"], ascending=[True, False], kind="stable")
    stored = stored[stored.groupby("feature").cumcount() < STORED].astype({"cosine": np.float32})
    strong = stored[(stored.groupby("feature").cumcount() < LINKED["k"]) & (stored["cosine"] >= LINKED["threshold"])]
    pairs = np.unique(np.sort(strong[["feature", "neighbor"]].to_numpy(), axis=1), axis=0)
    random = np.random.default_rng(1)
    smallest = pd.Series(graph["metadata"]["nodeFacts"]["region"])
    table = pd.DataFrame(
        {
            "layer": 0,
            "index": np.arange(features),
            **dict(zip("xyz", positions.T, strict=True)),
            "kept": random.uniform(size=features),
            "label": [node.get("label") for node in nodes],
            "explainer": "made-up",
            "density": graph["metadata"]["nodeFacts"]["density"],
            "max_activation": random.uniform(1, 90, size=features),
            "region_3": smallest,
            "top_tokens": random.choice(SUBJECTS, size=(features, 10)).tolist(),
            "neighbors": list(stored["neighbor"].to_numpy(np.int32).reshape(features, STORED)),
            "similarities": list(stored["cosine"].to_numpy(np.float32).reshape(features, STORED)),
        }
    )
    table = table.astype(dict.fromkeys(("kept", "density", "max_activation"), np.float32))
    table.attrs["regions"] = graph["metadata"]["regions"]
    return table, len(pairs)


def made_up_atlas(
    layers: int = 6, features: int = 211, ends: dict[int, int] | None = None
) -> tuple[list[pd.DataFrame], list[pd.DataFrame], pd.DataFrame]:
    """A model's layers on their own maps and in one frame, and the tracks of their features, as the workflow has them.

    Each layer has the same concepts under other indexes; feature 0 is dead. Concept c is labelled "{subject} c, layer
    l" and lies a little further along x in each layer. A track follows each through all layers, except that that
    of concept c breaks after layer `ends[c]`: the features are then the nearest of each other in one direction only.
    """
    random = np.random.default_rng(2)
    ends = ends or {}
    start = random.uniform(-40, 40, size=(features, 3))
    rows = []
    for layer in range(layers):
        # Concept c has an index of its own in each layer; 0 stays free for the dead feature.
        index = (np.arange(features) * 7 + layer * 13) % features + 1
        rows.append(pd.DataFrame({"concept": np.arange(features), "layer": layer, "index": index}))
    all_rows = pd.concat(rows).sort_values(["layer", "index"], ignore_index=True)
    broken = [layer > ends.get(concept, layers) for concept, layer in all_rows[["concept", "layer"]].to_numpy()]
    chains = all_rows.groupby([all_rows["concept"], broken], sort=False)
    all_rows = all_rows.assign(track=chains.ngroup(), length=chains["index"].transform("size"))
    all_rows["label"] = [
        f"{SUBJECTS[concept % len(SUBJECTS)]} {concept}, layer {layer}"
        for concept, layer in all_rows[["concept", "layer"]].to_numpy()
    ]
    all_rows["cosine_previous"] = np.where(chains.cumcount() > 0, 0.9, np.nan)
    all_rows["cosine_first"] = np.where(chains.cumcount() > 0, 0.8, 1.0)
    own, frame = [], []
    for layer, in_layer in all_rows.groupby("layer"):
        table = in_layer.set_index("index").reindex(range(features + 1))
        concept = table["concept"]
        place = np.full((features + 1, 3), np.nan, dtype=np.float32)
        place[1:] = start[concept[1:].astype(int)] + [[1.5 * layer, 0, 0]]
        near = np.full((features + 1, 3), 0)
        near[1:] = cKDTree(place[1:]).query(place[1:], k=4)[1][:, 1:] + 1
        blank = pd.DataFrame({"layer": layer, "index": np.arange(features + 1)})
        own.append(
            blank.assign(
                **dict(zip("xyz", -place.T, strict=True)),
                label=table["label"].to_numpy(),
                neighbors=[[], *near[1:].astype(np.int32).tolist()],
                similarities=[[], *[[0.6, 0.4, 0.2]] * features],
                kept=np.float32(0.25),
            )
        )
        placed = blank.assign(**dict(zip("xyz", place.T, strict=True)), kept=np.float32(0.5))
        for name in ("track", "length"):
            placed[name] = table[name].astype("Int32").to_numpy()
        for side, other in (("previous", layer - 1), ("next", layer + 1)):
            known = 0 <= other < layers
            there = all_rows[all_rows["layer"] == other].set_index("concept")["index"]
            first_break = np.array([ends.get(value, layers) for value in concept])
            placed[side] = (
                concept.map(there).astype("Int32").to_numpy() if known else pd.array([None] * len(table), "Int32")
            )
            placed[f"{side}_cosine"] = np.float32(0.9) if known else np.float32("nan")
            mutual = first_break != min(layer, other)
            placed[f"{side}_mutual"] = pd.array(mutual if known else [None] * len(table), "boolean")
        frame.append(placed)
    columns = ["track", "layer", "index", "length", "cosine_previous", "cosine_first", "label"]
    tracks = all_rows.sort_values(["track", "layer"])[columns]
    kinds = {"track": "int32", "layer": "int32", "index": "int32", "length": "int32"}
    return own, frame, tracks.astype(kinds | {"cosine_previous": "float32", "cosine_first": "float32"})


def made_up_regions(positions: np.ndarray) -> tuple[list[dict], list[str]]:
    """Regions at three levels, of at most 512, 128 and 32 features, and the id of the smallest around each feature.

    Each is half of the one before it, cut across its longest side; of five regions, four have a name.
    """
    regions: list[dict] = []
    smallest = np.empty(len(positions), dtype=object)

    def parts(members: np.ndarray, size: int) -> list[np.ndarray]:
        if len(members) <= size:
            return [members]
        axis = np.ptp(positions[members], axis=0).argmax()
        ordered = members[positions[members, axis].argsort(kind="stable")]
        return [part for half in np.array_split(ordered, 2) for part in parts(half, size)]

    def divide(members: np.ndarray, prefix: str, sizes: tuple[int, ...]) -> None:
        smallest[members] = prefix.removesuffix(".")
        if not sizes:
            return
        for number, part in enumerate(parts(members, sizes[0]), start=1):
            region = {"id": f"{prefix}{number}", "level": 4 - len(sizes), "size": len(part)}
            region |= {"parent": prefix.removesuffix(".")} if len(sizes) < 3 else {}
            center = positions[part].mean(axis=0)
            radius = np.quantile(np.linalg.norm(positions[part] - center, axis=1), 0.9)
            region |= {"center": center.tolist(), "radius": radius, "representative": int(part[0])}
            if len(regions) % 5:
                words = [SUBJECTS[(7 * len(regions) + at) % len(SUBJECTS)] for at in range(1 + len(regions) % 3)]
                region |= {"words": words, "name": ", ".join(words)}
            regions.append(region)
            divide(part, f"{region['id']}.", sizes[1:])

    divide(np.arange(len(positions)), "r", (512, 128, 32))
    return regions, smallest.tolist()


def clustered(features: int, random: np.random.Generator) -> np.ndarray:
    """Positions (features, 3), at most 50 from the middle on each axis: clusters of all sizes throughout a ball."""
    clusters = features // 40
    centers = random.normal(size=(clusters, 3))
    centers *= 46 * np.cbrt(random.uniform(size=(clusters, 1))) / np.linalg.norm(centers, axis=1, keepdims=True)
    shares = random.pareto(1.3, size=clusters) + 0.3
    cluster = random.choice(clusters, size=features, p=shares / shares.sum())
    # As dense everywhere: a cluster's volume grows with its features.
    spread = 12 * np.cbrt(np.bincount(cluster, minlength=clusters) / features)[cluster]
    positions = centers[cluster] + spread[:, None] * random.standard_t(4, size=(features, 3))
    return np.clip(positions, -50, 50)


def linked_pairs(positions: np.ndarray, links: int, random: np.random.Generator) -> np.ndarray:
    """Pairs (links, 2) of different features, each once, the lower first; half near one another, half anywhere."""
    count = len(positions)
    linked = random.permutation(count)[: round(0.73 * count)]
    hubs = random.lognormal(sigma=1, size=len(linked))
    source = random.choice(len(linked), size=2 * links, p=hubs / hubs.sum())
    near = cKDTree(positions[linked]).query(positions[linked], k=25)[1][source, random.integers(1, 25, size=2 * links)]
    anywhere = random.choice(len(linked), size=2 * links, p=hubs / hubs.sum())
    target = np.where(random.uniform(size=2 * links) < 0.5, near, anywhere)
    pairs = np.sort(linked[np.stack([source, target], axis=1)], axis=1)
    pairs = np.unique(pairs[source != target], axis=0)
    return pairs[np.sort(random.permutation(len(pairs))[:links])]


def made_up_label(random: np.random.Generator) -> str | None:
    """A phrase, a function word, or nothing, in about the proportions of real layers."""
    kind = random.uniform()
    if kind < 0.01:
        return None
    if kind < 0.06:
        return str(random.choice(FUNCTION_WORDS))
    template = TEMPLATES[random.integers(len(TEMPLATES))]
    return template.format(*(SUBJECTS[at] for at in random.integers(len(SUBJECTS), size=2)))
