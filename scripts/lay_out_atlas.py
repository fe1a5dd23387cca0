"""Neighbours, matches and summaries of all layers of a model -> frame.npz: the layers' positions in one frame.

They are centred and scaled together. frame.json records the parameters. No decoder is read.
"""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from lib.files import load_npz, save_npz, save_record
from lib.geometry.extent import centred
from lib.geometry.graph import mixed_graph
from lib.geometry.layout import lay_out
from lib.geometry.live import include_dead, renumber, restrict_to_live, select_rows
from lib.geometry.matches import mutual
from lib.geometry.pca import shared_components
from lib.job import job_log


def springs_between(matches: dict, left: np.ndarray, right: np.ndarray, strength: float, min_cosine: float):
    """The springs between two layers: of mutual matches of cosine c >= min_cosine, each of strength c * `strength`.

    matches : as in matches-{next}.npz; left, right : bool (n,) and (m,), the live features of the two layers
    Returns csr_matrix of float32 (live features of the left layer, of the right).
    """
    i, j, cosines = mutual(matches)
    near = cosines >= min_cosine
    ends = renumber(left)[i[near]], renumber(right)[j[near]]
    return csr_matrix((strength * cosines[near], ends), (np.count_nonzero(left), np.count_nonzero(right)))


def lay_out_frame(
    neighbors, summaries, matches, *, n_neighbors, perplexity, spring_strength, min_cosine, **parameters
) -> list[np.ndarray]:
    """All layers' positions in one frame: by layer, float32 (n, 3), dead features NaN.

    neighbors, summaries : by layer, as in neighbors.npz and summary.npz; matches : of each layer with the next;
    parameters : the others of `lay_out`
    """
    lives = [np.isfinite(summary["scores"][:, 0]) for summary in summaries]
    rows = zip(summaries, lives, strict=True)
    starts = shared_components(summaries, [select_rows(each["scores"], live) for each, live in rows])
    near = (restrict_to_live(**layer, live=live) for layer, live in zip(neighbors, lives, strict=True))
    graphs = [mixed_graph(*each, n_neighbors, perplexity) for each in near]
    springs = [
        springs_between(pair, *both, spring_strength, min_cosine)
        for pair, both in zip(matches, pairwise(lives), strict=True)
    ]
    return centred(*map(include_dead, lay_out(graphs, starts, springs, **parameters), lives))


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, params = snakemake.input, snakemake.params
        neighbors, matches = (list(map(load_npz, paths)) for paths in (files.neighbors, files.matches))
        summaries = [load_npz(path, "mean", "components", "scores") for path in files.summaries]
        parameters = {**params.layout, **params.frame, "threads": snakemake.threads}
        coords = lay_out_frame(neighbors, summaries, matches, **parameters)
        named = {f"layer_{layer}": each for layer, each in zip(params.layers, coords, strict=True)}
        save_npz(snakemake.output.frame, **named)
        save_record(snakemake.output.record, {"parameters": params.layout | {"frame": params.frame}})
        log.info("layers %s in one frame", params.layers)
