"""Python imports this by itself from PYTHONPATH: every job of a measured run appends what it used to $JOB_USAGE."""

import atexit
import json
import os
import resource
import sys
from pathlib import Path


def record() -> None:
    """Append a line of JSON: rule, CPU seconds, and peak memory in MB, of this process and those that it waited for."""
    # Snakemake runs .snakemake/scripts/tmp….{rule}.py.
    *_, rule, suffix = [".", *Path(sys.argv[0]).name.split(".")]
    if suffix != "py" or ".snakemake" not in sys.argv[0]:
        return
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    # One write to a file opened for appending is whole, also beside other jobs.
    with Path(os.environ["JOB_USAGE"]).open("a") as file:
        file.write(json.dumps({"rule": rule, "cpu": cpu, "peak": max(each.ru_maxrss for each in used) / 1024}) + "\n")


if "JOB_USAGE" in os.environ:
    atexit.register(record)
