"""A model's repository on Hugging Face -> revision.json: the commit that its branch or tag stands for.

Looked up once per model, before any layer: all layers come from one commit, also when a run is resumed.
"""

from pathlib import Path

from huggingface_hub import constants, snapshot_download

from lib.files import save_record
from lib.job import job_log
from lib.weights.hub import explained, look_up


def resolve_commit(repo_id: str, revision: str, path: str) -> str:
    """The commit, 40 hexadecimal digits, that a branch, tag or commit of `repo_id` stands for now.

    One small request, about a file that the repository should have; none offline, where the cache remembers the
    branches it has seen. Raises UserError, also for an answer that names no commit.
    """
    with explained(repo_id, f"revision {revision}"):
        if constants.is_offline_mode():
            # The folder of the cached commit, whichever files it holds.
            return Path(snapshot_download(repo_id, revision=revision, local_files_only=True)).name
        return look_up(repo_id, path, revision).commit_hash


if __name__ == "__main__":
    with job_log(snakemake) as log:
        weights = snakemake.params.weights
        commit = resolve_commit(weights["repo"], weights["revision"], snakemake.params.file)
        save_record(snakemake.output.revision, weights | {"commit": commit})
        log.info("%s: %s is commit %s", weights["repo"], weights["revision"], commit)
