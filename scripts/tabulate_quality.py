"""quality.json of every layer -> quality.tsv: one row per layer, the map's measures beside those of PCA and chance.

Beside the label agreement of the map stands that of the nearest neighbours themselves.
"""

import pandas as pd

from lib.files import load_record, save_bytes
from lib.job import job_log


def row(layer: int, record: dict) -> dict:
    """One layer's row: counts, then each measure of the map followed by the same of what it is compared with."""
    cells = {"layer": layer} | {name: record[name] for name in ("features", "labelled")}
    cells |= {name: record["degrees"][name] for name in ("edges", "without_edge")}
    for measure, value in record["map"].items():
        cells[measure] = value
        for other in ("pca", "random", "exact"):
            if measure in record[other]:
                cells[f"{measure}_{other}"] = record[other][measure]
    return cells


def table(layers: list[int], records: list[dict]) -> pd.DataFrame:
    """The rows of a model's layers; empty cells where a layer has no such measure."""
    return pd.DataFrame(list(map(row, layers, records)))


if __name__ == "__main__":
    with job_log(snakemake) as log:
        layers, records = snakemake.params.layers, map(load_record, snakemake.input.qualities)
        save_bytes(snakemake.output.table, table(layers, records).to_csv(sep="\t", index=False).encode())
        log.info("%d layers", len(layers))
