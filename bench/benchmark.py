"""Time, memory and meaning of the geometry, against the original's method and against the machine's floor.

    make bench                                                everything, to bench/results.md (half an hour on 2 cores)
    PYTHONPATH=scripts python bench/benchmark.py --only layer    one part: neighbours, layer, throughput, scaling

Methods that are compared run in turn, round after round, in one run on one machine: the ratios mean something where
the seconds do not. faiss-cpu takes part where it is installed.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from threadpoolctl import threadpool_limits

from decoders import ROOT, synthetic
from lib.geometry import knn
from lib.geometry.knn import nearest_neighbors
from lib.labels.explanations import SCHEMA
from measure_quality import measure

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
K = CONFIG["edges"]["k"]
METHOD = CONFIG["layout"]["method"]
LAYOUT = {"method": METHOD, "seed": CONFIG["layout"]["seed"], **CONFIG["layout"][METHOD]}


class Report:
    """Markdown, printed as it grows and written whole to a file."""

    def __init__(self, path: Path):
        self.path, self.lines = path, []

    def say(self, text: str = "") -> None:
        print(text, flush=True)
        self.lines.append(text)
        self.path.write_text("\n".join(self.lines) + "\n")

    def table(self, title: str, header: list[str], rows: list[list]) -> None:
        self.say(f"\n## {title}\n")
        for cells in [header, ["---"] * len(header), *rows]:
            self.say(
                "| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"
            )


def machine() -> str:
    """Processor, cores, memory, system, and the libraries that compute."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "umap-learn", "scikit-learn"))
    return (
        f"{names[0] if names else platform.processor()}, {CORES} cores, {memory:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, {libraries}. Load when it began: {os.getloadavg()[0]:.1f}."
    )


# --- the search alone, against the products it cannot do without


def floor(decoder: np.ndarray, threads: int) -> None:
    """The products of the upper triangle, and nothing else."""
    with threadpool_limits(1, user_api="blas"):
        knn.for_each_block(decoder, threads, lambda *_: None)


def brute_force(decoder: np.ndarray, threads: int) -> None:
    """scikit-learn."""
    from sklearn.neighbors import NearestNeighbors

    with threadpool_limits(threads):
        NearestNeighbors(n_neighbors=K + 1, metric="cosine", algorithm="brute").fit(decoder).kneighbors(decoder)


