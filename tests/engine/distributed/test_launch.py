"""The real command as several processes: the same run, whole after every fault.

A few launches carry all of it, for each process pays for its own imports.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saccade import api
from saccade.engine.distributed.launch import (
    Launch,
    address_towards,
    interface_of,
    is_local_host,
    port_in_use,
)
from saccade.errors import UsageError
from saccade.runs.run import Run

EPOCHS = 5
MODULE = [sys.executable, "-m", "saccade.cli"]
# a network with batch statistics, on little data
NORM = ["train", "digits", "--model", "cifar_resnet20", "--size", "16", "--epochs", str(EPOCHS)]
NORM += ["--with", "data.per_class=20", "--with", "train.ema=0.9"]
# one without them, in whose weights the order of a sum is all that several processes change
PLAIN = ["train", "digits", "--epochs", "2", "--with", "data.per_class=20"]
PLAIN += ["--with", "optim.name=sgd", "--with", "optim.lr=0.05", "--with", "train.batch_size=30"]
PLAIN += ["--with", "train.precision=float32"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="several processes need Linux or macOS"),
]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of our own, so that somebody has to decode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SACCADE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def start(*arguments: object, before: tuple[str, ...] = ()) -> subprocess.Popen:
    return subprocess.Popen(
        [*before, *MODULE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen, within: float = 200) -> tuple[int, str, str]:
    """Exit code, standard output, standard error; a process that hangs fails the test."""
    try:
        out, stderr = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, stderr


def after_epochs(run: Path, count: int, process: subprocess.Popen) -> None:
    """Wait until the run has logged `count` epochs."""
    log, end = run / "log.jsonl", time.monotonic() + 150
    while process.poll() is None and time.monotonic() < end:
        if log.exists() and log.read_text().count('"event": "epoch"') >= count:
            return
        time.sleep(0.005)
    raise AssertionError(ended(process))


def process_of(run: Path, rank: int) -> int:
    """The number of the process of a rank, as its file in the run folder tells."""
    log = (run / "log" / f"rank-{rank}.txt").read_text()
    return int(re.findall(r"process (\d+) on", log)[-1])


def weights(run: Path) -> bytes:
    return (run / "bundle" / "model.safetensors").read_bytes()


def scores(run: Path) -> list[tuple[float, ...]]:
    return [(row["loss"], row["val_loss"], row["val_accuracy"]) for row in Run(run).history]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing disturbed, as a user starts it under torchrun himself."""
    out = tmp_path_factory.mktemp("whole") / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    words = [*torchrun, "--nproc-per-node", "2", "-m", "saccade.cli", *NORM, "--out", str(out)]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    (out.parent / "said.json").write_text(done.stdout)
    return out


def test_torchrun_gives_one_object_and_one_run(whole: Path) -> None:
    report = json.loads((whole.parent / "said.json").read_text())
    assert report["run"] == str(whole)
    assert report["epochs"] == EPOCHS
    started = Run(whole).events("started")[0]
    assert started["fingerprint"]["processes"] == 2
    assert any("running statistics are averaged" in note for note in started["notes"])
    followed = (whole / "log" / "rank-1.txt").read_text()
    assert [line.split(":")[0] for line in followed.splitlines() if line.startswith("epoch")] == [
        f"epoch {epoch}" for epoch in range(1, EPOCHS + 1)
    ]


