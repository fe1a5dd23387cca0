"""neighbors.npz -> edges.npz: the strong links among the neighbours. edges.json records the parameters."""

import numpy as np

from lib.files import load_npz, save_npz, save_record
from lib.job import job_log


def strong_edges(indices: np.ndarray, similarities: np.ndarray, *, k: int, threshold: float):
    """Pairs of features of which one is among the k nearest of the other, with a cosine of at least `threshold`.

    indices, similarities : as in neighbors.npz
    Returns source < target int32 (e,), and weight float32; each pair once, sorted by source, then target.
    """
    indices, similarities = indices[:, :k], similarities[:, :k]
    row, rank = np.nonzero((indices >= 0) & (similarities >= np.float32(threshold)))
    neighbor, weight = indices[row, rank], similarities[row, rank]
    low, high = np.minimum(row, neighbor).astype(np.int64), np.maximum(row, neighbor)
    pairs, first = np.unique(low * len(indices) + high, return_index=True)
    source, target = np.divmod(pairs, len(indices))
    return source.astype(np.int32), target.astype(np.int32), weight[first]


if __name__ == "__main__":
    with job_log(snakemake) as log:
        neighbors = load_npz(snakemake.input.neighbors)
        source, target, weight = strong_edges(**neighbors, **snakemake.params.edges)
        save_npz(snakemake.output.edges, source=source, target=target, weight=weight)
        save_record(snakemake.output.record, {"parameters": snakemake.params.edges})
        log.info("%d edges", len(weight))
