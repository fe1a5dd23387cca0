"""frame.npz and neighbors.npz -> frame.npy of one layer: its positions in the frame, refined among themselves.

float32 (n, 3), in the unit of frame.npz; dead features: NaN.
"""

import numpy as np

from lib.files import load_npz, save_npy
from lib.geometry.live import restrict_to_live
from lib.geometry.relocation import settle
from lib.job import job_log


def main(snakemake) -> None:
    """Read, refine, write."""
    with job_log(snakemake) as log:
        layout, layer = snakemake.params.layout, snakemake.wildcards.layer
        coords = load_npz(snakemake.input.frame)[f"layer_{layer}"]
        neighbors = load_npz(snakemake.input.neighbors)
        live = np.flatnonzero(np.isfinite(coords).all(axis=1))
        if len(live):
            indices, _ = restrict_to_live(**neighbors, live=live, k=neighbors["indices"].shape[1])
            coords[live] = settle(coords[live], indices, threads=snakemake.threads, **layout)
        save_npy(snakemake.output.coords, coords)
        log.info("%d features have a position", len(live))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
