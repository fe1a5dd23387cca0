"""The published files of all selected models -> a dataset on Hugging Face, in one commit, and huggingface.json.

The dataset holds a card, which makes its viewer and `load_dataset` read the tables, the index that the explorer reads,
and each model's files in a folder of its name. What is there already is not sent again. HF_TOKEN and HF_ENDPOINT mean
here what they mean to huggingface_hub.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_token, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, RemoteEntryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers, disable_progress_bars, get_session, hf_raise_for_status

from lib.files import save_bytes, save_record
from lib.job import UserError, job_log
from lib.progress import progress
from lib.publishing.files import File, columns, is_layer_file, licences, read_manifest, verified
from lib.transport import Patience, TransientError, describe, insist, is_transient

Answer = TypeVar("Answer")
PATIENCE = Patience(attempts=4)  # of whole commits: huggingface_hub repeats single requests by itself
LARGE_FILES = "layer-*.json filter=lfs diff=lfs merge=lfs -text"  # a line of .gitattributes
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)


def dataset_card(repository: str, manifests: list[dict], about: dict[str, dict]) -> str:
    """README.md of the dataset: the metadata that Hugging Face reads, and the same in words.

    about : by model, as `lib.publishing.files.licences` takes it
    """
    names = [manifest["modelId"] for manifest in manifests]
    rows = sum(layer["featureCount"] for manifest in manifests for layer in manifest["layers"])
    metadata = {
        "pretty_name": f"SAE Atlas: {', '.join(manifest['displayName'] for manifest in manifests)}",
        **card_licence(repository, [about[name]["licenses"] for name in names]),
        "tags": ["interpretability", "sparse-autoencoder", "umap"],
        "size_categories": [next((size for limit, size in SIZES if rows < limit), "n>10M")],
        "configs": [
            {"config_name": name, "data_files": [{"split": "train", "path": f"{name}/features.parquet"}]}
            | ({"default": True} if name == names[0] else {})
            for name in names
        ],
    }
    first = names[0]
    lines = [
        "---",
        yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        f"# {metadata['pretty_name']}",
        "",
        "Maps of what language models mean inside: each feature of a sparse autoencoder (SAE) is a point in 3D, and"
        " features whose decoder rows are alike lie close together.",
        "",
        "| model | layers | features | with a label |",
        "|---|---|---|---|",
        *(_counts(manifest) for manifest in manifests),
        "",
        "## The tables",
        "",
        "`{model}/features.parquet` has all features of a model, by layer and feature:",
        "",
        *columns(),
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'features = load_dataset("{repository}", "{first}", split="train")',
        "```",
        "",
        "```python",
        "import pandas",
        "",
        f'features = pandas.read_parquet("hf://datasets/{repository}/{first}/features.parquet")',
        "```",
        "",
        "In [Embedding Atlas](https://apple.github.io/embedding-atlas/), which shows two of the three axes:",
        "",
        "```sh",
        f"hf download {repository} {first}/features.parquet --repo-type dataset --local-dir .",
        f"embedding-atlas {first}/features.parquet --x x --y y --text label",
        "```",
        "",
        "## The maps",
        "",
        "`{model}/layer-N.json` is the map of a layer for web front ends: nodes with position and label, edges with"
        " their cosine similarity. `{model}/manifest.json` lists the layers, `index.json` the models,"
        " `{model}/README.md` describes a model's files, `{model}/SHA256SUMS` checks them.",
        "",
        "## Attribution and licences",
    ]
    for manifest in manifests:
        lines += ["", f"### {manifest['displayName']}", "", *licences(manifest, about[manifest["modelId"]])]
    return "\n".join(lines) + "\n"


def card_licence(repository: str, licenses: list[dict]) -> dict:
    """The card's licence: the one that all weights and labels have, or else `other`, which points at the text."""
    named = {part.get(key) for part in licenses for key in ("weights", "labels")}
    if len(named) == 1 and None not in named:
        return {"license": named.pop().lower()}
    link = f"https://huggingface.co/datasets/{repository}#attribution-and-licences"
    return {"license": "other", "license_name": "by-part", "license_link": link}


