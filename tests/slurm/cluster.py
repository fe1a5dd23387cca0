#!/usr/bin/env python3
"""Set up and remove a Slurm cluster of one node on this machine.

    cluster.py install          installs Debian's packages without starting their services
    cluster.py start            starts munged, slurmctld and slurmd; prints how to use and stop them
    cluster.py status           shows what runs and whether the node accepts jobs; exit status 3 if not
    cluster.py stop             cancels the jobs and stops the daemons that `start` started, and only those

Everything lives in one directory (--dir): configuration, a new munge key, sockets, state, logs and pid files;
free ports are chosen at the start. The only file outside it is the link /etc/slurm/slurm.conf, needed because
Snakemake's Slurm executor drops SLURM_CONF inside a job; `stop` removes it, and `start` the one of a cluster that was
killed. `start` refuses to run on a machine that already has a slurm.conf or another test cluster.

Needs root (for the link, and for slurmd to switch users) and, for `install`, Debian or Ubuntu. For tests only: jobs
are neither accounted nor confined, and the node claims more processors and memory than the machine may have.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "squeue", "scancel", "munged"]
DAEMONS = ["slurmd", "slurmctld", "munged"]  # in the order of stopping
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
POLICY = Path("/usr/sbin/policy-rc.d")
DEFAULT_DIR = Path(tempfile.gettempdir()) / f"sae-atlas-slurm-{os.getuid()}"
ACCEPTS_JOBS = ("idle", "mixed", "allocated")
PATIENCE = 60.0  # seconds

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={dir}/munge.socket
CredType=cred/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd.pid
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd.log
# One line per finished job; `ended_jobs` reads it.
JobCompType=jobcomp/filetxt
JobCompLoc={dir}/jobs.txt
# No cgroups, accounting or MPI.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Start jobs at once; keep finished ones visible to squeue long enough to be polled.
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=1000
MinJobAge=600
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes=node1 Default=YES MaxTime=120 State=UP
"""


class ClusterError(RuntimeError):
    """An error the user can fix: what went wrong and what to do."""


def missing_programs() -> list[str]:
    """Return the required programs that are not on the PATH."""
    return [name for name in PROGRAMS if shutil.which(name, path=_environment()["PATH"]) is None]


def install() -> None:
    """Install the packages. Debian asks policy-rc.d before it starts a service; status 101 means no."""
    if not missing_programs():
        return
    _require_root()
    if shutil.which("apt-get") is None:
        raise ClusterError(f"no apt-get on this system: install {', '.join(PROGRAMS)} with its own package manager")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    before = POLICY.read_bytes() if POLICY.exists() else None
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    finally:
        POLICY.unlink() if before is None else POLICY.write_bytes(before)


def start(directory: Path) -> None:
    """Start the cluster and return when its node accepts jobs; on failure, leave nothing running."""
    _require_root()
    if missing := missing_programs():
        raise ClusterError(f"not installed: {', '.join(missing)}. Run: {sys.executable} {__file__} install")
    if running := _running(directory):
        raise ClusterError(f"{', '.join(running)} already running from {directory}: use or stop this cluster")
    make_way()
    try:
        _configure(directory)
        files = [f"--{name}-file={directory}/munge.{name}" for name in ("key", "log", "seed")]
        files += [f"--socket={directory}/munge.socket", f"--pid-file={directory}/munged.pid"]
        _run(["munged", "--force", "--num-threads=2", *files], directory)
        SYSTEM_CONF.symlink_to(directory / "slurm.conf")
        for daemon in ("slurmctld", "slurmd"):
            _run([daemon, "-c", "-f", str(directory / "slurm.conf")], directory)
        _wait_for(lambda: node_state(directory) == "idle", "the node did not become idle", directory)
    except BaseException:
        stop(directory)
        raise


def make_way() -> None:
    """Remove the link that a killed cluster left behind; refuse if it is in use, or the machine's own."""
    if SYSTEM_CONF.is_symlink():
        other = SYSTEM_CONF.readlink().parent
        if _running(other):
            raise ClusterError(f"another test cluster is running. Stop it: {__file__} stop --dir {other}")
        if not SYSTEM_CONF.exists() or (other / "munge.key").exists():
            SYSTEM_CONF.unlink()
    if SYSTEM_CONF.exists():
        raise ClusterError(f"{SYSTEM_CONF} exists: this machine has its own Slurm")


