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
from lib.labels.explanations import SCHEMA, feature_table, label_table, local_rows
from lib.labels.neuronpedia import api_rows, export_rows


def ranked(features: pd.DataFrame, edges: str, count: int, settings: dict) -> list[int]:
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
        scores = features["density"].reindex(range(count)).astype(float)
        if scores.isna().all():
            raise UserError("labels.rank_by is density, but this source knows no densities: set it to links")
    return sorted(scores.nlargest(settings["top_k"]).index)


def export_kinds(settings: dict) -> list[str]:
    """The kinds of files to fetch from the bulk exports; for the API only densities, if features are ranked by them."""
    by_density = settings["top_k"] is not None and settings["rank_by"] == "density"
    if settings["source"] == "api":
        return ["features"] if by_density else []
    return ["explanations", "features"] if by_density or settings["facts"] else ["explanations"]


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
        inputs, sae, settings = snakemake.input, snakemake.params.sae, snakemake.params.labels
        count, address = sae["features"], (sae["neuronpedia"], sae["source"])
        table_of = partial(feature_table, count=count, source_id=sae["source"], explainers=settings["explainers"])
        answers = Path(snakemake.output.labels).with_name("labels.answers.jsonl")
        source = "local" if sae["labels"] else settings["source"] if sae["neuronpedia"] else "none"
        rows, origin = [], {"source": source}
        if source == "local":
            rows, origin["path"] = local_rows(inputs.labels), sae["labels"]
        elif source != "none":
            origin |= {"url": settings[f"{source}_url"], "model": sae["neuronpedia"]}
            if kinds := export_kinds(settings):
                rows = export_rows(settings["export_url"], *address, kinds)
        features = table_of(rows)
        indices = ranked(features, inputs.edges, count, settings) if source != "none" else []
        if source == "api":
            rate = snakemake.resources.requests_per_minute
            features = table_of(api_rows(settings["api_url"], *address, indices, rate, answers))
        table = label_table(features, indices)
        counts = coverage(table, features, indices) if indices else {"labelled": 0}
        chosen = {key: settings[key] for key in ("explainers", "top_k", "rank_by")}
        schema = pa.schema([SCHEMA.field(name) for name in table])
        with whole_file(snakemake.output.labels) as aside:
            table.to_parquet(aside, compression="zstd", index=False, schema=schema)
        save_record(snakemake.output.record, origin | counts | {"parameters": chosen})
        answers.unlink(missing_ok=True)
        log.info("%d of %d requested features have a label", len(table), len(indices))
