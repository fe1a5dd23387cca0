"""The published files of all selected models -> a dataset on Hugging Face, in one commit, and huggingface.json.

The dataset holds a card, from which its viewer and `load_dataset` learn where the tables are, the index that the
explorer reads, and a folder per model. HF_TOKEN and HF_ENDPOINT mean what they mean to huggingface_hub.
"""

import hashlib
from pathlib import Path
from time import sleep

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_token
from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
)
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars

from lib.files import load_record, save_bytes, save_record
from lib.job import UserError, job_log
from lib.progress import progress
from lib.publishing.documents import render
from lib.publishing.files import File, is_layer_file, listed, verified

ATTEMPTS = 4
# 408 timeout, 412 somebody else has committed meanwhile, 429 rate limit
PASSING = {408, 412, 429, *range(500, 600)}
TOKEN = (
    "a token with write access, made at https://huggingface.co/settings/tokens and set in HF_TOKEN, to the user or"
    " organisation that publish.huggingface.repository names"
)
LARGE_FILES = "layer-*.json filter=lfs diff=lfs merge=lfs -text"


def common_licence(licenses: list[dict]) -> str | None:
    """The licence of all weights and labels, in the lower case of a card's metadata; None if they differ."""
    names = {part.get(key) for part in licenses for key in ("weights", "labels")}
    return names.pop().lower() if len(names) == 1 and None not in names else None


def publish(api: HfApi, dataset: dict, files: dict[str, File], message: str) -> str:
    """Make a dataset hold `files`, by path, and no other maps beside them; returns the commit.

    huggingface_hub repeats uploads and listings, but neither a creation nor a commit. So all is repeated here, and each
    attempt looks first at what the one before has done.

    Parameters
    ----------
    dataset : `repository`, `private` and `revision` of publish.huggingface

    Raises
    ------
    UserError
        Access is refused, the Hub is silent, the dataset is public against `private`, or a file arrived altered.
    """
    attempt = 1
    while True:
        try:
            prepare(api, **dataset)
            return commit(api, dataset["repository"], dataset["revision"], files, message)
        except (HTTPError, LocalEntryNotFoundError, RuntimeError) as error:
            # A RuntimeError is about one of several uploads.
            cause = error if isinstance(error, HTTPError) else error.__cause__ or error
            status = cause.response.status_code if isinstance(cause, HfHubHTTPError) else None
            # Without the addresses that are part of the error's text: those of uploads are signed.
            reason = (
                f"HTTP {status}, {cause.server_message}" if status else f"{type(cause).__name__}: {cause}"
            )
            failure = f"dataset {dataset['repository']}, {api.endpoint}: {reason}"
            if status and status not in PASSING:
                raise UserError(f"{failure}. Publishing needs {TOKEN}") from error
            if attempt == ATTEMPTS:
                raise UserError(
                    f"{failure}. Run the same command again: only what is missing is sent"
                ) from error
        progress.info("%s; attempt %d of %d follows", failure, attempt + 1, ATTEMPTS)
        sleep(2.0**attempt)
        attempt += 1


def prepare(api: HfApi, repository: str, private: bool, revision: str) -> None:
    """Make the dataset and its branch if they do not exist, and track the maps with LFS.

    Text of a few MB would otherwise travel inline: hundreds of MB in one commit request.
    """
    api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
    if private and not api.dataset_info(repository).private:
        raise UserError(
            f"{repository}: the dataset is public, and publish.huggingface.private is true: make it private on its"
            " page first, or set private to false"
        )
    if revision != "main":
        api.create_branch(repository, branch=revision, repo_type="dataset", exist_ok=True)
    where = {"repo_type": "dataset", "revision": revision}
    head = api.dataset_info(repository, revision=revision).sha
    try:
        lines = Path(
            api.hf_hub_download(repository, ".gitattributes", **where | {"revision": head})
        ).read_text()
    except RemoteEntryNotFoundError:
        lines = ""
    if LARGE_FILES not in lines.splitlines():
        content = "\n".join([*lines.splitlines(), LARGE_FILES, ""]).encode()
        operations = [CommitOperationAdd(".gitattributes", content)]
        api.create_commit(
            repository, operations, commit_message="Track maps with LFS", parent_commit=head, **where
        )


