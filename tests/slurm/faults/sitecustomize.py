"""On PYTHONPATH, this makes jobs of the workflow fail: Python imports it at the start of every script.

SAE_FAULTS lists what fails, and how many times: `export_layer:0=2` fails the first two attempts at layer 0,
and `export_layer:1=always` every one. SAE_FAULTS_DIR is where the attempts are counted.
"""

import os
import sys
from pathlib import Path


def _attempt(counter: Path) -> int:
    with counter.open("a") as file:
        file.write("x")
        return file.tell()


for _fault in os.environ.get("SAE_FAULTS", "").split():
    _target, _times = _fault.split("=")
    _rule, _layer = _target.split(":")
    _script = Path(sys.orig_argv[-1])
    if _script.name.endswith(f".{_rule}.py") and f"/layer-{_layer}." in _script.read_text():
        _counter = Path(os.environ["SAE_FAULTS_DIR"]) / f"{_rule}-{_layer}"
        if _times == "always" or _attempt(_counter) <= int(_times):
            sys.exit(f"{_rule} of layer {_layer} fails, as the test asked")
