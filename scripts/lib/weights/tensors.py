"""Find one tensor inside an .npz or .safetensors file and read its bytes alone.

The file may be anywhere: a `Source` only has to give byte ranges (`LocalFile` here, `hub.RemoteFile`).
Formats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, zip as read by the standard
library, and https://github.com/huggingface/safetensors#format.
"""

import io
import json
import math
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import ml_dtypes
import numpy as np

from lib.job import UserError

DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype(ml_dtypes.bfloat16)}
BLOCK = 4096  # bytes read around a small request, so that headers and the zip directory cost a request each
LARGEST_HEADER = 100_000_000  # bytes; the safetensors library's own limit


class TensorError(UserError):
    """The file does not hold the tensor that was asked for. Names file, what was found, what was expected."""


class DamagedTensorError(TensorError):
    """The bytes are not those that were written: a wrong checksum, no directory where one should be."""


class CompressedMemberError(TensorError):
    """The tensor is compressed inside its file: it cannot be read by ranges, only through the whole file."""


class Source(Protocol):
    """Bytes by range. `name` is what error messages call it, `size` its length in bytes."""

    name: str
    size: int

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` with the bytes from `offset` on, all of them or raise."""


class LocalFile:
    """A file on disk as a `Source`, called `name` in messages if that says more than its path."""

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        self.path = Path(path)
        self.name = name or str(path)
        self.size = self.path.stat().st_size

    def read_into(self, offset: int, target: memoryview) -> None:
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            filled = 0
            while filled < len(target):
                count = file.readinto(target[filled:])
                if not count:
                    raise TensorError(f"{self.name}: ends after {offset + filled} bytes, it is cut short")
                filled += count


@dataclass(frozen=True)
class Span:
    """Where a tensor lies: `offset` and `length` in bytes, and how to read it.

    `shape` and `dtype` as the file declares them; `fortran` for column-major npy; `crc32` covers `head` (the
    npy header) and the tensor's bytes, None where the format has no checksum.
    """

    offset: int
    length: int
    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool = False
    crc32: int | None = None
    head: bytes = b""


def read_tensor(source: Source, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read `tensor` of `source`, which must have exactly `shape`; nothing is read before that is known.

    Returns
    -------
    ndarray of `shape`, in the file's own float32, float16 or bfloat16.

    Raises
    ------
    TensorError : missing tensor, other shape or dtype, damaged file (`DamagedTensorError`).
    CompressedMemberError : see there; raised for every source but a `LocalFile`, which is decompressed.
    """
    try:
        span = find_tensor(source, tensor)
    except CompressedMemberError:
        if not isinstance(source, LocalFile):
            raise
        return _read_compressed(source, tensor, shape)
    _check_shape(source, tensor, span.shape, shape)
    values = np.empty(span.length, dtype=np.uint8)
    source.read_into(span.offset, memoryview(values))
    if span.crc32 is not None and zlib.crc32(values, zlib.crc32(span.head)) != span.crc32:
        raise DamagedTensorError(
            f"{source.name}: {tensor} is damaged, its CRC-32 is not the one in the zip directory"
        )
    values = values.view(span.dtype)
    return values.reshape(shape[::-1]).T if span.fortran else values.reshape(shape)


def find_tensor(source: Source, tensor: str) -> Span:
    """Locate `tensor` from the file's directory alone: a few kilobytes.

    Raises
    ------
    TensorError : another format, no such tensor (the message lists those there are), not a supported dtype.
    CompressedMemberError : the zip member is compressed.
    """
    if source.name.endswith(".npz"):
        return _find_in_npz(source, _Window(source), tensor)
    if source.name.endswith(".safetensors"):
        return _find_in_safetensors(source, _Window(source), tensor)
    raise TensorError(f"{source.name}: expected a file named .npz or .safetensors")


def _find_in_npz(source: Source, file: io.RawIOBase, tensor: str) -> Span:
    try:
        with zipfile.ZipFile(file) as archive:
            member = _member(source, archive, tensor)
        if member.compress_type != zipfile.ZIP_STORED:
            raise CompressedMemberError(f"{source.name}: {tensor} is compressed")
        file.seek(member.header_offset)
        signature, name_length, extra_length = struct.unpack("<4s22xHH", file.read(30))
        if signature != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"no {tensor} where the directory says")
        start = file.seek(name_length + extra_length, os.SEEK_CUR)
        dtype, shape, fortran = _npy_header(file)
        head_length = file.tell() - start
        file.seek(start)
        head = file.read(head_length)
    except (zipfile.BadZipFile, EOFError, struct.error) as error:
        raise DamagedTensorError(f"{source.name}: is not a whole zip archive: {error}") from error
    span = Span(
        offset=start + head_length,
        length=member.file_size - head_length,
        dtype=_supported(source, tensor, dtype),
        shape=shape,
        fortran=fortran,
        crc32=member.CRC,
        head=head,
    )
    return _checked_size(source, tensor, span)


def _member(source: Source, archive: zipfile.ZipFile, tensor: str) -> zipfile.ZipInfo:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if tensor not in names:
        raise TensorError(f"{source.name}: holds no tensor {tensor}; it holds {', '.join(sorted(names))}")
    return archive.infolist()[names.index(tensor)]


def _npy_header(stream: io.IOBase) -> tuple[np.dtype, tuple[int, ...], bool]:
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(stream)
    except ValueError as error:
        raise zipfile.BadZipFile(f"a member is no .npy file ({error})") from error
    return dtype, shape, fortran


def _find_in_safetensors(source: Source, file: io.RawIOBase, tensor: str) -> Span:
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else LARGEST_HEADER
    try:
        if length > min(LARGEST_HEADER, source.size - 8):
            raise ValueError("its first bytes announce no header")
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        entry = header[tensor]
        start, end = entry["data_offsets"]
        dtype, shape = DTYPES.get(entry["dtype"]), tuple(entry["shape"])
    except KeyError as error:
        if error.args != (tensor,):
            raise TensorError(f"{source.name}: the header entry of {tensor} lacks {error}") from error
        held = ", ".join(sorted(header))
        raise TensorError(f"{source.name}: holds no tensor {tensor}; it holds {held}") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DamagedTensorError(f"{source.name}: is no safetensors file: {error}") from error
    if dtype is None:
        raise TensorError(f"{source.name}: {tensor} is {entry['dtype']}, expected one of {', '.join(DTYPES)}")
    return _checked_size(source, tensor, Span(8 + length + start, end - start, dtype, shape))


def _supported(source: Source, tensor: str, dtype: np.dtype) -> np.dtype:
    if dtype.kind == "V" and dtype.itemsize == 2:  # how numpy writes ml_dtypes.bfloat16
        return DTYPES["BF16"]
    if dtype.kind == "f" and dtype.itemsize in (2, 4):
        return dtype
    raise TensorError(f"{source.name}: {tensor} is {dtype}, expected float32, float16 or bfloat16")


def _checked_size(source: Source, tensor: str, span: Span) -> Span:
    needed = math.prod(span.shape) * span.dtype.itemsize
    if span.length != needed or span.offset + span.length > source.size:
        raise TensorError(
            f"{source.name}: {tensor} of shape {span.shape} and {span.dtype} needs {needed} bytes, the file"
            f" ({source.size} bytes) gives it {span.length} from byte {span.offset} on"
        )
    return span


def _check_shape(source: Source, tensor: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        hint = ""
        if found == expected[::-1]:
            hint = " (it lies transposed: turn weights.shape around?)"
        raise TensorError(
            f"{source.name}: {tensor} has shape {found}, expected {expected} from the catalogue{hint}"
        )


def _read_compressed(source: LocalFile, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        with (
            zipfile.ZipFile(source.path) as archive,
            archive.open(_member(source, archive, tensor)) as stream,
        ):
            dtype, found, fortran = _npy_header(stream)
            dtype = _supported(source, tensor, dtype)
            _check_shape(source, tensor, found, shape)
            values = np.empty(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
            if stream.readinto(values) != len(values) or stream.read(1):
                raise zipfile.BadZipFile(f"{tensor} is not as long as its header says")
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise TensorError(f"{source.name}: {tensor} cannot be decompressed: {error}") from error
    values = values.view(dtype)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


class _Window(io.RawIOBase):
    """A `Source` as a seekable file that remembers the blocks it read: for directories and headers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, target: memoryview) -> int:
        length = min(len(target), self._source.size - self._position)
        if length <= 0:
            return 0
        block, start = self._block(self._position, length)
        offset = self._position - start
        target[:length] = block[offset : offset + length]
        self._position += length
        return length

    def _block(self, position: int, length: int) -> tuple[bytes, int]:
        for start, block in self._blocks.items():
            if start <= position and position + length <= start + len(block):
                return block, start
        start = min(position, max(0, self._source.size - BLOCK))
        block = bytearray(min(max(length + position - start, BLOCK), self._source.size - start))
        self._source.read_into(start, memoryview(block))
        self._blocks[start] = bytes(block)
        return self._blocks[start], start
