"""decoder.npy and matches of all layers -> chains.npz: chains of mutual matches, and the cosines within each.

`layers` int32 (layers,); `sizes` int32 (layers,), the number of features of each; `live` bool (all features,), layer by
layer. Features are numbered through all layers: index + sizes of the layers before. Chain c is
`members[starts[c]:starts[c + 1]]`: `members` int32, `starts` int32 (chains + 1,); at least two features, a layer each,
ordered by the first. `cosines` float32: for each chain those of its feature 1 with 0, of 2 with 0 and 1, of 3 with 0,
1 and 2, ... No threshold decides what is in it, so that a changed one needs no decoder.
"""

import numpy as np

from lib.files import load_npz, map_npy, save_npz
from lib.geometry.tracks import chains, cosines_within, layer_offsets
from lib.job import job_log


def live_features(matches: list[dict[str, np.ndarray]], decoders: list[str]) -> np.ndarray:
    """Which features of all layers are live: bool, layer by layer. Only rows without a match are read."""
    live = []
    for layer, path in enumerate(decoders):
        alive = np.zeros(len(map_npy(path)), np.bool_)
        if layer > 0:
            alive |= matches[layer - 1]["backward"] >= 0
        if layer < len(matches):
            alive |= matches[layer]["forward"] >= 0
        unmatched = np.flatnonzero(~alive)
        alive[unmatched] = map_npy(path)[unmatched].any(axis=1)
        live.append(alive)
    return np.concatenate(live)


def main(snakemake) -> None:
    """Read, chain, write."""
    with job_log(snakemake) as log:
        decoders = snakemake.input.decoders
        matches = [load_npz(path) for path in snakemake.input.matches]
        sizes = [len(map_npy(path)) for path in decoders]
        members, starts = chains(matches, sizes)
        # Mapped for each reading alone: pages of a file that stays mapped count as memory of this job.
        cosines = cosines_within(members, starts, sizes, lambda layer, indices: map_npy(decoders[layer])[indices])
        save_npz(
            snakemake.output.chains,
            layers=np.array(snakemake.params.layers, np.int32),
            sizes=np.array(sizes, np.int32),
            live=live_features(matches, decoders),
            members=members,
            starts=starts,
            cosines=cosines,
        )
        log.info("%d chains of %d of %d features", len(starts) - 1, len(members), layer_offsets(sizes)[-1])


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
