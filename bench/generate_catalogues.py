"""SAELens' table of pretrained SAEs -> config/catalogues/: one catalogue per family that Neuronpedia explains.

    PYTHONPATH=scripts python bench/generate_catalogues.py 6.54.12     # a release of sae-lens on PyPI

Of the release only the table is read. Prints what it writes and what it leaves out, to be checked before it is
committed. A family is the SAEs of one release of SAELens with one source set on Neuronpedia, so they share site and
width. Files and tensors are those that SAELens' loaders read; widths of decoders are those of the language models. A
wrong number of features is noticed when a decoder is fetched.
"""

import argparse
import collections
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

from lib.planning.catalogue import Catalogue
from lib.planning.schema import LOADER
from list_models import summary

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "config" / "catalogues"

# Of SAELens' loaders: the file, its decoder, and the order of the decoder's axes. The others read torch pickles.
ROWS, COLUMNS = ["features", "d_model"], ["d_model", "features"]
LOADERS = {
    None: ("{path}/sae_weights.safetensors", "W_dec", ROWS),
    "gemma_2": ("{path}/params.npz", "W_dec", ROWS),
    "gemma_2_transcoder": ("{path}/params.npz", "W_dec", ROWS),
    "gemma_3": ("{path}/params.safetensors", "w_dec", ROWS),
    "llama_scope": ("{path}/checkpoints/final.safetensors", "decoder.weight", COLUMNS),
    "llama_scope_r1_distill": ("{path}/sae_weights.safetensors", "decoder.weight", COLUMNS),
    "mwhanna_transcoder": ("{path}", "W_dec", ROWS),
    "mntss_clt_layer_transcoder": ("W_dec_{path}.safetensors", "W_dec_{layer}", ["features", "outputs", "d_model"]),
    "temporal": ("{path}/latest_ckpt.safetensors", "D", ROWS),
}
# By their names on Neuronpedia: a name to display, the number of layers, the width of the residual stream.
LANGUAGE_MODELS = {
    "deepseek-r1-distill-llama-8b": ("DeepSeek R1 Distill Llama 8B", 32, 4096),
    "gemma-2-27b": ("Gemma 2 27B", 46, 4608),
    "gemma-2-2b": ("Gemma 2 2B", 26, 2304),
    "gemma-2-9b": ("Gemma 2 9B", 42, 3584),
    "gemma-2-9b-it": ("Gemma 2 9B IT", 42, 3584),
    "gemma-2b": ("Gemma 2B", 18, 2048),
    "gemma-2b-it": ("Gemma 2B IT", 18, 2048),
    "gemma-3-12b": ("Gemma 3 12B", 48, 3840),
    "gemma-3-1b": ("Gemma 3 1B", 26, 1152),
    "gemma-3-1b-it": ("Gemma 3 1B IT", 26, 1152),
    "gemma-3-270m": ("Gemma 3 270M", 18, 640),
    "gemma-3-270m-it": ("Gemma 3 270M IT", 18, 640),
    "gemma-3-27b-it": ("Gemma 3 27B IT", 62, 5376),
    "gemma-3-4b": ("Gemma 3 4B", 34, 2560),
    "gemma-3-4b-it": ("Gemma 3 4B IT", 34, 2560),
    "gpt2-small": ("GPT-2 small", 12, 768),
    "llama3.1-8b": ("Llama 3.1 8B", 32, 4096),
    "pythia-70m-deduped": ("Pythia 70M deduped", 6, 512),
    "qwen3-4b": ("Qwen3 4B", 36, 2560),
}
# The width of hook_z, the outputs of all heads.
HEADS = {"gemma-2-2b": 2048, "gemma-2-9b": 4096}
# Numbers of features that neither the path nor the source set says.
FEATURES = {
    "gemma-2-2b-res-matryoshka-dc": 32768,
    "gemma-2-9b-res-matryoshka-dc": 32768,
    "gpt2-small-res-jb": 24576,
    "mntss-gemma-2-2b-2.5m-clt-as-per-layer": 98304,
    "mwhanna-qwen3-4b-transcoders": 163840,
    "pythia-70m-deduped-att-sm": 32768,
    "pythia-70m-deduped-mlp-sm": 32768,
    "pythia-70m-deduped-res-sm": 32768,
}
WIDEST = 262144  # wider SAEs need more memory than the workflow has been tried with
SITES = {"transcoder": "transcoder", "clt": "clt", "mlp": "mlp_out", "att": "attn_out", "res": "resid_post"}


