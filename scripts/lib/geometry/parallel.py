"""Work on rows in chunks, on several threads. Kernels release the GIL; each writes only the rows of its own chunk."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

# Rows per task of a thread.
CHUNK = 1024


def ranges(n: int) -> list[tuple[int, int]]:
    """First row and end of each chunk of n rows."""
    return [(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]


@contextmanager
def chunks(n: int, threads: int) -> Iterator[Callable]:
    """Yield run(kernel, *arguments): it calls kernel(first, last, *arguments) for all n rows and waits for the end."""
    if threads == 1:
        # Half a thousand small tasks per chunk would cost a twentieth of the layout.
        yield lambda kernel, *arguments: kernel(0, n, *arguments)
        return
    with ThreadPoolExecutor(threads) as pool:

        def run(kernel: Callable, *arguments) -> None:
            list(pool.map(lambda chunk: kernel(*chunk, *arguments), ranges(n)))

        yield run
