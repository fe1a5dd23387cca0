"""decoder.npy of two adjacent layers -> matches-{m}.npz: the nearest feature of the other layer for every feature.

`forward` int32 (n,), for each feature of the first layer the nearest of the second; `forward_cosine` and
`forward_second` float32 (n,), the cosines of that feature and of the runner-up; `backward`, `backward_cosine` and
`backward_second`, the same for the features of the second layer. Exact, ties by lower index; dead features have -1 and
0.
"""

from lib.files import map_npy, save_npz
from lib.geometry.matches import match, mutual
from lib.job import job_log


def main(snakemake) -> None:
    """Read, match, write."""
    with job_log(snakemake) as log:
        left, right = map(map_npy, snakemake.input.decoders)
        matches = match(left, right, snakemake.threads)
        save_npz(snakemake.output.matches, **matches)
        pairs, *_ = mutual(matches)
        log.info("%d mutual matches of %d and %d features", len(pairs), len(left), len(right))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
