"""Neuronpedia or a local file -> labels.parquet: what each feature means, in words.

labels.json records the source, the parameters and the coverage. What the API answers is kept in labels.answers.jsonl
until labels.parquet is written, so that a run after a failure asks only for the rest.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lib.errors import UserError
from lib.files import load_npz, save_record, whole_file
from lib.job import job_log
from lib.labels.explanations import SCHEMA, Statements, feature_table, label_table, read_local
from lib.labels.neuronpedia import api_key, fetch_api, fetch_export


def ranked(known: Statements, edges: str | None, count: int, settings: dict) -> list[int]:
    """The features to label, ascending: all, or the `top_k` highest ranked, of equal ones the first, unknown last.

    They rank by the sum of their edges' weights, or by density. Raises UserError if no density is known.
    """
    if settings["top_k"] is None:
        return list(range(count))
    if settings["rank_by"] == "links":
        links = load_npz(edges)
        ends, weights = np.concatenate([links["source"], links["target"]]), np.tile(links["weight"], 2)
        scores = pd.Series(np.bincount(ends, weights=weights, minlength=count))
    else:
        scores = feature_table(known)["density"].reindex(range(count)).astype(float)
        if scores.isna().all():
            raise UserError("labels.rank_by is density, but this source knows no densities: set it to links")
    return sorted(scores.nlargest(settings["top_k"]).index)


def from_neuronpedia(
    row: dict, settings: dict, edges: str | None, answers: Path, rate: float
) -> tuple[Statements, list[int]]:
    """Fetch from the bulk exports or the API: what is known, and the features that were requested."""
    source, count = (row["neuronpedia"], row["source"]), row["features"]
    export = partial(fetch_export, settings["export_url"], *source, count)
    by_density = settings["top_k"] is not None and settings["rank_by"] == "density"
    if settings["source"] == "export":
        known = export(["explanations", "features"] if by_density or settings["facts"] else ["explanations"])
        return known, ranked(known, edges, count, settings)
    key = api_key()
    indices = ranked(export(["features"]) if by_density else [], edges, count, settings)
    return fetch_api(settings["api_url"], *source, indices, count, key, rate, answers), indices


def coverage(table: pd.DataFrame, features: pd.DataFrame, indices: list[int]) -> dict:
    """How many of the requested features have a label, from which explainers, and which never fire and have none."""
    silent = features.index[(features["density"] == 0) & features["label"].isna()]
    return {
        "requested": len(indices),
        "labelled": len(table),
        "unlabelled": len(indices) - len(table),
        "coverage": round(len(table) / len(indices), 4),
        "explainers": table["explainer"].fillna("unknown").value_counts().to_dict(),
        "neverActive": silent[silent.isin(indices)].tolist(),
    }


if __name__ == "__main__":
    with job_log(snakemake) as log:
        row, settings = snakemake.params.sae, snakemake.params.labels
        edges, count = snakemake.input.edges or None, row["features"]
        answers = Path(snakemake.output.labels).with_name("labels.answers.jsonl")
        if row["labels"]:
            known = read_local(snakemake.input.labels, count, row["source"])
            indices = ranked(known, edges, count, settings)
            origin = {"source": "local", "path": row["labels"]}
        elif row["neuronpedia"] and settings["source"] != "none":
            rate = snakemake.resources.requests_per_minute
            known, indices = from_neuronpedia(row, settings, edges, answers, rate)
            url = settings[f"{settings['source']}_url"]
            origin = {"source": settings["source"], "url": url, "model": row["neuronpedia"]}
        else:
            known, indices, origin = [], [], {"source": "none"}
        features = feature_table(known, settings["explainers"])
        table = label_table(features, indices)
        counts = coverage(table, features, indices) if indices else {"labelled": 0}
        chosen = {key: settings[key] for key in ("explainers", "top_k", "rank_by")}
        schema = pa.schema([SCHEMA.field(name) for name in table])
        with whole_file(snakemake.output.labels) as aside:
            table.to_parquet(aside, compression="zstd", index=False, schema=schema)
        save_record(snakemake.output.record, origin | counts | {"parameters": chosen})
        answers.unlink(missing_ok=True)
        log.info("%d of %d requested features have a label", len(table), len(indices))
