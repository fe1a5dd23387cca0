"""Work on several threads. Kernels release the GIL; each writes only the rows of its own chunk."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

# Rows per task of a thread.
CHUNK = 1024


def ranges(n: int) -> list[tuple[int, int]]:
    """First row and end of each chunk of n rows."""
    return [(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]


@contextmanager
def in_threads(threads: int) -> Iterator[Callable]:
    """Yield run(work, items): it calls work(item) for each item, and waits for the end."""
    with ThreadPoolExecutor(threads) as pool:
        # A single thread is the caller's: handing each small task to another would cost a twentieth of a layout.
        each = map if threads == 1 else pool.map
        # A list of the results raises what a thread raised.
        yield lambda work, items: list(each(work, items))


@contextmanager
def chunks(n: int, threads: int) -> Iterator[Callable]:
    """Yield run(kernel, *arguments): it calls kernel(first, last, *arguments) for all n rows and waits for the end."""
    with in_threads(threads) as run:
        yield lambda kernel, *arguments: run(lambda chunk: kernel(*chunk, *arguments), ranges(n))
