"""A published folder on a web server of its own, as a static host would serve it."""

import functools
import http.server
import json
import shutil
import threading
from pathlib import Path

HOSTILE = [
    "<img src=x onerror=\"window.hit = 'img'\">",
    "</script><script>window.hit = 'script'</script>",
    "javascript:alert(1) \" ' ` ${window.hit=1} {{7*7}}",
    "\u202egnirts desrever\u202c\u0000\u0007 and controls",
    "مرحبا بالعالم",
    "x" * 100_000,
]


def layer_file(model: str, layer: int, labels: list[str | None], links: list[tuple[int, int, float]]) -> dict:
    """A layer-N.json of features on a helix, as plain values."""

    def node(index: int, label: str | None) -> dict:
        position = [float(10 * (index % 7)), float(3 * index), float(10 * (index % 5))]
        feature = {"modelId": model, "layer": layer, "index": index}
        entry = {"id": f"{model}:{layer}:{index}", "featureId": feature, "position": position}
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
    return {
        "metadata": {"modelId": model, "layers": [layer]},
        "nodes": [node(index, label) for index, label in enumerate(labels)],
        "edges": edges,
    }


class Site:
    """A copy of a published folder, served under a path, with a model `hostile` beside those it has."""

    def __init__(self, results: Path, folder: Path):
        self.root = folder
        self.folder = folder / "some" / "path"
        intermediates = shutil.ignore_patterns("*.npy", "*.npz", "*.parquet", "logs", "benchmarks")
        shutil.copytree(results, self.folder, ignore=intermediates)
        self.server: http.server.ThreadingHTTPServer | None = None
        self.headers: dict[str, str] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/some/path/"

    def start(self) -> None:
        """Serve; on the port of before, if there was one."""
        site = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def end_headers(self):
                if self.path.endswith(".gz"):
                    for name, value in site.headers.items():
                        self.send_header(name, value)
                super().end_headers()

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

    def add_model(self, model: str, graph: dict) -> None:
        """Publish one more model of one layer."""
        from lib.files import sha256

        folder = self.folder / model
        folder.mkdir()
        path = folder / f"layer-{graph['metadata']['layers'][0]}.json"
        path.write_text(json.dumps(graph))
        entry = {"layer": graph["metadata"]["layers"][0], "filePath": path.name}
        entry |= {"fileSize": path.stat().st_size, "sha256": sha256(path)}
        (folder / "manifest.json").write_text(json.dumps({"modelId": model, "layers": [entry]}))
        index_path = self.folder / "index.json"
        index = json.loads(index_path.read_bytes())
        index["models"].append({"modelId": model, "displayName": model, "manifest": f"{model}/manifest.json"})
        index_path.write_text(json.dumps(index))
