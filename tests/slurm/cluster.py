#!/usr/bin/env python3
"""A Slurm cluster of one node on this machine, from nothing and back to nothing.

    cluster.py install          Debian's packages, their own services kept from starting
    cluster.py start            munged, slurmctld and slurmd; prints how to use and how to stop them
    cluster.py status           what runs, and whether the node takes jobs; exit status 3 when it does not
    cluster.py stop             cancels the jobs and ends the daemons that `start` began, and only those

Everything lives under one directory (--dir): configuration, a munge key of its own, sockets, state, logs,
pid files; the ports are free ones chosen at the start. Outside of it there is one thing, the link
/etc/slurm/slurm.conf, because the Slurm executor of Snakemake drops SLURM_CONF inside a job; `stop` removes
it. A machine that has a slurm.conf of its own is refused.

Needs root (the link, and slurmd switching users) and Debian or Ubuntu (`install` alone). It is for tests:
jobs are neither accounted nor confined, and the node claims more processors and memory than the machine has.
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
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "squeue", "scancel", "munged"]
DAEMONS = ["slurmd", "slurmctld", "munged"]  # in the order in which they are stopped
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
POLICY = Path("/usr/sbin/policy-rc.d")
DEFAULT_DIR = Path(tempfile.gettempdir()) / f"sae-atlas-slurm-{os.getuid()}"

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
# A line for each job that ended: `ended_jobs` reads it.
JobCompType=jobcomp/filetxt
JobCompLoc={dir}/jobs.txt
# Nothing of the machine is needed: no cgroups, no accounting, no MPI.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Jobs start at once; finished ones stay visible to squeue for long enough to be polled.
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=1000
MinJobAge=600
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={mem_mb} State=UNKNOWN
PartitionName=main Nodes=node1 Default=YES MaxTime=120 State=UP
"""


class ClusterError(RuntimeError):
    """What went wrong and what to do about it, in one message."""


# -- installing ----------------------------------------------------------------------------------------------


def missing_programs() -> list[str]:
    """The programs this needs that are not on the PATH; empty when `start` can work."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def install() -> None:
    """Install the packages; no service of theirs is started, and the policy is left as it was found."""
    if not missing_programs():
        print("already installed")
        return
    _require_root()
    if shutil.which("apt-get") is None:
        raise ClusterError(f"no apt-get here: install {', '.join(PROGRAMS)} by this system's own means")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Debian asks policy-rc.d before it starts a package's service; 101 means no."""
    before = (POLICY.read_bytes(), POLICY.stat().st_mode) if POLICY.exists() else None
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            POLICY.unlink()
        else:
            POLICY.write_bytes(before[0])
            POLICY.chmod(before[1])


# -- starting ------------------------------------------------------------------------------------------------


def start(directory: Path, cpus: int = 8, mem_mb: int = 64_000, wait_s: float = 60) -> None:
    """Bring the cluster up and return when its node takes jobs; on failure nothing is left running."""
    _require_root()
    if missing := missing_programs():
        raise ClusterError(f"not installed: {', '.join(missing)}. Run: {sys.executable} {__file__} install")
    if running := _running(directory):
        raise ClusterError(f"{', '.join(running)} already running from {directory}: stop it, or use it")
    if SYSTEM_CONF.exists() or SYSTEM_CONF.is_symlink():
        raise ClusterError(
            f"{SYSTEM_CONF} exists: this machine has a Slurm of its own, or another test cluster"
        )
    try:
        _configure(directory, cpus, mem_mb)
        _start_munged(directory)
        SYSTEM_CONF.symlink_to(directory / "slurm.conf")
        for daemon in ("slurmctld", "slurmd"):
            _run([daemon, "-c", "-f", str(directory / "slurm.conf")], directory)
        _wait_for(lambda: node_state(directory) == "idle", wait_s, "the node did not become idle", directory)
    except BaseException:
        stop(directory)
        raise


