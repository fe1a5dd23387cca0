"""List the maps of a run and how to view them; with --near, also the neighbours of some features.

python scripts/describe_maps.py results/minilm-l6/manifest.json
python scripts/describe_maps.py results/minilm-l6/manifest.json --layer 5 --near music father doctor
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np


def describe(manifest: Path) -> str:
    """Summarise the maps of one manifest in a few lines."""
    listed = json.loads(manifest.read_bytes())
    head = f"{listed['displayName']}: {len(listed['layers'])} of {listed['totalLayers']} layers"
    lines = [f"{head} in {manifest.parent}/", "  layer  features  labelled   links      size  file"]
    for layer in listed["layers"]:
        counts = f"{layer['featureCount']:>8,}  {layer['labeledCount']:>8,}  {layer['edgeCount']:>6,}"
        size = f"{layer['fileSize'] / 1e6:>5.1f} MB"
        lines.append(f"  {layer['layer']:>5}  {counts}  {size}  {layer['filePath']}")
    return "\n".join([*lines, f"  sizes and SHA-256: {manifest}"])


def viewing_instructions(results: Path) -> str:
    """Return the command that serves the explorer, or the one that builds it if that has not been done."""
    if not (results / "index.html").exists():
        return "To view them in a browser, first build the explorer: snakemake --cores 1 explorer"
    return (
        f"To view them, run  python3 -m http.server --bind 127.0.0.1 --directory {results}\n"
        "and open  http://127.0.0.1:8000/"
    )


def nearest_labels(graph: dict, word: str, count: int = 5) -> tuple[str, list[str]] | None:
    """Return the label of the first feature whose label begins with `word`, and those of its `count` nearest in 3D.

    None if no label begins with `word`.
    """
    nodes = [node for node in graph["nodes"] if "label" in node]
    first = next((i for i, node in enumerate(nodes) if node["label"].lower().startswith(word.lower())), None)
    if first is None:
        return None
    positions = np.array([node["position"] for node in nodes])
    order = np.argsort(np.linalg.norm(positions - positions[first], axis=1), kind="stable")
    return nodes[first]["label"], [nodes[i]["label"] for i in order if i != first][:count]


def main() -> None:
    """Print the summary that the command line requests."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="manifest.json")
    parser.add_argument(
        "--near", nargs="+", metavar="WORD", help="list the neighbours of the first feature labelled WORD..."
    )
    parser.add_argument("--layer", type=int, help="the layer for --near (default: the last)")
    arguments = parser.parse_args()
    for path in arguments.manifests:
        if not path.is_file():
            sys.exit(f"{path}: no such file; run snakemake first to create this manifest")
        print(describe(path))
        if not arguments.near:
            continue
        layers = {
            entry["layer"]: path.parent / entry["filePath"]
            for entry in json.loads(path.read_bytes())["layers"]
        }
        layer = max(layers) if arguments.layer is None else arguments.layer
        if layer not in layers:
            sys.exit(f"{path}: lists no layer {layer}, only {', '.join(map(str, layers))}")
        graph = json.loads(layers[layer].read_bytes())
        for word in arguments.near:
            label, neighbours = nearest_labels(graph, word) or (f"no label begins with {word}", [])
            print("\n".join([f"\n  layer {layer}: {label}", *(f"    - {other}" for other in neighbours)]))
    print(f"\n{viewing_instructions(arguments.manifests[0].parents[1])}")


if __name__ == "__main__":
    main()
