"""decoder.npy -> summary.npz: what later steps need of a decoder, so that no changed setting reads the weights again.

`mean` float32 (d,), `components` float32 (r, d) and `scores` float32 (n, r): the mean of the live rows, their leading
principal directions, and the centred rows' coordinates along them; NaN for dead features. `sample` int32 (s,): random
live features; `distances` float16 (s, s): 1 - cosine of these. A ninth of the decoder's size at 16,384 x 2,304.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from lib.files import load_npy, save_npz
from lib.geometry.live import include_dead, select_rows
from lib.geometry.pca import leading_components
from lib.geometry.statistics import sample_of
from lib.job import job_log

# Principal components that are kept, and passes over the rows that find them.
COMPONENTS = 128
ITERATIONS = 4
SEED = 0


def summarize(decoder: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of summary.npz, of a decoder as in decoder.npy."""
    live = decoder.any(axis=1)
    rows = select_rows(decoder, live)
    mean, components, scores = leading_components(rows, COMPONENTS, SEED, ITERATIONS)
    sample = sample_of(len(rows), np.random.default_rng(SEED))
    # One thread: the same bytes on any number of cores.
    with threadpool_limits(1, user_api="blas"):
        distances = 1 - rows[sample] @ rows[sample].T
    return {
        "mean": mean,
        "components": components,
        "scores": include_dead(scores, live),
        "sample": np.flatnonzero(live)[sample].astype(np.int32),
        "distances": distances.astype(np.float16),
    }


if __name__ == "__main__":
    with job_log(snakemake) as log:
        summary = summarize(load_npy(snakemake.input.decoder))
        save_npz(snakemake.output.summary, **summary)
        log.info("%d principal components of %d features", *summary["scores"].shape[::-1])
