"""Write files whole or not at all, with the same bytes for the same content; read them with errors that name them."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from lib.errors import UserError


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` if the block succeeds and removed if it fails.

    The data are on disk before the rename, so neither a kill nor a power cut leaves half a file under `path`.

    Raises OSError: names the file, also if the disk is full.
    """
    path = Path(path)
    # Always the same name, so that the next run overwrites what a killed one left behind.
    aside = path.with_name(f".{path.name}.part")
    try:
        yield aside
        with aside.open("rb+") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except OSError as error:
        if error.filename:
            raise
        # The error of a full disk names no file, and NumPy's does not even say that the disk is full.
        reason = error.strerror or f"writing failed; is the disk full? ({error})"
        raise OSError(error.errno or errno.EIO, reason, str(path)) from error
    finally:
        aside.unlink(missing_ok=True)


def save_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with whole_file(path) as aside:
        aside.write_bytes(content)


def save_npy(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as .npy, without pickle."""
    with whole_file(path) as aside, aside.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def save_npz(path: str | os.PathLike, **arrays: np.ndarray) -> None:
    """Write named arrays as an uncompressed .npz, without pickle. NumPy gives the members a fixed date."""
    with whole_file(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def save_record(path: str | os.PathLike, record: dict, sort_keys: bool = True) -> None:
    """Write readable JSON: the record of a step, or a list such as the manifest, in the order of its keys."""
    text = json.dumps(record, indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    save_bytes(path, f"{text}\n".encode())


def load_npy(path: str | os.PathLike, mmap_mode: str | None = None) -> np.ndarray:
    """Read the array of an .npy file, without pickle."""
    with readable(path):
        return np.load(path, mmap_mode, allow_pickle=False)


# Read-only: only what is used of the array is read.
map_npy = partial(load_npy, mmap_mode="r")


def load_npz(path: str | os.PathLike, *names: str) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, without pickle: those of these names, or all."""
    with readable(path), np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in names or file.files}


def load_record(path: str | os.PathLike) -> dict:
    """Read a JSON file, such as a record that `save_record` wrote."""
    with readable(path):
        return json.loads(Path(path).read_bytes())


@contextmanager
def readable(path: str | os.PathLike, remedy: str = "delete it and run the same command again") -> Iterator[None]:
    """Turn whatever a parser raises about a file into an error that names it. `remedy` fits what the workflow wrote.

    Parsers of damaged files raise more kinds of exceptions than a list could hold.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or (isinstance(error, OSError) and error.filename):
            raise
        raise UserError(f"{path}: damaged or cut short ({error}); {remedy}") from error


def sha256(path: str | os.PathLike) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
