"""SAE weights, local or on Hugging Face -> decoder.npy: one row a feature, of norm 1.

decoder.npy is float32 (features, d_model). A row without a direction (norm below 1e-8, or not finite) is all zeros:
a dead feature. decoder.json records where the weights came from.
"""

import numpy as np

from lib.files import save_npy, save_record
from lib.job import UserError, job_log
from lib.weights import read_tensor

SMALLEST_NORM = 1e-8


def oriented(weights: np.ndarray, origin: str, features: int, d_model: int, shape: list[str]) -> np.ndarray:
    """The decoder as (features, d_model), its shape checked against the catalogue and never guessed.

    Parameters
    ----------
    weights : the tensor as stored
    shape : ["features", "d_model"], or ["d_model", "features"] where the file holds the transpose

    Raises
    ------
    UserError
        Shape or dtype is not what the catalogue says.
    """
    expected = tuple({"features": features, "d_model": d_model}[axis] for axis in shape)
    if weights.shape != expected:
        hint = " (the transpose: turn weights.shape around?)" if weights.shape == expected[::-1] else ""
        raise UserError(f"{origin} has shape {weights.shape}, expected {expected} from the catalogue{hint}")
    if weights.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise UserError(f"{origin} has dtype {weights.dtype}, expected float32, float16 or bfloat16")
    return weights if shape[0] == "features" else weights.T


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
    """Read, orient, normalise, write."""
    with job_log(snakemake) as log:
        row = snakemake.params.sae
        weights = read_tensor(snakemake.input.weights, row["tensor"])
        origin = f"{row['weights']}: {row['tensor']}"
        decoder, dead = unit_rows(oriented(weights, origin, row["features"], row["d_model"], row["shape"]))
        save_npy(snakemake.output.decoder, decoder)
        record = row | {"dtype": weights.dtype.name, "dead": dead.tolist()}
        save_record(snakemake.output.record, record)
        log.info("%s: %s features of %s dimensions, %d dead", origin, *decoder.shape, len(dead))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
