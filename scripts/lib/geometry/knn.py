"""Exact cosine nearest neighbours at nearly the speed of the matrix products they need.

The product of the decoder with itself is symmetric, so only the blocks of its upper triangle are computed, each by one
thread, and no more than one block per thread is ever in memory. A small heap holds the best products of each row; the
least of them is a threshold that rejects nearly all others with one comparison. Two decoders are searched likewise, one
stacked on the other: a border between them leaves only the blocks of one with the other.

Products in float32 are fast but depend on the order in which the BLAS at hand adds. They only select candidates, which
are ranked again by float64 products, summed in a fixed order. A bound on the float32 error proves that none is
missing; a row for which it cannot (one of hundreds of equal rows, say) is compared with every other. So the result does
not depend on the BLAS, the block size or the number of threads.
"""

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from threading import Lock

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from lib.geometry.live import expand_to_all, select_rows
from lib.geometry.parallel import in_threads

# Rows of a block: its products (1 MiB) stay in a core's cache while they are searched.
BLOCK = 512
# Products compared with their thresholds at a time.
LANES = 32
# Rows compared with all others at a time, which bounds the memory.
FEW = 64
# Relative error of rounding to float32.
FLOAT32 = 2.0**-24


def nearest_neighbors(decoder: np.ndarray, k: int, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of highest cosine for every row; the same bytes for every number of threads.

    decoder : float32 (n, d), rows of norm 1, or all zeros (dead features)

    Returns indices int32 (n, min(k, n - 1)), self excluded, by descending similarity, ties by lower index, and
    similarities float32 of that shape, at most 1; -1 and 0 for dead rows, and where there are fewer than k others.
    """
    live = decoder.any(axis=1)
    neighbors = nearest_rows(select_rows(decoder, live), min(k, len(decoder) - 1), threads)
    return expand_to_all(*neighbors, live)


def _error_of_products(width: int) -> float:
    """Bound on |float32 product - exact product| of rows of norm 1, whatever the order of the additions.

    Higham, Accuracy and Stability of Numerical Algorithms, section 3.1; with room for the final rounding.
    """
    return 1.01 * width * FLOAT32 / (1 - width * FLOAT32) + 4 * FLOAT32


def nearest_rows(rows: np.ndarray, k: int, threads: int, border: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest others of each row, as in `nearest_neighbors`; with a border, only those on its other side count.

    rows : float32 (m, d), of norm 1; border : the first row of the second part
    """
    m = len(rows)
    indices = np.full((m, k), -1, np.int32)
    similarities = np.zeros((m, k), np.float32)
    # More candidates than k, so that few rows, usually none, need the full comparison.
    candidates = k + 8 + k // 4
    products = np.full((m, candidates), -np.inf, np.float32)
    columns = np.full((m, candidates), -1, np.int32)
    thresholds = np.full(m, -np.inf, np.float32)
    error = _error_of_products(rows.shape[1])

    # One BLAS thread for each of ours.
    with threadpool_limits(1, user_api="blas"):
        for_each_block(rows, threads, lambda *block: _collect(*block, products, columns, thresholds), border)

        def rank(start: int) -> None:
            part = slice(start, start + BLOCK)
            _rank_candidates(rows, start, products[part], columns[part], error, indices[part], similarities[part])

        with in_threads(threads) as run:
            run(rank, range(0, m, BLOCK))

        # Every row that is not a candidate has a product of at most the threshold, which is -inf until there are many.
        unproved = np.flatnonzero(similarities[:, -1] <= thresholds + np.float64(error))
        indices[unproved], similarities[unproved] = compare_with_all(rows, unproved, k, threads, border)
    return indices, similarities


def for_each_block(
    rows: np.ndarray, threads: int, visit: Callable[[np.ndarray, int, int], None], border: int | None = None
) -> None:
    """Compute the upper triangle of `rows @ rows.T` block by block; `visit` each, one at a time.

    With a border, only the products of the rows before it with the others.
    `visit(products, first_row, first_column)` receives a view that is valid only until it returns.
    """
    pairs = _pairs_of_blocks(len(rows), border)
    buffers = deque(np.empty(BLOCK * BLOCK, np.float32) for _ in range(threads))
    locks = {block.start: Lock() for pair in pairs for block in pair}

    def multiply(pair: tuple[slice, slice]) -> None:
        a, b = (block.start for block in pair)
        left, right = (rows[block] for block in pair)
        buffer = buffers.pop()
        products = np.matmul(left, right.T, out=buffer[: len(left) * len(right)].reshape(len(left), len(right)))
        # a < b: every thread takes its locks in the same order, so they cannot deadlock.
        with locks[a], locks[b] if a < b else nullcontext():
            visit(products, a, b)
        buffers.append(buffer)

    with in_threads(threads) as run:
        run(multiply, pairs)


def _pairs_of_blocks(m: int, border: int | None) -> list[tuple[slice, slice]]:
    """The blocks to multiply, diagonal by diagonal: row by row, all threads would wait for the lock of one row."""
    left, right = _blocks(0, border or m), _blocks(border or 0, m)
    turns = [(a, right[(row + shift) % len(right)]) for shift in range(len(right)) for row, a in enumerate(left)]
    return [(a, b) for a, b in turns if a.start <= b.start]


def _blocks(first: int, last: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, last)) for start in range(first, last, BLOCK)]


