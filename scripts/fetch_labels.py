"""Neuronpedia or a local file -> labels.parquet: what each feature means, in words.

labels.json records the source, the parameters and the coverage. While a layer is fetched, what has arrived is in
labels.journal/ beside it; the next run after a failure or a kill asks only for the rest.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.files import save_record, whole_file
from lib.job import UserError, job_log
from lib.labels.explanations import Feature, label_table, read_local, top_features

Features = dict[int, Feature]


def densities(features: Features, count: int) -> np.ndarray:
    """Activation densities, float (count,), NaN where unknown.

    Raises
    ------
    UserError
        The source knows none at all.
    """
    scores = np.array([features.get(index, Feature()).density for index in range(count)], dtype=float)
    if np.isnan(scores).all():
        raise UserError("labels.rank_by is density, but this source knows no densities: set it to links")
    return scores


def link_strengths(edges: str, count: int) -> np.ndarray:
    """How strongly each feature is linked in the map: the sum of its edges' weights, float (count,)."""
    with np.load(edges, allow_pickle=False) as file:
        ends, weights = np.concatenate([file["source"], file["target"]]), np.tile(file["weight"], 2)
    return np.bincount(ends, weights=weights, minlength=count)


def ranked(features: Features, edges: str | None, count: int, settings: dict) -> list[int]:
    """The features to label: all, or the `top_k` highest ranked."""
    if settings["top_k"] is None:
        return list(range(count))
    by_links = settings["rank_by"] == "links"
    scores = link_strengths(edges, count) if by_links else densities(features, count)
    return top_features(scores, settings["top_k"])


def from_neuronpedia(
    row: dict, settings: dict, edges: str | None, journal: Path, rate: float
) -> tuple[Features, list[int]]:
    """Fetch from the bulk exports or the API: the answers, and the features that were asked for."""
    from lib.labels.neuronpedia import (  # the network's libraries only where needed
        Journal,
        fetch_api,
        fetch_export,
    )

    model, source, count = row["neuronpedia"], row["source"], row["features"]
    by_density = settings["top_k"] is not None and settings["rank_by"] == "density"
    arrived = Journal(journal, {"model": model, "source": source, "urls": _urls(settings)})
    answers: Features = {}
    if settings["source"] == "export" or by_density:
        answers = fetch_export(
            model,
            source,
            count,
            arrived,
            explanations=settings["source"] == "export",
            facts=settings["facts"] or by_density,
            url=settings["export_url"],
        )
    indices = ranked(answers, edges, count, settings)
    if settings["source"] == "api":
        key = os.environ.get("NEURONPEDIA_API_KEY")
        url = settings["api_url"]
        answers = fetch_api(
            model, source, indices, count, arrived, key=key, requests_per_minute=rate, url=url
        )
    return answers, indices


def coverage(table: pa.Table, requested: int) -> dict:
    """How many of the requested features have a label, and by which explainers."""
    explainers = Counter(name or "unknown" for name in table.column("explainer").to_pylist())
    return {
        "requested": requested,
        "labelled": table.num_rows,
        "unlabelled": requested - table.num_rows,
        "coverage": round(table.num_rows / requested, 4),
        "explainers": dict(sorted(explainers.items())),
    }


def _urls(settings: dict) -> dict:
    return {key: settings[key] for key in ("export_url", "api_url")}


def main(snakemake) -> None:
    """Ask, choose, write, and only then forget what had arrived."""
    with job_log(snakemake) as log:
        row, settings, given = snakemake.params.sae, snakemake.params.labels, snakemake.input
        journal = Path(snakemake.output.labels).with_name("labels.journal")
        if row["labels"]:
            features = read_local(Path(row["labels"]), row["features"], row["source"])
            indices = ranked(features, given.edges or None, row["features"], settings)
            origin = {"source": "local", "path": row["written"]}
        elif row["neuronpedia"] and settings["source"] != "none":
            rate = snakemake.resources.requests_per_minute
            features, indices = from_neuronpedia(row, settings, given.edges or None, journal, rate)
            url = settings[f"{settings['source']}_url"]
            origin = {"source": settings["source"], "url": url, "model": row["neuronpedia"]}
        else:
            features, indices, origin = {}, [], {"source": "none"}
        table = label_table(features, indices, settings["explainers"])
        counts = coverage(table, len(indices)) if indices else {"labelled": 0}
        chosen = {key: settings[key] for key in ("explainers", "top_k", "rank_by")}
        with whole_file(snakemake.output.labels) as aside:
            pq.write_table(table, aside, compression="zstd")
        save_record(snakemake.output.record, origin | counts | {"parameters": chosen})
        shutil.rmtree(journal, ignore_errors=True)
        log.info("%d labels for %d features asked for", table.num_rows, len(indices))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
