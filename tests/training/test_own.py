"""Parts of a person's own in a training: module, loss, metric, augmentation, optimizer."""

from __future__ import annotations

import hashlib
import inspect
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score
from torch import Tensor, nn

import saccade
from saccade import api
from saccade.errors import RecipeError, SaccadeError, Stopped, UsageError, WeightsError
from saccade.metrics.classification import ClassMetric
from saccade.metrics.multilabel import LabelMetric
from saccade.metrics.own import TAKEN, WithOwn
from saccade.metrics.regression import RegressionMetric
from saccade.models.create import create_model
from saccade.own import Own, own_parts, refuse_missing
from saccade.recipes.recipe import Recipe
from saccade.recipes.short import by_full_name
from saccade.runs.run import Run, open_bundle
from saccade.tasks.counting import CountMetric

QUICK = {"train.epochs": 2, "train.batch_size": 256, "data.doctor": "off", "optim.lr": 0.003}
PLAIN = {"train.label_smoothing": 0, "train.ema": 0, "data.augment": ()}


class Small(nn.Module):
    """A network that is no table of rows.  [N,1,H,W] -> [N,K]"""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.conv(x)).relu().amax((2, 3)))


def focal(outputs: Tensor, targets: Tensor) -> Tensor:
    """Lin 2017, Equation 4, with gamma 2.  [N,K], [N] -> []"""
    log_p = outputs.log_softmax(1).gather(1, targets[:, None])
    return -((1 - log_p.exp()) ** 2 * log_p).mean()


def share_right(predictions: Tensor, targets: Tensor) -> float:
    return float(accuracy_score(targets, predictions.argmax(1)))


def wrong(predictions: Tensor, targets: Tensor) -> float:
    return 1 - share_right(predictions, targets)


wrong.higher_is_better = False  # type: ignore[attr-defined]


def shifted(images: Tensor) -> Tensor:
    assert images.min() >= 0 and images.max() <= 1
    return images.roll(int(torch.randint(-1, 2, ())), 3)


def same(images: Tensor) -> Tensor:
    return images


def net_of(num_classes: int) -> nn.Module:
    return create_model("lenet5", num_classes)


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def own_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    parts = {
        "train.loss": focal,
        "train.metric": share_right,
        "data.augment": ["flip", shifted],
        "optim.name": torch.optim.NAdam,
    }
    out = tmp_path_factory.mktemp("own") / "run"
    longer = {"train.batch_size": 32, "train.epochs": 4, "optim.lr": 0.02}
    return api.train(model=Small, with_=QUICK | parts | longer, out=out)


def test_the_recipe_names_the_parts_and_the_card_their_source(own_run: Run) -> None:
    values = own_run.recipe.settings()
    assert values["model.name"] == "own:Small"
    assert values["data.augment"] == ("flip", "own:shifted")
    assert (values["train.loss"], values["optim.name"]) == ("own:focal", "own:NAdam")
    assert 'name = "own:Small"  # flag' in (own_run.path / "recipe.toml").read_text()
    card = (own_run.path / "bundle" / "README.md").read_text()
    digest = hashlib.sha256(inspect.getsource(Small).encode()).hexdigest()
    assert (
        f"`model.name`: `Small` of `{__name__}`, test_own.py, SHA-256 of its code {digest}" in card
    )
    assert "`optim.name`: `NAdam` of `torch.optim.nadam`" in card
    assert "open_bundle(\"bundle\", with_={'model.name': Small})" in card
    assert "trained from scratch" in card  # by a class, which came with no weights
    assert "saccade.train(with_={'model.name': Small" in own_run.started["command"]


def test_the_own_metric_watches_validation_and_stands_in_the_results(own_run: Run) -> None:
    row, test = own_run.history[-1], own_run.test
    assert row["val_share_right"] == pytest.approx(own_run.val["accuracy"].value)
    own, plain = test["share_right"], test["accuracy"]
    assert own.value == pytest.approx(plain.value)
    assert own.interval and plain.interval  # a bootstrap and Wilson's, of the same share
    assert own.interval == pytest.approx(plain.interval, abs=0.02)


def test_a_report_keeps_a_loss_of_ones_own_apart_from_the_usual_one(own_run: Run) -> None:
    page = (own_run.path / "report.html").read_text()
    assert "Training loss, own:focal" in page and "The two are not to be compared" in page
    assert "Validation share_right" in page or "Validation share right" in page


