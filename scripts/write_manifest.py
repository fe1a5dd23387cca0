"""All layers of a model -> manifest.json: what there is, with sizes and SHA-256.

It lists exactly the layers that the configuration selects, and none of them while one is below a floor: the gates stand
here, before anything is listed or published. It alone carries a time, `generatedAt`; SOURCE_DATE_EPOCH fixes it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from lib.errors import UserError
from lib.files import load_record, save_record, sha256
from lib.job import job_log


def refusals(quality: dict, entry: dict, floors: dict[str, float], min_coverage: float) -> list[str]:
    """Why one layer must not be listed, from its quality.json and export.json; empty if it may be.

    floors : the configuration's `quality` block: `min_{measure}` is the floor under a measure of the map
    min_coverage : minimum labelled share of the requested features that can fire
    """
    reasons = []
    for key, floor in sorted(floors.items()):
        measure = key.removeprefix("min_")
        value = quality.get("map", {}).get(measure)
        if value is not None and value < floor:
            reasons.append(f"{measure} is {value}, below quality.{key} ({floor})")
    coverage = entry.get("labelCoverage")
    if coverage is not None and coverage < min_coverage:
        reasons.append(
            f"only {coverage:.2%} of the requested features have a label ({entry['neverActive']:,} that never fire are"
            f" not counted), below labels.min_coverage ({min_coverage:.2%})"
        )
    return reasons


def atlas_refusals(quality: dict, floors: dict[str, float]) -> list[str]:
    """Why an atlas must not be listed, from its quality.json; empty if it may be."""
    share, floor = quality["kept_15_of_own"], floors["min_frame_kept"]
    if share is None or share >= floor:
        return []
    return [f"kept_15 in the frame is {share} of the layers' own, below quality.min_frame_kept ({floor})"]


def check_gates(maps: dict[str, list[str]]) -> None:
    """Refuse a model of which a map, by its file name, or the atlas has reasons not to be listed.

    Raises UserError: naming all of these, their reasons, and what to do.
    """
    refused = [f"\n  {name}: {'; '.join(reasons)}" for name, reasons in maps.items() if reasons]
    if refused:
        raise UserError(
            "the model has no manifest, because these must not be listed or published:"
            f"{''.join(refused)}\n"
            "Low fidelity: neighbours in the decoder are not neighbours in the map; try another layout (layout in the"
            " configuration). An atlas that loses too much: weaker springs (atlas.layout.spring_strength), or no atlas"
            " (atlas.enabled: false). Low coverage: check the source of the labels. Or leave these layers out (layers),"
            " or, if the decoder has so little structure or no more labels exist, lower the floor. The maps stay as is."
        )


def layer_entry(record: dict, folder: Path, files: dict[str, Path]) -> dict:
    """The manifest's entry for one layer: its export.json, and its files by their paths from the manifest's folder.

    files : `graphs`, `tables`, and where they exist `gzips`, `frames` and `frame_tables`

    Raises UserError: the map is not as long as it was written.
    """
    entries = {name: _file_entry(path, folder) for name, path in files.items()}
    size = entries["graphs"]["fileSize"]
    if size != record["fileSize"]:
        raise UserError(
            f"{files['graphs']}: {size:,} bytes, but {record['fileSize']:,} were written: damaged or cut short; delete"
            " it and run the same command again"
        )
    entry = {"layer": record["layer"]} | entries["graphs"] | {"table": entries["tables"]}
    if "gzips" in entries:
        entry["gzip"] = entries["gzips"]
    if "frames" in entries:
        entry["frame"] = {"graph": entries["frames"], "table": entries["frame_tables"]}
    return entry | record


def _file_entry(path: Path, folder: Path) -> dict:
    return {"filePath": path.relative_to(folder).as_posix(), "fileSize": path.stat().st_size, "sha256": sha256(path)}


def generated_at() -> str:
    """Now, or SOURCE_DATE_EPOCH, in UTC as ISO 8601."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, params, folder = snakemake.input, snakemake.params, Path(snakemake.output.manifest).parent
        kinds = ("graphs", "tables", "gzips", "frames", "frame_tables")
        products = {name: list(map(Path, paths)) for name in kinds if (paths := files.get(name))}
        records = [load_record(path) for path in files.records]
        graphs = products["graphs"]
        floors = params.quality, params.min_coverage
        judged = zip(graphs, map(load_record, files.qualities), records, strict=True)
        reasons = {graph.name: refusals(quality, record, *floors) for graph, quality, record in judged}
        manifest = params.about | {"generatedAt": generated_at()}
        if files.atlas_quality:
            reasons["the atlas"] = atlas_refusals(load_record(files.atlas_quality), params.quality)
            manifest["atlas"] = {"tracks": _file_entry(Path(*files.tracks), folder)}
        check_gates(reasons)
        of_layers = [dict(zip(products, paths, strict=True)) for paths in zip(*products.values(), strict=True)]
        manifest["layers"] = [
            layer_entry(record, folder, each) for record, each in zip(records, of_layers, strict=True)
        ]
        save_record(snakemake.output.manifest, manifest, sort_keys=False)
        for path in sorted(set(folder.glob("layer-*.json")) - set(graphs)):
            log.info("%s lies here too, but the configuration does not select it: not listed", path.name)
        log.info("%d layers", len(graphs))