def _counts(manifest: dict) -> str:
    layers = manifest["layers"]
    features, labelled = (sum(layer[key] for layer in layers) for key in ("featureCount", "labeledCount"))
    return f"| {manifest['displayName']} (`{manifest['modelId']}`) | {len(layers)} | {features:,} | {labelled:,} |"


class Dataset:
    """A dataset on the Hub that files are brought to."""

    def __init__(self, repository: str, private: bool, revision: str, patience: Patience = PATIENCE) -> None:
        self.name, self.private, self.revision = repository, private, revision
        self._patience = patience
        self._api = HfApi()

    def open(self) -> None:
        """Make the dataset and its branch where they do not exist.

        Raises
        ------
        UserError
            It may not be written to, or is public although `private` is asked for.
        """
        self._ask(
            "creating the dataset",
            lambda: self._api.create_repo(
                self.name, repo_type="dataset", private=self.private, exist_ok=True
            ),
        )
        info = self._ask("asking about the dataset", lambda: self._api.dataset_info(self.name))
        if self.private and not info.private:
            raise UserError(
                f"{self.name}: the dataset is public, and publish.huggingface.private is true: make it private on its"
                " page first, or set private to false"
            )
        if self.revision != "main":
            self._ask(
                f"branch {self.revision}",
                lambda: self._api.create_branch(
                    self.name, branch=self.revision, repo_type="dataset", exist_ok=True
                ),
            )
        self._ask("its .gitattributes", self._keep_maps_as_large_files)

    def bring(self, files: dict[str, File], message: str) -> tuple[str, int]:
        """Make the dataset hold `files`, by path, in one commit; maps that are no longer listed go.

        Returns the commit that holds them, and how many files were sent: 0 where all were there.

        Raises
        ------
        UserError
            Access was refused, or what arrived is not what was sent.
        lib.transport.UnansweredError : the Hub stayed silent.
        """
        commit, sent = self._ask("the commit", lambda: self._commit(files, message))
        there = self._tree(commit)
        if wrong := [name for name, file in files.items() if not holds(there.get(name), file)]:
            raise UserError(
                f"{self.name}: commit {commit} does not hold {', '.join(wrong)} as sent; run the same command again"
            )
        return commit, sent

    def url(self, commit: str) -> str:
        """The dataset's page at a commit."""
        return f"{constants.ENDPOINT}/datasets/{self.name}/tree/{commit}"

    def _keep_maps_as_large_files(self) -> None:
        """Say so in .gitattributes, before the maps come: text of a few MB would else travel inside the commit itself,
        hundreds of MB in one request.
        """
        head = self._api.dataset_info(self.name, revision=self.revision).sha
        url = hf_hub_url(self.name, ".gitattributes", repo_type="dataset", revision=head)
        answer = get_session().get(url, headers=build_hf_headers(), follow_redirects=True)
        try:
            hf_raise_for_status(answer)
            lines = answer.text.splitlines()
        except RemoteEntryNotFoundError:  # somebody deleted it
            lines = []
        if LARGE_FILES not in lines:
            self._api.create_commit(
                self.name,
                [CommitOperationAdd(".gitattributes", "\n".join([*lines, LARGE_FILES, ""]).encode())],
                commit_message="Keep maps as large files",
                repo_type="dataset",
                revision=self.revision,
                parent_commit=head,
            )

    def _commit(self, files: dict[str, File], message: str) -> tuple[str, int]:
        head = self._api.dataset_info(self.name, revision=self.revision).sha
        there = self._tree(head)
        new = {name: file for name, file in files.items() if not holds(there.get(name), file)}
        folders = {Path(name).parent for name in files}
        old = [
            name
            for name in there.keys() - files.keys()
            if Path(name).parent in folders and is_layer_file(Path(name).name)
        ]
        if not new and not old:
            return head, 0
        size = sum(file.size for file in new.values()) / 1e6
        progress.info("%s: sending %d of %d files, %.1f MB", self.name, len(new), len(files), size)
        operations = [CommitOperationAdd(name, file.path) for name, file in new.items()]
        operations += [CommitOperationDelete(name) for name in sorted(old)]
        done = self._api.create_commit(
            self.name,
            operations,
            commit_message=message,
            repo_type="dataset",
            revision=self.revision,
            parent_commit=head,  # refused where somebody else has changed the dataset meanwhile
        )
        return done.oid, len(operations)

    def _tree(self, commit: str) -> dict[str, RepoFile]:
        def ask() -> dict[str, RepoFile]:
            entries = self._api.list_repo_tree(
                self.name, recursive=True, revision=commit, repo_type="dataset"
            )
            return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

        return self._ask("its files", ask)

    def _ask(self, what: str, request: Callable[[], Answer]) -> Answer:
        def attempt() -> Answer:
            try:
                return request()
            except (HfHubHTTPError, RuntimeError) as error:
                # A RuntimeError is about one of several files: with its cause by LFS, with its text alone by Xet.
                cause = error if isinstance(error, HfHubHTTPError) else error.__cause__
                if isinstance(cause, HfHubHTTPError) and not is_transient(cause):
                    raise UserError(self._refusal(what, cause)) from error
                raise (cause or TransientError(str(error))) from error

        return insist(f"{constants.ENDPOINT}/datasets/{self.name}, {what}", attempt, self._patience)

    def _refusal(self, what: str, error: HfHubHTTPError) -> str:
        status = error.response.status_code
        if status == 412:
            return f"{self.name}: somebody else changed the dataset meanwhile; run the same command again"
        if status not in (401, 403, 404):
            return f"{self.name}, {what}: {constants.ENDPOINT} refused: {describe(error)}: {error.server_message or ''}"
        return (
            f"{self.name}, {what}: {constants.ENDPOINT} refused (HTTP {status}). The token must be one with write"
            " access to this dataset, or to the user or organisation it is to be made for: make it at"
            " https://huggingface.co/settings/tokens and set it in HF_TOKEN; publish.huggingface.repository must name"
            " that user or organisation"
        )


