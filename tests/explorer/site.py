"""A published folder on a web server of its own, as a static host would serve it."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HOSTILE = [
    "<img src=x onerror=\"window.hit = 'img'\">",
    "</script><script>window.hit = 'script'</script>",
    "javascript:alert(1) \" ' ` ${window.hit=1} {{7*7}}",
    "\u202egnirts desrever\u202c\u0000\u0007 and controls",
    "مرحبا بالعالم",
    "x" * 100_000,
]


def layer_file(
    model: str,
    layer: int,
    labels: list[str | None],
    links: list[tuple[int, int, float]],
    positions: list[list[float]] | None = None,
) -> dict:
    """A layer-N.json as plain values; without positions, the features lie on a helix."""
    count = len(labels)
    positions = positions or [[10.0 * (i % 7), 3.0 * i, 10.0 * (i % 5)] for i in range(count)]

    def node(index: int, label: str | None) -> dict:
        feature = {"modelId": model, "layer": layer, "index": index}
        entry = {"id": f"{model}:{layer}:{index}", "featureId": feature, "position": positions[index]}
        return entry if label is None else entry | {"label": label}

    edges = [
        {
            "id": f"{model}:{layer}:{a}-{b}",
            "source": f"{model}:{layer}:{a}",
            "target": f"{model}:{layer}:{b}",
            "weight": weight,
            "type": "coactivation",
        }
        for a, b, weight in links
    ]
    metadata = {
        "modelId": model,
        "layers": [layer],
        "version": "0",
        "featureCount": count,
        "edgeCount": len(edges),
        "labeledCount": sum(label is not None for label in labels),
        "deadCount": 0,
        "bounds": {side.__name__: [side(axis) for axis in zip(*positions, strict=True)] for side in (min, max)},
        "parameters": {},
        "provenance": {},
    }
    return {
        "metadata": metadata,
        "nodes": [node(index, label) for index, label in enumerate(labels)],
        "edges": edges,
    }


def manifest_file(metadata: dict, file: dict) -> dict:
    """The manifest.json of a model with one layer: its metadata, and the path, size and SHA-256 of its file."""
    counts = {key: metadata[key] for key in ("featureCount", "edgeCount", "labeledCount", "deadCount")}
    return {
        "modelId": metadata["modelId"],
        "displayName": metadata.get("displayName", metadata["modelId"]),
        "totalLayers": 1,
        "featuresPerLayer": metadata["featureCount"],
        "neuronpediaModelId": None,
        "neuronpediaSourceSet": None,
        "pipelineVersion": "0",
        "attribution": None,
        "generatedAt": "2026-01-01T00:00:00Z",
        "layers": [{"layer": metadata["layers"][0]} | file | counts],
    }


def described(path: Path, folder: str = "") -> dict:
    """What a manifest says of a file in a folder beside it."""
    content = path.read_bytes()
    return {"filePath": folder + path.name, "fileSize": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as the workflow does, with the regions in its `attrs`, if there are any, beside the columns."""
    rows = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata()
    with pq.ParquetWriter(path, rows.schema, compression="snappy") as writer:
        writer.write_table(rows)
        if "regions" in table.attrs:
            writer.add_key_value_metadata({"regions": json.dumps(table.attrs["regions"])})


