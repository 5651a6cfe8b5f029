"""The real command, typed as a person would, and what it says when they err."""

from __future__ import annotations

import csv
import inspect
import io
import json
import logging
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import saccade as package
from saccade import api, cli
from saccade.errors import UsageError
from saccade.recipes.short import short_names
from saccade.runs.run import Run

PNG = b"\x89PNG\r\n\x1a\n"


def saccade(
    *words: object, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which has imported all that it needs; its output as text."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (stdin, b"", b"")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger("saccade"), "propagate", False)  # not to pytest
        if cwd is not None:
            patch.chdir(cwd)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        try:
            code = cli.main([*map(str, words)])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    out, said = (_written(stream) for stream in streams[1:])
    return subprocess.CompletedProcess([*map(str, words)], code, out, said)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]


def process(
    *words: object, stdin: bytes | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "saccade.cli", *map(str, words)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        timeout=240,
    )
    said = done.stderr.decode()
    assert "Traceback" not in said
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), said)


@pytest.mark.parametrize("verb", api.__all__)
def test_each_verb_is_a_command_with_the_same_arguments_and_words(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = getattr(api, verb)
    made = inspect.signature(cli.command(function)).parameters
    own = {k: p for k, p in inspect.signature(function).parameters.items() if k != "short"}
    takes_settings = "short" in inspect.signature(function).parameters
    assert list(made)[: len(own)] == list(own)
    rest = [*short_names()] if takes_settings else []
    assert list(made)[len(own) : len(own) + len(rest)] == rest
    assert set(made) - {*own, *rest} <= {"json", "csv", "quiet"}
    assert all(made[name].default == own[name].default for name in own)
    monkeypatch.setenv("COLUMNS", "2000")
    assert cli.main([verb.replace("_", "-"), "--help"]) == 0
    words = capsys.readouterr().out
    assert function.__doc__.splitlines()[0] in words
    descriptions = cli.unwrap_docstring(function.__doc__).partition("----------\n")[2].splitlines()
    assert descriptions[::2] == [*own, *(["short"] if takes_settings else [])]
    for description in descriptions[1 : 2 * len(own) : 2]:
        assert description.strip() in words
    for setting in rest:
        assert short_names()[setting].sentence in words


@pytest.mark.parametrize("verb", [*api.__all__, "create_model"])
def test_no_verb_takes_more_than_eight_arguments_beside_its_settings(verb: str) -> None:
    """Of the targets of a threshold one is given."""
    one_of = {"coverage", "recall", "cost"}  # beside precision
    own = inspect.signature(getattr(api, verb)).parameters.keys() - {"short", "with_"} - one_of
    assert len(own) <= 8


@pytest.mark.parametrize("verb", sorted(set(api.__all__) - {*package.PACKAGES}))
def test_a_verb_is_reached_from_python_too(verb: str) -> None:
    assert getattr(package, verb) is getattr(api, verb)
    assert verb in package.__all__


def test_a_package_of_the_name_of_a_verb_is_called_as_that_verb(tmp_path: Path) -> None:
    calls = {"models": ("vgg11*",), "recipes": (), "runs": (tmp_path,), "studies": ()}
    assert {*calls, "report"} == {*package.PACKAGES} <= {*package.__all__}
    for verb, arguments in calls.items():
        assert str(getattr(package, verb)(*arguments)) == str(getattr(api, verb)(*arguments)), verb
    with pytest.raises(UsageError, match="there is no run"):
        package.report(tmp_path / "run")


def test_help_and_version_need_no_torch() -> None:
    code = (
        "import sys; from saccade import cli; cli.main(['--help']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert "Train a network" in done.stdout
    assert process("--version").stdout.strip() == package.__version__


def test_a_folder_of_images_becomes_a_run(photos: Path, tmp_path: Path) -> None:
    words = ["--model", "lenet5_rgb", "--epochs", 2, "--with", "optim.lr=0.001", "--seed", 3]
    done = process("train", photos, *words, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert 0 <= result["test"]["metrics"][0]["value"] <= 1
    assert result["classes"] == ["blue", "green", "red"]
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written == {
        "images.csv",
        "recipe.toml", "classes.txt", "split.csv", "log.jsonl", "predictions.csv",
        "checkpoint", "bundle", "report.html",
    }  # fmt: skip
    assert "lr = 0.001  # flag" in (tmp_path / "run" / "recipe.toml").read_text()
    assert not list((tmp_path / "run").rglob("*.pkl")) + list((tmp_path / "run").rglob("*.pt*"))


def test_evaluating_a_run_again_gives_the_same_numbers(trained: Run) -> None:
    done = saccade("evaluate", trained.path, "--json")
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert result == json.loads(json.dumps(trained.test.to_dict()))
    words = saccade("evaluate", trained.path, "--split", "val").stdout
    assert f"n = {trained.val.n}" in words


def test_prediction_speaks_to_people_and_to_programs(trained: Run, tmp_path: Path) -> None:
    Image.new("L", (8, 8), 128).save(tmp_path / "one.png")
    lines = saccade("predict", trained.path, tmp_path / "one.png").stdout.splitlines()
    *lines, novelty = lines
    assert len(lines) == 5 and novelty.startswith("novelty 0.")
    assert all(line.split()[1] == "%" and line.split()[2] in trained.classes for line in lines)
    data = json.loads(saccade("predict", trained.path, tmp_path, "--json", "--top", 2).stdout)
    assert [len(p["classes"]) for p in data["predictions"]] == [2]
    table = saccade("predict", trained.path, tmp_path / "one.png", "--csv").stdout
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["class_1"] == lines[0].split()[2]
    sent = process("predict", trained.path, "-", stdin=(tmp_path / "one.png").read_bytes())
    assert sent.stdout.splitlines() == [*lines, novelty]


def test_an_image_that_cannot_be_read_costs_that_image(trained: Run, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(PNG + b"nothing more")
    done = saccade("predict", trained.path, tmp_path, "--json")
    assert done.returncode == 4
    assert "bad.png" in done.stderr
    assert len(json.loads(done.stdout)["predictions"]) == 1
    alone = saccade("predict", trained.path, tmp_path / "bad.png")
    assert (alone.returncode, alone.stdout) == (3, "")
    assert "bad.png" in alone.stderr


def test_what_is_missing_among_several_images_is_told(trained: Run, photos: Path) -> None:
    (photos / "none").mkdir()
    there = photos / "red" / "00.png"
    words = ["predict", trained.path, photos / "no.png", there, photos / "none", "n" * 300]
    done = saccade(*words, "--json")
    assert done.returncode == 4
    result = json.loads(done.stdout)
    assert [image["name"] for image in result["predictions"]] == [str(there)]
    reasons = {s["name"]: s["reason"] for s in result["left_out"]}
    assert list(reasons) == [str(photos / "no.png"), str(photos / "none"), "n" * 300]
    assert "no.png: there is no such file" in done.stderr
    assert reasons[str(photos / "none")].endswith("is empty")


def test_an_unreadable_image_is_named_and_takes_no_part(photos: Path, tmp_path: Path) -> None:
    (photos / "red" / "00.png").write_bytes(PNG)
    options = ["--model", "lenet5_rgb", "--epochs", 1, "--out", tmp_path / "run", "--json"]
    done = saccade("train", photos, *options)
    assert done.returncode == 4
    assert "red/00.png" in done.stderr
    assert json.loads(done.stdout)["unreadable"][0]["name"] == "red/00.png"


@pytest.mark.parametrize(
    ("words", "code", "what", "hint"),
    [
        (["train", "nowhere"], 3, "nowhere", ""),
        (["train", "empty"], 3, "empty", "folder"),
        (["train", "single"], 3, "one class only: 'red'", "two classes"),
        (["train", "texts"], 3, "holds no image", "images are files that end in"),
        (["train", "photos", "--model", "lenet6"], 2, "no model is called 'lenet6'", "lenet5"),
        (["train", "photos", "--recipe", "smal"], 2, "no recipe is called 'smal'", "small"),
        (["train", "photos", "--with", "optim.rl=1"], 2, "no setting is called", "optim.lr"),
        (["train", "photos", "--with", "a.b=1", "c.d=2"], 2, "Unused Tokens", "--with c.d=2"),
        (["train", "photos", "--with", "data.augment=none"], 2, "no augmentation", "augment= "),
        (["train", "photos", "--with", "optim.lr"], 2, "'optim.lr' sets nothing", "name=value"),
        (["train", "photos", "--with", "data.augment=flap"], 2, "no augmentation", "flip"),
        (["train", "photos", "--epochs", "many"], 2, "epochs", ""),
        (["train", "photos", "--epochs", "-1"], 2, "train.epochs cannot be '-1'", "from 0 to"),
        (["train", "photos", "--out", "empty"], 2, "the folder 'empty' exists", "another --out"),
        (["train", "photos", "--with", "train.device=cuda:7"], 5, "no device 'cuda:7'", "cpu"),
        (["train", "photos", "--epochs", "1.5"], 2, "train.epochs cannot be '1.5'", "a whole"),
        (["train", "photos", "--seed", "-1"], 2, "train.seed cannot be '-1'", "from 0 to"),
        (["plan", "photos", "--size", "1000000"], 2, "data.size cannot be", "from 1 to 8,192"),
        (["train", "photos", "--lr", "1"], 2, "no option '--lr'", "photos --with optim.lr=1"),
        (["train", "photos", "--with", "train.average=0"], 2, "train.average", "train.ema now"),
        (["train", "photos", "--with", "model.head=means"], 2, "model.head", "nearest_mean"),
        (["find-rate", "photos"], 2, "find-rate", "saccade lr-find photos"),
        (["suspects", "photos"], 2, "suspects", "saccade label-issues photos"),
        (["train", "photos", "--plan"], 2, "--plan", "saccade plan photos"),
        (["evaluate", "RUN", "--views", "flip"], 2, "--views", "--tta flip"),
        (["evaluate", "RUN", "--keep"], 2, "--keep", "saccade tune-threshold"),
        (["settings", "optim.rl"], 2, "no setting is called 'optim.rl'", "optim.lr"),
        (["predict", "RUN", "photos", "--top", "1.5"], 2, "--top cannot be '1.5'", "a whole"),
        (["study", "depth", "--seeds", "1.5"], 2, "--seeds cannot be '1.5'", "a whole number"),
        (["show", "lenet5", "--size", "1.5"], 2, "--size cannot be '1.5'", "3x64x48"),
        (["cross-validate", "photos", "--folds", "nan"], 2, "data.folds cannot be", "a whole"),
        (["evaluate", "RUN", "--tta", ","], 2, "--tta ',' names nothing", "leave out --tta"),
        (["evaluate", "RUN", "--corrupt", ","], 2, "',' names nothing", "leave out --corrupt"),
        (["evaluate", "RUN", "photos", "--split", "val"], 2, "is not divided", "leave out --split"),
        (["settings", "--epochs"], 2, "--epochs", "saccade settings train.epochs"),
        (["settings", "average"], 2, "no setting is called", "train.ema now"),
        (["evaluate", "RUN", "--epochs", "3"], 2, "--epochs", "saccade evaluate --help"),
        (["recipe", "nothere.toml"], 2, "'nothere.toml' cannot be read: No such file", "a file"),
        (["recipe", "RUN"], 2, "no recipe is called", "recipe.toml"),
        (["train", "table.csv"], 3, "there is no 'table.csv'", "check the path"),
        (["train", "Photo"], 3, "there is no 'Photo'", "did you mean photos?"),
        (["train", "minst"], 3, "there is no 'minst'", "mnist"),
        (["train", "n" * 300], 3, "there is no 'nnn", "check the path"),
        (["features", "RUN", "photos", "--layer", "fc9"], 2, "no layer", ""),
        (["predict", "RUN", "--tpo", "photos"], 2, "has no option '--tpo'", "did you mean --top?"),
        (["settings", "train.keep"], 2, "no setting is called", "train.checkpoint now"),
        (["trian"], 2, "trian", "did you mean train?"),
        (["evaluate", "nowhere"], 2, "there is no run, bundle or network", "saccade train"),
        (["evaluate", "photos"], 2, "'photos' is no run", ""),
        (["predict", "RUN"], 2, "no image is named", "files or folders"),
        (["predict", "RUN", "nowhere.png"], 3, "there is no image 'nowhere.png'", ""),
        (["predict", "RUN", "empty"], 3, "'empty' is empty", ""),
        (["evaluate", "RUN", "photos"], 3, "not known", "known classes are"),
        (["models", "resnet?9*"], 2, "no model", ""),
        (["resume", "RUN"], 2, "is finished", "report.html"),
        (["show", "resnet05"], 2, "no model is called 'resnet05'", "resnet50"),
        (["show", "alexnet", "--size", "24"], 2, "input 24x24 is too small for alexnet", "63x63"),
        (["show", "lenet5", "--without", "fc9"], 2, "fc9", ""),
        (["show", "lenet5", "--receptive-field", "c9"], 2, "no layer is called 'c9'", ""),
        (["doctor", "nowhere"], 3, "nowhere", ""),
        (["train", "photos", "--model", "lenet5", "--size", "40"], 2, "does not fit", "32x32"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_what_and_a_hint(
    words: list[str], code: int, what: str, hint: str, photos: Path, trained: Run
) -> None:
    here = photos.parent
    (here / "empty").mkdir()
    (here / "single" / "red").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(here / "single" / "red" / "a.png")
    (here / "texts" / "a").mkdir(parents=True)
    (here / "texts" / "a" / "letter.txt").write_text("dear")
    before = sorted(here.rglob("*"))
    done = saccade(*(trained.path if word == "RUN" else word for word in words), cwd=here)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    first, *rest = done.stderr.strip().splitlines()[-2:] if hint else [done.stderr]
    assert what in done.stderr
    assert hint in (rest[0] if hint else "")
    if hint:
        assert rest[0].startswith("hint: ")
    assert sorted(here.rglob("*")) == before, "something was left behind"
    assert first


@pytest.mark.parametrize(
    "words",
    [
        ["report", "RUN", "--out"],
        ["evaluate", "RUN", "--out"],
        ["features", "RUN", "photos", "--out"],
        ["doctor", "photos", "--html"],
        ["doctor", "photos", "--cleaned"],
        ["label-issues", "photos", "--cleaned"],
        ["augment", "photos", "--out"],
        ["compare", "RUN", "RUN", "--html"],
        ["lr-find", "photos", "--out"],
        ["show", "lenet5", "--svg"],
        ["train", "photos", "--out"],
        ["plan", "photos", "--out"],
        ["cross-validate", "photos", "--out"],
    ],
    ids=lambda words: " ".join(words),
)
def test_a_place_where_nothing_can_be_written_is_refused_before_the_work(
    words: list[str], photos: Path, trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos.parent / "file").write_text("no folder")
    place = photos.parent / "file" / "a.svg"
    words = [{"RUN": str(trained.path), "photos": str(photos)}.get(word, word) for word in words]
    assert cli.main([*words, str(place)]) == 5
    error = capsys.readouterr().err
    assert "cannot be written: Not a directory" in error
    assert "hint: name another place" in error
    assert str(place) in error


def test_mistakes_are_data_with_json(tmp_path: Path) -> None:
    done = process("train", tmp_path / "nowhere", "--json")
    error = json.loads(done.stdout)["error"]
    assert error["exit_code"] == done.returncode == 3
    assert "nowhere" in error["message"]


def test_show_prints_a_table_and_draws(trained: Run, tmp_path: Path) -> None:
    table = saccade("show", "lenet5").stdout.splitlines()
    assert table[0].startswith("lenet5   input 1 x 32 x 32")
    assert [line.split()[0] for line in table[2:5]] == ["c1", "relu1", "s2"]
    numbers = json.loads(saccade("show", trained.path, "--json").stdout)
    assert numbers["input"] == [1, 32, 32]
    assert numbers["total"]["weights"] == 61_706  # 156 + 2416 + 48120 + 10164 + 850
    rows = list(csv.DictReader(io.StringIO(saccade("show", "lenet5", "--csv").stdout)))
    assert [row["name"] for row in rows][:2] == ["c1", "relu1"]
    drawn = ["--svg", tmp_path / "net.svg", "--receptive-field", "c3", "--out", tmp_path / "c3.png"]
    done = saccade("show", "lenet5", *drawn)
    assert done.returncode == 0
    assert (tmp_path / "net.svg").read_text().startswith("<svg")
    assert (tmp_path / "c3.png").read_bytes().startswith(PNG)


def test_show_tells_what_leaving_a_layer_out_saves() -> None:
    assert "16,781,312 fewer weights" in saccade("show", "alexnet", "--without", "fc7").stdout


def test_the_doctor_finds_writes_and_leaves_the_images_alone(photos: Path, tmp_path: Path) -> None:
    (photos / "blue" / "copy.png").write_bytes((photos / "blue" / "00.png").read_bytes())
    (photos / "red" / "cut.png").write_bytes(PNG)
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    page, table = tmp_path / "found.html", tmp_path / "clean.csv"
    done = saccade("doctor", photos, "--html", page, "--cleaned", table, "--json")
    assert done.returncode == 0, done.stderr
    found = {finding["kind"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["unreadable"]["items"] == ["red/cut.png"]
    assert {"blue/00.png", "blue/copy.png"} <= {n for n in found["duplicates"]["items"]}
    assert page.read_text().startswith("<!doctype html>")
    assert "Traceback" not in saccade("doctor", photos).stdout
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    with table.open(newline="") as file:
        kept = [row["path"] for row in csv.DictReader(file)]
    assert len(kept) == 48
    left_out = (tmp_path / "clean-left-out.csv").read_text()
    assert "red/cut.png" in left_out
    options = ["--model", "lenet5_rgb", "--epochs", 1, "--out", tmp_path / "run"]
    assert saccade("train", table, *options).returncode == 0


def test_copies_of_an_image_stay_in_one_split(photos: Path, tmp_path: Path) -> None:
    for number in range(6):
        one = (photos / "green" / "00.png").read_bytes()
        (photos / "green" / f"copy{number}.png").write_bytes(one)
    options = ["--model", "lenet5_rgb", "--epochs", 1, "--out", tmp_path / "run"]
    assert saccade("train", photos, *options).returncode == 0
    with (tmp_path / "run" / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    copies = {r["split"] for r in rows if "copy" in r["name"] or r["name"] == "green/00.png"}
    assert len(copies) == 1


def test_augment_draws_what_training_will_see(photos: Path, tmp_path: Path) -> None:
    words = ["--with", "data.augment=flip cutout", "--out", tmp_path / "sheet.png", "--json"]
    done = saccade("augment", photos, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["augmentations"] == ["flip", "cutout"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert min(sheet.size) > 200


def test_a_diverging_training_ends_with_its_own_code(tmp_path: Path) -> None:
    wild = ["--with", "optim.lr=1e20", "--with", "optim.warmup=0", "--with", "optim.name=sgd"]
    done = saccade("train", "digits", "--epochs", 2, *wild, "--out", tmp_path / "run")
    assert done.returncode == 6
    assert "the loss is nan" in done.stderr
    assert "digits/" in done.stderr
    assert "hint: take a smaller optim.lr" in done.stderr


def test_classes_can_be_balanced_and_weighed(photos: Path, tmp_path: Path) -> None:
    base = ["train", photos, "--model", "lenet5_rgb", "--epochs", 1]
    weights = ["--with", "train.class_weights=red=2 blue=0.5", "--with", "data.sampling=balanced"]
    assert saccade(*base, *weights, "--out", tmp_path / "run").returncode == 0
    wrong = saccade(*base, "--with", "train.class_weights=rde=2", "--out", tmp_path / "other")
    assert wrong.returncode == 2
    assert "did you mean red" in wrong.stderr


def test_main_gives_the_exit_code_instead_of_leaving(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["models", "lenet5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["name"] == "lenet5"
    assert cli.main(["nonsense"]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_behind_standard_output_is_a_lack_of_resources() -> None:
    words = [sys.executable, "-m", "saccade.cli", "models"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5
    assert done.stderr.splitlines()[0].startswith("standard output cannot be written")


def test_text_settings_must_say_name_and_value() -> None:
    with pytest.raises(UsageError):
        api.train(with_=["optim.lr"])


def test_arguments_of_earlier_versions_are_answered_in_python_too() -> None:
    train: Any = api.train
    with pytest.raises(UsageError, match="takes no 'plan'") as caught:
        train(plan=True)
    assert caught.value.hint == "it is a verb: saccade.plan(...)"
    with pytest.raises(UsageError, match="takes no 'lr'") as caught:
        train(lr=0.1)
    assert caught.value.hint == "write it as: with_={'optim.lr': 0.1}"
    with pytest.raises(UsageError, match="takes no 'learning_rate'") as caught:
        train(learning_rate=0.1)
    assert caught.value.hint == "write it as: with_={'optim.lr': 0.1}"
    with pytest.raises(UsageError, match="takes no 'imgsz'") as caught:
        train(imgsz=64)
    assert caught.value.hint == "write it as: size=64"
    with pytest.raises(UsageError, match="takes no 'pretrained'") as caught:
        train(pretrained=True)
    assert caught.value.hint == "write it as: weights='auto'"
    with pytest.raises(UsageError, match="takes no 'epoch'") as caught:
        train(epoch=4)
    assert caught.value.hint == "write it as: epochs=4"


def test_settings_are_listed_for_people_and_programs() -> None:
    assert saccade("settings", "optim.lr").stdout.splitlines() == [
        "optim.lr=0.003",
        "    Learning rate, the highest of the schedule; auto: by a learning rate range test.",
        "    Takes a number above 0, or 'auto'.",
    ]
    told = json.loads(saccade("settings", "epochs", "--json").stdout)["settings"]
    assert [(one["name"], one["flag"]) for one in told] == [("train.epochs", "--epochs")]
    assert told[0]["range"] == {"low": 0, "high": 1_000_000, "closed": "both"}
    rows = list(csv.DictReader(io.StringIO(saccade("settings", "*patience", "--csv").stdout)))
    assert [row["setting"] for row in rows] == ["optim.plateau_patience", "train.patience"]


def test_one_format_is_printed_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "mlp", "--json", "--csv"]) == 2
    assert "--json does not go with --csv" in capsys.readouterr().err
