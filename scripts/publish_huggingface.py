"""The published files of all selected models -> a dataset on Hugging Face, in one commit, and huggingface.json.

The dataset holds a card, from which its viewer and `load_dataset` learn where the tables are, an index of its models
for the explorer, and a folder per model. HF_TOKEN and HF_ENDPOINT mean what they mean to huggingface_hub, which repeats
uploads and listings, but neither a creation nor a commit: for these, the next attempt looks first at what is there.
"""

import hashlib
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HTTPError, RemoteEntryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars

from lib.environment import secret
from lib.errors import UserError
from lib.files import load_record, save_bytes, save_record
from lib.job import job_log
from lib.patience import AGAIN, persist
from lib.products.index import explorer_index
from lib.progress import progress
from lib.publishing.documents import render
from lib.publishing.files import File, is_listed_file, sizes_and_hashes, verified

# 408 timeout, 412 somebody else has committed meanwhile, 429 rate limit
PASSING = {408, 412, 429, *range(500, 600)}
LARGE_FILES = "layer-*.json filter=lfs diff=lfs merge=lfs -text"
TOKEN = "a token in HF_TOKEN with write access to its owner (https://huggingface.co/settings/tokens)"


def publish(api: HfApi, target: dict, files: dict[str, File], message: str) -> str:
    """Make the dataset of `target` (publish.huggingface) hold `files`, by path, and no other maps beside them.

    Returns the commit. Raises UserError if the dataset is public against `private`, a file arrived altered, or the Hub
    refuses or is silent.
    """
    label = f"{api.endpoint}, dataset {target['repository']}"
    return persist(label, lambda: commit(api, prepare(api, target), files, message), explain)


def explain(error: Exception) -> tuple[str, str | None, None]:
    """What failed, and what to do about it unless another attempt may help, as `persist` asks."""
    # Other errors than HTTPError have it as their cause, except those of an upload by Xet.
    cause = error if isinstance(error, HTTPError) else error.__cause__ or error
    if not isinstance(cause, HfHubHTTPError):
        passing = isinstance(cause, (HTTPError, OSError, RuntimeError))
        return f"no usable answer ({cause!r})", None if passing else AGAIN, None
    # Without the address that is part of the error's text: those of uploads are signed.
    status = cause.response.status_code
    advice = None if status in PASSING else f"Publishing needs {TOKEN}"
    return f"HTTP {status}, {cause.server_message}", advice, None


def prepare(api: HfApi, target: dict) -> dict[str, str]:
    """Make the dataset and its branch if they do not exist, and have maps sent by LFS, not inside the commit.

    Returns the arguments that name the branch.
    """
    name, revision = target["repository"], target["revision"]
    branch = {"repo_id": name, "repo_type": "dataset", "revision": revision}
    api.create_repo(name, repo_type="dataset", private=target["private"], exist_ok=True)
    if target["private"] and not api.dataset_info(name).private:
        raise UserError(
            f"{name}: the dataset is public, and publish.huggingface.private is true: make it private on its page"
            " first, or set private to false"
        )
    if revision != "main":
        api.create_branch(name, branch=revision, repo_type="dataset", exist_ok=True)
    head = api.repo_info(**branch).sha
    try:
        path = api.hf_hub_download(**branch | {"revision": head}, filename=".gitattributes")
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except RemoteEntryNotFoundError:
        lines = []
    if LARGE_FILES not in lines:
        change = CommitOperationAdd(".gitattributes", "\n".join([*lines, LARGE_FILES, ""]).encode())
        message = "Track maps with LFS"
        api.create_commit(**branch, operations=[change], commit_message=message, parent_commit=head)
    return branch


def commit(api: HfApi, branch: dict, files: dict[str, File], message: str) -> str:
    """Send what differs and delete maps that are no longer listed, in one commit; returns the commit."""
    name, head = branch["repo_id"], api.repo_info(**branch).sha
    present = tree(api, branch | {"revision": head})
    new = [path for path, file in files.items() if not holds(present.get(path), file)]
    models = {path.partition("/")[0] for path in files}
    others = [path.partition("/") for path in sorted(present.keys() - files.keys())]
    old = [f"{model}/{name}" for model, _, name in others if model in models and is_listed_file(name)]
    megabytes = sum(files[path].size for path in new) / 1e6
    progress.info("%s: sending %d of %d files, %.1f MB", name, len(new), len(files), megabytes)
    # Without changes this makes no commit and returns the last one.
    changes = [CommitOperationAdd(path, files[path].path) for path in new]
    changes += map(CommitOperationDelete, old)
    head = api.create_commit(**branch, operations=changes, commit_message=message, parent_commit=head).oid
    present = tree(api, branch | {"revision": head})
    if wrong := [path for path, file in files.items() if not holds(present.get(path), file)]:
        raise UserError(f"{name}: commit {head} does not hold {', '.join(wrong)} as sent; run the same command again")
    return head


def tree(api: HfApi, branch: dict) -> dict[str, RepoFile]:
    """The files of a dataset at a revision, by path."""
    entries = api.list_repo_tree(**branch, recursive=True)
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


def holds(entry: RepoFile | None, file: File) -> bool:
    """Whether an entry of the dataset is the file: large files carry their SHA-256, others git's hash."""
    if entry is None or entry.size != file.size:
        return False
    if entry.lfs:
        return entry.lfs.sha256 == file.sha256
    content = file.path.read_bytes()
    return entry.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


if __name__ == "__main__":
    with job_log(snakemake):
        disable_progress_bars()
        if not (secret("HF_TOKEN") or get_token()):
            raise UserError(f"no token: publishing needs {TOKEN}")
        target, inputs = snakemake.params.dataset, snakemake.input
        card, index = Path(snakemake.output.card), Path(snakemake.output.index)
        manifests = [load_record(path) for path in inputs.manifests]
        values = {"repository": target["repository"], "manifests": manifests, "about": snakemake.params.about}
        save_bytes(card, render(Path(inputs.templates[0]), **values))
        # The index in results/ may list models of other runs, which are not published.
        models = explorer_index([Path(path) for path in inputs.manifests], index.parents[1])
        save_record(index, models, sort_keys=False)
        files = {"README.md": File.of(card), "index.json": File.of(index)}
        for path in map(Path, inputs.checksums):
            files |= {f"{path.parent.name}/{name}": file for name, file in verified(path).items()}
        api = HfApi()
        names = ", ".join(manifest["displayName"] for manifest in manifests)
        revision = publish(api, target, files, f"Maps of {names}")
        url = f"{api.endpoint}/datasets/{target['repository']}/tree/{revision}"
        record = target | {"commit": revision, "url": url, "files": sizes_and_hashes(files)}
        save_record(snakemake.output.record, record)
        progress.info("published %d files: %s", len(files), url)