def test_settings_without_use_beside_a_part_say_so_or_are_refused(own_run: Run) -> None:
    assert own_run.origins["optim.momentum"] == "no use: beside own:NAdam"
    assert own_run.recipe.train.label_smoothing == 0
    stated = QUICK | {"train.loss": focal, "train.label_smoothing": 0.1}
    with pytest.raises(RecipeError, match=r"does nothing beside train[.]loss=own:focal"):
        api.plan(with_=stated)


def test_the_parts_of_the_project_given_as_objects_train_the_same_bits(tmp_path: Path) -> None:
    adamw = partial(torch.optim.AdamW, betas=(0.9, 0.999), fused=True)
    named = api.train(model="lenet5", with_=QUICK | PLAIN, out=tmp_path / "named")
    parts = {"train.loss": F.cross_entropy, "optim.name": adamw}
    settings = QUICK | PLAIN | parts | {"data.size": 32}
    given = api.train(model=net_of, with_=settings, out=tmp_path / "given")
    assert weights(given) == weights(named)


def test_a_stopped_training_with_parts_ends_at_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"train.loss": focal, "train.metric": wrong, "optim.name": torch.optim.NAdam}
    settings = QUICK | parts | {"train.checkpoint": "best"}
    settings["data.augment"] = ["flip", shifted, lambda images: images, same]
    whole = api.train(model=Small, with_=settings, out=tmp_path / "whole")
    from saccade.training.logbook import Logbook

    record = Logbook.record

    def interrupted(self: Logbook, event: Any, **options: Any) -> None:
        record(self, event, **options)
        if self.position.epoch == 1 and self.position.step == 0:
            raise self.stop(2)

    with monkeypatch.context() as patched, pytest.raises(Stopped) as stopped:
        patched.setattr(Logbook, "record", interrupted)
        api.train(model=Small, with_=settings, out=tmp_path / "stopped")
    with pytest.raises(
        UsageError, match=r"data[.]augment=own:shifted, data[.]augment=own:<la"
    ) as e:
        api.resume(tmp_path / "stopped")
    call = e.value.hint.removeprefix("give them in Python: ")
    assert (
        stopped.value.hint == f"go on with: {call}" and "'flip', shifted, YOUR_LAMBDA, same" in call
    )
    names = {"YOUR_LAMBDA": lambda images: images.clone(), "NAdam": torch.optim.NAdam}
    resumed = eval(call, globals() | names | {"saccade": saccade})
    (note,) = (note for note in resumed.notes if "no longer a run of one code" in note)
    assert "the code of data.augment=own:<lambda> is not the one" in note  # and that of same is
    card = (resumed.path / "bundle" / "README.md").read_text()
    digest = resumed.events("resumed")[0]["own"]["data.augment"][1]["sha256"]
    assert f"from epoch 2 on other code of `data.augment`, SHA-256 {digest}" in card
    assert weights(resumed) == weights(whole)
    scores = [row["val_wrong"] for row in whole.history]
    assert whole.events("checkpoint")[-1]["epoch"] == 1 + scores.index(min(scores))


def test_a_module_keeps_its_weights_and_is_never_changed(tmp_path: Path) -> None:
    torch.manual_seed(3)
    module = Small()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    settings = {**QUICK, "train.epochs": 1, "optim.lr": 1e-12, "optim.weight_decay": 0}
    run = api.train(model=module, with_=settings, out=tmp_path / "run")
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    trained = run.bundle.model.state_dict()
    torch.testing.assert_close(trained["network.head.weight"], before["head.weight"])


def test_a_bundle_of_an_own_network_asks_for_it(own_run: Run) -> None:
    folder = own_run.path / "bundle"
    with pytest.raises(UsageError, match=r"model[.]name=own:Small: parts of a person's own"):
        open_bundle(folder)
    bundle = open_bundle(folder, with_={"model.name": Small})
    images = torch.rand(2, 1, bundle.preprocessing.size, bundle.preprocessing.size) * 255
    torch.testing.assert_close(bundle.model(images), own_run.bundle.model(images))
    with pytest.raises(WeightsError):
        open_bundle(folder, with_={"model.name": net_of})


