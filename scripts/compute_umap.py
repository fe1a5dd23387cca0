"""neighbors.npz and decoder.npy -> coords.npy: a position in 3D for every feature, laid out by UMAP.

coords.npy is float32 (n, 3): centred, scaled by one factor so that the largest absolute coordinate is 50; dead
features: NaN. coords.json records the parameters and the versions that laid it out.
"""

import warnings

import numpy as np

from lib.files import save_npy, save_record
from lib.job import UserError, job_log

EXTENT = 50.0


def knn_with_self(indices: np.ndarray, similarities: np.ndarray, live: np.ndarray, n_neighbors: int):
    """Neighbours as umap-learn expects them: among the live rows only, the point itself first, as distances.

    Parameters
    ----------
    indices, similarities : as in neighbors.npz, (n, k)
    live : int (m,), indices of the live features
    n_neighbors : how many to keep, the point itself counted; fewer where there are fewer live features

    Returns
    -------
    knn_indices : int32 (m, n_neighbors), positions within `live`
    knn_distances : float32 (m, n_neighbors), 1 - cosine
    """
    others = min(n_neighbors - 1, len(live) - 1)
    position = np.full(len(indices), -1, np.int32)
    position[live] = np.arange(len(live), dtype=np.int32)
    itself = position[live][:, None]
    knn_indices = np.hstack([itself, position[indices[live, :others]]])
    distances = np.maximum(1 - similarities[live, :others], 0)
    return knn_indices, np.hstack([np.zeros_like(itself, np.float32), distances])


def embed(decoder, indices, similarities, *, n_neighbors, seed, init, **parameters) -> np.ndarray:
    """Lay the features out in 3D with a seeded UMAP on the neighbours given.

    Parameters
    ----------
    decoder : float32 (n, d), rows of norm 1, dead rows all zeros
    indices, similarities : as in neighbors.npz
    n_neighbors, seed, init, parameters : the configuration's umap block

    Returns
    -------
    float32 (n, 3), not yet scaled; dead features NaN

    Raises
    ------
    UserError
        UMAP left live features without a position.
    """
    coords = np.full((len(decoder), 3), np.nan, np.float32)
    live = np.flatnonzero(decoder.any(axis=1))
    if len(live) < 3:  # too few for a layout: on a line
        coords[live] = np.arange(len(live))[:, None] * np.float32([1, 0, 0])
        return coords
    from umap import UMAP  # slow to import: numba compiles

    knn_indices, knn_distances = knn_with_self(indices, similarities, live, n_neighbors)
    if len(live) <= 4:
        init = "random"  # the spectral start and PCA need more points than dimensions
    reducer = UMAP(
        n_components=3,
        metric="cosine",
        n_neighbors=knn_indices.shape[1],
        precomputed_knn=(knn_indices, knn_distances),
        force_approximation_algorithm=True,  # else small inputs are searched anew
        random_state=seed,
        n_jobs=1,
        init=init,
        **parameters,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not an NNDescent object")  # only transform() would need one
        placed = reducer.fit_transform(decoder[live])
    if reducer._knn_indices is None or not np.array_equal(reducer._knn_indices, knn_indices):
        raise RuntimeError("umap-learn did not use the neighbours it was given")
    lost = int((~np.isfinite(placed).all(axis=1)).sum())
    if lost:
        raise UserError(f"UMAP left {lost} of {len(live)} features without a position; raise umap.n_neighbors")
    coords[live] = placed
    return coords


def centred(coords: np.ndarray) -> np.ndarray:
    """Centre the positions and scale them by one factor: the largest absolute coordinate becomes 50."""
    live = np.isfinite(coords).all(axis=1)
    if not live.any():
        return coords
    moved = coords.astype(np.float64) - coords[live].astype(np.float64).mean(axis=0)
    largest = np.abs(moved[live]).max()
    return (moved * (EXTENT / largest if largest > 0 else 1)).astype(np.float32)


def main(snakemake) -> None:
    """Read, lay out, scale, write."""
    with job_log(snakemake) as log:
        decoder = np.load(snakemake.input.decoder, allow_pickle=False)
        with np.load(snakemake.input.neighbors, allow_pickle=False) as file:
            coords = embed(decoder, file["indices"], file["similarities"], **snakemake.params.umap)
        save_npy(snakemake.output.coords, centred(coords))
        save_record(snakemake.output.record, {"parameters": snakemake.params.umap, "versions": versions()})
        log.info("%d features placed", np.isfinite(coords[:, 0]).sum())


def versions() -> dict[str, str]:
    """The libraries whose releases may move a position."""
    from importlib.metadata import version

    return {name: version(name) for name in ("numba", "numpy", "scikit-learn", "umap-learn")}


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
