"""quality.json of every layer -> quality.tsv: one row per layer, the map's measures beside those of PCA and chance.

Beside the label agreement of the map stands that of the nearest neighbours themselves.
"""

from pathlib import Path

import pandas as pd

from lib.files import load_record, save_bytes
from lib.job import job_log


def row(layer: int, record: dict) -> dict:
    """One layer's row: counts, then each measure of the map followed by the same of what it is compared with."""
    cells = {"layer": layer} | {name: record[name] for name in ("features", "labelled")}
    cells |= {name: record["degrees"][name] for name in ("edges", "without_edge")}
    for measure, value in record.get("map", {}).items():
        cells[measure] = value
        for other in ("pca", "random", "exact"):
            if measure in record[other]:
                cells[f"{measure}_{other}"] = record[other][measure]
    return cells


def table(records: dict[int, dict]) -> pd.DataFrame:
    """The rows of a model's layers, by layer number; empty cells where a layer has no such measure."""
    return pd.DataFrame([row(layer, record) for layer, record in sorted(records.items())])


def layer_of(path: str) -> int:
    """The layer that a path results/{model}/layer-{layer}/quality.json belongs to."""
    return int(Path(path).parent.name.removeprefix("layer-"))


if __name__ == "__main__":
    with job_log(snakemake) as log:
        records = {layer_of(path): load_record(path) for path in snakemake.input.qualities}
        save_bytes(snakemake.output.table, table(records).to_csv(sep="\t", index=False).encode())
        log.info("%d layers", len(records))