def test_another_part_than_the_one_that_trained_is_refused(own_run: Run) -> None:
    with pytest.raises(RecipeError, match="is own:focal; what was given is own:cross_entropy"):
        Run.open(own_run.path, with_={"train.loss": F.cross_entropy})
    with pytest.raises(RecipeError, match=r"optim.lr of the run is 0\.02; what was given is 1"):
        Run.open(own_run.path, with_={"optim.lr": 1})


class Bare(nn.Module):
    """A class that takes no number of classes."""

    def __init__(self) -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model.name": Small(7)}, "gives 2 x 7 numbers for 2 images; the labels ask for 2 x 10"),
        ({"model.name": Bare}, "own:Bare cannot be made for a number of classes"),
        (
            {"model.name": nn.Sequential(Small(), nn.Softmax(1))},
            "own:Sequential gives probabilities",
        ),
        ({"model.name": lambda num_classes: 3}, "gives a value of the type int"),
        ({"model.name": nn.Linear(7, 10)}, "does not take images of"),
        (
            {"optim.name": torch.optim.SGD(Small().parameters(), lr=1)},
            "holds the weights of another",
        ),
        ({"optim.name": lambda groups, lr: None}, "gives a value of the type NoneType"),
        ({"optim.name": lambda groups, lr: torch.optim.SGD(groups, lr=2)}, "rates 2, 2 in place"),
        ({"optim.name": torch.optim.LBFGS}, "optim.name=own:LBFGS needs a closure"),
        (
            {"optim.name": lambda groups: torch.optim.SGD(groups)},
            "unexpected keyword argument 'lr'",
        ),
        ({"optim.name": partial(torch.optim.SGD, momentum=-1)}, "ValueError: Invalid momentum"),
        ({"optim.name": partial(torch.optim.SGD, lr=0.1)}, "with_={'optim.lr': 0.1}"),
        (
            {"optim.name": lambda groups, lr: torch.optim.SGD(Small().parameters(), lr=lr)},
            "does not hold the 6 weights that it is given",
        ),
        ({"train.loss": lambda out, targets: out.relu()}, "numbers"),
        ({"train.loss": lambda out, targets: 1.0}, "gives a value of the type float"),
        ({"data.augment": [lambda images: images[:1]]}, "makes 1x1x"),
        ({"data.augment": [Small]}, "with_={'data.augment': Small()}"),
        ({"data.augment": [object()]}, "object, which cannot be called"),
        ({"data.augment": [lambda: 0]}, "data.augment=own:<lambda> fails on images"),
        ({"train.loss": nn.CrossEntropyLoss}, "with_={'train.loss': CrossEntropyLoss()}"),
        ({"data.augment": [lambda images: None]}, "gives a value of the type NoneType"),
        ({"data.augment": [lambda images: images * 255]}, "gives numbers from 0 to 255"),
        ({"data.augment": [lambda images: (images * 255).byte()]}, "of the type torch.uint8"),
        ({"model.name": nn.Sequential(nn.Flatten(), nn.LazyLinear(10))}, "sizes are not known"),
        ({"model.name": lambda num_classes: nn.LazyLinear(num_classes)}, "sizes are not known"),
        ({"train.loss": lambda out, targets: out @ targets}, "fails on ["),
        ({"train.loss": lambda out, targets: torch.ones(())}, "does not depend on the outputs"),
        ({"train.metric": lambda p, t: "x"}, "train.metric fails on tensors"),
        ({"optim.name": torch.optim.SGD, "optim.momentum": 0.9}, "does nothing beside optim.name"),
    ],
)
def test_what_cannot_be_a_part_is_refused_in_words(
    settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    plain = {"model.name": Small} | settings
    with pytest.raises(SaccadeError, match=re.escape(said)):
        api.train(with_=QUICK | plain, out=tmp_path / "run")


class Bilinear(nn.Module):
    """A network without a layer of PyTorch's.  [N,1,28,28] -> [N,10]"""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(784, 10))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.matrix


def Right(predictions: Tensor, targets: Tensor) -> Tensor:  # a name with a capital
    return (predictions.argmax(1) == targets).float().mean()


def test_any_module_and_any_name_of_a_metric_will_do(tmp_path: Path) -> None:
    settings = {**QUICK, "train.metric": Right, "train.checkpoint": "best"}
    run = api.train(model=Bilinear(), with_=settings, out=tmp_path / "run")
    assert run.test["Right"].value == pytest.approx(run.test["accuracy"].value)
    assert {"val_right"} <= run.history[0].keys()
    card = (run.path / "bundle" / "README.md").read_text()
    assert "with_={'model.name': module}" in card  # an object, not its class
    assert "It began from the weights that the module came with." in card


