"""The method that this workflow replaced, as it was: the yardstick.  python bench/original.py decoder.npy folder"""

import sys
from pathlib import Path

import numpy as np


def main(decoder_path: str, folder: str) -> None:
    """umap-learn on the rows (approximate neighbours), scikit-learn for the edges, a loop over the pairs."""
    import umap
    from sklearn.neighbors import NearestNeighbors

    decoder = np.load(decoder_path)
    coords = umap.UMAP(
        n_neighbors=40,
        min_dist=0.02,
        n_components=3,
        metric="cosine",
        spread=1.0,
        repulsion_strength=1.5,
        random_state=42,
    ).fit_transform(decoder)
    np.save(Path(folder) / "coords.npy", coords)
    distances, indices = NearestNeighbors(n_neighbors=26, metric="cosine").fit(decoder).kneighbors(decoder)
    edges = []
    for row in range(len(decoder)):
        for rank in range(1, 26):
            similarity = 1 - distances[row, rank]
            if similarity >= 0.25 and row < indices[row, rank]:
                edges.append((row, indices[row, rank], similarity))
    np.save(Path(folder) / "edges.npy", np.array(edges))


if __name__ == "__main__":
    main(*sys.argv[1:])
