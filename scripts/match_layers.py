"""decoder.npy of two adjacent layers -> matches-{m}.npz: the nearest feature of the other layer for every feature.

Exact, ties by lower index. `_second` is the cosine of the runner-up.
"""

import numpy as np

from lib.files import map_npy, save_npz
from lib.geometry.knn import nearest_rows
from lib.geometry.live import include_dead
from lib.geometry.matches import mutual
from lib.job import job_log


def match(left: np.ndarray, right: np.ndarray, threads: int = 1) -> dict[str, np.ndarray]:
    """The arrays of matches-{m}.npz, the same bytes for every number of threads.

    left, right : float32 (n, d) and (m, d), rows of norm 1, or all zeros (dead features); may be memory-mapped
    """
    live = left.any(axis=1), right.any(axis=1)
    here, there = map(np.flatnonzero, live)
    border = len(here)
    rows = np.empty((border + len(there), left.shape[1]), np.float32)
    # With another mode, `take` collects the rows before it copies them.
    np.take(left, here, axis=0, out=rows[:border], mode="clip")
    np.take(right, there, axis=0, out=rows[border:], mode="clip")
    indices, cosines = nearest_rows(rows, 2, threads, border)
    # -1, no neighbour, selects the last and stays -1.
    nearest = np.concatenate([here, there, [-1]]).astype(np.int32)[indices]
    matches = {}
    for name, side, part in zip(("forward", "backward"), live, (slice(border), slice(border, None)), strict=True):
        matches[name] = include_dead(nearest[part, 0], side, -1)
        matches[f"{name}_cosine"], matches[f"{name}_second"] = include_dead(cosines[part], side, 0).T
    return matches


if __name__ == "__main__":
    with job_log(snakemake) as log:
        left, right = map(map_npy, snakemake.input.decoders)
        matches = match(left, right, snakemake.threads)
        save_npz(snakemake.output.matches, **matches)
        pairs, *_ = mutual(matches)
        log.info("%d mutual matches of %d and %d features", len(pairs), len(left), len(right))
