"""SAE weights, local or on Hugging Face -> decoder.npy: one row per feature, of norm 1.

decoder.npy is float32 (features, d_model). A row without a direction (norm below 1e-8, or not finite) is all zeros:
a dead feature. decoder.json records where the weights came from.
"""

from pathlib import Path

import numpy as np

from lib.files import load_record, save_npy, save_record
from lib.job import job_log
from lib.weights.tensors import read_tensor

SMALLEST_NORM = 1e-8


def stored_shape(features: int, d_model: int, shape: list[str]) -> tuple[int, int]:
    """The shape that the file must have. `shape` is ["features", "d_model"], reversed if the file has the transpose."""
    sizes = {"features": features, "d_model": d_model}
    return sizes[shape[0]], sizes[shape[1]]


def read_decoder(row: dict, file: str | None, commit: str | None) -> np.ndarray:
    """The decoder as (features, d_model), in the float type of its file.

    Parameters
    ----------
    row : the catalogue's row, as `weights_row` in rules/weights.smk gives it
    file : the local file, if the row names one
    commit : the commit of the row's repository to read from, otherwise
    """
    shape = stored_shape(row["features"], row["d_model"], row["shape"])
    if commit:
        from lib.weights.hub import fetch_tensor  # local files do not need the network's libraries

        weights = fetch_tensor(row["repo"], row["weights"], commit, row["tensor"], shape)
    else:
        weights = read_tensor(Path(file), row["tensor"], shape)
    return weights if row["shape"][0] == "features" else weights.T


def unit_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale every row to norm 1.

    Parameters
    ----------
    weights : (n, d), any float type

    Returns
    -------
    decoder : float32 (n, d), dead rows all zeros
    dead : int (m,), the indices of the dead rows
    """
    decoder = np.empty(weights.shape, np.float32)
    live = np.empty(len(weights), bool)
    for start in range(0, len(weights), 1024):  # in float64, a block at a time to stay small
        rows = weights[start : start + 1024].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        block = np.isfinite(norms) & (norms >= SMALLEST_NORM)
        rows[~block] = 0
        norms[~block] = 1
        decoder[start : start + 1024] = rows / norms[:, None]
        live[start : start + 1024] = block
    return decoder, np.flatnonzero(~live)


def main(snakemake) -> None:
    """Read, normalise, write."""
    with job_log(snakemake) as log:
        row, revision = snakemake.params.sae, snakemake.input.revision
        commit = load_record(revision)["commit"] if revision else None
        weights = read_decoder(row, snakemake.input.weights, commit)
        decoder, dead = unit_rows(weights)
        save_npy(snakemake.output.decoder, decoder)
        record = row | {"commit": commit, "dtype": weights.dtype.name, "dead": dead.tolist()}
        save_record(snakemake.output.record, {key: value for key, value in record.items() if value is not None})
        log.info("%s: %d features of %d dimensions, %d dead", row["weights"], *decoder.shape, len(dead))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
