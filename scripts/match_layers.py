"""decoder.npy of two adjacent layers -> matches-{m}.npz: the nearest feature of the other layer for every feature.

`forward` int32 (n,), for each feature of the first layer the nearest of the second; `forward_cosine` and
`forward_second` float32 (n,), the cosines of that feature and of the runner-up; `backward`, `backward_cosine` and
`backward_second`, the same for the features of the second layer. Exact, ties by lower index; -1 and 0 for dead
features, and where the other layer has none.
"""

import numpy as np

from lib.files import map_npy, save_npz
from lib.geometry.knn import nearest_rows
from lib.geometry.live import expand_to_all, live_rows
from lib.geometry.matches import mutual
from lib.job import job_log


def match(left: np.ndarray, right: np.ndarray, threads: int = 1) -> dict[str, np.ndarray]:
    """The arrays of matches-{m}.npz, the same bytes for every number of threads.

    left, right : float32 (n, d) and (m, d), rows of norm 1, or all zeros (dead features); may be memory-mapped
    """
    live = live_rows(left), live_rows(right)
    border, features = len(live[0]), np.concatenate(live)
    rows = np.empty((len(features), left.shape[1]), np.float32)
    # With another mode, `take` collects the rows before it copies them.
    np.take(left, live[0], axis=0, out=rows[:border], mode="clip")
    np.take(right, live[1], axis=0, out=rows[border:], mode="clip")
    indices, cosines = nearest_rows(rows, 2, threads, border)
    matches = {}
    sides = {"forward": (len(left), slice(border)), "backward": (len(right), slice(border, None))}
    for name, (n, part) in sides.items():
        nearest, cosine = expand_to_all(indices[part], cosines[part], features[part], (n, 2), features)
        matches |= {name: nearest[:, 0], f"{name}_cosine": cosine[:, 0], f"{name}_second": cosine[:, 1]}
    return matches


if __name__ == "__main__":
    with job_log(snakemake) as log:
        left, right = map(map_npy, snakemake.input.decoders)
        matches = match(left, right, snakemake.threads)
        save_npz(snakemake.output.matches, **matches)
        pairs, *_ = mutual(matches)
        log.info("%d mutual matches of %d and %d features", len(pairs), len(left), len(right))