def nothing(predictions: Tensor, targets: Tensor) -> float:
    return float("nan")


def test_of_a_score_that_is_never_a_number_no_epoch_is_called_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**QUICK, "train.metric": nothing, "train.checkpoint": "best"}
    run = api.train(model="mlp", with_=settings, out=tmp_path / "run")
    (fact,) = run.events("checkpoint")
    assert (fact["weights"], fact["epoch"]) == ("last", 2)
    assert (
        "undefined after every epoch: the weights are those of epoch 2" in capsys.readouterr().err
    )
    last = api.train(model="mlp", with_={**QUICK, "train.metric": nothing}, out=tmp_path / "last")
    assert weights(run) == weights(last)


def test_commands_that_lengthened_a_run_are_told_with_the_first(tmp_path: Path) -> None:
    short = api.train(model="mlp", with_={**QUICK, "train.epochs": 1}, out=tmp_path / "run")
    longer = api.resume(short.path, epochs=2)
    told = f"`, then `saccade resume {short.path} --epochs 2`."
    assert told in (longer.path / "bundle" / "README.md").read_text()


def test_what_has_no_run_cannot_go_on(own_run: Run) -> None:
    bundle = replace(own_run.bundle)  # lies in no folder
    with pytest.raises(UsageError, match="'BUNDLE' is a bundle without the run") as caught:
        api.resume(bundle)
    assert caught.value.hint == "train from its weights: saccade train DATA --weights BUNDLE"
    with pytest.raises(UsageError, match="cannot be of the type int"):
        api.resume(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="parts of a person's own") as caught:
        api.resume(own_run.bundle, epochs=5)  # its run, without the parts
    assert caught.value.hint.endswith(", epochs=5)")


def test_several_processes_refuse_parts(own_run: Run) -> None:
    with pytest.raises(UsageError, match="does not go with several processes"):
        api.train(model=Small, processes=2)
    with pytest.raises(UsageError, match=r"^data[.]augment=flip own:shifted does not go with"):
        api.resume(own_run, processes=2)
    with pytest.raises(UsageError, match=r"^data[.]augment=flip own:shifted does not go with"):
        api.resume(own_run.path, processes=2)


def test_a_part_that_is_typed_is_no_part() -> None:
    with pytest.raises(UsageError, match=r"model[.]name=own:Small: parts of a person's own"):
        api.plan(model="own:Small")
    for names in (["own:Blur"], ("flip", "own:Blur"), "flip own:Blur"):
        with pytest.raises(UsageError, match=r"^data[.]augment=own:Blur: parts of a person's own"):
            by_full_name({"data.augment": names}, {})


def test_a_note_that_begins_like_a_part_is_none() -> None:
    settings = Recipe().with_({"train.note": "own: flipped"}).settings()
    assert own_parts(settings) == {}
    refuse_missing(settings)


def test_a_part_is_named_after_its_function_or_class() -> None:
    assert Own.of(partial(partial(Small), 3)) == Own.of(Small()) == Own.of(Small) == "own:Small"
    assert Own.of(lambda: None) == "own:<lambda>"


def test_an_own_metric_has_a_name_of_its_own() -> None:
    rows = torch.tensor([[0.9, 0.1], [0.2, 0.8]]), torch.tensor([0, 1])
    numbers = torch.rand(4, 1), torch.rand(4, 1)
    marks = torch.rand(4, 3), torch.eye(4)[:, :3]
    metrics = [
        (ClassMetric(tuple("ab")), rows),
        (ClassMetric(tuple("abcdef")), (torch.rand(4, 6).softmax(1), torch.arange(4))),
        (LabelMetric(tuple("abc")), marks),
        (RegressionMetric(), numbers),
        (CountMetric(), numbers),
    ]
    measured = {q.key for m, given in metrics for q in m.quantities(m.rows(*given))}
    assert measured | {"loss"} == TAKEN
    for name in ("loss", "Macro F1"):
        with pytest.raises(UsageError, match="has the name of what is measured anyway"):
            WithOwn(metrics[0][0], Own(f"own:{name}"))
