"""A model's published files -> a release on GitHub and github.json, which says where they are.

A draft first; it becomes public when every file is there and is the right one. A run that was cut off is continued by
the next, which sends only what is missing. What is public already is never changed.
"""

from pathlib import Path

from lib.files import save_record
from lib.job import UserError, job_log
from lib.progress import Progress, progress
from lib.publishing.files import File, is_layer_file, verified
from lib.publishing.github import Releases, check_limits, differs, find_token


def publish(releases: Releases, tag: str, title: str, notes: str, files: dict[str, File]) -> dict:
    """Publish `files`, by name, as the release `tag`: the record of it.

    Raises
    ------
    UserError
        The release is public already and holds other files, or what arrived is not what was sent.
    """
    release = releases.find_or_draft(tag, title, notes)
    if not release.draft:
        if wrong := disagreements(releases, release, files):
            raise UserError(
                f"{releases.name}: release {tag} is public already, and is not changed: {wrong}. Give these maps"
                " another tag (publish.github.tag), or delete that release on GitHub first"
            )
        progress.info(
            "%s: release %s is public already, with the same files: nothing to do", releases.name, tag
        )
        return record(releases, release, files)
    present = releases.assets(release)
    for name in sorted(present.keys() - files.keys()):
        if is_layer_file(name):  # of an earlier run with more layers: the manifest does not list it
            releases.remove(present[name])
        else:
            progress.info("%s: the draft also holds %s, which stays", tag, name)
    told = Progress(f"{releases.name} {tag}", sum(file.size for file in files.values()), "MB", 1e6)
    for name, file in files.items():
        releases.send(release, name, file, present.get(name), told)
    if wrong := disagreements(releases, release, files):
        raise UserError(
            f"{releases.name}: release {tag} stays a draft, for not all arrived as it was sent: {wrong}. Run the same"
            " command again"
        )
    return record(releases, releases.publish(release, title, notes), files)


def disagreements(releases: Releases, release, files: dict[str, File]) -> str:
    """In how far the assets of a release are not the files; empty where they are."""
    there = releases.assets(release)
    found = {name: differs(there.get(name), file) for name, file in files.items()}
    return "; ".join(f"{name} {what}" for name, what in found.items() if what)


def record(releases: Releases, release, files: dict[str, File]) -> dict:
    """What github.json says."""
    return {
        "repository": releases.name,
        "tag": release.tag_name,
        "url": release.html_url,
        "assets": {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()},
    }


def main(snakemake) -> None:
    """Check the files once more, publish, remember."""
    with job_log(snakemake) as log:
        checksums, wanted = Path(snakemake.input.checksums), snakemake.params.release
        files = verified(checksums)
        files[checksums.name] = File.of(checksums)
        check_limits(files)
        releases = Releases(wanted["repository"], find_token(), wanted["api_url"])
        done = publish(releases, wanted["tag"], wanted["title"], wanted["notes"], files)
        save_record(snakemake.output.record, done)
        log.info("%d files: %s", len(files), done["url"])
        progress.info("published: %s", done["url"])


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
