"""List the maps of a run and how to view them; with --near, also what lies around some features.

python scripts/describe_maps.py results/minilm-l6/manifest.json
python scripts/describe_maps.py results/minilm-l6/manifest.json --layer 5 --near music father doctor
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from lib.errors import UserError
from lib.files import load_record
from lib.tables import load_table

COLUMNS = {"filePath": "file", "featureCount": "features", "labeledCount": "labelled", "edgeCount": "links"}


def describe(manifest: Path, listed: dict) -> str:
    """Summarise the maps that a manifest lists in a few lines."""
    layers = pd.DataFrame(listed["layers"]).rename(columns=COLUMNS)
    layers["MB"] = layers["fileSize"] / 1e6
    table = layers[["layer", *COLUMNS.values(), "MB"]].to_string(index=False, float_format="%.1f")
    head = f"{listed['displayName']}: {len(layers)} of {listed['totalLayers']} layers in {manifest.parent}/"
    return f"{head}\n{table}\nsizes and SHA-256: {manifest}"


def nearest_labels(features: pd.DataFrame, word: str, count: int = 5) -> list[str]:
    """The label in layer-N.parquet that holds `word` nearest its beginning, and those of the `count` nearest in 3D."""
    labelled = features.dropna(subset=["x", "label"])
    at = labelled["label"].str.lower().str.find(word.lower())
    first = labelled.loc[at[at >= 0].sort_values(kind="stable").index[:1]]
    if first.empty:
        return []
    offsets = labelled[["x", "y", "z"]].to_numpy() - first[["x", "y", "z"]].to_numpy()
    nearest = labelled.iloc[np.argsort(np.linalg.norm(offsets, axis=1), kind="stable")]
    return [*first["label"], *nearest["label"].drop(first.index)[:count]]


def main() -> None:
    """Print the summary that the command line requests."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, metavar="manifest.json")
    parser.add_argument("--near", nargs="+", metavar="WORD", default=[], help="a feature whose label holds WORD")
    parser.add_argument("--layer", type=int, help="the layer for --near (default: the last)")
    arguments = parser.parse_args()
    manifest = arguments.manifest
    if not manifest.exists():
        raise UserError(f"{manifest}: no such file; run snakemake first to create this manifest")
    listed = load_record(manifest)
    print(describe(manifest, listed))
    tables = {entry["layer"]: manifest.parent / entry["table"]["filePath"] for entry in listed["layers"]}
    layer = max(tables) if arguments.layer is None else arguments.layer
    if layer not in tables:
        raise UserError(f"{manifest}: lists no layer {layer}, only {', '.join(map(str, tables))}")
    for word in arguments.near:
        label, *neighbours = nearest_labels(load_table(tables[layer]), word) or [f"no label holds {word}"]
        print("\n".join([f"\n  layer {layer}: {label}", *(f"    - {other}" for other in neighbours)]))
    results = manifest.parents[1]
    if (results / "index.html").exists():
        print(f"\nTo view them, run  python3 -m http.server --bind 127.0.0.1 --directory {results}")
        print("and open  http://127.0.0.1:8000/")
    else:
        print("\nTo view them in a browser, first build the explorer: snakemake --cores 1 explorer")


if __name__ == "__main__":
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(str(error))
