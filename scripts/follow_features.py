"""chains.npz and labels.parquet of all layers -> tracks.parquet: the features of a model followed through its layers.

A row for each live feature, dead ones have none; the columns are those of `SCHEMA`. A track has a feature per layer, in
consecutive selected layers, and is alone if nothing continues it. Sorted by track and layer.
"""

import numpy as np
import pandas as pd

from lib.files import load_npz, whole_file
from lib.job import job_log
from lib.products.columns import TRACK_COLUMNS, schema_of
from lib.tables import load_table

SCHEMA = schema_of(TRACK_COLUMNS)


def cut_into_tracks(
    starts: np.ndarray, cosines: np.ndarray, *, min_cosine_previous: float, min_cosine_first: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut chains into tracks: a feature whose cosine with the one before it, or with the first of the track so far, is
    below its minimum starts a track of its own.

    starts, cosines : as in chains.npz

    Returns, for each member of a chain, int64: the position within `members` of the first feature of its track; and
    float32: its cosines with the one before it and with the first, NaN and 1 for the first itself.
    """
    lengths = np.diff(starts).astype(np.int64)
    pairs = lengths * (lengths - 1) // 2
    pair_starts = np.cumsum(pairs) - pairs
    first = np.arange(starts[-1], dtype=np.int64)
    cosine_previous = np.full(len(first), np.nan, np.float32)
    cosine_first = np.ones(len(first), np.float32)
    # The second feature of all chains, then the third of those that have one, ...
    for step in range(1, lengths.max(initial=0)):
        chain = np.flatnonzero(lengths > step)
        member, row = starts[chain] + step, pair_starts[chain] + step * (step - 1) // 2
        track_first = first[member - 1]
        to_previous, to_first = cosines[row + step - 1], cosines[row + track_first - starts[chain]]
        goes_on = (to_previous >= np.float32(min_cosine_previous)) & (to_first >= np.float32(min_cosine_first))
        member = member[goes_on]
        first[member] = track_first[goes_on]
        cosine_previous[member], cosine_first[member] = to_previous[goes_on], to_first[goes_on]
    return first, cosine_previous, cosine_first


def track_table(
    chains: dict[str, np.ndarray], labels: list[pd.DataFrame], thresholds: dict[str, float]
) -> pd.DataFrame:
    """The tracks as a table with the columns `SCHEMA`.

    chains : as in chains.npz; labels : as in labels.parquet, by layer; thresholds : for `cut_into_tracks`
    """
    layers, sizes, live, members = (chains[name] for name in ("layers", "sizes", "live", "members"))
    position, previous, cosine_first = cut_into_tracks(chains["starts"], chains["cosines"], **thresholds)
    # A feature that is in no chain is the first of its track.
    first = np.arange(len(live))
    first[members] = members[position]
    table = pd.DataFrame(
        {
            "layer": np.repeat(layers, sizes),
            "index": np.concatenate([np.arange(size, dtype=np.int32) for size in sizes]),
            "cosine_previous": np.float32(np.nan),
            "cosine_first": np.float32(1),
        }
    )
    table.loc[members, "cosine_previous"] = previous
    table.loc[members, "cosine_first"] = cosine_first
    _, track, lengths = np.unique(first[live], return_inverse=True, return_counts=True)
    table = table[live].assign(track=track, length=lengths[track]).sort_values("track", kind="stable")
    named = [each[["index", "label"]].assign(layer=layer) for layer, each in zip(layers, labels, strict=True)]
    return table.merge(pd.concat(named), how="left", on=["layer", "index"])[SCHEMA.names]


if __name__ == "__main__":
    with job_log(snakemake) as log:
        labels = [load_table(path) for path in snakemake.input.labels]
        table = track_table(load_npz(snakemake.input.chains), labels, snakemake.params.tracks)
        with whole_file(snakemake.output.tracks) as aside:
            table.to_parquet(aside, schema=SCHEMA, index=False, compression="snappy")
        lengths = table.groupby("track").size()
        log.info("%d tracks of two or more features, %d features alone", (lengths > 1).sum(), (lengths == 1).sum())