def _configure(directory: Path) -> None:
    """Write the key and configuration of a new cluster into its directory."""
    (directory / "jobs.txt").unlink(missing_ok=True)
    for name in ("state", "spool"):
        shutil.rmtree(directory / name, ignore_errors=True)
        (directory / name).mkdir(mode=0o755, parents=True)
    key = directory / "munge.key"
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    with socket.socket() as one, socket.socket() as another:
        for free in (one, another):
            free.bind(("127.0.0.1", 0))
        ports = {"ctld_port": one.getsockname()[1], "slurmd_port": another.getsockname()[1]}
    host = socket.gethostname().split(".")[0]
    (directory / "slurm.conf").write_text(SLURM_CONF.format(host=host, dir=directory, **ports))
    # Before 23.11 cgroups cannot be disabled; this plugin is then configured but unused.
    version = [int(part) for part in _run(["slurmctld", "-V"], directory).split()[1].split(".")[:2]]
    plugin = "disabled" if version >= [23, 11] else "cgroup/v1"
    (directory / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")


def node_state(directory: Path) -> str:
    """Return `idle`, `mixed`, `allocated`, `down` ..., or `unreachable` if the controller does not answer."""
    command = ["sinfo", "--noheader", "--format=%T"]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(directory), timeout=PATIENCE)
    return done.stdout.strip() if done.returncode == 0 else "unreachable"


def status(directory: Path) -> int:
    """Print what runs; return 0 if the node accepts jobs, otherwise 3."""
    running = _running(directory)
    state = node_state(directory) if "slurmctld" in running else "no cluster"
    for name, what in ({daemon: running.get(daemon, "not running") for daemon in DAEMONS} | {"node": state}).items():
        print(f"{name:10} {what}")
    return 0 if state in ACCEPTS_JOBS else 3


def _running(directory: Path) -> dict[str, int]:
    """Return the process ids of this directory's daemons, ignoring stale pid files."""
    running = {}
    for daemon in DAEMONS:
        with contextlib.suppress(OSError, ValueError):
            pid = int((directory / f"{daemon}.pid").read_text())
            if str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                running[daemon] = pid
    return running


def ended_jobs(directory: Path) -> list[dict[str, str]]:
    """Return Slurm's record of every finished job: JobId, JobState, Tres, TimeLimit, StartTime ..."""
    record = directory / "jobs.txt"
    lines = record.read_text().splitlines() if record.exists() else []
    return [dict(word.partition("=")[::2] for word in line.split()) for line in lines]


def active_jobs(directory: Path, states: str = "PD,R,CG,CF,S") -> list[str]:
    """Return the ids of the jobs in these states; by default, of all unfinished jobs."""
    command = ["squeue", "--noheader", f"--states={states}", "--format=%i"]
    return subprocess.run(command, capture_output=True, text=True, env=_environment(directory)).stdout.split()


def stop(directory: Path) -> None:
    """Cancel the jobs, stop this directory's daemons, and remove the link if it points here."""
    running = _running(directory)
    try:
        if {"slurmctld", "slurmd"} <= running.keys() and (jobs := active_jobs(directory)):
            subprocess.run(["scancel", *jobs], env=_environment(directory), check=False)
            _wait_for(lambda: not active_jobs(directory), "jobs did not end", directory)
    finally:
        for daemon, pid in running.items():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            _wait_for(lambda daemon=daemon: daemon not in _running(directory), f"{daemon} did not end", directory)
        if SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink() == directory / "slurm.conf":
            SYSTEM_CONF.unlink()


def _wait_for(condition, complaint: str, directory: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{complaint} within {PATIENCE:.0f} s; see {directory}/*.log")
        time.sleep(0.3)


def _run(command: list[str], directory: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(directory))
    if done.returncode != 0:
        raise ClusterError(f"{command[0]} exited {done.returncode}: {done.stderr.strip()}; see {directory}/*.log")
    return done.stdout


def _environment(directory: Path | None = None) -> dict[str, str]:
    """Return the environment for commands that use the cluster of `directory`."""
    environment = os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"}
    return environment | {"SLURM_CONF": str(directory / "slurm.conf")} if directory else environment


def _require_root() -> None:
    if os.getuid() != 0:
        raise ClusterError(f"needs root, for {SYSTEM_CONF} and slurmd: run as root or in a container")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["install", "start", "status", "stop"])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, help=f"directory of the cluster ({DEFAULT_DIR})")
    arguments = parser.parse_args()
    directory = arguments.dir.resolve()
    try:
        if arguments.command == "status":
            return status(directory)
        if arguments.command == "install":
            install()
        elif arguments.command == "stop":
            stop(directory)
        else:
            start(directory)
            print(f"ready: use sinfo, sbatch and squeue as usual. Stop with: {__file__} stop --dir {directory}")
    except ClusterError as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
