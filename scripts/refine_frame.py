"""frame.npz and neighbors.npz -> frame.npy of one layer: its positions in the frame, refined among themselves."""

import numpy as np

from lib.files import load_npz, save_npy
from lib.geometry.live import include_dead, restrict_to_live
from lib.geometry.refinement import settle
from lib.job import job_log


def refine_layer(coords: np.ndarray, neighbors: dict[str, np.ndarray], **parameters) -> np.ndarray:
    """A layer's positions, refined among themselves: float32 (n, 3), dead features NaN.

    coords : float32 (n, 3), dead features NaN; neighbors : as in neighbors.npz; parameters : those of `settle`
    """
    live = np.isfinite(coords[:, 0])
    indices, _ = restrict_to_live(**neighbors, live=live)
    return include_dead(settle(coords[live], indices, **parameters), live)


if __name__ == "__main__":
    with job_log(snakemake) as log:
        name, layout = f"layer_{snakemake.wildcards.layer}", snakemake.params.layout
        coords, neighbors = load_npz(snakemake.input.frame, name)[name], load_npz(snakemake.input.neighbors)
        save_npy(snakemake.output.coords, refine_layer(coords, neighbors, threads=snakemake.threads, **layout))
        log.info("%d features have a position", np.isfinite(coords[:, 0]).sum())
