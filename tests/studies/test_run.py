"""Studies carried out: equal to plain trainings, killed and gone on with, refused and told."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from saccade import api
from saccade.engine.loop import Epoch, Step
from saccade.engine.stopping import stop_requests
from saccade.errors import RecipeError, Stopped, UsageError
from saccade.runs.run import Run
from saccade.studies.result import StudyResult
from saccade.studies.study_run import progress_of
from saccade.studies.workers import TrainingJob, train_all, train_one
from saccade.training.logbook import Logbook

CELLS = ("slow/seed-0", "fast/seed-0", "slow/seed-1", "fast/seed-1")


@pytest.fixture(scope="module")
def done(two: Path) -> StudyResult:
    """The study carried out, one training after the other; not to be changed."""
    return api.study(two, jobs=1, out=two.parent / "done")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command takes signals for itself; other tests want them as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def weights(folder: Path) -> Mapping[str, Any]:
    return load_file(folder / "bundle" / "model.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(bool((a[key] == b[key]).all()) for key in a)


def started(*words: object) -> subprocess.Popen[str]:
    """The command as a process."""
    command = [sys.executable, "-m", "saccade.cli", "study", *map(str, words)]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_for(path: Path, seconds: float = 120.0) -> None:
    """Until there is such a file."""
    last = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < last, f"{path} never came"
        time.sleep(0.02)


def test_every_cell_is_a_whole_run(done: StudyResult) -> None:
    for name in CELLS:
        run = Run.open(done.path / name)
        assert run.test.n == 50
        assert (run.path / "report.html").is_file()
    values = {(c.trial.name, c.seed): c.value for c in done.runs}
    assert values["fast", 1] == Run.open(done.path / "fast/seed-1").test.accuracy
    assert [row.variant.name for row in done.results] == ["slow", "fast"]
    assert done.results[1].difference is not None


def test_the_variants_of_a_seed_are_given_the_same_images(done: StudyResult) -> None:
    split = {name: (done.path / name / "split.csv").read_bytes() for name in CELLS}
    assert split["slow/seed-0"] == split["fast/seed-0"]
    assert split["slow/seed-1"] == split["fast/seed-1"]
    assert split["slow/seed-0"] != split["slow/seed-1"]


def test_a_cell_is_what_its_command_trains(done: StudyResult, tmp_path: Path) -> None:
    """As `saccade train` with the study's recipe and the variant's settings."""
    settings = {"optim.lr": 0.01, "train.seed": 1}
    base = done.path / "base.toml"
    run = api.train("digits", recipe=base, with_=settings, out=tmp_path / "plain")
    assert same_weights(run.path, done.path / "fast/seed-1")
    command = Run.open(done.path / "fast/seed-1").events("started")[0]["command"]
    wanted = f"saccade train digits --recipe {base} --with optim.lr=0.01 --with train.seed=1"
    assert command == wanted


def test_asked_again_it_trains_nothing_and_more_seeds_are_added(
    two: Path, done: StudyResult
) -> None:
    folder = two.parent / "again"
    once = api.study(two, seeds=1, jobs=1, out=folder)
    assert once.results[1].difference is None
    logs = {name: (folder / name / "log.jsonl").stat().st_mtime_ns for name in CELLS[:2]}
    both = api.study(two, jobs=1, out=folder)
    assert logs == {n: (folder / n / "log.jsonl").stat().st_mtime_ns for n in CELLS[:2]}
    assert [c.value for c in both.runs] == [c.value for c in done.runs]
    assert api.study(folder / "study.toml", jobs=1, out=folder).rows() == both.rows()


def test_killed_it_goes_on_to_the_same_weights(
    two: Path, done: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second epoch of the second training: that is resumed, what is finished is kept."""
    record, folder = Logbook.record, tmp_path / "killed"

    def fall(self: Logbook, event: Step | Epoch, *, read_losses: bool) -> None:
        if "fast" in str(self.run.path) and event.epoch == 1:
            raise KeyboardInterrupt
        record(self, event, read_losses=read_losses)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Logbook, "record", fall)
        api.study(two, seeds=1, jobs=1, out=folder)
    assert [progress_of(folder / name) for name in CELLS[:2]] == ["finished", "begun"]
    api.study(two, seeds=1, jobs=1, out=folder)
    assert not Run.open(folder / "slow/seed-0").events("resumed")
    assert Run.open(folder / "fast/seed-0").events("resumed")
    for name in CELLS[:2]:
        assert same_weights(folder / name, done.path / name)


@pytest.mark.skipif(os.name != "posix", reason="stops as POSIX does")
def test_stopped_with_several_at_once_it_saves_and_says_how_to_go_on(
    two: Path, tmp_path: Path
) -> None:
    words = [two, "--with", "train.epochs=2000", "--jobs", 2, "--out", tmp_path / "study"]
    process = started(*words)
    for name in CELLS[:2]:
        wait_for(tmp_path / "study" / name / "checkpoint" / "latest.json")
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 143, stderr
    hint = f"go on with: saccade study {two} --with train.epochs=2000 --out {tmp_path / 'study'}"
    assert hint in stderr
    for name in CELLS[:2]:
        assert Run.open(tmp_path / "study" / name).events("stopped")