def faiss_flat(decoder: np.ndarray, threads: int) -> None:
    """faiss-cpu."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(decoder.shape[1])
    index.add(decoder)
    index.search(decoder, K + 1)


def compare_searches(report: Report, n: int, widths: list[int], rounds: int) -> None:
    """Ours beside the floor, scikit-learn and faiss: the best wall and CPU time of each over the rounds."""
    methods = {"floor": floor, "ours": lambda rows, threads: nearest_neighbors(rows, K, threads)}
    methods["scikit-learn"] = brute_force
    if importlib.util.find_spec("faiss"):
        methods["faiss"] = faiss_flat
    for d in widths:
        decoder = synthetic(n, d)
        nearest_neighbors(decoder[:600], K)  # compiled
        for threads in sorted({1, 2, CORES} & set(range(1, CORES + 1))):
            best = {}
            for _ in range(rounds):
                for name, method in methods.items():
                    wall, cpu = time.perf_counter(), time.process_time()
                    method(decoder, threads)
                    spent = time.perf_counter() - wall, time.process_time() - cpu
                    best[name] = tuple(map(min, spent, best.get(name, spent)))
            rows = [
                [name, wall, wall / best["floor"][0], cpu, cpu / best["floor"][1]] for name, (wall, cpu) in best.items()
            ]
            header = ["method", "wall s", "of the floor", "CPU s", "of the floor"]
            report.table(f"Exact {K} nearest neighbours of {n:,} x {d:,}, {threads} threads", header, rows)


# --- a whole layer, each step in a process of its own


# In a small process between: a child's peak memory begins with that of the process that started it.
TIMER = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def timed(script: str, *arguments: str, **environment: str) -> tuple[float, float, float]:
    """Run a Python script of this folder: wall s, CPU s, peak MB of its memory."""
    command = [sys.executable, str(ROOT / "bench" / script), *arguments]
    done = subprocess.run(
        [sys.executable, "-c", TIMER, *command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def steps(folder: Path, threads: int = CORES) -> dict[str, dict]:
    """The jobs from decoder.npy to coords.npy and edges.npz, with the default configuration."""
    decoder, neighbors = str(folder / "decoder.npy"), str(folder / "neighbors.npz")

    def step(rule: str, name: str, inputs: dict, output: str, params: dict) -> dict:
        made = {name: str(folder / output), "record": str(folder / f"{rule}.json")}
        log = str(folder / f"{rule}.log")
        return {
            "rule": rule,
            "threads": threads,
            "input": inputs,
            "output": made,
            "params": params,
            "log": log,
        }

    inputs = {"decoder": decoder, "neighbors": neighbors}
    return {
        "neighbours": step(
            "compute_neighbors",
            "neighbors",
            {"decoder": decoder},
            "neighbors.npz",
            {"neighbors": CONFIG["neighbors"]},
        ),
        "layout": step("compute_coords", "coords", inputs, "coords.npy", {"layout": LAYOUT}),
        "edges": step("compute_edges", "edges", {"neighbors": neighbors}, "edges.npz", {"edges": CONFIG["edges"]}),
    }


def export_step(folder: Path, n: int) -> dict:
    """The job that writes layer-0.json and layer-0.parquet, after the other steps.

    All n features have a label, and there are as many edges, the strongest, as layer 12 of Gemma 2 2B has.
    """
    with np.load(folder / "edges.npz") as file:
        strongest = np.sort(np.argsort(-file["weight"], kind="stable")[:12_600])
        np.savez(folder / "strongest.npz", **{name: file[name][strongest] for name in file})
    rows = [
        {
            "index": index,
            "label": f"words about feature {index}, or what activates it",
            "explainer": "made up",
        }
        for index in range(n)
    ]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "labels.parquet")
    for name in ("decoder", "labels", "quality"):
        (folder / f"{name}.json").write_text("{}")
    records = {
        "decoder": "decoder",
        "neighbors": "compute_neighbors",
        "coords": "compute_coords",
        "edges": "compute_edges",
        "labels": "labels",
    }
    inputs = {f"{name}_record": str(folder / f"{file}.json") for name, file in records.items()}
    inputs |= {"coords": str(folder / "coords.npy"), "edges": str(folder / "strongest.npz")}
    inputs |= {"labels": str(folder / "labels.parquet"), "quality": str(folder / "quality.json")}
    inputs |= {"neighbors": str(folder / "neighbors.npz")}
    made = {"graph": "layer-0.json", "table": "layer-0.parquet", "record": "export.json"}
    return {
        "rule": "export_layer",
        "threads": 1,
        "wildcards": {"model": "made-up", "layer": "0"},
        "input": inputs,
        "output": {"gzip": []} | {name: str(folder / file) for name, file in made.items()},
        "params": {"about": {}, "decimals": CONFIG["export"]["decimals"]},
        "log": str(folder / "export.log"),
    }


def compare_layers(report: Report, n: int, d: int, rounds: int) -> None:
    """decoder.npy to positions and edges: ours by step, the original's method, and what each map is worth."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "decoder.npy", synthetic(n, d))
        best: dict[str, tuple] = {}
        (folder / "original").mkdir()
        for _ in range(rounds):
            for step, job in steps(folder).items():
                spent = timed("stage.py", json.dumps(job))
                best[step] = tuple(map(min, spent, best.get(step, spent)))
            spent = timed("original.py", str(folder / "decoder.npy"), str(folder / "original"))
            best["the original's method"] = tuple(map(min, spent, best.get("the original's method", spent)))
        ours = [best[step] for step in ("neighbours", "layout", "edges")]
        total = (
            sum(spent[0] for spent in ours),
            sum(spent[1] for spent in ours),
            max(spent[2] for spent in ours),
        )
        yardstick = best.pop("the original's method")
        rows = [
            [step, *spent, spent[0] / yardstick[0], spent[1] / yardstick[1]]
            for step, spent in {**best, "ours together": total, "the original's method": yardstick}.items()
        ]
        exported = timed("stage.py", json.dumps(export_step(folder, n)))
        rows.append(["besides: layer-N.json and .parquet, all labels, 12,600 edges", *exported, "", ""])
        header = ["step", "wall s", "CPU s", "peak MB", "wall, of the original", "CPU, of the original"]
        report.table(f"A layer of {n:,} x {d:,}: decoder to positions and edges, each a process", header, rows)
        compare_maps(report, folder)