def commit(api: HfApi, repository: str, revision: str, files: dict[str, File], message: str) -> str:
    """Send what differs in one commit, without maps that are no longer listed; returns the commit that holds all."""
    head = api.dataset_info(repository, revision=revision).sha
    present = tree(api, repository, head)
    new = {path: file for path, file in files.items() if not holds(present.get(path), file)}
    folders = {Path(path).parent for path in files}
    old = [
        path
        for path in sorted(present.keys() - files.keys())
        if Path(path).parent in folders and is_layer_file(Path(path).name)
    ]
    if not new and not old:
        progress.info("%s holds all %d files: nothing to do", repository, len(files))
        return head
    megabytes = sum(file.size for file in new.values()) / 1e6
    progress.info("%s: sending %d of %d files, %.1f MB", repository, len(new), len(files), megabytes)
    done = api.create_commit(
        repository,
        [CommitOperationAdd(path, file.path) for path, file in new.items()]
        + list(map(CommitOperationDelete, old)),
        commit_message=message,
        repo_type="dataset",
        revision=revision,
        parent_commit=head,
    )
    present = tree(api, repository, done.oid)
    if wrong := [path for path, file in files.items() if not holds(present.get(path), file)]:
        raise UserError(
            f"{repository}: commit {done.oid} does not hold {', '.join(wrong)} as sent; run the same command again"
        )
    return done.oid


def tree(api: HfApi, repository: str, revision: str) -> dict[str, RepoFile]:
    """The dataset's files at a commit, by path."""
    entries = api.list_repo_tree(repository, recursive=True, revision=revision, repo_type="dataset")
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


def holds(entry: RepoFile | None, file: File) -> bool:
    """Whether an entry of the dataset is the file: large files carry their SHA-256, others git's hash."""
    if entry is None or entry.size != file.size:
        return False
    if entry.lfs:
        return entry.lfs.sha256 == file.sha256
    content = file.path.read_bytes()
    return entry.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def check_access() -> None:
    """Raise UserError if huggingface_hub has no token, or must not use the network."""
    if constants.is_offline_mode():
        raise UserError("HF_HUB_OFFLINE is set: unset it to publish")
    if not get_token():
        raise UserError(f"no token: publishing needs {TOKEN}")


def main(snakemake) -> None:
    """Check the files once more, write the card, publish, record."""
    with job_log(snakemake) as log:
        disable_progress_bars()
        dataset, about = snakemake.params.dataset, snakemake.params.about
        manifests = [load_record(path) for path in snakemake.input.manifests]
        card = render(
            Path(snakemake.input.templates[0]),
            repository=dataset["repository"],
            manifests=manifests,
            about=about,
            license=common_licence([about[manifest["modelId"]]["licenses"] for manifest in manifests]),
        )
        save_bytes(snakemake.output.card, card)
        files = {
            "README.md": File.of(Path(snakemake.output.card)),
            "index.json": File.of(Path(snakemake.input.index)),
        }
        for path in map(Path, snakemake.input.checksums):
            files |= {f"{path.parent.name}/{name}": file for name, file in verified(path).items()}
        check_access()
        models = ", ".join(manifest["displayName"] for manifest in manifests)
        api = HfApi()
        revision = publish(api, dataset, files, f"Maps of {models}")
        url = f"{api.endpoint}/datasets/{dataset['repository']}/tree/{revision}"
        save_record(
            snakemake.output.record, dataset | {"commit": revision, "url": url, "files": listed(files)}
        )
        log.info("%d files: %s", len(files), url)
        progress.info("published: %s", url)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
