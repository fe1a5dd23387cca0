"""Time, memory and meaning of a layer, against another checkout, the original's method and the machine's floor.

    make bench                                                      everything, to bench/results.md
    PYTHONPATH=scripts python bench/benchmark.py --only layer       one part: neighbours, layer, throughput, scaling
    PYTHONPATH=scripts python bench/benchmark.py --against ../old   beside another checkout of the workflow

The parts after `neighbours` run the whole workflow on made-up SAEs (bench/workflow.py), in copies whose compiled code
a first small run has made. CPU and memory are those of each job's process, imports included; no peak is below that of
Snakemake, which starts them. Methods that are compared run in turn in one run on one machine: the ratios mean something
where the seconds do not. faiss-cpu takes part where it is installed.
"""

import argparse
import importlib.util
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
import pandas as pd
import yaml
from threadpoolctl import threadpool_limits

from decoders import ROOT, synthetic
from lib.geometry import knn
from lib.geometry.knn import nearest_neighbors
from measure_quality import measure
from report import Report
from workflow import CORES, MODEL, ONE_THREAD, edges_of, prepare, run, warmed

K = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["edges"]["k"]


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


# --- whole layers, by the real workflow

# What a layer is made of, from decoder.npy to all of its products, and the rules that do it; some checkouts call them
# differently.
STEPS = {
    "neighbours": {"compute_neighbors"},
    "layout": {"compute_coords", "compute_umap"},
    "edges": {"compute_edges"},
    "measuring": {"measure_quality"},
    "export and gzip": {"export_layer", "compress_layer"},
    "figure": {"draw_layer"},
}
GEOMETRY = ("neighbours", "layout", "edges")