@njit(nogil=True, cache=True)
def _collect(block, first_row, first_column, products, columns, thresholds):
    """Enter the products of a block into the heaps of their rows and columns, those above the thresholds."""
    height, width = block.shape
    for i in range(height):
        row = first_row + i
        for start in range(0, width, LANES):
            stop = min(start + LANES, width)
            hits = 0
            # No branch: compiled to vector instructions.
            for j in range(start, stop):
                product = block[i, j]
                hits += (product > thresholds[row]) | (product > thresholds[first_column + j])
            if hits == 0:
                continue
            for j in range(start, stop):
                column = first_column + j
                if row >= column:
                    continue
                if block[i, j] > thresholds[row]:
                    thresholds[row] = _replace_least(products[row], columns[row], block[i, j], column)
                if block[i, j] > thresholds[column]:
                    thresholds[column] = _replace_least(products[column], columns[column], block[i, j], row)


@njit(nogil=True, cache=True)
def _replace_least(products, columns, product, column):
    """Replace the least product of a heap; return the new least."""
    node = 0
    while True:
        child = 2 * node + 1
        if child >= len(products):
            break
        if child + 1 < len(products) and products[child + 1] < products[child]:
            child += 1
        if products[child] >= product:
            break
        products[node] = products[child]
        columns[node] = columns[child]
        node = child
    products[node] = product
    columns[node] = column
    return products[0]


@njit(nogil=True, cache=True)
def _rank_candidates(rows, start, products, columns, error, indices, similarities):
    """Rank the candidates of rows start, start + 1, ... exactly."""
    for i in range(len(products)):
        _rank(rows, start + i, products[i], columns[i], error, indices[i], similarities[i])


@njit(nogil=True, cache=True)
def _rank(rows, row, products, columns, error, indices, similarities):
    """Rank exactly the `columns` of which a product says that they may be among the k best of a row; -inf is none."""
    least = max(np.sort(products)[-len(indices)] - 2 * error, -2)
    rank_by_cosine(rows, row, columns[products >= least], indices, similarities)


@njit(nogil=True, cache=True)
def rank_by_cosine(rows, row, others, indices, similarities):
    """Enter the best of `others`: by descending cosine in float64 rounded to float32, ties by lower index."""
    k = len(indices)
    filled = 0
    for other in others:
        cosine = np.float32(min(dot(rows[row], rows[other]), 1.0))
        rank = filled
        while rank > 0 and (
            similarities[rank - 1] < cosine or (similarities[rank - 1] == cosine and indices[rank - 1] > other)
        ):
            if rank < k:
                indices[rank] = indices[rank - 1]
                similarities[rank] = similarities[rank - 1]
            rank -= 1
        if rank < k:
            indices[rank] = other
            similarities[rank] = cosine
            filled = min(filled + 1, k)


@njit(nogil=True, cache=True)
def dot(left, right):
    """Product of two float32 rows, in float64, always summed in the same order."""
    sums = np.zeros(16)
    whole = len(left) - len(left) % 16
    for start in range(0, whole, 16):
        for lane in range(16):
            sums[lane] += np.float64(left[start + lane]) * np.float64(right[start + lane])
    for j in range(whole, len(left)):
        sums[j - whole] += np.float64(left[j]) * np.float64(right[j])
    return sums.sum()


def compare_with_all(
    rows: np.ndarray, part: np.ndarray, k: int, threads: int = 1, border: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest others of the rows `part`, int (p,), from all their products: slow, but right whatever the rows.

    There must be k others; the rest as in `nearest_rows`.
    """
    indices = np.full((len(part), k), -1, np.int32)
    similarities = np.zeros((len(part), k), np.float32)
    error = _error_of_products(rows.shape[1])
    columns = np.arange(len(rows), dtype=np.int32)

    def compare(start: int) -> None:
        few = part[start : start + FEW]
        products = rows[few] @ rows.T
        for i, row in enumerate(few):
            if border is None:
                products[i, row] = -np.inf
            else:
                products[i, slice(border) if row < border else slice(border, None)] = -np.inf
            _rank(rows, row, products[i], columns, error, indices[start + i], similarities[start + i])

    with in_threads(threads) as run:
        run(compare, range(0, len(part), FEW))
    return indices, similarities
