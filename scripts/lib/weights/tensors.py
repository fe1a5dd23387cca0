"""Read one tensor from an .npz or .safetensors file, after checking its type and shape against the catalogue.

Formats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (in a zip archive) and
https://github.com/huggingface/safetensors#format.
"""

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open

from lib.job import UserError

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": BFLOAT16}  # by their names in safetensors
# What malformed files raise in the libraries and in the parsing below.
MALFORMED = (zipfile.BadZipFile, zlib.error, struct.error, SafetensorError, OSError, EOFError)
MALFORMED += (ValueError, KeyError, TypeError, AttributeError, NotImplementedError, OverflowError)


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
        if name.endswith(".safetensors"):
            return _read_safetensors(file, tensor, shape)
        with file.open("rb") if isinstance(file, Path) else file as stream:
            return _read_npz(stream, tensor, shape)
    except TensorError as error:
        raise TensorError(f"{name}: {error}") from error
    except MALFORMED as error:
        raise TensorError(f"{name}: damaged or incomplete ({error}); fetch or export it again") from error


def _read_npz(stream: BinaryIO, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    with zipfile.ZipFile(stream) as archive:
        _check_held(tensor, [name.removesuffix(".npy") for name in archive.namelist()])
        member = archive.getinfo(f"{tensor}.npy")
        with archive.open(member) as npy:
            old = np.lib.format.read_magic(npy) == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
            stored, fortran, dtype = read_header(npy)
            header_length = npy.tell()
    dtype = BFLOAT16 if dtype.str == "|V2" else dtype  # numpy's own format has no name for bfloat16
    _check(tensor, dtype.name, stored, shape)
    # The member follows its local header: 30 bytes that end with the lengths of two fields, then these fields.
    stream.seek(member.header_offset + 26)
    stream.seek(member.header_offset + 30 + sum(struct.unpack("<HH", stream.read(4))))
    content = stream.read(member.compress_size)
    if member.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompress(content, wbits=-zlib.MAX_WBITS)
    if zlib.crc32(content) != member.CRC:
        raise ValueError(f"the CRC-32 of {tensor} is wrong")
    return np.frombuffer(content, dtype, offset=header_length).reshape(shape, order="F" if fortran else "C")


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
    start, end = entry["data_offsets"]
    file.seek(8 + header_length + start)
    return np.frombuffer(file.read(end - start), DTYPES[entry["dtype"]]).reshape(shape)


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
