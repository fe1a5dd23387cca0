"""Exact cosine nearest neighbours, near the speed of the matrix products they need.

The product of the decoder with itself is symmetric, so only the blocks of its upper triangle are computed,
each by one thread, and no more than one block a thread is ever in memory. A small heap keeps each row's best
products so far; the least of them is a threshold that throws out nearly all others with one comparison.

Products in float32 are fast but depend on how the BLAS at hand adds up. They only choose candidates: those
are ranked again by products in float64, added in a fixed order, and a bound on the float32 error proves that
no candidate is missing. A row for which it cannot be proved (hundreds of equal rows, say) is compared with
every other. So the result does not depend on the BLAS, the block size or the number of threads.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

BLOCK = 512  # rows: one block of products (1 MiB) stays in a core's cache while it is searched
LANES = 32  # products compared with their thresholds at a time
FLOAT32 = 2.0**-24  # relative error of rounding to float32
NORM_TOLERANCE = 1e-4


def nearest_neighbors(decoder: np.ndarray, k: int, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of highest cosine for every row.

    decoder : float32 (n, d), rows of norm 1, or all zeros (a dead feature).
    Returns indices int32 (n, k') and similarities float32 (n, k'), k' = min(k, n - 1): the row itself
    excluded, descending, ties by lower index, at most 1. A dead row, and a place for which there is no other
    living row, has index -1 and similarity 0. The same arrays for every number of threads.
    Raises ValueError for k < 1, another shape or type, or a row whose norm is neither 1 nor 0.
    """
    if decoder.ndim != 2 or decoder.dtype != np.float32:
        raise ValueError(
            f"the decoder has shape {decoder.shape} and type {decoder.dtype}, expected float32 (n, d)"
        )
    if k < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    n = len(decoder)
    indices = np.full((n, min(k, max(n - 1, 0))), -1, np.int32)
    similarities = np.zeros(indices.shape, np.float32)
    alive = _living_rows(decoder)
    if len(alive) > 1:
        rows = np.ascontiguousarray(decoder if len(alive) == n else decoder[alive])
        found, cosines = _search(rows, min(k, len(alive) - 1), threads)
        indices[alive, : found.shape[1]] = alive[found]
        similarities[alive, : found.shape[1]] = cosines
    return indices, similarities


def approximate_neighbors(
    decoder: np.ndarray, k: int, threads: int = 1, seed: int = 42
) -> tuple[np.ndarray, np.ndarray]:
    """What `nearest_neighbors` returns, found by descent (pynndescent): for decoders too wide to compare all rows.

    A few of the neighbours are missed (`recall` says how many); the similarities of those found are exact, and their
    order is too. Time grows little faster than n, where the exact search grows with its square.
    """
    from pynndescent import NNDescent  # slow to import: scikit-learn

    n = len(decoder)
    indices = np.full((n, min(k, max(n - 1, 0))), -1, np.int32)
    similarities = np.zeros(indices.shape, np.float32)
    alive = _living_rows(decoder)
    if len(alive) <= k + 1:  # every living row is a neighbour: nothing to approximate
        return nearest_neighbors(decoder, k, threads)
    rows = np.ascontiguousarray(decoder if len(alive) == n else decoder[alive])
    # on rows of norm 1, the Euclidean distance orders as the cosine does, and costs less
    found, _ = NNDescent(
        rows, metric="euclidean", n_neighbors=k + 1, random_state=seed, n_jobs=threads, compressed=True
    ).neighbor_graph
    for row, others in enumerate(found):
        others = others[(others != row) & (others >= 0)][:k].astype(np.int32)
        _rank(rows, row, others, *(array[alive[row], : len(others)] for array in (indices, similarities)))
    indices[indices >= 0] = alive[indices[indices >= 0]]
    return indices, similarities


