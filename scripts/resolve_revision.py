"""A model's repository on Hugging Face -> revision.json: the commit that its branch or tag stands for.

Looked up once per model, before any layer: all layers come from one commit, also when a run is resumed.
"""

import re
from pathlib import Path
from urllib.parse import quote

from huggingface_hub import constants, snapshot_download

from lib.files import save_record
from lib.job import job_log
from lib.weights.hub import explained, get

COMMIT = re.compile(r"[0-9a-f]{40}")


def resolve_commit(repo_id: str, revision: str) -> str:
    """The commit, 40 hexadecimal digits, that a branch, tag or commit of `repo_id` stands for now.

    One small request; none for a full commit, or offline, where the cache remembers the branches it has seen.
    Raises UserError, also for an answer that is no commit.
    """
    if COMMIT.fullmatch(revision):
        return revision
    with explained(repo_id, f"revision {revision}"):
        if constants.is_offline_mode():
            # The folder of the cached commit, whichever files it holds.
            return Path(snapshot_download(repo_id, revision=revision, ignore_patterns="*")).name
        url = f"{constants.ENDPOINT}/api/models/{repo_id}/revision/{quote(revision, safe='')}?expand=sha"
        commit = get(url).json()["sha"]
        if not COMMIT.fullmatch(commit):
            raise ValueError(f"{commit!r} is not a commit")
        return commit


if __name__ == "__main__":
    with job_log(snakemake) as log:
        weights = snakemake.params.weights
        commit = resolve_commit(weights["repo"], weights["revision"])
        save_record(snakemake.output.revision, weights | {"commit": commit})
        log.info("%s: %s is commit %s", weights["repo"], weights["revision"], commit)
