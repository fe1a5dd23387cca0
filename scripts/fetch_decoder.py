"""SAE weights, local or on Hugging Face -> decoder.npy: one row per feature, of norm 1.

decoder.npy is float32 (features, d_model). A row without a direction (norm below 1e-8, or not finite) is all zeros:
a dead feature. decoder.json records where the weights came from, and the dead features.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lib.errors import UserError
from lib.files import load_record, save_npy, save_record
from lib.job import job_log
from lib.weights.tensors import read_decoder

SMALLEST_NORM = 1e-8


def opener(row: dict, file: str | None, commit: str | None) -> Callable[[str], BinaryIO]:
    """What opens the files of the row's repository at `commit`, or those beside the local `file`."""
    if commit:
        from lib.weights.hub import open_file  # local files do not need the network's libraries

        return partial(open_file, row["repo"], commit)
    return lambda path: Path(file).with_name(Path(path).name).open("rb")


def unit_rows(weights: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale every row of `weights`, (n, d) of any float type, to norm 1.

    out : float32 (n, d) that receives the result, instead of a new array; may be `weights` itself

    Returns the decoder, the indices of its dead rows, and those of them that hold NaN or infinity.
    """
    decoder, norms = np.empty(weights.shape, np.float32) if out is None else out, np.empty((len(weights), 1))
    for start in range(0, len(weights), 1024):  # in float64, a block at a time to stay small
        block = slice(start, start + 1024)
        rows = weights[block].astype(np.float64)
        with np.errstate(all="ignore"):
            norms[block, 0] = np.sqrt(np.einsum("nd,nd->n", rows, rows))
            live = np.isfinite(norms[block]) & (norms[block] >= SMALLEST_NORM)
            decoder[block] = np.where(live, rows / norms[block], 0)
    return decoder, np.flatnonzero(~decoder.any(axis=1)), np.flatnonzero(~np.isfinite(norms))


if __name__ == "__main__":
    with job_log(snakemake) as log:
        row, revision = snakemake.params.sae, snakemake.input.revision
        commit = load_record(revision)["commit"] if revision else None
        open_file = opener(row, snakemake.input.weights, commit)
        shape = {axis: row.get(axis) for axis in row["shape"]}
        weights, dtype = read_decoder(open_file, row["weights"], row["tensor"], shape)
        decoder, dead, not_finite = unit_rows(weights, out=weights)
        name = f"{row['repo'] or ''} {row['weights']}".strip()
        # Three live features are a map: no later step knows of fewer.
        if (live := len(decoder) - len(dead)) < 3:
            raise UserError(
                f"{name}: {row['tensor']} gives only {live} of {len(decoder)} features a direction, too few for a map;"
                f" {len(not_finite)} rows hold NaN or infinity. Check the tensor's name, or export the file again"
            )
        save_npy(snakemake.output.decoder, decoder)
        record = row | {"commit": commit, "dtype": dtype}
        record |= {"dead": dead.tolist(), "notFinite": not_finite.tolist()}
        save_record(snakemake.output.record, {key: value for key, value in record.items() if value is not None})
        counts = (*decoder.shape, len(dead), len(not_finite))
        log.info("%s: %d features of %d dimensions, %d dead, of which %d not finite", name, *counts)
