"""decoder.npy -> neighbors.npz: the exact cosine nearest neighbours of every feature, found once for UMAP and edges.

`indices` int32 (n, k) and `similarities` float32 (n, k): self excluded, descending, ties by lower index; dead features
have -1 and 0. neighbors.json records the parameters.
"""

import numpy as np

from lib.files import save_npz, save_record
from lib.geometry.knn import approximate_neighbors, nearest_neighbors, recall
from lib.job import job_log

RECALLED = 15  # nearest neighbours that the recall of an approximate search is told of ...
SAMPLED = 500  # ... for this many features


def search(
    decoder: np.ndarray, k: int, exact_up_to: int, threads: int
) -> tuple[np.ndarray, np.ndarray, dict]:
    """Indices, similarities, and what to record of the method: an approximate one comes with its recall."""
    if len(decoder) <= exact_up_to:
        return *nearest_neighbors(decoder, k, threads), {"method": "exact"}
    indices, similarities = approximate_neighbors(decoder, k, threads)
    found = recall(decoder, indices, min(k, RECALLED), SAMPLED)
    return (
        indices,
        similarities,
        {"method": "approximate", "recall": round(found, 4), "recallSample": SAMPLED},
    )


def main(snakemake) -> None:
    """Read, search, write."""
    with job_log(snakemake) as log:
        decoder = np.load(snakemake.input.decoder, allow_pickle=False)
        parameters = snakemake.params.neighbors
        indices, similarities, how = search(decoder, **parameters, threads=snakemake.threads)
        save_npz(snakemake.output.neighbors, indices=indices, similarities=similarities)
        record = {"parameters": parameters, "stored": indices.shape[1], **how}
        save_record(snakemake.output.record, record)
        log.info("%d nearest of each of %d features: %s", indices.shape[1], len(decoder), how)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