def test_every_held_out_image_is_counted_and_told_once(whole: Path) -> None:
    test = Run(whole).test
    with (whole / "split.csv").open(newline="") as file:
        test_names = [row["name"] for row in csv.DictReader(file) if row["split"] == "test"]
    with (whole / "predictions.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == test_names
    assert test.n == len(test_names)
    again = api.evaluate(whole)
    assert again.accuracy == test.accuracy
    assert again.confusion == test.confusion


def test_a_signal_and_a_killed_process_cost_nothing(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = start(*NORM, "--processes", 2, "--out", run, "--json")
    after_epochs(run, 2, first)
    first.send_signal(signal.SIGTERM)
    code, out, words = ended(first)
    assert code == 143, words
    assert f"hint: go on with: saccade resume {run} --processes 2" in words
    assert json.loads(out)["error"]["exit_code"] == 143
    assert "Traceback" not in words

    second = start("resume", run, "--processes", 2, "--max-restarts", 1, "--json")
    after_epochs(run, 3, second)
    os.kill(process_of(run, 1), signal.SIGKILL)
    code, out, words = ended(second)
    assert code == 0, words
    assert json.loads(out)["run"] == str(run)
    assert len(Run(run).events("resumed")) == 2
    assert weights(run) == weights(whole)
    assert scores(run) == scores(whole)
    assert Run(run).test == Run(whole).test


def test_a_killed_process_ends_all_and_another_world_may_go_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(*NORM, "--processes", 2, "--out", run)
    after_epochs(run, 2, process)
    os.kill(process_of(run, 1), signal.SIGKILL)
    code, out, words = ended(process, within=60)
    assert code == 5, words
    assert "rank 1 was ended by SIGKILL" in words
    assert f"go on with: saccade resume {run} --processes 2" in words
    assert out == ""
    assert "Traceback" not in words

    finished = api.resume(run)
    (resumed,) = finished.events("resumed")
    assert any("processes was 2, is 1: the last bits" in note for note in resumed["notes"])
    assert finished.test.n == sum(map(sum, finished.test.confusion))


def test_the_first_error_is_told_once_with_its_rank_and_code(tmp_path: Path) -> None:
    wild = ["--with", "optim.lr=1e20", "--with", "optim.warmup=0", "--with", "optim.name=sgd"]
    done = start("train", "digits", "--processes", 2, *wild, "--out", tmp_path / "run")
    code, _, words = ended(done)
    assert code == 6, words
    assert len(re.findall(r"^rank [01]: the loss is nan", words, re.MULTILINE)) == 1
    assert words.count("hint:") == 1
    assert "Traceback" not in words


@contextmanager
def two_machines() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them: 10.77.0.1 and 10.77.0.2."""
    names = tuple(f"saccade-{os.getpid()}-{k}" for k in (1, 2))
    one, two = names

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "cable1", "netns", one, "type", "veth", "peer", "cable2", "netns", two)
        for k, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.77.0.{k}/24", "dev", f"cable{k}")
            ip("-n", name, "link", "set", f"cable{k}", "up")
            ip("-n", name, "link", "set", "lo", "up")
    except (OSError, subprocess.CalledProcessError) as error:
        _remove(names)
        why = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"network namespaces need root and iproute2: {why.strip()}")
    try:
        yield one, two
    finally:
        _remove(names)


def _remove(names: tuple[str, ...]) -> None:
    if shutil.which("ip"):
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def test_two_machines_of_two_processes_learn_what_one_process_learns(tmp_path: Path) -> None:
    run = tmp_path / "run"
    endpoint = ["--nodes", 2, "--rendezvous", "10.77.0.1:29417", "--processes", 2]
    with two_machines() as machines:
        both = [
            start(*PLAIN, *endpoint, "--out", run, "--json", before=("ip", "netns", "exec", name))
            for name in machines
        ]
        results = [ended(process) for process in both]
    for code, out, words in results:
        assert code == 0, words
        assert json.loads(out)["run"] == str(run)
    assert {path.name for path in (run / "log").iterdir()} == {f"rank-{k}.txt" for k in (1, 2, 3)}
    assert Run(run).events("started")[0]["fingerprint"]["processes"] == 4

    with_ = [word for word in PLAIN if "=" in word]
    alone = api.train("digits", epochs=2, with_=with_, out=tmp_path / "alone")
    expected = load_file(run / "bundle" / "model.safetensors")
    for name, weight in load_file(alone.path / "bundle" / "model.safetensors").items():
        torch.testing.assert_close(expected[name], weight, atol=1e-5, rtol=0)
    assert Run(run).test.confusion == alone.test.confusion


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (dict(processes=0), "--processes cannot be 0"),
        (dict(nodes=0), "--nodes cannot be 0"),
        (dict(max_restarts=-1), "--max-restarts cannot be -1"),
        (dict(nodes=2), "2 machines have no place to meet"),
        (dict(processes=2, rendezvous="a:1"), "one machine needs no --rendezvous"),
        (dict(nodes=2, rendezvous="nonsense"), "--rendezvous cannot be 'nonsense'"),
        (dict(nodes=2, rendezvous="a:99999"), "--rendezvous cannot be 'a:99999'"),
    ],
)
def test_what_cannot_be_launched_is_refused_at_once(options: dict, what: str) -> None:
    with pytest.raises(UsageError, match=re.escape(what)):
        Launch(**options)


def test_windows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not Launch().several
    with pytest.raises(UsageError, match="Linux and macOS"):
        Launch(processes=2)


def test_addresses_of_this_machine_are_known() -> None:
    assert is_local_host("127.0.0.1")
    assert not is_local_host("192.0.2.1")  # of RFC 5737: nobody's
    assert address_towards("127.0.0.1", 29400) == "127.0.0.1"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert port_in_use("127.0.0.1", listener.getsockname()[1])
    if sys.platform == "linux":
        assert interface_of("127.0.0.1") == "lo"
        assert interface_of("192.0.2.1") is None
