"""Layouts that no setting of the workflow gives, of decoder, indices and similarities: parts of the default, others."""

from unittest.mock import patch

import numpy as np
import yaml
from scipy.sparse import csr_matrix

from decoders import ROOT
from lib.geometry import layout
from lib.geometry.graph import affinities, mixed_graph
from lib.geometry.pca import principal_components
from lib.geometry.refinement import refine

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["layout"]
DEFAULT = {"method": "neighbor_embedding", **CONFIG["neighbor_embedding"]}
ORIGINAL = {"method": "umap", **CONFIG["umap"]}


def default_graph(indices, similarities) -> csr_matrix:
    """The graph of the default layout: half t-SNE's affinities, half adjacency."""
    return mixed_graph(indices, similarities, DEFAULT["n_neighbors"], DEFAULT["perplexity"])


def affinities_alone(indices, similarities) -> csr_matrix:
    """The first half alone."""
    p = conditional(indices, similarities)
    return p + p.T


def adjacency_alone(indices, _) -> csr_matrix:
    """The second half alone."""
    links = linked(indices, np.ones((len(indices), DEFAULT["n_neighbors"] - 1)))
    return links + links.T


def conditional(indices, similarities) -> csr_matrix:
    """t-SNE's p_j|i in row i."""
    return linked(indices, affinities(similarities[:, : 3 * DEFAULT["perplexity"]], DEFAULT["perplexity"]))


def linked(indices, weights) -> csr_matrix:
    """The matrix with these (n, k) weights, row by row."""
    n, k = weights.shape
    return csr_matrix((weights.ravel(), indices[:, :k].ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))


def fuzzy_set(indices, similarities) -> csr_matrix:
    """UMAP's graph of the 15 nearest, the feature itself counted as the first."""
    from umap.umap_ import fuzzy_simplicial_set

    itself = np.arange(len(indices))[:, None]
    near = np.hstack([itself, indices[:, :14]]), np.hstack([0 * itself, 1 - similarities[:, :14]]).astype(np.float32)
    return fuzzy_simplicial_set(itself, 15, None, "cosine", knn_indices=near[0], knn_dists=near[1])[0].tocsr()


def by_hand(
    decoder, indices, similarities, *, seed, graph, constant=False, n_epochs=DEFAULT["n_epochs"], refined=True
) -> np.ndarray:
    """The default layout, or a part of it, of any graph."""
    parameters = {name: DEFAULT[name] for name in ("negative_samples", "repulsion_strength")}
    start = principal_components(decoder, seed)
    with patch.object(layout, "FIRST_REPULSION", 1 if constant else layout.FIRST_REPULSION):
        graphs = [graph(indices, similarities)]
        (coords,) = layout.lay_out(graphs, [start], n_epochs=n_epochs, seed=seed, **parameters)
    return refine(coords, indices, DEFAULT["refinement_epochs"]) if refined else coords


def t_sne(decoder, *_, seed) -> np.ndarray:
    """scikit-learn's, by Barnes and Hut's tree: in 3D it takes minutes for a few thousand features."""
    from sklearn.manifold import TSNE

    return TSNE(n_components=3, perplexity=10, init="pca", random_state=seed).fit_transform(decoder)


def sg_t_sne(decoder, indices, similarities, *, seed) -> np.ndarray:
    """SG-t-SNE (pysgtsnepi) of the same affinities, from the principal components, its repulsion by FFT on a grid.

    350 of its 1,000 iterations: the grid grows with the map, and in 3D all take over 5 minutes for 2,048 points.
    """
    from pysgtsnepi import sgtsnepi

    start, p = principal_components(decoder, seed), conditional(indices, similarities)
    start = 0.01 * start / start[:, 0].std()
    # Its fixed step lets a map of few points explode, and the grid with it: to 23 GB for 200.
    iterations = 350 if len(decoder) >= 2000 else 2
    return sgtsnepi(p.T, d=3, lambda_=1, max_iter=iterations, Y0=start, random_state=seed)


def pacmap(decoder, *_, name: str, seed) -> np.ndarray:
    """PaCMAP or LocalMAP, on the cosine as they take it, from the principal components."""
    import pacmap

    options = {"n_neighbors": 15, "distance": "angular", "apply_pca": False, "random_state": seed}
    return getattr(pacmap, name)(n_components=3, **options).fit_transform(decoder.copy(), init="pca")