def original(decoder: Path, folder: Path, threads: int) -> tuple[float, float]:
    """Run the original's method in a process of its own: CPU s and peak MB."""
    environment = os.environ | {name: str(threads) for name in ONE_THREAD}
    command = [sys.executable, ROOT / "bench" / "original.py", decoder, folder]
    with subprocess.Popen(command, env=environment) as process:
        _, process.returncode, used = os.wait4(process.pid, 0)
    if process.returncode:
        raise SystemExit(f"the original's method ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def by_step(jobs: pd.DataFrame) -> pd.DataFrame:
    """CPU s and peak MB by step: the columns cpu and peak."""
    step_of = {rule: step for step, rules in STEPS.items() for rule in rules}
    return jobs.groupby(jobs["rule"].map(step_of))[["cpu", "peak"]].agg({"cpu": "sum", "peak": "max"}).loc[[*STEPS]]


def together(steps: pd.DataFrame) -> list[float]:
    """CPU s of all steps, and their peak MB."""
    return [steps["cpu"].sum(), steps["peak"].max()]


def compare_layers(report: Report, warm: dict[str, Path], n: int, d: int, rounds: int) -> None:
    """A whole layer by step, of this checkout and another; the original's method; what each map is worth."""
    with tempfile.TemporaryDirectory() as name:
        folder, decoder = Path(name), synthetic(n, d)
        projects = {label: prepare(project, folder / label, [decoder]) for label, project in warm.items()}
        np.save(folder / "decoder.npy", decoder)
        best = {}
        for _ in range(rounds):
            for label, project in projects.items():
                spent = by_step(run(project, 1)[1])
                best[label] = np.minimum(spent, best.get(label, spent))
            spent = original(folder / "decoder.npy", folder, 1)
            best["original"] = np.minimum(spent, best.get("original", spent))
        yardstick = best.pop("original").tolist()
        rows = [[step] for step in (*STEPS, "**a whole layer**")]
        for label in projects:
            for row, figures in zip(rows, [*best[label].to_numpy().tolist(), together(best[label])], strict=True):
                row += figures if label == "this" else [*figures, row[1] / figures[0]]
        header = [
            "step",
            "CPU s",
            "peak MB",
            *(["CPU s of the other", "peak MB of the other", "CPU, this / other"] * (len(warm) - 1)),
        ]
        edges = edges_of(projects["this"])
        title = f"A layer of {n:,} x {d:,} from decoder.npy to all products, on one thread: {edges:,} edges, all labels"
        report.table(title, header, rows)
        totals = {label: together(steps.loc[[*GEOMETRY]]) for label, steps in best.items()}
        totals["the original's method"] = yardstick
        rows = [[label, *total, total[0] / yardstick[0]] for label, total in totals.items()]
        header = ["checkout", "CPU s", "peak MB", "CPU / original's"]
        report.table("The same layer from decoder.npy to positions and edges, on one thread", header, rows)
        compare_maps(report, projects["this"] / f"results/{MODEL}/layer-0", np.load(folder / "coords.npy"))


def compare_maps(report: Report, layer: Path, original_coords: np.ndarray) -> None:
    """The measures of both maps of one decoder, beside PCA's and chance's."""
    decoder, coords = np.load(layer / "decoder.npy"), np.load(layer / "coords.npy")
    with np.load(layer / "neighbors.npz") as file:
        neighbors = file["indices"], file["similarities"]
    no_edges, no_labels = np.empty((2, 0), int), [None] * len(decoder)
    ours, theirs = (measure(decoder, *neighbors, each, no_edges, no_labels)[0] for each in (coords, original_coords))
    columns = ours["map"], theirs["map"], ours["pca"], ours["random"]
    rows = [[name, *(column[name] for column in columns)] for name, value in ours["map"].items() if value is not None]
    report.table("What the maps of that layer keep", ["measure", "ours", "the original's", "PCA", "random"], rows)


def compare_throughput(report: Report, warm: dict[str, Path], n: int, d: int) -> None:
    """Layers per hour of the whole workflow, its start included, on one core and on all of them."""
    rows = []
    for cores in sorted({1, CORES}):
        layers = min(cores, 8)
        with tempfile.TemporaryDirectory() as name:
            folder, decoders = Path(name), [synthetic(n, d, seed=layer) for layer in range(layers)]
            walls = {}
            for label, project in warm.items():
                walls[label], _ = run(prepare(project, folder / label, decoders), cores)
            paths = [folder / str(layer) for layer in range(layers)]
            for path, decoder in zip(paths, decoders, strict=True):
                path.mkdir()
                np.save(path / "decoder.npy", decoder)
            started = time.perf_counter()
            with ThreadPoolExecutor(layers) as pool:
                files = [path / "decoder.npy" for path in paths]
                list(pool.map(original, files, paths, [cores // layers] * layers))
            walls["the original's method, positions and edges only"] = time.perf_counter() - started
        *_, yardstick = walls.values()
        rows += [[label, cores, layers, wall, 3600 * layers / wall, yardstick / wall] for label, wall in walls.items()]
    header = ["checkout", "cores", "layers", "wall s", "layers per hour", "/ original's"]
    report.table(f"Layers of {n:,} x {d:,}: the whole workflow", header, rows)


def measure_growth(report: Report, warm: Path, sizes: list[int], d: int) -> None:
    """CPU time and peak memory of search and layout by the number of features."""
    rows = []
    for n in sizes:
        with tempfile.TemporaryDirectory() as name:
            project = prepare(warm, Path(name), [synthetic(n, d)])
            jobs = run(project, CORES, f"results/{MODEL}/layer-0/coords.npy")[1].set_index("rule")
        steps = ("compute_neighbors", "compute_coords")
        rows.append([f"{n:,}", *jobs.loc[[*steps], ["cpu", "peak"]].to_numpy().ravel().tolist()])
    header = ["features", "search CPU s", "search peak MB", "layout CPU s", "layout peak MB"]
    report.table(f"Growth with the number of features, d = {d}", header, rows)


def main() -> None:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results.md")
    parser.add_argument("--only", choices=["neighbours", "layer", "throughput", "scaling"])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, to run beside this one")
    parser.add_argument("--features", type=int, default=16384)
    parser.add_argument("--widths", type=int, nargs="+", default=[2304, 3584])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8192, 16384, 32768, 65536])
    arguments = parser.parse_args()
    n, widths, rounds, only = arguments.features, arguments.widths, arguments.rounds, arguments.only
    report = Report(arguments.output)
    report.say(f"# Benchmark\n\n{machine()} The best of {rounds} rounds; the methods take turns.")
    if only in (None, "neighbours"):
        compare_searches(report, n, widths, rounds)
    with tempfile.TemporaryDirectory() as folder:
        checkouts = {"this": ROOT} | ({"other": arguments.against.resolve()} if arguments.against else {})
        if only != "neighbours":
            warm = {label: warmed(checkout, Path(folder) / label) for label, checkout in checkouts.items()}
        if only in (None, "layer"):
            compare_layers(report, warm, n, widths[0], rounds)
        if only in (None, "throughput"):
            compare_throughput(report, warm, n, widths[0])
        if only in (None, "scaling"):
            measure_growth(report, warm["this"], arguments.sizes, 512)


if __name__ == "__main__":
    main()