class Site:
    """A copy of a published folder, served under a path, with a model `hostile` beside those it has."""

    def __init__(self, results: Path, folder: Path):
        self.root = folder
        self.folder = folder / "some" / "path"
        intermediates = shutil.ignore_patterns("layer-?", "features.parquet", "figures", "logs", "benchmarks", "site")
        shutil.copytree(results, self.folder, ignore=intermediates)
        self.server: http.server.ThreadingHTTPServer | None = None
        self.headers: dict[str, str] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.port}/some/path/"

    def change(self, path: str, change: Callable[[dict], None]) -> None:
        """Rewrite a JSON file."""
        content = json.loads((self.folder / path).read_bytes())
        change(content)
        (self.folder / path).write_text(json.dumps(content))

    def change_table(self, path: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Rewrite a layer's table, and what its manifest says of it."""
        table = self.folder / path
        notes = pq.read_metadata(table).metadata or {}
        changed = change(pd.read_parquet(table))
        if b"regions" in notes:
            changed.attrs["regions"] = json.loads(notes[b"regions"])
        save_table(changed, table)
        model, _, name = path.partition("/")
        folder = name.removesuffix(table.name)

        def describe(manifest: dict) -> None:
            for entry in manifest["layers"]:
                for holder in (entry, entry.get("frame", {})):
                    if holder.get("table", {}).get("filePath") == name:
                        holder["table"] = described(table, folder)

        self.change(f"{model}/manifest.json", describe)

    def start(self) -> None:
        """Serve, on the same port as before."""
        site = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def end_headers(self):
                if self.path.endswith(".gz"):
                    for name, value in site.headers.items():
                        self.send_header(name, value)
                super().end_headers()

            def do_GET(self):
                # Times count whole seconds here: two versions of a file in one second would be taken for the same.
                del self.headers["If-Modified-Since"]
                super().do_GET()

            def log_message(self, *args):
                pass

        handler = functools.partial(Handler, directory=str(self.root))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop answering."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def add_atlas(self, model: str, own: list[pd.DataFrame], frame: list[pd.DataFrame], tracks: pd.DataFrame) -> None:
        """Publish a model of several layers as tables: each on its own map and in the frame of all, with tracks."""
        folder = self.folder / model
        (folder / "atlas").mkdir(parents=True)
        tracks.to_parquet(folder / "atlas" / "tracks.parquet", compression="snappy")
        manifest = manifest_file(layer_file(model, 0, ["x"], [])["metadata"], {})
        manifest |= {"layers": [], "atlas": {"tracks": described(folder / "atlas" / "tracks.parquet", "atlas/")}}
        for layer, (table, placed) in enumerate(zip(own, frame, strict=True)):
            graph = folder / f"layer-{layer}.json"
            graph.write_text("{}")  # never read where there is a table
            paths = [folder / f"layer-{layer}.parquet", folder / "atlas" / f"layer-{layer}.parquet"]
            save_table(table, paths[0])
            save_table(placed, paths[1])
            entry = {"layer": layer, "table": described(paths[0]), "edges": {"k": 3, "threshold": 0.25}}
            entry |= described(graph) | {"frame": {"table": described(paths[1], "atlas/")}}
            counts = {"featureCount": len(table), "edgeCount": 0, "labeledCount": len(table), "deadCount": 0}
            manifest["layers"].append(entry | counts)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        self.list_model(model, model)

    def list_model(self, model: str, name: str) -> None:
        """Put a model into the index, last."""
        path = self.folder / "index.json"
        models = [entry for entry in json.loads(path.read_bytes())["models"] if entry["modelId"] != model]
        models.append({"modelId": model, "displayName": name, "manifest": f"{model}/manifest.json"})
        path.write_text(json.dumps({"models": models}))

    def add_model(self, graph: dict, table: pd.DataFrame | None = None, edges: dict | None = None) -> None:
        """Publish one more model of one layer, or replace it; with its table, and which of its neighbours are links."""
        metadata = graph["metadata"]
        model, layer = metadata["modelId"], metadata["layers"][0]
        folder = self.folder / model
        folder.mkdir(exist_ok=True)
        path = folder / f"layer-{layer}.json"
        path.write_text(json.dumps(graph))
        file = described(path)
        if table is not None:
            save_table(table, path.with_suffix(".parquet"))
            file |= {"table": described(path.with_suffix(".parquet")), "edges": edges}
        (folder / "manifest.json").write_text(json.dumps(manifest_file(metadata, file)))
        self.list_model(model, metadata.get("displayName", model))
