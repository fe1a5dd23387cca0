"""Read one tensor from an .npz or .safetensors file, after checking its type and shape against the catalogue.

Formats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (in a zip archive) and
https://github.com/huggingface/safetensors#format.
"""

import json
import math
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

import ml_dtypes
import numpy as np
from safetensors import safe_open

from lib.errors import UserError

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": BFLOAT16}  # by their names in safetensors


class TensorError(UserError):
    """The file is damaged, or does not hold the tensor that the catalogue describes."""


def read_tensor(file: Path | BinaryIO, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read `tensor` from a local file, or from a seekable stream over a remote file, called by its `name` in errors.

    Of a stream, only the file's directory is read before type and shape are known to be right. Raises `TensorError`.

    Returns
    -------
    array of `shape`, in the file's own float32, float16 or bfloat16
    """
    name = str(file) if isinstance(file, Path) else file.name
    if not name.endswith((".npz", ".safetensors")):
        raise TensorError(f"{name}: expected a file named .npz or .safetensors")
    try:
        return (_read_npz if name.endswith(".npz") else _read_safetensors)(file, tensor, shape)
    except TensorError as error:
        raise TensorError(f"{name}: {error}") from error
    except UserError:
        raise
    # Parsers of malformed files raise more kinds of exceptions than a list could hold.
    except Exception as error:
        raise TensorError(f"{name}: damaged or incomplete ({error}); fetch or export it again") from error


def _read_npz(file: Path | BinaryIO, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    with zipfile.ZipFile(file) as archive:
        _check_held(tensor, [name.removesuffix(".npy") for name in archive.namelist()])
        with archive.open(f"{tensor}.npy") as npy:
            old = np.lib.format.read_magic(npy) == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
            stored, fortran, dtype = read_header(npy)
            dtype = BFLOAT16 if dtype.str == "|V2" else dtype  # numpy's own format has no name for bfloat16
            _check(tensor, dtype.name, stored, shape)
            # In one piece, which a remote file fetches in parallel. The byte more takes zipfile to the member's end,
            # where it checks the CRC-32; a longer member does not fit the shape.
            values = np.frombuffer(npy.read(math.prod(shape) * dtype.itemsize + 1), dtype)
            return values.reshape(shape, order="F" if fortran else "C")


def _read_safetensors(file: Path | BinaryIO, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(file, Path):
        with safe_open(file, "np") as local:
            _check_held(tensor, local.keys())
            entry = local.get_slice(tensor)
            _check(tensor, entry.get_dtype(), tuple(entry.get_shape()), shape)
            return local.get_tensor(tensor)
    (header_length,) = struct.unpack("<Q", file.read(8))
    if header_length > 100_000_000:  # the safetensors library's own limit
        raise ValueError("its first 8 bytes are not the length of a header")
    header = json.loads(file.read(header_length))
    _check_held(tensor, header.keys() - {"__metadata__"})
    entry = header[tensor]
    _check(tensor, entry["dtype"], tuple(entry["shape"]), shape)
    dtype, (start, end) = DTYPES[entry["dtype"]], entry["data_offsets"]
    if start < 0 or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{tensor} lies at {start} to {end}, which does not fit its shape")
    file.seek(8 + header_length + start)
    return np.frombuffer(file.read(end - start), dtype).reshape(shape)


def _check_held(tensor: str, held: list[str] | set[str]) -> None:
    if tensor not in held:
        raise TensorError(f"holds no tensor {tensor}; it holds {', '.join(sorted(held))}")


def _check(tensor: str, dtype: str, stored: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """`dtype` as safetensors or numpy call it."""
    if dtype not in (*DTYPES, "float32", "float16", "bfloat16"):
        raise TensorError(f"{tensor} is {dtype}, expected float32, float16 or bfloat16")
    if stored != shape:
        hint = "; it is transposed, swap the names in weights.shape" if stored == shape[::-1] else ""
        raise TensorError(f"{tensor} has shape {stored}, expected {shape} from the catalogue{hint}")
