"""Command lines that a verb does not take, and the lines that were meant."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from torch import nn

from saccade import api, cli
from saccade.engine.freezing import freeze
from saccade.errors import UsageError
from saccade.models.layers.blocks import chain
from saccade.recipes.foreign import NAMES, OPTIONS, SWITCHES
from saccade.recipes.recipe import Recipe
from saccade.recipes.short import by_full_name, short_names
from saccade.usage import equivalent_line, options_of, refuse_unknown_options


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("train x --lr 0.1", "train x --with optim.lr=0.1"),
        ("train x --batch-size 8 --epochs 3", "train x --with train.batch_size=8 --epochs 3"),
        ("train x --batch=16", "train x --with train.batch_size=16"),
        ("train x --imgsz 64 --lr0 1", "train x --size 64 --with optim.lr=1"),
        ("train x lr=0.1 epochs=3", "train x --with optim.lr=0.1 --epochs 3"),
        ("train data=x model=lenet5", "train x --model lenet5"),
        ("train --pretrained x", "train --weights auto x"),
        ("train --data x -b 8", "train x --with train.batch_size=8"),
        ("train x --mixup 0.4 --hflip 1", "train x --with 'data.augment=mixup:0.4 flip:1'"),
        ("show alexnet --imgsz 64 48", "show alexnet --size 3x64x48"),
        ("train x --hflip 0.3", "train x --with data.augment=flip:0.3"),
        ("train x --input-size 3 224 224", "train x --size 224"),
        (
            "train x --imgsz 64 64 --amp 0.",
            "train x --size 64 --with train.precision=float32",
        ),
        ("show alexnet --input-size 3 64 48", "show alexnet --size 3x64x48"),
        ("train x --torchcompile inductor", "train x --with train.compile=on"),
        ("train x --compile", "train x --with train.compile=on"),
        ("train x --compile no", "train x --with train.compile=off"),
        ("train x --pretrained None", "train x --weights none"),
        ("fit x --epochs 3", "train x --epochs 3"),
        ("predict RUN a.png --topk 3", "predict RUN a.png --top 3"),
        ("predict RUN --conf 0.5 a.png", "predict RUN --min-confidence 0.5 a.png"),
        ("cross-validate x --workers 2", "cross-validate x --jobs 2"),
        ("label-issues x --arch lenet5", "label-issues x --model lenet5"),
        ("show lenet5 --imgsz 32", "show lenet5 --size 32"),
        ("report RUN --output x.html", "report RUN --out x.html"),
        ("suspects x", "label-issues x"),
    ],
)
def test_the_line_that_was_meant_is_given_whole(typed: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unknown_options(shlex.split(typed))
    assert caught.value.hint == f"type: saccade {meant}"
    refuse_unknown_options(shlex.split(meant))


@pytest.mark.parametrize(
    ("typed", "what", "hint"),
    [
        (
            "predict RUN --topp a.png",
            "saccade predict has no option '--topp'",
            "--top takes a value",
        ),
        ("predict RUN --tpo a.png", "has no option '--tpo'", "did you mean --top?"),
        ("predict RUN a.png --xyz", "has no option '--xyz'", "saccade predict --help"),
        ("train x --lr", "has no option '--lr'", "write --with optim.lr=0.003, or"),
        ("train x --lr y", "has no option '--lr'", "write --with optim.lr=0.003, or"),
        ("train x --epohcs 3", "has no option '--epohcs'", "did you mean --epochs"),
        ("train x --num-classes 3", "has no option", "those of the images' labels"),
        ("train x --workers 4", "has no option", "--with train.threads=4"),
        ("evaluate RUN --epochs 3", "has no option", "saccade evaluate --help"),
        ("evaluate RUN --device cpu", "has no option", "train.device is a setting of a training"),
        ("settings --learning-rate", "has no option", "saccade settings optim.lr"),
        ("trian x", "there is no verb 'trian'", "did you mean train?"),
        ("zzz", "there is no verb 'zzz'", "saccade --help"),
        ("evaluate RUN --out ''", "--out is empty", "leave it out"),
        ("evaluate RUN --out=", "--out is empty", "leave it out"),
        ("predict RUN ''", "is empty", "variable"),
    ],
)
def test_what_a_verb_does_not_take_is_said_with_a_way_on(typed: str, what: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unknown_options(shlex.split(typed))
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("--hflip 0.0", "others, or none: saccade train x --with data.augment="),
        ("--fliplr 0 --mixup 0.2", "or none: saccade train x --with data.augment=mixup:0.2"),
        ("--lr 1 --mixup 0.0", "off unless it is named: saccade train x --with optim.lr=1"),
        ("--cutmix=no", "cutmix is left out, and is off unless it is named: saccade train x"),
        ("--img-size 240 320", "images are square here: saccade train x --size 320"),
        ("--compile eager", "by inductor here: saccade train x --with train.compile=on"),
        ("--nesterov 2", "takes no number here: saccade train x --with optim.name=nesterov"),
    ],
)
def test_what_is_otherwise_here_is_said_before_the_line(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unknown_options(["train", "x", *typed.split()])
    assert caught.value.hint.endswith(hint)


@pytest.mark.parametrize(
    "typed",
    [
        "train photos --epochs 3 --with optim.lr=0.1 -q",
        "train --val-folder '' photos",
        "predict RUN - --top 3",
        "predict RUN -- --odd.png",
        "train photos.csv::birds=count",
        "train photos --max_restarts 1",
        "tune-threshold RUN --precision 0.98 --save",
        "show alexnet --without fc6 fc7",
        "--help",
        "",
    ],
)
def test_what_a_verb_takes_is_left_alone(typed: str) -> None:
    refuse_unknown_options(shlex.split(typed))


def test_a_file_that_is_called_like_a_setting_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lr=0.1").mkdir()
    refuse_unknown_options(["train", "lr=0.1"])


@pytest.mark.parametrize("verb", [name.replace("_", "-") for name in api.__all__])
def test_the_options_of_a_verb_are_those_of_its_command(verb: str) -> None:
    app = cli.application()
    made = {name for one in app[verb].assemble_argument_collection() for name in one.names}
    options = {n for n in made if n.startswith("--") and not n.startswith(("--no-", "--empty-"))}
    assert options <= set(options_of(verb))
    assert set(options_of(verb)) - options <= {"--help", "--version", "--csv", "-q", "-h"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_foreign_setting_makes_a_line_that_train_takes(name: str) -> None:
    line = equivalent_line("train", ["x", f"--{name}=1"])
    refuse_unknown_options(line.arguments)
    assert name not in [word.lstrip("-") for word in line.arguments]


def test_layers_to_leave_out_are_named_together_or_one_by_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = []
    for words in ("--without fc6 fc7", "--without fc6 --without fc7"):
        assert cli.main(["show", "alexnet", *words.split()]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "fc6, fc7" in printed[0]


SAMPLES = {  # what is written elsewhere for a setting, where it is no number
    "optim.name": "momentum",
    "optim.schedule": "cosineannealinglr",
    "optim.warmup": "0.1",
    "optim.momentum": "0.9",
    "optim.layer_decay": "0.75",
    "optim.weight_decay": "0.05",
    "train.ema": "0.999",
    "train.label_smoothing": "0.1",
    "train.class_weights": "balanced",
    "train.device": "cpu",
    "train.precision": "fp16",
    "model.name": "resnet18",
    "model.weights": "mine.pth",
    "model.drop_path": "0.1",
    "model.activation": "relu",
    "data.val": "0.2",
    "data.test": "0.2",
    "data.augment": "flip",
    "data.group": "patient",
    "model.freeze": "layer2",
}


@pytest.fixture(scope="module")
def parsed() -> Callable[[Sequence[str]], dict[str, object]]:
    """What a command line gives a verb: settings are read as a recipe does, nothing is run."""
    app = cli.application()

    def parse(arguments: Sequence[str]) -> dict[str, object]:
        _, bound, _ = app.parse_args(list(arguments), print_error=False, exit_on_error=False)
        named = dict(bound.kwargs)
        short = {k: named[k] for k in short_names() if named.get(k) is not None}
        Recipe().with_(by_full_name(named.get("with_"), short))
        return named

    return parse


OFF = ("0", "0.0", "0.", "False", "no", "None")


@pytest.mark.parametrize("name", [*NAMES, *SWITCHES])
@pytest.mark.parametrize("verb", ["train", "cross-validate"])
def test_every_hint_on_a_foreign_setting_works_as_it_is_typed(
    verb: str, name: str, parsed: Callable[[Sequence[str]], dict[str, object]]
) -> None:
    sample = SAMPLES.get(NAMES.get(name, ""), "8")
    for value in ("", "0.5", *OFF) if name in SWITCHES else (sample,):
        with pytest.raises(UsageError) as caught:
            refuse_unknown_options([verb, "x", f"--{name}", *([value] if value else [])])
        words = shlex.split(caught.value.hint.rpartition("saccade ")[2])
        refuse_unknown_options(words)
        parsed(words)
        if value in OFF:
            assert value not in words
        assert verb != "train" or "--folds" not in words or words[0] == "cross-validate"


@pytest.mark.parametrize("name", [name for name in OPTIONS if OPTIONS[name] != "--track"])
def test_every_hint_on_a_foreign_option_works_as_it_is_typed(
    name: str, parsed: Callable[[Sequence[str]], dict[str, object]]
) -> None:
    option = OPTIONS[name]
    verbs = [verb.replace("_", "-") for verb in api.__all__]
    for verb in (v for v in verbs if option in options_of(v)):
        if f"--{name.replace('_', '-')}" in options_of(verb):
            continue
        value = "0.5" if option == "--min-confidence" else "x=1" if option == "--with" else "2"
        with pytest.raises(UsageError) as caught:
            refuse_unknown_options([verb, "x", f"--{name}", value])
        words = shlex.split(caught.value.hint.rpartition("saccade ")[2])
        assert words[0] == verb and option in words, caught.value.hint
        refuse_unknown_options(words)


def test_layers_are_frozen_by_name_and_a_number_is_answered_so() -> None:
    for typed in ("--freeze-at 10", "--freeze-to=10"):
        with pytest.raises(UsageError) as caught:
            refuse_unknown_options(["train", "x", *typed.split()])
        assert caught.value.hint.startswith("--freeze takes the name of a layer")
    with pytest.raises(UsageError, match="layers have names, not numbers"):
        freeze(chain(conv=nn.Conv2d(3, 4, 1), fc=nn.Linear(4, 2)), "10")
    freeze(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), "0")  # which is a name there