def recall(decoder: np.ndarray, indices: np.ndarray, k: int, sample: int = 500, seed: int = 0) -> float:
    """Share of the exact k nearest neighbours of `sample` living rows that are among the `indices` found for them."""
    alive = _living_rows(decoder)
    rows = np.ascontiguousarray(decoder if len(alive) == len(decoder) else decoder[alive])
    k = min(k, len(alive) - 1)
    sampled = np.random.default_rng(seed).permutation(len(alive))[:sample]
    if k < 1:
        return 1.0
    error = _error_of_products(rows.shape[1])
    exact = np.concatenate(
        [_compare_with_all(rows, sampled[i : i + 64], k, error)[0] for i in range(0, len(sampled), 64)]
    )
    return float((alive[exact][:, :, None] == indices[alive[sampled], None, :]).any(axis=2).mean())


def _living_rows(decoder: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", decoder, decoder, dtype=np.float64))
    wrong = np.flatnonzero(~((norms == 0) | (np.abs(norms - 1) <= NORM_TOLERANCE)))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {len(decoder)} decoder rows have neither norm 1 nor norm 0, "
            f"the first is row {wrong[0]} with norm {norms[wrong[0]]}: normalise the rows first"
        )
    return np.flatnonzero(norms).astype(np.int32)


def _error_of_products(width: int) -> float:
    """Bound on |float32 product - exact product| of rows of norm 1, whatever the order of the additions.

    Higham, Accuracy and Stability of Numerical Algorithms, section 3.1; with room for the final rounding.
    """
    return 1.01 * width * FLOAT32 / (1 - width * FLOAT32) + 4 * FLOAT32


