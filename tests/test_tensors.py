"""Tensors found and read inside .npz and .safetensors files, whole and damaged ones."""

import io
import zipfile

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save

from lib.weights.tensors import CompressedMemberError, LocalFile, TensorError, find_tensor, read_tensor

SHAPE = (40, 24)


def values(dtype=np.float32, shape=SHAPE):
    return np.random.default_rng(3).standard_normal(shape).astype(dtype)


def npz(path, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return LocalFile(path)


class Counting(LocalFile):
    """A local file that adds up what is read of it."""

    def __init__(self, path):
        super().__init__(path)
        self.reads = []

    def read_into(self, offset, target):
        self.reads.append((offset, len(target)))
        super().read_into(offset, target)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ">f4", ml_dtypes.bfloat16])
def test_npz_of_every_float_type(tmp_path, dtype):
    expected = values(dtype)
    found = read_tensor(npz(tmp_path / "params.npz", W_enc=values(), W_dec=expected), "W_dec", SHAPE)
    np.testing.assert_array_equal(found.astype(np.float32), expected.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_safetensors_of_every_float_type(tmp_path, dtype):
    path, expected = tmp_path / "sae.safetensors", values(dtype)
    path.write_bytes(save({"W_enc": values(), "W_dec": expected}, metadata={"format": "np"}))
    found = read_tensor(LocalFile(path), "W_dec", SHAPE)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.astype(np.float32), expected.astype(np.float32))


@pytest.mark.parametrize("compressed", [False, True])
def test_column_major_npz(tmp_path, compressed):
    expected = np.asfortranarray(values())
    file = npz(tmp_path / "params.npz", compressed, W_dec=expected)
    np.testing.assert_array_equal(read_tensor(file, "W_dec", SHAPE), expected)


def test_compressed_npz_is_read_whole(tmp_path):
    file = npz(tmp_path / "params.npz", compressed=True, W_dec=values())
    with pytest.raises(CompressedMemberError):
        find_tensor(file, "W_dec")
    np.testing.assert_array_equal(read_tensor(file, "W_dec", SHAPE), values())


def test_zip64_directory_is_understood(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    file = npz(tmp_path / "params.npz", W_enc=values(), W_dec=values(np.float16))
    assert b"PK\x06\x07" in file.path.read_bytes()  # the locator of a zip64 directory
    np.testing.assert_array_equal(read_tensor(file, "W_dec", SHAPE), values(np.float16))


def test_little_is_read_beside_the_tensor(tmp_path):
    shape = (1000, 256)
    npz(tmp_path / "params.npz", W_enc=values(shape=shape), W_dec=values(shape=shape))
    file = Counting(tmp_path / "params.npz")
    read_tensor(file, "W_dec", shape)
    assert len(file.reads) <= 4
    assert sum(length for _, length in file.reads) <= 1.02 * values(shape=shape).nbytes


def test_another_shape_is_refused_before_the_data_is_read(tmp_path):
    npz(tmp_path / "params.npz", W_dec=values(shape=(500, 300)))
    file = Counting(tmp_path / "params.npz")
    with pytest.raises(
        TensorError, match=r"params.npz: W_dec .*\(500, 300\), expected \(500, 301\) from the catalogue$"
    ):
        read_tensor(file, "W_dec", (500, 301))
    with pytest.raises(TensorError, match=r"expected \(300, 500\) .*it lies transposed"):
        read_tensor(file, "W_dec", (300, 500))
    assert sum(length for _, length in file.reads) < 30_000


def test_missing_tensor_names_those_there_are(tmp_path):
    with pytest.raises(TensorError, match=r"params.npz: holds no tensor W_dec; it holds W_enc, b_enc"):
        read_tensor(npz(tmp_path / "params.npz", W_enc=values(), b_enc=values()), "W_dec", SHAPE)
    path = tmp_path / "sae.safetensors"
    path.write_bytes(save({"W_enc": values()}))
    with pytest.raises(TensorError, match=r"sae.safetensors: holds no tensor W_dec; it holds W_enc"):
        read_tensor(LocalFile(path), "W_dec", SHAPE)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, object])
def test_other_types_are_refused(tmp_path, dtype):
    with pytest.raises(TensorError, match="expected float32, float16 or bfloat16"):
        read_tensor(npz(tmp_path / "params.npz", W_dec=values().astype(dtype)), "W_dec", SHAPE)


def test_a_flipped_bit_is_noticed(tmp_path):
    file = npz(tmp_path / "params.npz", W_enc=values(), W_dec=values())
    content = bytearray(file.path.read_bytes())
    content[find_tensor(file, "W_dec").offset + 1000] ^= 1
    file.path.write_bytes(content)
    with pytest.raises(TensorError, match="W_dec is damaged"):
        read_tensor(file, "W_dec", SHAPE)


def test_damaged_compressed_member(tmp_path):
    file = npz(tmp_path / "params.npz", compressed=True, W_dec=values())
    content = bytearray(file.path.read_bytes())
    content[len(content) // 2] ^= 1
    file.path.write_bytes(content)
    with pytest.raises(TensorError, match=r"params.npz.*W_dec"):
        read_tensor(file, "W_dec", SHAPE)


@pytest.mark.parametrize("name", ["params.npz", "sae.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<!DOCTYPE html><html>Sorry</html>",
        b"PK\x03\x04 cut short",
        b"\x10\0\0\0\0\0\0\0[1, 2, 3, 4, 5]",
    ],
)
def test_what_is_no_tensor_file_is_refused_by_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TensorError, match=name):
        read_tensor(LocalFile(path), "W_dec", SHAPE)


def test_every_truncation_is_noticed(tmp_path):
    for name, content in (("params.npz", io.BytesIO()), ("sae.safetensors", save({"W_dec": values()}))):
        if name == "params.npz":
            np.savez(content, W_dec=values())
            content = content.getvalue()
        path = tmp_path / name
        for length in range(0, len(content) - 1, 97):
            path.write_bytes(content[:length])
            with pytest.raises(TensorError, match=name):
                read_tensor(LocalFile(path), "W_dec", SHAPE)
