"""layer-N.json -> layer-N.json.gz, without a time stamp: the same bytes for the same map."""

import gzip
from pathlib import Path

from lib.files import save_bytes
from lib.job import job_log


def main(snakemake) -> None:
    """Read, compress, write."""
    with job_log(snakemake) as log:
        plain = Path(snakemake.input.graph).read_bytes()
        packed = gzip.compress(plain, compresslevel=9, mtime=0)
        save_bytes(snakemake.output.gzip, packed)
        log.info("%d bytes to %d", len(plain), len(packed))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