def _configure(directory: Path, cpus: int, mem_mb: int) -> None:
    """Write the key and the configuration of a fresh cluster into its directory."""
    (directory / "jobs.txt").unlink(missing_ok=True)
    for name in ("state", "spool"):
        shutil.rmtree(directory / name, ignore_errors=True)
        (directory / name).mkdir(mode=0o755, parents=True)
    key = directory / "munge.key"
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    ctld_port, slurmd_port = _free_ports(2)
    text = SLURM_CONF.format(
        host=socket.gethostname().split(".")[0],
        dir=directory,
        ctld_port=ctld_port,
        slurmd_port=slurmd_port,
        cpus=cpus,
        mem_mb=mem_mb,
    )
    (directory / "slurm.conf").write_text(text)
    # Before 23.11 there is no way to say "no cgroups", only a plugin that is never asked for anything.
    plugin = "disabled" if _slurm_version() >= (23, 11) else "cgroup/v1"
    (directory / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")


def _start_munged(directory: Path) -> None:
    files = {name: directory / f"munge.{name}" for name in ("key", "socket", "log", "seed")}
    command = ["munged", "--force", "--num-threads=2", f"--pid-file={directory / 'munged.pid'}"]
    command += [f"--key-file={files['key']}", f"--socket={files['socket']}"]
    command += [f"--log-file={files['log']}", f"--seed-file={files['seed']}"]
    _run(command, directory)


def _slurm_version() -> tuple[int, int]:
    words = subprocess.run(["slurmctld", "-V"], check=True, capture_output=True, text=True, env=_env()).stdout
    major, minor = words.split()[1].split(".")[:2]
    return int(major), int(minor)


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


# -- watching ------------------------------------------------------------------------------------------------


def node_state(directory: Path) -> str:
    """`idle`, `mixed`, `allocated`, `down` ...; `unreachable` when the controller does not answer."""
    command = ["sinfo", "--noheader", "--format=%T"]
    done = subprocess.run(command, capture_output=True, text=True, env=_env(directory), timeout=60)
    return done.stdout.strip() if done.returncode == 0 else "unreachable"


def status(directory: Path) -> int:
    """Print what runs; 0 when the node takes jobs, 3 when not."""
    running = _running(directory)
    state = node_state(directory) if "slurmctld" in running else "no cluster"
    for daemon in DAEMONS:
        print(f"{daemon:10} {running.get(daemon, 'not running')}")
    print(f"{'node':10} {state}")
    return 0 if state in ("idle", "mixed", "allocated") else 3


def _running(directory: Path) -> dict[str, int]:
    """Process ids of the daemons begun from this directory; a stale pid file counts for nothing."""
    running = {}
    for daemon in DAEMONS:
        with contextlib.suppress(OSError, ValueError):
            pid = int((directory / f"{daemon}.pid").read_text())
            if str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                running[daemon] = pid
    return running


def ended_jobs(directory: Path) -> list[dict[str, str]]:
    """What Slurm recorded of every job that ended: JobId, JobState, Tres, TimeLimit, StartTime ..."""
    record = directory / "jobs.txt"
    lines = record.read_text().splitlines() if record.exists() else []
    return [dict(word.partition("=")[::2] for word in line.split()) for line in lines]


def active_jobs(directory: Path, states: str = "PD,R,CG,CF,S") -> list[str]:
    """Ids of the jobs in these states; by default all that have not ended."""
    command = ["squeue", "--noheader", f"--states={states}", "--format=%i"]
    return subprocess.run(command, capture_output=True, text=True, env=_env(directory)).stdout.split()


# -- stopping ------------------------------------------------------------------------------------------------


def stop(directory: Path) -> None:
    """End the jobs, then the daemons of this directory, and remove the link if it is ours."""
    running = _running(directory)
    try:
        if {"slurmctld", "slurmd"} <= running.keys():
            cancel_all(directory)
    finally:
        for daemon in DAEMONS:
            if daemon in running:
                _end(running[daemon])
        if SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink() == directory / "slurm.conf":
            SYSTEM_CONF.unlink()


def cancel_all(directory: Path, wait_s: float = 30) -> None:
    """Cancel every job of the cluster and wait until none is left to run."""
    if jobs := active_jobs(directory):
        subprocess.run(["scancel", *jobs], env=_env(directory), check=False)
        _wait_for(lambda: not active_jobs(directory), wait_s, "jobs do not end", directory)


def _end(pid: int, wait_s: float = 10) -> None:
    deadline = time.monotonic() + wait_s
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


# -- small helpers -------------------------------------------------------------------------------------------


def _wait_for(condition, wait_s: float, complaint: str, directory: Path) -> None:
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{complaint} within {wait_s:.0f} s; see {directory}/*.log")
        time.sleep(0.3)


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=_env(directory))
    if done.returncode != 0:
        raise ClusterError(
            f"{command[0]} exited {done.returncode}: {done.stderr.strip()}; see {directory}/*.log"
        )


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _env(directory: Path | None = None) -> dict[str, str]:
    """The environment of a command that talks to the cluster of `directory`."""
    environment = os.environ | {"PATH": _path()}
    return environment | {"SLURM_CONF": str(directory / "slurm.conf")} if directory else environment


def _require_root() -> None:
    if os.getuid() != 0:
        raise ClusterError(f"needs root, for {SYSTEM_CONF} and for slurmd: run it as root or in a container")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["install", "start", "status", "stop"])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, help=f"where it lives ({DEFAULT_DIR})")
    parser.add_argument("--cpus", type=int, default=8, help="processors the node claims (8)")
    parser.add_argument("--mem-mb", type=int, default=64_000, help="memory the node claims, in MB (64000)")
    arguments = parser.parse_args(argv)
    directory = arguments.dir.resolve()
    try:
        if arguments.command == "install":
            install()
        elif arguments.command == "start":
            start(directory, arguments.cpus, arguments.mem_mb)
            print(
                f"ready: sinfo, sbatch, squeue work as they are. Stop with: {__file__} stop --dir {directory}"
            )
        elif arguments.command == "status":
            return status(directory)
        else:
            stop(directory)
    except ClusterError as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
