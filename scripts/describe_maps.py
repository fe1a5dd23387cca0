"""Say what a run made, where it lies and how to look at it; with --near, what lies around some features.

python scripts/describe_maps.py results/minilm-l6/manifest.json
python scripts/describe_maps.py results/minilm-l6/manifest.json --layer 5 --near music father doctor
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np


def describe(manifest: Path) -> str:
    """A few lines on the maps of one manifest."""
    listed = json.loads(manifest.read_bytes())
    head = f"{listed['displayName']}: {len(listed['layers'])} of {listed['totalLayers']} layers"
    lines = [f"{head} in {manifest.parent}/", "  layer  features  labelled   links      size  file"]
    for layer in listed["layers"]:
        counts = f"{layer['featureCount']:>8,}  {layer['labeledCount']:>8,}  {layer['edgeCount']:>6,}"
        size = f"{layer['fileSize'] / 1e6:>5.1f} MB"
        lines.append(f"  {layer['layer']:>5}  {counts}  {size}  {layer['filePath']}")
    return "\n".join([*lines, f"  listed with sizes and SHA-256 in {manifest}"])


def how_to_look(results: Path) -> str:
    """The command that opens the explorer; how to build it where it is not built."""
    if not (results / "index.html").exists():
        return "To look at them in a browser, build the explorer: snakemake --cores 1 explorer"
    return (
        f"To look at them:  python3 -m http.server --bind 127.0.0.1 --directory {results}\n"
        "and open http://127.0.0.1:8000/"
    )


def nearest_labels(graph: dict, word: str, count: int = 5) -> tuple[str, list[str]] | None:
    """The first feature whose label begins with `word`, and the labels of the `count` nearest in 3D.

    Returns None where no label begins so.
    """
    nodes = [node for node in graph["nodes"] if "label" in node]
    found = next((i for i, node in enumerate(nodes) if node["label"].lower().startswith(word.lower())), None)
    if found is None:
        return None
    positions = np.array([node["position"] for node in nodes])
    order = np.argsort(np.linalg.norm(positions - positions[found], axis=1), kind="stable")
    return nodes[found]["label"], [nodes[i]["label"] for i in order if i != found][:count]


def main() -> None:
    """Read the command line, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="manifest.json")
    parser.add_argument(
        "--near", nargs="+", metavar="WORD", help="show what lies around features labelled so"
    )
    parser.add_argument("--layer", type=int, help="the layer for --near; the last one unless told")
    asked = parser.parse_args()
    for path in asked.manifests:
        if not path.is_file():
            sys.exit(f"{path}: no such manifest; run snakemake first")
        print(describe(path))
        if not asked.near:
            continue
        layers = {
            entry["layer"]: path.parent / entry["filePath"]
            for entry in json.loads(path.read_bytes())["layers"]
        }
        layer = max(layers) if asked.layer is None else asked.layer
        if layer not in layers:
            sys.exit(f"{path}: lists no layer {layer}; it lists {', '.join(map(str, layers))}")
        graph = json.loads(layers[layer].read_bytes())
        for word in asked.near:
            label, around = nearest_labels(graph, word) or (f"no label begins with {word}", [])
            print("\n".join([f"\n  layer {layer}: {label}", *(f"    - {other}" for other in around)]))
    print(f"\n{how_to_look(asked.manifests[0].parents[1])}")


if __name__ == "__main__":
    main()
