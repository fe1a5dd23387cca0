"""neighbors.npz and decoder.npy -> coords.npy: a position in 3D for every feature, laid out by UMAP.

Two methods share UMAP's neighbour graph: `batch` (lib/layout.py), and `umap-learn`, the library's own layout.
coords.npy is float32 (n, 3): centred, scaled by one factor so that the largest absolute coordinate is 50; dead
features: NaN. coords.json records the parameters and the versions that laid it out.
"""

import warnings
from importlib.metadata import version

import numpy as np

from lib.files import save_npy, save_record
from lib.geometry.layout import among_the_living, fuzzy_graph, lay_out, principal_components
from lib.job import UserError, job_log

EXTENT = 50.0
UMAP_LEARN_ONLY = ("min_dist", "spread", "init")


def embed(decoder, indices, similarities, *, method, n_neighbors, threads=1, **parameters) -> np.ndarray:
    """Lay the features out in 3D on the neighbours given, by one of the two methods of the configuration.

    Parameters
    ----------
    decoder : float32 (n, d), rows of norm 1, dead rows all zeros
    indices, similarities : as in neighbors.npz
    method, n_neighbors, parameters : the configuration's umap block
    threads : the batch method's; the result does not depend on it

    Returns
    -------
    float32 (n, 3), not yet scaled; dead features NaN

    Raises
    ------
    UserError
        The layout left live features without a position.
    """
    coords = np.full((len(decoder), 3), np.nan, np.float32)
    live = np.flatnonzero(decoder.any(axis=1))
    if len(live) < 3:  # too few for a layout: on a line
        coords[live] = np.arange(len(live))[:, None] * np.float32([1, 0, 0])
        return coords
    rows = decoder if len(live) == len(decoder) else decoder[live]
    neighbors = among_the_living(indices, similarities, live, n_neighbors)
    if method == "batch":
        coords[live] = _batch(rows, *neighbors, threads=threads, **parameters)
    else:
        coords[live] = _umap_learn(rows, *neighbors, **parameters)
    lost = int((~np.isfinite(coords[live]).all(axis=1)).sum())
    if lost:
        raise UserError(
            f"UMAP left {lost} of {len(live)} features without a position; raise umap.n_neighbors"
        )
    return coords


def _batch(
    rows, indices, similarities, *, threads, seed, n_epochs, negative_sample_rate, repulsion_strength, **_
):
    start = principal_components(rows, seed)
    graph = fuzzy_graph(indices, similarities)
    return lay_out(graph, start, n_epochs, negative_sample_rate, repulsion_strength, seed, threads)


def _umap_learn(rows, indices, similarities, *, seed, init, **parameters):
    from umap import UMAP  # slow to import: numba compiles

    # umap-learn counts the point itself as its first neighbour, and takes distances.
    itself = np.arange(len(rows), dtype=np.int32)[:, None]
    knn_indices = np.hstack([itself, indices])
    knn_distances = np.hstack([np.zeros_like(itself, np.float32), np.maximum(1 - similarities, 0)])
    reducer = UMAP(
        n_components=3,
        metric="cosine",
        n_neighbors=knn_indices.shape[1],
        precomputed_knn=(knn_indices, knn_distances),
        force_approximation_algorithm=True,  # else small inputs are searched anew
        random_state=seed,
        n_jobs=1,
        init=init if len(rows) > 4 else "random",  # spectral and PCA need more points than dimensions
        **parameters,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*not an NNDescent object"
        )  # only transform() would need one
        placed = reducer.fit_transform(rows)
    if reducer._knn_indices is None or not np.array_equal(reducer._knn_indices, knn_indices):
        raise RuntimeError("umap-learn did not use the neighbours it was given")
    return placed


def centred(coords: np.ndarray) -> np.ndarray:
    """Centre the positions and scale them by one factor: the largest absolute coordinate becomes 50."""
    live = np.isfinite(coords).all(axis=1)
    if not live.any():
        return coords
    moved = coords.astype(np.float64) - coords[live].astype(np.float64).mean(axis=0)
    largest = np.abs(moved[live]).max()
    return (moved * (EXTENT / largest if largest > 0 else 1)).astype(np.float32)


def record(umap: dict) -> dict:
    """What coords.json says: the parameters that the layout used, and the libraries whose releases may move it."""
    learn = umap["method"] == "umap-learn"
    libraries = ("numba", "numpy", "scikit-learn", "umap-learn") if learn else ("numba", "numpy", "scipy")
    used = {name: value for name, value in umap.items() if learn or name not in UMAP_LEARN_ONLY}
    return {"parameters": used, "versions": {name: version(name) for name in libraries}}


def main(snakemake) -> None:
    """Read, lay out, scale, write."""
    umap = snakemake.params.umap
    with job_log(snakemake) as log:
        decoder = np.load(snakemake.input.decoder, allow_pickle=False)
        with np.load(snakemake.input.neighbors, allow_pickle=False) as file:
            coords = embed(decoder, file["indices"], file["similarities"], threads=snakemake.threads, **umap)
        save_npy(snakemake.output.coords, centred(coords))
        save_record(snakemake.output.record, record(umap))
        log.info("%d features placed", np.isfinite(coords[:, 0]).sum())


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
