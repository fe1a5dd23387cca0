"""A model's repository on Hugging Face -> revision.json: the commit that its branch or tag stands for.

Asked once a model, before any layer: all layers come from one commit, and from the same one after a pause.
"""

from lib.files import save_record
from lib.job import job_log
from lib.weights.hub import resolve_commit


def main(snakemake) -> None:
    """Ask, write."""
    with job_log(snakemake) as log:
        weights = snakemake.params.weights
        commit = resolve_commit(weights["repo"], weights["revision"])
        save_record(snakemake.output.revision, weights | {"commit": commit})
        log.info("%s: %s is commit %s", weights["repo"], weights["revision"], commit)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
