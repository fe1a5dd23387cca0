"""Say what a run made, where it lies and how to look at it:  python scripts/describe_maps.py results/*/manifest.json"""

import json
import sys
from pathlib import Path


def describe(manifest: Path) -> str:
    """A few lines on the maps of one manifest."""
    listed = json.loads(manifest.read_bytes())
    lines = [
        f"{listed['displayName']}: {len(listed['layers'])} of {listed['totalLayers']} layers in {manifest.parent}/",
        "  layer  features  labelled   links      size  file",
    ]
    for layer in listed["layers"]:
        lines.append(
            f"  {layer['layer']:>5}  {layer['featureCount']:>8,}  {layer['labeledCount']:>8,}  {layer['edgeCount']:>6,}"
            f"  {layer['fileSize'] / 1e6:>5.1f} MB  {layer['filePath']}"
        )
    return "\n".join([*lines, f"  listed with sizes and SHA-256 in {manifest}"])


if __name__ == "__main__":
    print("\n\n".join(describe(Path(path)) for path in sys.argv[1:]))
