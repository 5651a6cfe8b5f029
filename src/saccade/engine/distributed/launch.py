"""Launch one command as several processes, on one or more machines, by torch's elastic launcher."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade import errors
from saccade.command import Command
from saccade.device import LAUNCHED, cpu_count
from saccade.errors import ResourceError, Stopped, UsageError

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure
    from torch.distributed.launcher.api import LaunchConfig


SIOCGIFADDR = 0x8915  # Linux: the address of an interface
ENDED = (-signal.SIGTERM, 128 + signal.SIGTERM)  # exit codes of a process ended by the launcher
SHUTDOWN_SECONDS = "300"  # for the step, the evaluation and the checkpoint of a stopped process


def is_local_host(host: str) -> bool:
    """Whether `host` is this machine: whether one may listen there."""
    try:
        with socket.socket(_address_family(host)) as listener:
            listener.bind((host, 0))
    except OSError:
        return False
    return True


def port_in_use(host: str, port: int) -> bool:
    """Whether a process listens on a port of this machine already."""
    with socket.socket(_address_family(host)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def address_towards(host: str, port: int) -> str:
    """This machine's address on the way to `host`; nothing is sent.  Falls back to its name."""
    try:
        with socket.socket(_address_family(host), socket.SOCK_DGRAM) as probe:
            probe.connect((host, port or 9))
            return probe.getsockname()[0]
    except OSError:
        return socket.getfqdn()


def interface_of(address: str) -> str | None:
    """The network interface that has an IPv4 address; None where it is unknown."""
    if not sys.platform.startswith("linux"):
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                reply = fcntl.ioctl(any_socket.fileno(), SIOCGIFADDR, request)
            except OSError:  # it has none
                continue
            if socket.inet_ntoa(reply[20:24]) == address:
                return name
    return None


def _address_family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


MOST = 1024  # processes, machines and restarts


@dataclass(frozen=True)
class Launch:
    """The options of a launch: how many processes, and where they rendezvous."""

    processes: int = 1  # on this machine, and on every other
    nodes: int = 1  # machines
    rendezvous: str | None = None  # host:port of one of them
    max_restarts: int = 0  # of all processes after one of them has failed

    def __post_init__(self) -> None:
        for name, least in (("processes", 1), ("nodes", 1), ("max_restarts", 0)):
            if not least <= getattr(self, name) <= MOST:
                option = f"--{name.replace('_', '-')}"
                what = f"{option} cannot be {getattr(self, name)}"
                raise UsageError(what, f"it takes a whole number from {least} to {MOST}")
        if self.max_restarts and not self.several:
            hint = "a training of one process goes on after: saccade resume RUN"
            raise UsageError("--max-restarts is for several processes", hint)
        if self.several and sys.platform == "win32":
            raise UsageError("several processes train on Linux and macOS alone", "give one")
        if self.nodes > 1 and not self.rendezvous:
            hint = (
                "name a port of one of the machines, the same on all: --rendezvous 10.0.0.1:29400"
            )
            raise UsageError(f"{self.nodes} machines have no place to meet", hint)
        if self.rendezvous and self.nodes == 1:
            raise UsageError("one machine needs no --rendezvous", "say how many: --nodes 2")
        if self.rendezvous:
            _ = self.endpoint

    @property
    def several(self) -> bool:
        """Whether there is more than one process."""
        return self.processes * self.nodes > 1

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port at which all machines meet."""
        host, _, port = (self.rendezvous or "127.0.0.1:0").rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            hint = "write host:port, such as 10.0.0.1:29400"
            raise UsageError(f"--rendezvous cannot be '{self.rendezvous}'", hint)
        return host.strip("[]"), int(port)

    def __str__(self) -> str:
        """The options on a command line."""
        options = [f"--processes {self.processes}"]
        options += (
            [f"--nodes {self.nodes} --rendezvous {self.rendezvous}"] if self.rendezvous else []
        )
        return " ".join(options)


def launch(arguments: Sequence[str], spec: Launch) -> Path:
    """Run `saccade ARGUMENTS` as all of the processes; returns the run folder that they made.

    Raises the first error of any process, with its rank.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError
    from torch.distributed.launcher.api import elastic_launch

    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise UsageError("torchrun has started these processes already", "leave out --processes")
    with tempfile.TemporaryDirectory(prefix="saccade-") as folder, _environment(spec):
        logs = Path(folder)
        try:
            elastic_launch(_config(spec, logs), sys.executable)(
                "-P", "-m", "saccade.cli", *arguments
            )
        except ChildFailedError as error:
            raise _first_error(error.failures, logs, spec) from None
        except SignalException as error:
            raise _stopped(int(error.sigval), logs, spec) from None
        except RendezvousError as error:
            host, port = spec.endpoint
            what = f"the {spec.nodes} machines did not meet at {host}:{port}: {error}"
            raise ResourceError(what, "give all the same --nodes and --rendezvous") from error
        return _run_folders(logs)[0]


