"""The logger that `make demo` uses: few lines, and none of what goes wrong is lost."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_brief import LogHandler


@pytest.fixture
def logger():
    handler = LogHandler(SimpleNamespace(), None)
    handler.setFormatter(DefaultFormatter(show_failed_logs=True))
    logger = logging.Logger("run")
    logger.addHandler(handler)
    return logger


def test_a_run_of_many_steps_takes_eleven_lines(logger, capsys):
    logger.info("Building DAG of jobs...")
    logger.info("Job stats", extra={"event": LogEvent.RUN_INFO, "stats": {"total": 90}})
    for step in range(90):
        making = {"rule_msg": f"Mapping layer {step}", "rule_name": "draw"}
        logger.info("Job", extra={"event": LogEvent.JOB_INFO, **making})
        logger.info(None, extra={"event": LogEvent.PROGRESS, "done": step + 1, "total": 90})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[1] == "    9 of 90 steps  Mapping layer 8"
    assert lines[-1] == "   90 of 90 steps  done"


def test_what_goes_wrong_is_shown_whole(logger, capsys, tmp_path):
    log = tmp_path / "layer-2.log"
    log.write_text("decoder.npy: cut short\n")
    logger.warning("is locked")
    failed = {"event": LogEvent.JOB_ERROR, "rule_name": "draw", "jobid": 3, "log": [str(log)], "aux": {}}
    nothing = dict.fromkeys(("rule_msg", "input", "output", "conda_env", "container_img", "shellcmd"))
    logger.error(None, extra=nothing | failed)
    shown = capsys.readouterr().err
    assert "is locked" in shown
    assert "Error in rule draw" in shown
    assert "decoder.npy: cut short" in shown