def read_table(version: str) -> dict[str, dict]:
    """SAELens' table: its releases by name."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, f"sae-lens=={version}"], check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return yaml.load(wheel.read("sae_lens/pretrained_saes.yaml"), LOADER)


def families(table: dict[str, dict]) -> dict[tuple[str, str, str], list[dict]]:
    """The rows that Neuronpedia explains, by release, model and source set; `layer` and `source` added."""
    grouped = collections.defaultdict(list)
    for release, entry in table.items():
        for row in entry["saes"]:
            if address := row.get("neuronpedia"):
                model, source = address.split("/")
                layer, source_set = source.split("-", 1)
                grouped[release, model, source_set].append(row | {"layer": layer, "source": source})
    return grouped


def flaw(table: dict[str, dict], release: str, source_set: str, rows: list[dict]) -> str | None:
    """Why a family is left out, or None."""
    if f"{release}-canonical" in table or "bench" in release or len({row["layer"] for row in rows}) < len(rows):
        return "one of several SAEs per layer, of which none is the layer's own"
    if table[release]["conversion_func"] not in LOADERS:
        return "torch pickles, which are not read"
    if not all(row["layer"].isdecimal() for row in rows):
        return "a fault of the table: path and source disagree"
    features = [features_of(release, source_set, row) for row in rows]
    if None in features:
        return "number of features unknown"
    return f"more than {WIDEST:,} features" if max(features) > WIDEST else None


def features_of(release: str, source_set: str, row: dict) -> int | None:
    """The number of features that the path (hook_resid_pre_768), the source set (16k) or FEATURES says."""
    if exact := re.search(r"hook_[a-z_]+_(\d+)", str(row["path"])):
        return int(exact[1])
    if rounded := re.search(r"(\d+)([km])(-|$)", source_set):
        count = int(rounded[1]) * {"k": 1000, "m": 1000000}[rounded[2]]
        return min((2**exponent for exponent in range(10, 24)), key=lambda power: abs(power - count))
    return FEATURES.get(release)


def site_of(loader: str | None, source_set: str, row: dict) -> str:
    """The site that the ID (blocks.0.hook_resid_pre) or the source set says."""
    if hook := re.search(r"hook_(resid_pre|resid_mid|resid_post|attn_out|mlp_out)", row["id"]):
        return hook[1]
    site = next(site for word, site in SITES.items() if word in source_set)
    return "hook_z" if site == "attn_out" and loader == "gemma_2" else site


def short_name(source_set: str, features: int) -> str:
    """A source set without its authors, with its width: gemmascope-res-65k is res-65k, res-jb is res-jb-24k."""
    name = re.sub(r"^(gemmascope|llamascope)(-2)?-|-oai$", "", source_set).replace("_", "-")
    return name if re.search(r"\d+k|fs\d", name) else f"{name}-{features // 1024}k"


def catalogue(release: str, neuronpedia: str, source_set: str, entry: dict, rows: list[dict]) -> tuple[str, dict]:
    """The name of a family and its model, as in a catalogue."""
    loader, repo = entry["conversion_func"], entry["repo_id"]
    file, tensor, shape = LOADERS[loader]
    display_name, depth, width = LANGUAGE_MODELS[neuronpedia]
    rows = sorted((row | {"layer": int(row["layer"])} for row in rows), key=lambda row: row["layer"])
    features, site = features_of(release, source_set, rows[0]), site_of(loader, source_set, rows[0])
    width = HEADS[neuronpedia] if site == "hook_z" else width
    # The first number in an ID that is the layer's.
    patterns = [re.sub(rf"(?<!\d){row['layer']}(?!\d)", "{layer}", row["id"], count=1) for row in rows]
    pattern = collections.Counter(patterns).most_common(1)[0][0]
    layers = []
    for row in rows:
        layer = {"layer": row["layer"], "weights": file.format(path=row["path"], layer=row["layer"])}
        layer["source"] = row["source"]
        if "outputs" in shape:
            layer["megabytes"] = round(4e-6 * features * (depth - row["layer"]) * width)
        if pattern.replace("{layer}", str(row["layer"])) != row["id"]:
            layer["saelens"] = row["id"]
        layers.append(layer)
    by_google = release.startswith("gemma-scope")
    credit = "Gemma Scope, Google DeepMind, CC-BY-4.0" if by_google else f"{repo} on Hugging Face"
    name = short_name(source_set, features)
    model = {
        "display_name": f"{display_name} {name}",
        "features": features,
        "d_model": width,
        "site": site,
        "model_layers": depth,
        "weights": {"repo": repo, "revision": "main", "tensor": tensor, "shape": shape},
        "neuronpedia": {"model": neuronpedia, "source_set": source_set},
        "saelens": {"release": release, "id": pattern},
        "attribution": f"SAE weights: {credit}. Labels: Neuronpedia.",
        "licenses": {"weights": "CC-BY-4.0", "labels": None} if by_google else {"labels": None},
        "layers": layers,
    }
    return f"{neuronpedia}-{name}", model


def main() -> None:
    """Write the catalogues of the release that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version", metavar="VERSION", help="a release of sae-lens on PyPI, such as 6.54.12")
    version = parser.parse_args().version
    table, left_out = read_table(version), collections.defaultdict(collections.Counter)
    default = Catalogue(["config/models.yaml"], ROOT)
    by_hand = {tuple(model["neuronpedia"].values()): model for model in default.values()}
    for old in FOLDER.glob("*.yaml"):
        old.unlink()
    for (release, neuronpedia, source_set), rows in sorted(families(table).items()):
        if reason := flaw(table, release, source_set, rows):
            left_out[reason][release] += len(rows)
            continue
        name, model = catalogue(release, neuronpedia, source_set, table[release], rows)
        if (neuronpedia, source_set) in by_hand:
            if by_hand[neuronpedia, source_set]["layers"] != model["layers"]:
                sys.exit(f"config/models.yaml and SAELens {version} disagree on {neuronpedia}, {source_set}")
            continue
        head = f"# Written by bench/generate_catalogues.py from the table of SAELens {version}: do not edit.\n"
        text = yaml.safe_dump({name: model}, sort_keys=False, default_flow_style=None, width=10000)
        (FOLDER / f"{name}.yaml").write_text(head + text, encoding="utf-8")
    models = Catalogue([str(FOLDER)], ROOT)
    print(summary(models, list(models)))
    for reason, counts in left_out.items():
        releases = ", ".join(f"{release} ({count})" for release, count in counts.items())
        print(f"\nleft out ({counts.total()} rows), {reason}: {releases}")


if __name__ == "__main__":
    main()
