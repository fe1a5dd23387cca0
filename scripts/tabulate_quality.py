"""quality.json of every layer -> quality.tsv: one row a layer, the map's measures beside those of PCA and chance."""

import re

from lib.files import load_record, save_bytes
from lib.job import job_log

COUNTS = ("features", "labelled")


def columns(record: dict) -> dict[str, str]:
    """One layer's row: counts, then each measure of the map followed by the same of PCA and of random positions."""
    found = {name: record[name] for name in COUNTS}
    found |= {name: record["degrees"][name] for name in ("edges", "without_edge")}
    for measure in record.get("map", {}):
        for positions in ("map", "pca", "random"):
            found[measure if positions == "map" else f"{measure}_{positions}"] = record[positions][measure]
    return {name: "" if value is None else str(value) for name, value in found.items()}


def table(records: dict[int, dict]) -> str:
    """The table of a model's layers, by layer number; empty where a layer has no such measure."""
    rows = {layer: columns(record) for layer, record in sorted(records.items())}
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = ["\t".join(["layer", *names])]
    lines += ["\t".join([str(layer), *(row.get(name, "") for name in names)]) for layer, row in rows.items()]
    return "\n".join(lines) + "\n"


def layer_of(path: str) -> int:
    """The layer that a path results/{model}/layer-{layer}/quality.json belongs to."""
    return int(re.search(r"layer-(\d+)/quality\.json$", path)[1])


def main(snakemake) -> None:
    """Read all, write one table."""
    with job_log(snakemake) as log:
        records = {layer_of(path): load_record(path) for path in snakemake.input.qualities}
        save_bytes(snakemake.output.table, table(records).encode())
        log.info("%d layers", len(records))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
