"""Tensors in .npz and .safetensors files, whole and damaged ones, on disk and as the stream of a remote file."""

import io
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save

from lib.errors import UserError
from lib.weights.tensors import read_decoder

SHAPE = (40, 24)
VALUES = np.random.default_rng(3).standard_normal(SHAPE, dtype=np.float32)


def npz(savez=np.savez, **arrays):
    content = io.BytesIO()
    savez(content, **arrays)
    return content.getvalue()


class Stream(io.BytesIO):
    """May have a name."""


@pytest.fixture(params=["file", "stream"])
def read(request, tmp_path):
    """`read(content, name)`: W_dec of a file of that content, on disk or as a stream, which is float32."""

    def read(content, name, shape=SHAPE):
        path, stream = tmp_path / name, Stream(content)
        path.write_bytes(content)
        stream.name = name
        sizes = dict(zip(("features", "d_model"), shape, strict=True))
        return read_decoder(lambda _: path.open("rb") if request.param == "file" else stream, name, "W_dec", sizes)[0]

    return read


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ">f4", ml_dtypes.bfloat16])
@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_of_every_float_type(read, dtype, savez, order):
    stored = np.asarray(VALUES.astype(dtype), order=order)
    values = read(npz(savez, W_enc=VALUES, W_dec=stored), "params.npz")
    np.testing.assert_array_equal(values, stored.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_safetensors_of_every_float_type(read, dtype):
    stored = VALUES.astype(dtype)
    values = read(save({"W_enc": VALUES, "W_dec": stored}, metadata={"format": "np"}), "sae.safetensors")
    np.testing.assert_array_equal(values, stored.astype(np.float32))


def test_zip64_directory(read, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    content = npz(W_enc=VALUES, W_dec=VALUES)
    assert b"PK\x06\x07" in content  # the locator of a zip64 directory
    np.testing.assert_array_equal(read(content, "params.npz"), VALUES)


@pytest.mark.parametrize(("write", "name"), [(npz, "params.npz"), (lambda **each: save(each), "sae.safetensors")])
def test_what_is_not_in_the_catalogue_is_refused(read, write, name):
    with pytest.raises(UserError, match=rf"{name}: holds no tensor W_dec; it holds W_enc, b_enc"):
        read(write(W_enc=VALUES, b_enc=VALUES), name)
    with pytest.raises(UserError, match=r"W_dec has shape \(40, 24\), expected \(40, 25\) from the catalogue$"):
        read(write(W_dec=VALUES), name, (40, 25))
    with pytest.raises(UserError, match=r"expected \(24, 40\) .*transposed"):
        read(write(W_dec=VALUES), name, (24, 40))
    for dtype in (np.float64, np.int32):
        with pytest.raises(UserError, match="expected float32, float16 or bfloat16"):
            read(write(W_dec=VALUES.astype(dtype)), name)


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_a_flipped_bit_in_an_npz_is_noticed(read, savez):
    content = bytearray(npz(savez, W_dec=VALUES))
    content[len(content) // 2] ^= 1
    with pytest.raises(UserError, match=r"params\.npz: .*W_dec"):
        read(content, "params.npz")


def overlong_npz():
    npy, content = io.BytesIO(), io.BytesIO()
    np.save(npy, VALUES)
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W_dec.npy", npy.getvalue() + bytes(2**26))
    return content.getvalue()


def overlong_safetensors():
    return save({"W_dec": np.zeros(2**24, np.float32)}).replace(b"[16777216]", b"[40, 24]  ")


@pytest.mark.parametrize(("make", "name"), [(overlong_npz, "params.npz"), (overlong_safetensors, "sae.safetensors")])
def test_values_beyond_the_shape_are_not_read(read, make, name):
    content = make()
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=name):
            read(content, name)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_values_that_begin_in_the_header_are_refused(read):
    content = save({"W_dec": VALUES}).replace(b"[0,3840]}} ", b"[-4,3836]}}")
    with pytest.raises(UserError, match=r"sae.safetensors"):
        read(content, "sae.safetensors")


def test_objects_are_never_unpickled(read):
    with pytest.raises(UserError, match="W_dec is object"):
        read(npz(W_dec=VALUES.astype(object)), "params.npz")


@pytest.mark.parametrize("name", ["params.npz", "sae.safetensors", "params.pt"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<!DOCTYPE html><html>Sorry</html>",
        b"PK\x03\x04 cut short",
        b"\x11\0\0\0\0\0\0\0[1, 2, 3, 4, 5, 6]",
        b'\x1d\0\0\0\0\0\0\0{"W_dec": {"dtype": "BF16"} } ',
        b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
    ],
)
def test_what_is_no_tensor_file_is_refused_by_name(read, name, content):
    with pytest.raises(UserError, match=name):
        read(content, name)


@pytest.mark.parametrize("name", ["params.npz", "sae.safetensors"])
def test_every_truncation_is_noticed(read, name):
    content = npz(W_dec=VALUES) if name == "params.npz" else save({"W_dec": VALUES})
    for length in range(0, len(content) - 1, 97):
        with pytest.raises(UserError, match=name):
            read(content[:length], name)
        with pytest.raises(UserError, match=name):
            read(content[length + 1 :], name)


@pytest.mark.parametrize("axes", [("features", "d_model"), ("d_model", "features"), ("features", "outputs", "d_model")])
def test_memory_holds_the_decoder_and_a_block_or_two(tmp_path, monkeypatch, axes):
    monkeypatch.setattr("lib.weights.tensors.BLOCK", 2**17)
    sizes = {axis: {"features": 2048, "d_model": 512, "outputs": 3}[axis] for axis in axes}
    path = tmp_path / "sae.safetensors"
    path.write_bytes(save({"W_dec": np.ones(tuple(sizes.values()), ml_dtypes.bfloat16)}))
    tracemalloc.start()
    try:
        decoder, dtype = read_decoder(lambda name: path.open("rb"), path.name, "W_dec", sizes)
        assert tracemalloc.get_traced_memory()[1] < decoder.nbytes + 2**20
    finally:
        tracemalloc.stop()
    assert (decoder.shape, dtype) == ((2048, 512), "bfloat16")
    assert np.unique(decoder).tolist() == [sizes.get("outputs", 1)]
