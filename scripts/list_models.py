"""List the models that can be mapped, with what their weights take to download at most.

python scripts/list_models.py                                       # of the default catalogues
python scripts/list_models.py gemma-3 res                           # whose name holds all of these words
python scripts/list_models.py --catalogues my-saes/models.yaml
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from lib.planning.catalogue import Catalogue, spell
from lib.planning.schema import ConfigError, read_yaml

ROOT = Path(__file__).resolve().parents[1]


def summary(models: Catalogue, names: list[str]) -> str:
    """A table of these models, and their sums."""
    every, rows = [], []
    for name in names:
        model = models[name]
        saes = model["rows"].values()
        every += saes
        rows.append(
            {
                "model": name,
                "site": model.get("site", ""),
                "layers": spell(model["rows"]),
                "of": model.get("model_layers", ""),
                "features": max(sae.features for sae in saes),
                "GB": sum(sae.megabytes for sae in saes) / 1000,
                "SAELens": model.get("saelens", {}).get("release", ""),
            }
        )
    text = pd.DataFrame(rows).to_string(index=False, float_format="%.1f")
    features, size = sum(sae.features for sae in every), sum(sae.megabytes for sae in every) / 1000
    return f"{text}\n{len(rows)} models, {len(every):,} maps of {features:,} features, {size:,.0f} GB at most"


def main() -> None:
    """Print the table that the command line requests."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="list only models whose names hold all words")
    parser.add_argument("--catalogues", nargs="+", metavar="PATH", help="instead of those in config/config.yaml")
    arguments = parser.parse_args()
    paths = arguments.catalogues or read_yaml(ROOT / "config" / "config.yaml")["catalogues"]
    models = Catalogue(paths, ROOT)
    names = [name for name in models if all(word in name for word in arguments.words)]
    if not names:
        sys.exit(f"no model's name holds {' and '.join(arguments.words)}")
    print(summary(models, names))


if __name__ == "__main__":
    try:
        main()
    except ConfigError as error:
        sys.exit(str(error))
