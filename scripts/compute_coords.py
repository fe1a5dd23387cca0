"""neighbors.npz and decoder.npy -> coords.npy: a position in 3D for every feature.

Both methods lay out the stored neighbours: `neighbor_embedding` with the graph, the layout and the refinement of
lib/geometry, `umap` with umap-learn. coords.json records the parameters and the versions of the libraries.
"""

from importlib.metadata import version

import numpy as np

from lib.files import load_npy, load_npz, save_npy, save_record
from lib.geometry.extent import centred
from lib.geometry.graph import mixed_graph
from lib.geometry.layout import lay_out
from lib.geometry.live import include_dead, restrict_to_live, select_rows
from lib.geometry.pca import principal_components
from lib.geometry.refinement import settle
from lib.job import job_log

# Libraries whose releases may move a layout.
LIBRARIES = {
    "neighbor_embedding": ("numba", "numpy", "scipy"),
    "umap": ("numba", "numpy", "scikit-learn", "umap-learn"),
}


def embed(decoder, indices, similarities, *, method, threads=1, **parameters) -> np.ndarray:
    """Lay the features out in 3D from their neighbours: float32 (n, 3), not yet scaled; dead features NaN.

    decoder, indices, similarities : as in decoder.npy and neighbors.npz
    method, parameters : neighbor_embedding or umap, and its parameters with the seed, as in the configuration
    """
    live = decoder.any(axis=1)
    rows = select_rows(decoder, live)
    neighbors = restrict_to_live(indices, similarities, live)
    if method == "neighbor_embedding":
        coords = neighbor_embedding(rows, *neighbors, threads=threads, **parameters)
    else:
        coords = umap_learn(rows, *neighbors, **parameters)
    return include_dead(coords, live)


def neighbor_embedding(
    rows, indices, similarities, *, seed, n_neighbors, perplexity, refinement_epochs, relocations, threads, **parameters
) -> np.ndarray:
    """The layout of the graph from the principal components, refined, relocated and refined again: float32 (m, 3).

    rows : float32 (m, d), none of them dead; indices, similarities : (m, k), neighbours within these rows;
    parameters : the others of `lay_out`
    """
    graph = mixed_graph(indices, similarities, n_neighbors, perplexity)
    start = principal_components(rows, seed)
    (coords,) = lay_out([graph], [start], seed=seed, threads=threads, **parameters)
    return settle(coords, indices, refinement_epochs, relocations, seed, threads)


def umap_learn(rows, indices, similarities, *, seed, init, n_neighbors, **parameters) -> np.ndarray:
    """umap-learn's layout of exact neighbours: float32 (m, 3); rows, indices and similarities as above."""
    # Slow to import: numba compiles.
    from umap import UMAP

    # umap-learn counts the point itself as its first neighbour, and takes distances.
    itself = np.arange(len(rows), dtype=np.int32)[:, None]
    distances = np.hstack([np.zeros_like(itself, np.float32), np.maximum(1 - similarities, 0)])[:, :n_neighbors]
    return UMAP(
        n_components=3,
        metric="cosine",
        n_neighbors=distances.shape[1],
        precomputed_knn=(np.hstack([itself, indices])[:, :n_neighbors], distances),
        # Otherwise small inputs are searched again.
        force_approximation_algorithm=True,
        # Otherwise features whose neighbours are all opposite to them would get no position.
        disconnection_distance=np.inf,
        random_state=seed,
        n_jobs=1,
        # spectral and pca need more points than dimensions.
        init=init if len(rows) > 4 else "random",
        **parameters,
    ).fit_transform(rows)


if __name__ == "__main__":
    layout = snakemake.params.layout
    with job_log(snakemake) as log:
        decoder = load_npy(snakemake.input.decoder)
        neighbors = load_npz(snakemake.input.neighbors)
        coords = embed(decoder, **neighbors, threads=snakemake.threads, **layout)
        save_npy(snakemake.output.coords, centred(coords)[0])
        versions = {name: version(name) for name in LIBRARIES[layout["method"]]}
        save_record(snakemake.output.record, {"parameters": layout, "versions": versions})
        log.info("%d features have a position", np.isfinite(coords[:, 0]).sum())
