"""One rule's script in a process of its own, as Snakemake would run it:  python bench/stage.py '{"rule": ..., ...}'"""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]


def run(
    rule: str, threads: int, input: dict, output: dict, params: dict, log: str, wildcards: dict | None = None
) -> None:
    """Run scripts/{rule}.py with a stand-in for Snakemake's job."""
    sys.path.insert(0, str(ROOT / "scripts"))
    job = SimpleNamespace(
        rule=rule,
        wildcards=SimpleNamespace(**wildcards or {}),
        threads=threads,
        input=SimpleNamespace(**input),
        output=SimpleNamespace(**output),
        params=SimpleNamespace(**params),
        log=[log],
    )
    runpy.run_path(str(ROOT / "scripts" / f"{rule}.py"), {"snakemake": job}, run_name="__main__")


if __name__ == "__main__":
    run(**json.loads(sys.argv[1]))
