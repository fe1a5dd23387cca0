"""Read a decoder from an .npz or .safetensors file, after checking its type and shape against the catalogue.

Formats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (in a zip archive) and
https://github.com/huggingface/safetensors#format. The index of a split file names the file of each tensor.
"""

import json
import math
import struct
import zipfile
from collections.abc import Callable, Collection
from pathlib import PurePath
from typing import BinaryIO

import ml_dtypes
import numpy as np

from lib.errors import UserError
from lib.files import readable
from lib.progress import Progress

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": BFLOAT16}  # by their names in safetensors
BLOCK = 160 * 2**20  # bytes per read: 16 ranges of a remote file
LONGEST_HEADER = 100_000_000  # bytes: the safetensors library's own limit
REMEDY = "fetch or export it again"


def read_decoder(
    open_file: Callable[[str], BinaryIO], path: str, tensor: str, shape: dict[str, int | None]
) -> tuple[np.ndarray, str]:
    """Read the decoder `tensor` of the file `path`, block by block: memory holds the result and one block.

    Before type and shape are known to be right, only the file's directory is read.

    open_file : opens `path`, or a file beside it that an index names, as a seekable stream with a `name`
    shape : the sizes of the file's axes by name, in its order: `features`, `d_model`, and for a decoder that writes to
        several layers `outputs`, over which it is summed; a size may be None, for any

    Returns float32 (features, d_model), and the name of the file's own type: float32, float16 or bfloat16.

    Raises UserError: the file is damaged, or does not hold the tensor that the catalogue describes.
    """
    if path.endswith(".safetensors.index.json"):
        with open_file(path) as file, readable(file.name, REMEDY):
            files = json.loads(file.read(LONGEST_HEADER))["weight_map"]
            _check_held(file.name, tensor, files)
        path = str(PurePath(path).with_name(files[tensor]))
    with open_file(path) as file, readable(file.name, REMEDY):
        if not path.endswith((".npz", ".safetensors")):
            raise UserError(f"{file.name}: expected a file named .npz or .safetensors")
        return (_read_npz if path.endswith(".npz") else _read_safetensors)(file, tensor, shape)


def _read_npz(file: BinaryIO, tensor: str, shape: dict[str, int | None]) -> tuple[np.ndarray, str]:
    with zipfile.ZipFile(file) as archive:
        _check_held(file.name, tensor, [name.removesuffix(".npy") for name in archive.namelist()])
        with archive.open(f"{tensor}.npy") as npy:
            old = np.lib.format.read_magic(npy) == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
            stored, fortran, dtype = read_header(npy)
            dtype = BFLOAT16 if dtype.str == "|V2" else dtype  # numpy's own format has no name for bfloat16
            sizes = _checked(f"{file.name}: {tensor}", dtype.name, stored, shape)
            decoder = _read_values(npy, file.name, dtype, dict(reversed(sizes.items())) if fortran else sizes)
            # The read beyond the values takes zipfile to the member's end, where it checks the CRC-32.
            if npy.read(1):
                raise ValueError(f"{tensor} is longer than its shape")
            return decoder, dtype.name


def _read_safetensors(file: BinaryIO, tensor: str, shape: dict[str, int | None]) -> tuple[np.ndarray, str]:
    (header_length,) = struct.unpack("<Q", file.read(8))
    if header_length > LONGEST_HEADER:
        raise ValueError("its first 8 bytes are not the length of a header")
    header = json.loads(file.read(header_length))
    _check_held(file.name, tensor, header.keys() - {"__metadata__"})
    entry = header[tensor]
    dtype, (start, end) = DTYPES.get(entry["dtype"]), entry["data_offsets"]
    sizes = _checked(f"{file.name}: {tensor}", dtype.name if dtype else entry["dtype"], tuple(entry["shape"]), shape)
    if start < 0 or end - start != math.prod(sizes.values()) * dtype.itemsize:
        raise ValueError(f"{tensor} lies at {start} to {end}, which does not fit its shape")
    file.seek(8 + header_length + start)
    return _read_values(file, file.name, dtype, sizes), dtype.name


def _read_values(stream: BinaryIO, name: str, dtype: np.dtype, sizes: dict[str, int]) -> np.ndarray:
    """Read an array of these sizes, in C order, as float32 (features, d_model); `outputs` is the axis in the middle."""
    decoder = np.empty((sizes["features"], sizes["d_model"]), np.float32)
    first, *rest = sizes.values()
    rows = decoder if next(iter(sizes)) == "features" else decoder.T
    row_length = math.prod(rest) * dtype.itemsize
    progress = Progress(name, first * row_length, "MB", 1e6)
    step = max(1, BLOCK // row_length)
    for start in range(0, first, step):
        block = rows[start : start + step]
        values = np.frombuffer(stream.read(len(block) * row_length), dtype).reshape(len(block), *rest)
        block[:] = values if values.ndim == 2 else values.sum(axis=1, dtype=np.float32)
        progress.add(values.nbytes)
    return decoder


def _check_held(name: str, tensor: str, held: Collection[str]) -> None:
    if tensor not in held:
        raise UserError(f"{name}: holds no tensor {tensor}; it holds {', '.join(sorted(held))}")


def _checked(what: str, dtype: str, stored: tuple[int, ...], shape: dict[str, int | None]) -> dict[str, int]:
    """The stored sizes by axis, of the tensor `what`, if it is what the catalogue describes."""
    if dtype not in ("float32", "float16", "bfloat16"):
        raise UserError(f"{what} is {dtype}, expected float32, float16 or bfloat16")
    expected = tuple(shape.values())
    same_axes = len(stored) == len(expected)
    if not same_axes or any(size not in (None, held) for size, held in zip(expected, stored, strict=True)):
        hint = "; it is transposed, swap the names in weights.shape" if stored == expected[::-1] else ""
        wanted = str(expected).replace("None", "any")
        raise UserError(f"{what} has shape {stored}, expected {wanted} from the catalogue{hint}")
    return dict(zip(shape, stored, strict=True))
