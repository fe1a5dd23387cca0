"""decoder.npy -> neighbors.npz: the exact cosine nearest neighbours of every feature, found once for UMAP and edges.

`indices` int32 (n, k) and `similarities` float32 (n, k): self excluded, descending, ties by lower index; dead features
have -1 and 0. neighbors.json records the parameters.
"""

import numpy as np
from lib.files import save_npz, save_record
from lib.job import job_log
from lib.knn import nearest_neighbors


def main(snakemake) -> None:
    """Read, search, write."""
    with job_log(snakemake) as log:
        decoder = np.load(snakemake.input.decoder, allow_pickle=False)
        k = snakemake.params.neighbors["k"]
        indices, similarities = nearest_neighbors(decoder, k, threads=snakemake.threads)
        save_npz(snakemake.output.neighbors, indices=indices, similarities=similarities)
        record = {"parameters": snakemake.params.neighbors, "stored": indices.shape[1], "method": "exact"}
        save_record(snakemake.output.record, record)
        log.info("%d nearest of each of %d features", indices.shape[1], len(decoder))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
