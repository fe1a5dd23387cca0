"""Decoders and short layouts that the tests of the geometry share."""

import numpy as np
import yaml

from conftest import ROOT
from fetch_decoder import unit_rows

LAYOUT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["layout"]
# Fewer epochs than the defaults: the tests need no settled layout.
NEIGHBOR_EMBEDDING = {"method": "neighbor_embedding", "seed": 42, **LAYOUT["neighbor_embedding"]}
NEIGHBOR_EMBEDDING |= {"n_epochs": 60, "negative_samples": 50}
UMAP = {"method": "umap", "seed": 42, **LAYOUT["umap"], "n_neighbors": 15, "n_epochs": 30}


def gaussian(n: int, d: int) -> np.ndarray:
    """Random rows of norm 1."""
    return unit_rows(np.random.default_rng(0).standard_normal((n, d)))[0]


def demo_decoder(features: int = 2048, layer: int = 5) -> np.ndarray:
    """The first features of a demo layer."""
    with np.load(ROOT / "resources" / "demo" / f"layer_{layer}" / "params.npz") as file:
        return unit_rows(file["W_dec"][:features])[0]


def with_rows(rows: np.ndarray, which, value) -> np.ndarray:
    """The same rows, some of them replaced."""
    rows = rows.copy()
    rows[which] = value
    return rows
