"""SAE weights in local files: .npz (numpy.savez) and .safetensors, in float32, float16 or bfloat16."""

import zipfile
from pathlib import Path

import ml_dtypes  # noqa: F401  (registers bfloat16 with numpy, which safetensors needs)
import numpy as np
from safetensors import SafetensorError, safe_open

from lib.job import UserError


def read_tensor(path: str, tensor: str) -> np.ndarray:
    """Read one tensor of an SAE file as it is stored.

    Raises
    ------
    UserError
        The file is missing, broken, or holds no such tensor; the message names it and what it does hold.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; the catalogue names it as the weights")
    try:
        if path.endswith(".safetensors"):
            with safe_open(path, framework="numpy") as file:
                return file.get_tensor(_present(tensor, file.keys(), path))
        with np.load(path, allow_pickle=False) as file:
            return file[_present(tensor, file.files, path)]
    except (SafetensorError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as SAE weights: {error}") from error


def _present(tensor: str, names: list[str], path: str) -> str:
    if tensor not in names:
        raise UserError(f"{path}: holds no tensor {tensor}; it holds {', '.join(sorted(names))}")
    return tensor