def _config(spec: Launch, logs: Path) -> LaunchConfig:
    """The configuration of torch's launcher."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.launcher.api import LaunchConfig

    host, port = spec.endpoint
    is_host = is_local_host(host)
    if is_host and port and port_in_use(host, port):
        raise ResourceError(f"port {port} of {host} is taken", "name another with --rendezvous")
    redirects = {0: Std.OUT} | dict.fromkeys(range(1, spec.processes), Std.ALL)
    return LaunchConfig(
        min_nodes=spec.nodes,
        max_nodes=spec.nodes,
        nproc_per_node=spec.processes,
        run_id="saccade",
        rdzv_backend="c10d",
        rdzv_endpoint=f"{host}:{port}",
        rdzv_configs={"is_host": str(is_host).lower()},
        local_addr=address_towards(host, port),
        max_restarts=spec.max_restarts,
        logs_specs=DefaultLogsSpecs(str(logs), redirects=redirects),
    )


@contextmanager
def _environment(spec: Launch) -> Iterator[None]:
    """Set the variables that the processes inherit; restore them and the handlers afterwards."""
    variables = {
        LAUNCHED: "1",
        "OMP_NUM_THREADS": str(max(1, cpu_count() // spec.processes)),
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": SHUTDOWN_SECONDS,
    }
    if interface := interface_of(address_towards(*spec.endpoint)):
        variables["GLOO_SOCKET_IFNAME"] = interface
    before = dict(os.environ)
    os.environ.update(variables | {k: before[k] for k in variables.keys() & before.keys()})
    main = threading.current_thread() is threading.main_thread()
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT") if main else ()
    signums = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {signum: signal.getsignal(signum) for signum in signums}
    logging.disable(logging.ERROR)  # the launcher reports what is reported here in our words
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        os.environ.clear()
        os.environ.update(before)


def _first_error(failures: Mapping[int, ProcessFailure], logs: Path, spec: Launch) -> Exception:
    """The root cause among the errors of the processes."""

    def order(rank: int) -> tuple[bool, bool, float]:
        failure = failures[rank]
        if report := failure.error_file_data.get("saccade"):
            return False, report["lost"], report["time"]
        return failure.exitcode in ENDED, False, failure.timestamp

    rank = min(failures, key=order)
    failure = failures[rank]
    if report := failure.error_file_data.get("saccade"):
        return _as_exception(report, rank, logs, spec)
    if name := {-9: "SIGKILL", -15: "SIGTERM"}.get(failure.exitcode):
        hint = f"was there too little memory? {_resume_hint(logs, spec)}"
        return ResourceError(f"rank {rank} was ended by {name}", hint)
    stderr_files = sorted(logs.glob(f"*/attempt_*/{failure.local_rank}/stderr.log"))
    tail = stderr_files[-1].read_text("utf-8", "replace")[-2000:] if stderr_files else ""
    return RuntimeError(f"rank {rank} ended with code {failure.exitcode}\n{tail}")


def _as_exception(report: Mapping[str, Any], rank: int, logs: Path, spec: Launch) -> Exception:
    """The error that a process reported, as an exception of this process."""
    if report["lost"]:
        hint = f"see what it says there; {_resume_hint(logs, spec)}"
        return ResourceError("a process on another machine is gone, or does not answer", hint)
    kind = getattr(errors, report["kind"], None)
    if kind is None:
        return RuntimeError(f"rank {rank} failed\n{report['traceback']}")
    if kind is Stopped:
        return Stopped(report["what"], f"{report['hint']} {spec}", signal=report["exit_code"] - 128)
    return kind(f"rank {rank}: {report['what']}", report["hint"])


def _stopped(signum: int, logs: Path, spec: Launch) -> Exception:
    """The exception after a signal, with the message of the process that saved."""
    files = sorted(logs.glob("*/attempt_*/*/error.json"), reverse=True)
    reports = [json.loads(file.read_text("utf-8"))["saccade"] for file in files]
    stopped = [report for report in reports if report["kind"] == "Stopped"]
    if stopped:
        return _as_exception({**stopped[0], "exit_code": 128 + signum}, 0, logs, spec)
    causes = [report for report in reports if not report["lost"]]
    return _as_exception(causes[0], 0, logs, spec) if causes else Stopped("stopped", signal=signum)


def _run_folders(logs: Path) -> list[Path]:
    """The run folders that the processes have noted, none before one is made."""
    return [Path(file.read_text("utf-8", "surrogateescape")) for file in logs.glob("*/run.txt")]


def _resume_hint(logs: Path, spec: Launch) -> str:
    folders = _run_folders(logs)
    return (
        f"go on with: {Command.of('resume', folders[0])} {spec}" if folders else "nothing was begun"
    )
