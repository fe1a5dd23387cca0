"""A model's published files -> a release on GitHub and github.json, the record of what was sent where.

The release is a draft until every file has arrived, and never changed once it is public. No request is repeated
blindly: a second POST would make a second draft, or send an asset whose name a half-sent one still holds. Instead
`publish` looks at what is there and does what is missing, in the next attempt as in the next run.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import time

from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException
from github.Consts import DEFAULT_BASE_URL
from github.GitRelease import GitRelease
from github.GitReleaseAsset import GitReleaseAsset
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

from lib.environment import secret
from lib.errors import UserError
from lib.files import save_record
from lib.job import job_log
from lib.patience import AGAIN, persist
from lib.progress import Progress, progress
from lib.publishing.files import File, is_listed_file, sizes_and_hashes, verified

# https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases#storage-and-bandwidth-quotas
ASSET_LIMIT = 2 * 2**30  # bytes; a file must be smaller
# https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
SECONDARY_WAIT = 60.0  # seconds, where a secondary limit does not say how long
BETWEEN_WRITES = 1.0  # seconds; a GitHub Enterprise Server has no such limit by default
TIMEOUT = 120  # seconds without a byte
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
PERMISSION = "Contents: read and write for the repository; in GitHub Actions `permissions: contents: write`"
ADVICE = {
    401: f"The token in {' or '.join(TOKENS)} is wrong or has expired: make a new one.",
    403: f"The token may not write releases there: it needs {PERMISSION}.",
    404: f"Check publish.github.repository, and that the token has access to it: {PERMISSION}.",
    422: "Check publish.github: GitHub rejects this tag, title or text, or the repository is empty.",
}

# Without this, PyGithub waits for its upload host for ever: it sets a timeout for the API's host alone.
UploadConnection = partial(HTTPSRequestsConnectionClass, timeout=TIMEOUT)
Requester.injectConnectionClasses(HTTPRequestsConnectionClass, UploadConnection)


def assets_of(files: dict[str, File]) -> dict[str, File]:
    """A model's files, by path, as the assets of a release, which has no folders: atlas.layer-3.json and the like."""
    return {path.replace("/", "."): file for path, file in files.items()}


def check_sizes(files: dict[str, File]) -> None:
    """Raise UserError for files that GitHub would reject. Of its 1,000 assets per release, 101 layers need half."""
    if large := [f"{name} ({file.size:,} bytes)" for name, file in files.items() if file.size >= ASSET_LIMIT]:
        raise UserError(
            f"GitHub takes files under 2 GiB, not {', '.join(large)}. Publish fewer layers per release (layers, with"
            " another publish.github.tag), or a dataset instead"
        )


def release_files(target: dict[str, str], token: str, files: dict[str, File]) -> GitRelease:
    """Make `files`, by name, the public release of `target` (publish.github); repeats attempts that may yet succeed.

    Raises UserError if it is public with other files, a file arrived altered, or GitHub refuses or is silent.
    """
    api_url = target["api_url"]
    github = Github(
        auth=Auth.Token(token),
        base_url=api_url,
        timeout=TIMEOUT,
        per_page=100,
        retry=None,
        user_agent="sae-atlas",
        seconds_between_requests=None,
        seconds_between_writes=BETWEEN_WRITES if api_url == DEFAULT_BASE_URL else None,
    )
    label = f"{api_url}, release {target['tag']} of {target['repository']}"
    return persist(label, lambda: publish(github, target, files), explain)


def publish(github: Github, target: dict[str, str], files: dict[str, File]) -> GitRelease:
    """One attempt: send what is missing to a draft, which becomes public when it holds every file as it is here."""
    label = f"release {target['tag']} of {target['repository']}"
    text = {"name": target["title"], "message": target["notes"]}
    repository = github.get_repo(target["repository"])
    # A lookup by tag does not see drafts. A public release comes before a draft of the same tag.
    matches = [release for release in repository.get_releases() if release.tag_name == target["tag"]]
    matches.sort(key=lambda release: release.draft)
    release = matches[0] if matches else repository.create_git_release(target["tag"], **text, draft=True)
    present = {asset.name: asset for asset in release.get_assets()}
    wrong = [name for name, file in files.items() if not holds(present.get(name), file)]
    if not release.draft:
        if wrong:
            raise UserError(
                f"{label} is public and is not changed, though it does not hold {', '.join(wrong)} as here. Give these"
                " maps another tag (publish.github.tag), or delete that release on GitHub first"
            )
        progress.info("%s is public already, with the same files: nothing to do", label)
        return release
    # A server that reports no digest leaves it open whether an asset is the file.
    missing = {name: file for name, file in files.items() if name in wrong or not present[name].digest}
    for name, asset in present.items():
        if name in missing or (name not in files and is_listed_file(name)):
            # Deleted by an attempt whose answer was lost.
            with suppress(UnknownObjectException):
                asset.delete_asset()
    sent = Progress(label, sum(file.size for file in missing.values()), "MB", 1e6)
    for name, file in missing.items():
        release.upload_asset(str(file.path), name=name, content_type="application/octet-stream")
        sent.add(file.size)
    present = {asset.name: asset for asset in release.get_assets()}
    if wrong := [name for name, file in files.items() if not holds(present.get(name), file)]:
        raise UserError(f"{label} stays a draft: {', '.join(wrong)} arrived altered. {AGAIN}")
    public = release.update_release(**text, draft=False)
    if public.draft is not False:
        raise UserError(f"{label}: GitHub does not say that it is public. {AGAIN}")
    return public


def holds(asset: GitReleaseAsset | None, file: File) -> bool:
    """Whether an asset is the file, whole, as far as the server reports."""
    return (
        asset is not None
        and (asset.state, asset.size) == ("uploaded", file.size)
        and asset.digest in (None, f"sha256:{file.sha256}")
    )


def explain(error: Exception) -> tuple[str, str | None, float | None]:
    """What failed, what to do about it unless another attempt may help, and seconds to wait, as `persist` asks."""
    if not isinstance(error, GithubException):
        # What requests raises is an OSError, and may pass; a page that is no answer of GitHub's raises anything else.
        return f"no usable answer ({error!r})", None if isinstance(error, OSError) else AGAIN, None
    headers = error.headers or {}
    message = error.data.get("message") if isinstance(error.data, dict) else None
    failure = f"HTTP {error.status}, {message or 'no reason given'}"
    if isinstance(error, RateLimitExceededException) or error.status == 429 or "retry-after" in headers:
        return f"rate limit ({failure})", None, limit_wait(headers)
    if error.status >= 500 or "already_exists" in str(error.data):
        return failure, None, None
    return failure, ADVICE.get(error.status, AGAIN), None


def limit_wait(headers: Mapping[str, str]) -> float:
    """Seconds to wait after a refusal over a rate limit, primary or secondary; `headers` by name in lower case."""
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(0.0, float(headers["x-ratelimit-reset"]) - time()) + 1
    return SECONDARY_WAIT


if __name__ == "__main__":
    with job_log(snakemake):
        target = snakemake.params.release
        files = assets_of(verified(Path(snakemake.input.checksums)))
        check_sizes(files)
        if not (token := secret(*TOKENS)):
            raise UserError(f"no token: set {' or '.join(TOKENS)} to a fine-grained token with {PERMISSION}")
        release = release_files(target, token, files)
        record = {"repository": target["repository"], "tag": target["tag"], "url": release.html_url}
        save_record(snakemake.output.record, record | {"assets": sizes_and_hashes(files)})
        progress.info("published %d files: %s", len(files), release.html_url)
