"""coords.npy, labels.parquet and summary.npz -> the regions of a map at three levels, one inside the other, with names.

regions.npz holds `ids`, text, of all regions in the order of regions.json, and `regions` int32 (n, 3): of each feature
and level, the position of its region among them; -1 for dead features. region_names.yaml shows labels of every region
to whoever writes better names into a copy of it; names from the configuration win over those made of words.
"""

import hashlib
import itertools
import json
from collections import Counter

import numpy as np
import pyarrow as pa

from lib.errors import UserError
from lib.files import load_npy, load_npz, save_bytes, save_npz, save_record
from lib.geometry.extent import members_of, outline
from lib.geometry.regions import divide
from lib.job import job_log
from lib.labels.names import region_words
from lib.labels.words import words_of
from lib.tables import by_feature, load_columns

# Activation density below which a feature counts as one that never fires.
SILENT = 1e-5
# Features of a region whose labels region_names.yaml shows.
EXAMPLES = 12
# Of the numbers in regions.json.
DECIMALS = 4


def find_regions(coords, scores, labels: pa.Table, features_per_region: list[int]) -> tuple[np.ndarray, list[dict]]:
    """The regions of a layer: int32 (n, levels), as in regions.npz, and what is known of each of them.

    That is: id, level, parent (the id of the region around it), size, center, radius, words (if any name it), and
    `examples`, by feature the labels of those nearest to its mean direction, those whose labels hold words first.

    coords, scores, labels : as in coords.npy, summary.npz and labels.parquet
    """
    live, n = np.flatnonzero(np.isfinite(coords[:, 0])), len(coords)
    texts = by_feature(labels, "label", n)
    silent = np.array(by_feature(labels, "density", n), float)[live] < SILENT
    counts = sorted(max(1, round(len(live) / size)) for size in features_per_region)
    levels = divide(coords[live], counts)
    words = region_words([texts[feature] for feature in live], scores[live], ~silent, levels)
    positions = np.full((n, len(counts)), -1, np.int32)
    positions[live] = levels + np.cumsum([0, *counts[:-1]])

    wordless = np.array([not words_of(text or "") for text in texts])
    regions: list[dict] = []
    siblings = Counter()
    for members, own_words in zip(members_of(positions), itertools.chain(*words), strict=True):
        # The regions of its first feature, one per level: this one is among them.
        chain = positions[members[0]].tolist()
        level = chain.index(len(regions)) + 1
        parent = regions[chain[level - 2]]["id"] if level > 1 else None
        # In the order of the regions around them, the largest first.
        siblings[parent] += 1
        name = f"{parent}.{siblings[parent]}" if parent else f"r{siblings[parent]}"
        region = {"id": name, "level": level, "size": len(members), **outline(coords[members], DECIMALS)}
        if parent:
            region["parent"] = parent
        if own_words:
            region["words"] = own_words
        rows, direction = scores[members], scores[members].mean(axis=0)
        norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(direction)
        # Not by BLAS, whose sums depend on its number of threads.
        similarity = np.einsum("ij,j->i", rows, direction) / np.maximum(norms, 1e-12)
        nearest = members[np.lexsort((-similarity, wordless[members]))]
        region["examples"] = {feature: texts[feature] for feature in nearest[:EXAMPLES].tolist()}
        regions.append(region)
    return positions, regions


def division(positions: np.ndarray) -> str:
    """A code for how a layer is divided: names for the regions of one division mean nothing in another."""
    return hashlib.sha256(positions.astype("<i4").tobytes()).hexdigest()[:8]


def give_names(regions: list[dict], names: dict[str, str | None], code: str, layer: str) -> None:
    """Name the regions: as in `names`, otherwise by their words.

    names : the configuration's names for the layer by id, and `division`, the code of their regions; or nothing
    code, layer : the code of `regions`, and what messages call the layer

    Raises UserError: the names are for another division of the map, or one is for a region that does not exist.
    """
    names = dict(names)
    remedy = "Take the layer out of regions.names and run again: its region_names.yaml then shows its regions"
    if names and (other := names.pop("division")) != code:
        raise UserError(
            f"regions.names: the names of {layer} are for the division {other} of its map, which is now divided in"
            f" another way ({code}). {remedy}"
        )
    if unknown := names.keys() - {region["id"] for region in regions}:
        raise UserError(f"regions.names: {layer} has no region {', '.join(sorted(unknown))}. {remedy}")
    for region in regions:
        if name := names.get(region["id"]) or ", ".join(region.get("words", ())):
            region["name"] = name


def names_file(model: str, layer: str, regions: list[dict], code: str) -> str:
    """A names file with the regions' names as they are, and labels of their features in comments."""
    lines = [
        f"# The regions of {model}, layer {layer}, to be named: docs/regions.md says how.",
        f"{model}:",
        f"  layer-{layer}:",
        "    # Names are for these regions, and refused if the map is divided in another way.",
        f'    division: "{code}"',
    ]
    for region in regions:
        indent = "  " * (region["level"] + 1)
        words = f"; words: {', '.join(region['words'])}" if "words" in region else ""
        lines.append(f"{indent}# {region['size']:,} features{words}")
        examples = [json.dumps(label, ensure_ascii=False) for label in region["examples"].values() if label]
        if examples:
            lines.append(f"{indent}# {' · '.join(examples)}")
        name = json.dumps(region["name"], ensure_ascii=False) if "name" in region else ""
        lines.append(f"    {region['id']}: {name}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, output, params = snakemake.input, snakemake.output, snakemake.params
        model, layer = snakemake.wildcards.model, snakemake.wildcards.layer
        labels, scores = load_columns(files.labels), load_npz(files.summary, "scores")["scores"]
        positions, regions = find_regions(load_npy(files.coords), scores, labels, params.features_per_region)
        code = division(positions)
        give_names(regions, params.names, code, f"{model} layer {layer}")
        save_bytes(output.template, names_file(model, layer, regions, code).encode())
        for region in regions:
            region["representative"] = next(iter(region.pop("examples")))
        parameters = {"features_per_region": list(params.features_per_region)}
        save_record(output.record, {"parameters": parameters, "division": code, "regions": regions}, sort_keys=False)
        save_npz(output.regions, ids=np.array([region["id"] for region in regions]), regions=positions)
        log.info("%d regions, %d of them with a name", len(regions), sum("name" in region for region in regions))
