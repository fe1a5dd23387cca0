"""tracks.parquet and the regions of all layers -> regions.tsv: which regions of adjacent layers hold the same features.

A row for each pair of regions of the first level, of a layer and the next, that holds at least a tenth of the tracks
leading from the first region into the next layer: their ids and names, the number of these tracks, and that share.
"""

import itertools

import numpy as np
import pandas as pd

from lib.files import load_npz, load_record, save_bytes
from lib.job import job_log
from lib.tables import load_table

LEAST = 0.1
COLUMNS = ["layer", "region", "name", "next_layer", "next_region", "next_name", "tracks", "share"]


def correspondences(tracks: pd.DataFrame, regions: dict[int, np.ndarray], names: dict[int, list[dict]]) -> pd.DataFrame:
    """The rows of regions.tsv.

    tracks : as in tracks.parquet; regions : by layer, int32 (n,), the position of each feature's region in `names`;
    names : by layer, as in regions.json
    """
    tables = []
    for layer, following in itertools.pairwise(regions):
        here, there = (tracks[tracks["layer"] == each].set_index("track")["index"] for each in (layer, following))
        both = pd.concat([here, there], axis=1, join="inner").to_numpy()
        ends = pd.DataFrame({"from": regions[layer][both[:, 0]], "to": regions[following][both[:, 1]]})
        counts = ends.value_counts(["from", "to"]).rename("tracks").reset_index()
        counts["share"] = counts["tracks"] / counts.groupby("from")["tracks"].transform("sum")
        pairs = counts[counts["share"] >= LEAST].sort_values(["from", "to"])
        one, other = (
            pd.DataFrame(names[each], columns=["id", "name"]).rename(columns={"id": "region"})
            for each in (layer, following)
        )
        pairs = pairs.join(one, on="from").join(other.add_prefix("next_"), on="to")
        tables.append(pairs.assign(layer=layer, next_layer=following))
    table = pd.concat(tables)[COLUMNS]
    return table.assign(share=[round(share, 4) for share in table["share"]])


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, layers = snakemake.input, snakemake.params.layers
        regions = {layer: load_npz(path)["regions"][:, 0] for layer, path in zip(layers, files.regions, strict=True)}
        names = {layer: load_record(path)["regions"] for layer, path in zip(layers, files.records, strict=True)}
        table = correspondences(load_table(files.tracks), regions, names)
        save_bytes(snakemake.output.table, table.to_csv(sep="\t", index=False).encode())
        log.info("%d pairs of regions", len(table))