def compare_maps(report: Report, folder: Path) -> None:
    """The measures of both maps of one decoder, beside PCA's and chance's."""
    decoder = np.load(folder / "decoder.npy")
    with np.load(folder / "neighbors.npz") as file:
        neighbors = file["indices"], file["similarities"]
    with np.load(folder / "edges.npz") as file:
        edges = file["source"], file["target"]
    maps = {"ours": np.load(folder / "coords.npy"), "original": np.load(folder / "original" / "coords.npy")}
    quality = {
        name: measure(decoder, *neighbors, coords, edges, [None] * len(decoder)) for name, coords in maps.items()
    }
    rows = [
        [
            name,
            value,
            quality["original"]["map"][name],
            quality["ours"]["pca"][name],
            quality["ours"]["random"][name],
        ]
        for name, value in quality["ours"]["map"].items()
        if value is not None
    ]
    report.table("What the maps keep", ["measure", "ours", "the original's", "PCA", "random"], rows)


def fill_caches() -> None:
    """Have everything compiled before it is timed, as it is in every run but a machine's first."""
    with tempfile.TemporaryDirectory() as name:
        np.save(Path(name) / "decoder.npy", synthetic(600, 64))
        for job in steps(Path(name)).values():
            timed("stage.py", json.dumps(job))


# --- many layers at once


def compare_throughput(report: Report, n: int, d: int) -> None:
    """As many layers at once as there are cores, each on one thread: how long until all are done."""

    def ours(folder: Path) -> None:
        for job in steps(folder, threads=1).values():
            timed("stage.py", json.dumps(job), **ONE_THREAD)

    def original(folder: Path) -> None:
        timed("original.py", str(folder / "decoder.npy"), str(folder), **ONE_THREAD)

    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(CORES) as pool:
        folders = [Path(name) / str(layer) for layer in range(CORES)]
        for layer, folder in enumerate(folders):
            folder.mkdir()
            np.save(folder / "decoder.npy", synthetic(n, d, seed=layer))
        walls = []
        for method in (ours, original):
            started = time.perf_counter()
            list(pool.map(method, folders))
            walls.append(time.perf_counter() - started)
    rows = [
        [method, wall, 3600 * CORES / wall, walls[1] / wall]
        for method, wall in zip(("ours", "the original's method"), walls, strict=True)
    ]
    header = ["method", "wall s", "layers an hour", "of the original"]
    report.table(f"{CORES} layers of {n:,} x {d:,} at once, a thread each", header, rows)


# --- growth


def measure_growth(report: Report, sizes: list[int], d: int) -> None:
    """Time and peak memory of search and layout by the number of features, each in a process of its own."""
    rows = []
    for n in sizes:
        with tempfile.TemporaryDirectory() as name:
            np.save(Path(name) / "decoder.npy", synthetic(n, d))
            jobs = steps(Path(name))
            spent = {step: timed("stage.py", json.dumps(jobs[step])) for step in ("neighbours", "layout")}
        rows.append([n, *spent["neighbours"], *spent["layout"]])
    header = [
        "n",
        *(f"{step} {what}" for step in ("search", "layout") for what in ("wall s", "CPU s", "peak MB")),
    ]
    report.table(f"Growth with the number of features, d = {d}", header, rows)


def main() -> None:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results.md")
    parser.add_argument("--only", choices=["neighbours", "layer", "throughput", "scaling"])
    parser.add_argument("--features", type=int, default=16384)
    parser.add_argument("--widths", type=int, nargs="+", default=[2304, 3584])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8192, 16384, 32768, 65536])
    arguments = parser.parse_args()
    report = Report(arguments.output)
    report.say(f"# Benchmark\n\n{machine()}\nThe best of {arguments.rounds} rounds; the methods take turns.")
    fill_caches()
    if arguments.only in (None, "neighbours"):
        compare_searches(report, arguments.features, arguments.widths, arguments.rounds)
    if arguments.only in (None, "layer"):
        compare_layers(report, arguments.features, arguments.widths[0], arguments.rounds)
    if arguments.only in (None, "throughput"):
        compare_throughput(report, arguments.features, arguments.widths[0])
    if arguments.only in (None, "scaling"):
        measure_growth(report, arguments.sizes, 512)


if __name__ == "__main__":
    main()
