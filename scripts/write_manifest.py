"""All layers of a model -> manifest.json: what there is, with sizes and SHA-256.

It lists exactly the layers that the configuration asks for. It alone carries a time, `generatedAt`; set
SOURCE_DATE_EPOCH to fix it.
"""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import orjson

from lib.files import save_bytes, sha256
from lib.job import job_log


def layer_entry(graph: Path, gzip: Path | None) -> dict:
    """The manifest's entry for one layer; paths are relative to the manifest."""
    metadata = orjson.loads(graph.read_bytes())["metadata"]
    entry = {"layer": metadata["layers"][0]} | _file_entry(graph)
    entry["sourceId"] = metadata.get("sourceId")
    if gzip:
        entry["gzip"] = _file_entry(gzip)
    entry |= {key: metadata[key] for key in ("featureCount", "edgeCount", "labeledCount", "deadCount")}
    entry["labelCoverage"] = metadata["provenance"]["labels"].get("coverage")  # of the features asked for
    return {key: value for key, value in entry.items() if value is not None}


def _file_entry(path: Path) -> dict:
    return {"filePath": path.name, "fileSize": path.stat().st_size, "sha256": sha256(path)}


def unlisted(folder: Path, listed: list[Path]) -> list[str]:
    """Maps that lie beside the manifest without being asked for by the configuration."""
    found = {path.name for path in folder.glob("layer-*.json") if re.fullmatch(r"layer-\d+\.json", path.name)}
    return sorted(found - {path.name for path in listed})


def generated_at() -> str:
    """Now, or SOURCE_DATE_EPOCH, in UTC as ISO 8601."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def main(snakemake) -> None:
    """Read the layers, describe each, write."""
    with job_log(snakemake) as log:
        graphs = [Path(path) for path in snakemake.input.graphs]
        packed = {path.stem: path for path in map(Path, snakemake.input.gzips)}
        manifest = snakemake.params.about | {
            "generatedAt": generated_at(),
            "layers": [layer_entry(graph, packed.get(graph.name)) for graph in graphs],
        }
        save_bytes(
            snakemake.output.manifest, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
        )
        for name in unlisted(graphs[0].parent, graphs):
            log.info("%s lies here too, but the configuration does not ask for it: not listed", name)
        log.info("%d layers", len(graphs))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