def holds(entry: RepoFile | None, file: File) -> bool:
    """Whether what lies in the dataset is the file: Hugging Face tells SHA-256 of large files, git's hash of others."""
    if entry is None or entry.size != file.size:
        return False
    if entry.lfs:
        return entry.lfs.sha256 == file.sha256
    content = file.path.read_bytes()
    return entry.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def check_access() -> None:
    """Raise UserError where huggingface_hub has no token, or may not use the network."""
    if constants.is_offline_mode():
        raise UserError("HF_HUB_OFFLINE is set: unset it to publish")
    if not get_token():
        raise UserError(
            "no token: make one with write access at https://huggingface.co/settings/tokens and set it in HF_TOKEN"
        )


def main(snakemake) -> None:
    """Check the files once more, describe the dataset, commit, remember."""
    with job_log(snakemake) as log:
        disable_progress_bars()
        wanted = snakemake.params.dataset
        manifests = [read_manifest(Path(path)) for path in snakemake.input.manifests]
        card = Path(snakemake.output.card)
        save_bytes(card, dataset_card(wanted["repository"], manifests, snakemake.params.about).encode())
        files = {"README.md": File.of(card), "index.json": File.of(Path(snakemake.input.index))}
        for path in map(Path, snakemake.input.checksums):
            found = verified(path) | {path.name: File.of(path)}
            files |= {f"{path.parent.name}/{name}": file for name, file in found.items()}
        check_access()
        dataset = Dataset(**wanted)
        dataset.open()
        commit, sent = dataset.bring(
            files, f"Maps of {', '.join(manifest['displayName'] for manifest in manifests)}"
        )
        told = {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()}
        record = wanted | {"commit": commit, "url": dataset.url(commit), "files": told}
        save_record(snakemake.output.record, record)
        log.info("%d of %d files sent: %s", sent, len(files), record["url"])
        progress.info("published: %s%s", record["url"], "" if sent else " (all was there: nothing to do)")


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
