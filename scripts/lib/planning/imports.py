"""The library files that a script imports: inputs of its rule, because Snakemake hashes the script alone."""

import ast
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
# What these hold changes what a job says, never what it makes: editing them reruns nothing.
CHANGE_NO_RESULT = {"lib/environment.py", "lib/errors.py", "lib/job.py", "lib/patience.py", "lib/progress.py"}


def library_files(script: str) -> list[Path]:
    """Files below scripts/lib that `script`, a path below scripts/, imports directly or through others; sorted."""
    return sorted(SCRIPTS / name for name in _imported(script) - CHANGE_NO_RESULT)


@cache
def _imported(file: str) -> frozenset[str]:
    modules = set()
    for node in ast.walk(ast.parse((SCRIPTS / file).read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    paths = (module.replace(".", "/") + ".py" for module in modules if module.startswith("lib."))
    files = {path for path in paths if (SCRIPTS / path).is_file()}
    return frozenset(files.union(*map(_imported, files)))
