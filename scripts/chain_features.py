"""Decoders and matches of all layers -> chains.npz: chains of mutual matches, and the cosines within each.

`layers` int32 (layers,); `sizes` int32 (layers,), the number of features of each; `live` bool (all features,), layer by
layer. Features are numbered through all layers: index + sizes of the layers before. Chain c is
`members[starts[c]:starts[c + 1]]`: `members` int32, `starts` int32 (chains + 1,); at least two features, a layer each,
ordered by the first. `cosines` float32: for each chain those of its feature 1 with 0, of 2 with 0 and 1, of 3 with 0,
1 and 2, ... No threshold decides what is in it, so that a changed one needs no decoder.
"""

import numpy as np

from lib.files import load_npz, map_npy, save_npz
from lib.geometry.tracks import chains, cosines_within
from lib.job import job_log


def chain(decoders: list[str], matches: list[dict], layers: list[int]) -> dict[str, np.ndarray]:
    """The arrays of chains.npz, from the decoders' files and the matches of adjacent layers."""
    # Of all features, only dead ones have no nearest one in another layer.
    live = [*(pair["forward"] >= 0 for pair in matches), matches[-1]["backward"] >= 0]
    sizes = list(map(len, live))
    members, starts = chains(matches, sizes)
    # Mapped for each reading alone: the pages of a file that stays mapped count as memory of this job.
    cosines = cosines_within(members, starts, sizes, lambda layer, indices: map_npy(decoders[layer])[indices])
    return {
        "layers": np.array(layers, np.int32),
        "sizes": np.array(sizes, np.int32),
        "live": np.concatenate(live),
        "members": members,
        "starts": starts,
        "cosines": cosines,
    }


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files = snakemake.input
        chained = chain(files.decoders, list(map(load_npz, files.matches)), snakemake.params.layers)
        save_npz(snakemake.output.chains, **chained)
        chain_count, members, features = (len(chained[name]) for name in ("starts", "members", "live"))
        log.info("%d chains of %d of %d features", chain_count - 1, members, features)
