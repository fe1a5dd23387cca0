"""The measurements of bench/ import what there is, and call default what is the default."""

import os
import subprocess
import sys

from conftest import ROOT

# bench/decoders.py is not tests/decoders.py: it needs a process of its own.
SCRIPT = """
import benchmark, explore
from compute_coords import embed
from decoders import demo
from layouts import DEFAULT, by_hand, default_graph
from lib.geometry.knn import nearest_neighbors

rows = demo(0)[:200]
neighbors = nearest_neighbors(rows, explore.NEIGHBORS)
default = embed(rows, *neighbors, seed=1, **DEFAULT)
assert by_hand(rows, *neighbors, seed=1, graph=default_graph).tobytes() == default.tobytes()
"""


def test_bench_measures_the_current_layout():
    folders = os.pathsep.join(str(ROOT / name) for name in ("scripts", "bench"))
    subprocess.run([sys.executable, "-c", SCRIPT], env=os.environ | {"PYTHONPATH": folders}, check=True)
