"""Neighbours, matches and summaries of all layers of a model -> frame.npz: the layers' positions in one frame.

`layer_N` float32 (n, 3) of each layer N: centred and scaled together, so that the largest absolute coordinate is 50;
dead features: NaN. frame.json records the parameters. No decoder is read.
"""

import numpy as np
from scipy.sparse import csr_matrix

from lib.files import load_npz, save_npz, save_record
from lib.geometry.extent import centred
from lib.geometry.graph import mixed_graph
from lib.geometry.layout import lay_out_together
from lib.geometry.live import include_dead, live_points, renumber, restrict_to_live, select_rows
from lib.geometry.matches import mutual
from lib.geometry.pca import shared_components
from lib.job import job_log


def springs_between(
    lives: list[np.ndarray], sizes: list[int], matches: list[dict], strength: float, min_cosine: float
) -> list[list[tuple[int, csr_matrix]]]:
    """The springs of each layer's live features: mutual matches of cosine c >= min_cosine, of strength c * `strength`.

    lives : by layer, its live features; sizes : by layer, the number of all;
    matches : of each layer with the next, as in matches-{next}.npz
    """
    numbers = list(map(renumber, lives, sizes))
    springs = [[] for _ in lives]
    for layer, pair in enumerate(matches):
        left, right, cosines = mutual(pair)
        near = cosines >= min_cosine
        ends = numbers[layer][left[near]], numbers[layer + 1][right[near]]
        links = csr_matrix((strength * cosines[near], ends), (len(lives[layer]), len(lives[layer + 1])))
        springs[layer].append((layer + 1, links))
        springs[layer + 1].append((layer, links.T.tocsr()))
    return springs


def lay_out_frame(
    neighbors: list[dict], summaries: list[dict], matches: list[dict], layout: dict, frame: dict, threads: int = 1
) -> list[np.ndarray]:
    """All layers' positions in one frame: by layer, float32 (n, 3), dead features NaN.

    neighbors, summaries : by layer, as in neighbors.npz and summary.npz; matches : of each layer with the next;
    layout : parameters of layout.neighbor_embedding, and the seed; frame : the configuration's atlas.layout
    """
    lives = [live_points(summary["scores"]) for summary in summaries]
    sizes = [len(summary["scores"]) for summary in summaries]
    rows = zip(summaries, lives, strict=True)
    starts = shared_components([each | {"scores": select_rows(each["scores"], live)} for each, live in rows])
    near = (restrict_to_live(**layer, live=live) for layer, live in zip(neighbors, lives, strict=True))
    graphs = [mixed_graph(*each, layout["n_neighbors"], layout["perplexity"]) for each in near]
    springs = springs_between(lives, sizes, matches, frame["spring_strength"], frame["min_cosine"])
    parameters = {key: layout[key] for key in ("negative_samples", "repulsion_strength", "seed")}
    laid_out = lay_out_together(graphs, starts, springs, n_epochs=frame["n_epochs"], threads=threads, **parameters)
    return centred(*map(include_dead, laid_out, lives, sizes))


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, params = snakemake.input, snakemake.params
        neighbors, matches = (list(map(load_npz, files.get(name, []))) for name in ("neighbors", "matches"))
        summaries = [load_npz(path, "mean", "components", "scores") for path in files.summaries]
        layout = {"layout": params.layout, "frame": params.frame, "threads": snakemake.threads}
        coords = lay_out_frame(neighbors, summaries, matches, **layout)
        named = {f"layer_{layer}": each for layer, each in zip(params.layers, coords, strict=True)}
        save_npz(snakemake.output.frame, **named)
        save_record(snakemake.output.record, {"parameters": params.layout | {"frame": params.frame}})
        log.info("layers %s in one frame", params.layers)
