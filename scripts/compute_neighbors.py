"""decoder.npy -> neighbors.npz: the cosine nearest neighbours of every feature, searched once for layout and edges.

Exact, or above `exact_up_to` features approximate. neighbors.json records the parameters and the method.
"""

import numpy as np

from lib.files import load_npy, save_npz, save_record
from lib.geometry.approximate import RECALL_SAMPLE, approximate_neighbors, recall
from lib.geometry.knn import nearest_neighbors
from lib.job import job_log


def search(decoder: np.ndarray, k: int, exact_up_to: int, threads: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Indices, similarities, and a record of the method, for an approximate search with its recall."""
    if len(decoder) <= exact_up_to:
        return *nearest_neighbors(decoder, k, threads), {"method": "exact"}
    indices, similarities = approximate_neighbors(decoder, k, threads)
    share = round(recall(decoder, indices), 4)
    return indices, similarities, {"method": "approximate", "recall": share, "recallSample": RECALL_SAMPLE}


if __name__ == "__main__":
    with job_log(snakemake) as log:
        decoder = load_npy(snakemake.input.decoder)
        parameters = snakemake.params.neighbors
        indices, similarities, method = search(decoder, **parameters, threads=snakemake.threads)
        save_npz(snakemake.output.neighbors, indices=indices, similarities=similarities)
        record = {"parameters": parameters, "stored": indices.shape[1], **method}
        save_record(snakemake.output.record, record)
        log.info("%d nearest neighbours for each of %d features: %s", indices.shape[1], len(decoder), method)
