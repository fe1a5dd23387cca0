"""SAE weights, local or on Hugging Face -> decoder.npy: one row per feature, of norm 1.

decoder.npy is float32 (features, d_model). A row without a direction (norm below 1e-8, or not finite) is all zeros:
a dead feature. decoder.json records where the weights came from, and the dead features.
"""

from pathlib import Path

import numpy as np

from lib.errors import UserError
from lib.files import load_record, save_npy, save_record
from lib.job import job_log
from lib.weights.tensors import read_tensor

SMALLEST_NORM = 1e-8


def read_decoder(row: dict, file: str | None, commit: str | None) -> np.ndarray:
    """The decoder as (features, d_model), in the float type of its file.

    Parameters
    ----------
    row : `weights_params` of the catalogue's row; its `shape` is reversed if the file has the transpose
    file : the local file, if the row names one
    commit : the commit of the row's repository to read from, otherwise
    """
    shape = tuple(row[axis] for axis in row["shape"])
    if commit:
        from lib.weights.hub import fetch_tensor  # local files do not need the network's libraries

        weights = fetch_tensor(row["repo"], row["weights"], commit, row["tensor"], shape)
    else:
        weights = read_tensor(Path(file), row["tensor"], shape)
    return weights if row["shape"][0] == "features" else weights.T


def unit_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale every row of `weights`, (n, d) of any float type, to norm 1.

    Returns
    -------
    decoder : float32 (n, d), dead rows all zeros
    dead : int (m,), the indices of the dead rows
    not_finite : int (k,), those of them that hold NaN or infinity
    """
    decoder, norms = np.zeros(weights.shape, np.float32), np.empty(len(weights))
    for start in range(0, len(weights), 1024):  # in float64, a block at a time to stay small
        rows = weights[start : start + 1024].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        live = np.isfinite(norm) & (norm >= SMALLEST_NORM)
        decoder[start : start + 1024][live] = rows[live] / norm[live, None]
        norms[start : start + 1024] = norm
    finite = np.isfinite(norms)
    return decoder, np.flatnonzero(~finite | (norms < SMALLEST_NORM)), np.flatnonzero(~finite)


def main(snakemake) -> None:
    """Read, normalise, check, write."""
    with job_log(snakemake) as log:
        row, revision = snakemake.params.sae, snakemake.input.revision
        commit = load_record(revision)["commit"] if revision else None
        weights = read_decoder(row, snakemake.input.weights, commit)
        decoder, dead, not_finite = unit_rows(weights)
        name = f"{row['repo'] or ''} {row['weights']}".strip()
        if len(dead) == len(decoder):
            raise UserError(
                f"{name}: {row['tensor']} gives no feature a direction: {len(not_finite)} of {len(decoder)} rows hold"
                " NaN or infinity, the others are zero. Check the tensor's name, or export the file again"
            )
        save_npy(snakemake.output.decoder, decoder)
        record = row | {"commit": commit, "dtype": weights.dtype.name}
        record |= {"dead": dead.tolist(), "notFinite": not_finite.tolist()}
        save_record(snakemake.output.record, {key: value for key, value in record.items() if value is not None})
        counts = (*decoder.shape, len(dead), len(not_finite))
        log.info("%s: %d features of %d dimensions, %d dead, of which %d not finite", name, *counts)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
