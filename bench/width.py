"""What each job of the workflow costs on one layer of a wide, made-up SAE: CPU seconds and peak memory.

    PYTHONPATH=scripts python bench/width.py 65536 2304 [--threshold 0.25] [--cores 2] [--folder FOLDER]

Labels come from a local file. At the default threshold a feature of such an SAE has about 20 links: the hardest case.
"""

import argparse
import tempfile
from pathlib import Path

from decoders import ROOT, synthetic
from workflow import CORES, edges_of, prepare, run, warmed


def main() -> None:
    """Print a row per job, in the order in which they ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=int)
    parser.add_argument("width", type=int, help="dimensions of the residual stream")
    parser.add_argument("--threshold", type=float, default=0.25, help="minimum cosine of an edge")
    parser.add_argument("--cores", type=int, default=CORES)
    parser.add_argument("--folder", type=Path, help="keep the workflow and its results here; must not exist")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = warmed(ROOT, Path(folder))
        decoder = synthetic(options.features, options.width)
        project = prepare(project, options.folder or Path(folder) / "wide", [decoder], options.threshold)
        del decoder
        wall, jobs = run(project, options.cores)
        print(jobs.round({"cpu": 1, "peak": 0}).to_string(index=False))
        print(f"{edges_of(project) / options.features:.1f} edges per feature, {wall:.0f} s wall")


if __name__ == "__main__":
    main()
