"""The measurements of bench/ import what there is, and call default what is the default."""

import os
import subprocess
import sys

from conftest import ROOT

# bench/decoders.py is not tests/decoders.py: it needs a process of its own.
SCRIPT = """
import numpy as np

import atlas, benchmark, explore, width
from compute_coords import embed
from decoders import demo, synthetic_layers
from layouts import DEFAULT, by_hand, default_graph
from lib.geometry.knn import nearest_neighbors

rows = demo(0)[:200]
neighbors = nearest_neighbors(rows, explore.NEIGHBORS)
default = embed(rows, *neighbors, seed=1, **DEFAULT)
assert by_hand(rows, *neighbors, seed=1, graph=default_graph).tobytes() == default.tobytes()

(before, *_), (after, origin, cosine) = synthetic_layers(2, 300, 64)
goes_on = origin >= 0
cosines = (after * before[origin]).sum(axis=1)
np.testing.assert_allclose(cosines[goes_on], cosine[goes_on], atol=1e-5)
precision, recall, born, _ = atlas.against_truth(atlas.match(before, after), origin, cosine)
assert min(precision, recall) > 0.9
assert born == 0.12
"""


def test_bench_measures_the_current_layout():
    folders = os.pathsep.join(str(ROOT / name) for name in ("scripts", "bench"))
    subprocess.run([sys.executable, "-c", SCRIPT], env=os.environ | {"PYTHONPATH": folders}, check=True)