def _search(rows: np.ndarray, k: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """k nearest neighbours of float32 (m, d) rows of norm 1, none of them dead, k < m."""
    m = len(rows)
    kept = min(k + 8 + k // 4, m - 1)  # a margin, so that few rows, usually none, need the full comparison
    products = np.full((m, kept), -np.inf, np.float32)
    columns = np.full((m, kept), -1, np.int32)
    floors = np.full(m, -np.inf, np.float32)
    error = _error_of_products(rows.shape[1])
    indices = np.empty((m, k), np.int32)
    similarities = np.empty((m, k), np.float32)
    complete = np.zeros(m, np.bool_)

    with threadpool_limits(1, user_api="blas"):  # one BLAS thread for each of ours
        for_each_block(rows, threads, lambda *block: _offer_block(*block, products, columns, floors))

        def rank(start: int) -> None:
            part = slice(start, start + BLOCK)
            candidates = (products[part], columns[part], floors[part])
            _rank_candidates(
                rows, start, *candidates, error, indices[part], similarities[part], complete[part]
            )

        _in_threads(threads, rank, range(0, m, BLOCK))

        def compare(part: np.ndarray) -> None:
            indices[part], similarities[part] = _compare_with_all(rows, part, k, error)

        unproved = np.flatnonzero(~complete)
        _in_threads(threads, compare, [unproved[i : i + 64] for i in range(0, len(unproved), 64)])
    return indices, similarities


def for_each_block(rows: np.ndarray, threads: int, visit: Callable[[np.ndarray, int, int], None]) -> None:
    """Compute the upper triangle of `rows @ rows.T` block by block; `visit` each, one at a time.

    `visit(products, first_row, first_column)` is given a view that holds only until it returns.
    """
    m = len(rows)
    starts = range(0, m, BLOCK)
    buffers = deque(np.empty(BLOCK * BLOCK, np.float32) for _ in range(threads))
    locks = {start: Lock() for start in starts}

    def multiply(block: tuple[int, int]) -> None:
        a, b = block
        left, right = rows[a : a + BLOCK], rows[b : b + BLOCK]
        buffer = buffers.pop()
        products = buffer[: len(left) * len(right)].reshape(len(left), len(right))
        np.matmul(left, right.T, out=products)
        # a < b: every thread takes its locks in the same order, so none waits for another in a circle.
        with locks[a], locks[b] if a < b else nullcontext():
            visit(products, a, b)
        buffers.append(buffer)

    _in_threads(threads, multiply, [(a, b) for a in starts for b in starts if a <= b])


def _in_threads(threads: int, work: Callable, items: Iterable) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):  # asking for the results raises what a thread raised
            pass


@njit(nogil=True, cache=True)
def _offer_block(block, first_row, first_column, products, columns, floors):
    """Offer every product of a block to the row and, beyond the diagonal, to the column it belongs to."""
    height, width = block.shape
    for i in range(height):
        row = first_row + i
        for start in range(0, width, LANES):
            stop = min(start + LANES, width)
            hits = 0
            for j in range(start, stop):  # no branch: compiled to vector instructions
                product = block[i, j]
                hits += (product > floors[row]) | (product > floors[first_column + j])
            if hits == 0:
                continue
            for j in range(start, stop):
                column = first_column + j
                if row >= column:
                    continue
                if block[i, j] > floors[row]:
                    floors[row] = _replace_least(products[row], columns[row], block[i, j], column)
                if block[i, j] > floors[column]:
                    floors[column] = _replace_least(products[column], columns[column], block[i, j], row)


@njit(nogil=True, cache=True)
def _replace_least(products, columns, product, column):
    """Put a product in place of the heap's least; return the new least."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= len(products):
            break
        if child + 1 < len(products) and products[child + 1] < products[child]:
            child += 1
        if products[child] >= product:
            break
        products[place] = products[child]
        columns[place] = columns[child]
        place = child
    products[place] = product
    columns[place] = column
    return products[0]


@njit(nogil=True, cache=True)
def _rank_candidates(rows, start, products, columns, floors, error, indices, similarities, complete):
    """Rank the candidates of rows start, start + 1, ... exactly, and say for which none can be missing."""
    k = indices.shape[1]
    found = np.empty(products.shape[1], np.int32)
    for i in range(len(products)):
        least = np.sort(products[i])[-k] - 2 * error  # below it, none can be among the k best
        count = 0
        for place in range(products.shape[1]):
            if products[i, place] >= least:
                found[count] = columns[i, place]
                count += 1
        _rank(rows, start + i, found[:count], indices[i], similarities[i])
        # Every row that is not a candidate has a product of at most the floor.
        complete[i] = products.shape[1] == len(rows) - 1 or similarities[i, -1] > floors[i] + error


@njit(nogil=True, cache=True)
def _rank(rows, row, others, indices, similarities):
    """The best of the other rows, descending by cosine in float64 rounded to float32, ties by lower index."""
    k = len(indices)
    filled = 0
    for other in others:
        cosine = np.float32(min(_cosine(rows[row], rows[other]), 1.0))
        place = filled
        while place > 0 and (
            similarities[place - 1] < cosine
            or (similarities[place - 1] == cosine and indices[place - 1] > other)
        ):
            if place < k:
                indices[place] = indices[place - 1]
                similarities[place] = similarities[place - 1]
            place -= 1
        if place < k:
            indices[place] = other
            similarities[place] = cosine
            filled = min(filled + 1, k)


@njit(nogil=True, cache=True)
def _cosine(left, right):
    """Product of two float32 rows of norm 1, in float64, always added up in the same order."""
    sums = np.zeros(16)
    whole = len(left) - len(left) % 16
    for start in range(0, whole, 16):
        for lane in range(16):
            sums[lane] += np.float64(left[start + lane]) * np.float64(right[start + lane])
    for j in range(whole, len(left)):
        sums[j - whole] += np.float64(left[j]) * np.float64(right[j])
    return sums.sum()


def _compare_with_all(
    rows: np.ndarray, part: np.ndarray, k: int, error: float
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of the rows `part` by a look at all their products, however many of them are equal."""
    indices = np.empty((len(part), k), np.int32)
    similarities = np.empty((len(part), k), np.float32)
    products = rows[part] @ rows.T
    for i, row in enumerate(part):
        products[i, row] = -np.inf
        least = np.partition(products[i], -k)[-k] - 2 * error
        others = np.flatnonzero(products[i] >= least).astype(np.int32)
        _rank(rows, row, others, indices[i], similarities[i])
    return indices, similarities
