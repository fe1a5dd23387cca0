"""Decoders and matches of all layers -> chains.npz: chains of mutual matches, and the cosines within each.

`layers` int32 (layers,); `sizes` int32 (layers,), the number of features of each; `live` bool (all features,), layer by
layer. Features are numbered through all layers: index + sizes of the layers before. Chain c is
`members[starts[c]:starts[c + 1]]`: `members` int32, `starts` int32 (chains + 1,); at least two features, a layer each,
ordered by the first. `cosines` float32: for each chain those of its feature 1 with 0, of 2 with 0 and 1, of 3 with 0,
1 and 2, ... No threshold decides what is in it, so that a changed one needs no decoder.
"""

import numpy as np

from lib.files import load_npz, load_record, map_npy, save_npz
from lib.geometry.tracks import chains, cosines_within
from lib.job import job_log

if __name__ == "__main__":
    with job_log(snakemake) as log:
        files = snakemake.input
        sizes = [len(map_npy(path)) for path in files.decoders]
        members, starts = chains([load_npz(path) for path in files.matches], sizes)
        # Mapped for each reading alone: the pages of a file that stays mapped count as memory of this job.
        cosines = cosines_within(members, starts, sizes, lambda layer, indices: map_npy(files.decoders[layer])[indices])
        dead = [load_record(path)["dead"] for path in files.records]
        live = [np.isin(np.arange(size), each, invert=True) for size, each in zip(sizes, dead, strict=True)]
        save_npz(
            snakemake.output.chains,
            layers=np.array(snakemake.params.layers, np.int32),
            sizes=np.array(sizes, np.int32),
            live=np.concatenate(live),
            members=members,
            starts=starts,
            cosines=cosines,
        )
        log.info("%d chains of %d of %d features", len(starts) - 1, len(members), sum(sizes))