def test_a_signal_in_the_last_moments_of_a_training_ends_the_study_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A training that is at its end finishes, and passes the request on."""
    trained: list[str] = []

    def finishing(order: TrainingJob) -> None:
        trained.append(order.folder)
        with stop_requests():
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("saccade.studies.workers.train_one", finishing)
    orders = [TrainingJob(name, None, "base.toml", {}) for name in CELLS]
    with pytest.raises(Stopped, match="between two trainings") as caught:
        train_all(orders, 1, 0, lambda order: None, "saccade study mine")
    assert caught.value.exit_code == 143
    assert trained == [CELLS[0]]


@pytest.mark.skipif(os.name != "posix", reason="locks as POSIX does")
def test_two_processes_never_work_on_one_study(
    two: Path, done: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr("saccade.studies.run.TIMEOUT", 0.3)
    with (done.path / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process works on the study"):
            api.study(two, jobs=1, out=done.path)


def test_several_at_once_come_to_the_same(two: Path, done: StudyResult, tmp_path: Path) -> None:
    result = api.study(two, jobs=2, out=tmp_path / "at-once")
    assert [c.value for c in result.runs] == [c.value for c in done.runs]
    assert all(same_weights(result.path / name, done.path / name) for name in CELLS)


def test_a_training_that_diverges_is_a_result(two: Path, tmp_path: Path) -> None:
    wild = tmp_path / "wild.toml"
    wild.write_text(two.read_text().replace('"logistic_regression"', '"mlp"').replace(
        "optim.lr = 0.0001", 'optim.lr = 1e30\noptim.name = "sgd"'
    ))  # fmt: skip
    result = api.study(wild, seeds=1, jobs=1, out=tmp_path / "wild")
    slow, fast = result.results
    assert slow.mean is None and fast.mean is not None
    assert slow.missing.startswith("diverged in epoch ")
    assert slow.missing in str(result)
    again = api.study(wild, seeds=1, jobs=1, out=tmp_path / "wild")
    assert again.rows() == result.rows()


def test_another_study_in_the_folder_is_refused(
    two: Path, done: StudyResult, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        api.study(two, with_={"train.epochs": 3}, out=done.path)
    assert "holds another study: there 'train.epochs = 2', asked for 'train.epochs = 3'" in str(
        caught.value
    )
    (tmp_path / "mine.txt").write_text("not to be lost")
    with pytest.raises(UsageError, match="holds no study"):
        api.study(two, out=tmp_path)
    with pytest.raises(UsageError, match="--jobs cannot be '-1'"):
        api.study(two, jobs=-1, out=tmp_path / "new")


def test_a_variant_that_cannot_be_trained_is_refused_before_any_is(
    two: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.toml"
    odd.write_text(two.read_text() + 'model.name = "lenet6"\n')
    with pytest.raises(UsageError) as caught:
        api.study(odd, out=tmp_path / "odd")
    assert caught.value.what.startswith("the variant 'fast': no model is called 'lenet6'")
    assert "lenet5" in caught.value.hint
    assert not (tmp_path / "odd").exists()


def test_a_cell_killed_before_its_first_line_is_begun_anew(
    done: StudyResult, tmp_path: Path
) -> None:
    folder = tmp_path / "cell"
    folder.mkdir()
    (folder / "recipe.toml").write_text("[data]\n")
    base = str(done.path / "base.toml")
    train_one(TrainingJob(str(folder), "digits", base, {"optim.lr": 0.01, "train.seed": 1}))
    assert same_weights(folder, done.path / "fast/seed-1")


def test_the_command_prints_the_table_as_words_data_and_csv(
    two: Path, done: StudyResult, capsys: pytest.CaptureFixture[str]
) -> None:
    from saccade.cli import main

    words = ["study", str(two), "--out", str(done.path)]
    assert main(words) == 0
    assert "less slow" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert [row["variant"] for row in output["rows"]] == ["slow", "fast"]
    assert main([*words, "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["variant"], row["seed"]) for row in table] == [
        ("slow", "0"), ("fast", "0"), ("slow", "1"), ("fast", "1")
    ]  # fmt: skip
    assert [float(row["value"]) for row in table] == [c.value for c in done.runs]


def test_the_shipped_studies_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    from saccade.cli import main

    assert main(["studies", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)["studies"]
    expected = {"optimizers", "relu", "dropout", "batch_norm", "augmentation", "initialisation"}
    assert expected < {one["name"] for one in output}
    assert main(["studies"]) == 0
    assert "squeeze_excite" in capsys.readouterr().out
    assert main(["study", "optimisers"]) == 2
    assert "did you mean optimizers" in capsys.readouterr().err


def test_a_number_that_the_answers_do_not_have_is_refused_before_any_training(
    photos: Path, tmp_path: Path
) -> None:
    rows = [f"{path},{at}.5" for at, path in enumerate(sorted(photos.rglob("*.png")))]
    (tmp_path / "numbers.csv").write_text("\n".join(["path,value", *rows]))
    with pytest.raises(RecipeError, match="test_accuracy is not measured of regression"):
        api.study("learning_rate", tmp_path / "numbers.csv", out=tmp_path / "study")
    assert not list((tmp_path / "study").glob("*/seed-*"))
