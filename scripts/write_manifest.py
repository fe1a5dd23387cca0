"""All layers of a model -> manifest.json: what there is, with sizes and SHA-256.

It lists exactly the layers that the configuration selects, and none of them while one is below a floor: the gates stand
here, before anything is listed or published. It alone carries a time, `generatedAt`; SOURCE_DATE_EPOCH fixes it.
"""

import os
import time
from pathlib import Path

from lib.errors import UserError
from lib.files import load_record, save_record, sha256
from lib.job import job_log


def refusals(measures: dict[str, float | None], floors: dict[str, float]) -> list[str]:
    """Why a map or an atlas with these measures must not be listed; what has not been measured passes.

    floors : by its setting, such as quality.min_kept_15, the floor under a measure, kept_15
    """
    reasons = []
    for setting, floor in floors.items():
        measure = setting.partition(".min_")[2]
        value = measures.get(measure)
        if value is not None and value < floor:
            reasons.append(f"{measure} is {value}, below {setting} ({floor})")
    return reasons


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


if __name__ == "__main__":
    with job_log(snakemake) as log:
        files, params, folder = snakemake.input, snakemake.params, Path(snakemake.output.manifest).parent
        kinds = ("graphs", "tables", "gzips", "frames", "frame_tables")
        products = {name: list(map(Path, paths)) for name in kinds if (paths := files.get(name))}
        records = [load_record(path) for path in files.records]
        maps = zip(products["graphs"], map(load_record, files.qualities), records, strict=True)
        reasons = {
            graph.name: refusals(quality["map"] | {"coverage": record.get("labelCoverage")}, params.floors)
            for graph, quality, record in maps
        }
        seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
        manifest = params.about | {"generatedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))}
        if files.atlas_quality:
            of_own = load_record(files.atlas_quality)["kept_15_of_own"]
            reasons["the atlas"] = refusals({"frame_kept": of_own}, params.floors)
            manifest["atlas"] = {"tracks": _file_entry(Path(*files.tracks), folder)}
        check_gates(reasons)
        of_layers = [dict(zip(products, paths, strict=True)) for paths in zip(*products.values(), strict=True)]
        manifest["layers"] = [
            layer_entry(record, folder, each) for record, each in zip(records, of_layers, strict=True)
        ]
        save_record(snakemake.output.manifest, manifest, sort_keys=False)
        log.info("%d layers", len(records))
