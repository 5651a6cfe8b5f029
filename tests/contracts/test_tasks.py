"""The whole life of every task: to learn, measure, answer, report, compare, and refuse."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from saccade import api
from saccade.cli import main
from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.errors import DataError, RecipeError, SaccadeError, UnwrittenError, UsageError
from saccade.metrics.measure import primary_metric
from saccade.metrics.metric import Score
from saccade.probes.fit import HEADS, fit_head
from saccade.report.tasks.catalogue import SECTIONS
from saccade.runs.run import Run, open_bundle
from saccade.tasks.catalogue import LABELS, TASKS, read_task, task_for
from saccade.tasks.task import Capability, Task
from saccade.training.division import refuse_one_class

COUNT = 64  # images
TINY = {
    "model.name": "lenet5",
    "train.epochs": 2,
    "train.batch_size": 16,
    "data.doctor": "off",
    "data.augment": (),
    "optim.lr": 0.003,
    "train.checkpoint": "best",
}
CELLS: dict[str, tuple[str, Callable[[int], str]]] = {  # column, and the label of so many squares
    "classification": ("label", lambda squares: "many" if squares > 1 else "few"),
    "multilabel": (
        "labels",
        lambda squares: "|".join(["odd"] * (squares % 2) + ["some"][:squares]),
    ),
    "regression": ("value", lambda squares: f"{squares + 0.5}"),
    "counting": ("count", lambda squares: f"{squares}"),
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of none to three squares, and for each kind a table KIND.csv of them."""
    folder = tmp_path_factory.mktemp("tasks")
    for number in range(COUNT):
        pixels = np.full((32, 32), 20, dtype=np.uint8)
        for square in range(number % 4):
            pixels[4 : 4 + 6 + number % 3, 3 + 9 * square : 9 + 9 * square] = 220
        Image.fromarray(pixels).save(folder / f"{number}.png")
    for kind, (column, cell) in CELLS.items():
        rows = [(f"{number}.png", cell(number % 4)) for number in range(COUNT)]
        with (folder / f"{kind}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("path", column), *rows])
    return folder


@pytest.fixture(scope="module", params=TASKS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def run(kind: str, tables: Path) -> Run:
    return api.train(tables / f"{kind}.csv", with_=TINY, out=tables / kind)


@pytest.fixture
def items(kind: str, tables: Path) -> list[Item]:
    return list(open_source(tables / f"{kind}.csv").read("all"))


@pytest.fixture
def task(items: list[Item], kind: str, tables: Path) -> Task:
    return task_for(items, open_source(tables / f"{kind}.csv").classes)


@pytest.fixture
def others(kind: str) -> list[str]:
    """The kinds whose labels this one cannot be measured by."""
    own = TASKS[kind].labels
    return [other.kind for label, other in LABELS.items() if not issubclass(label, own)]


def score_of(kind: str) -> Score:
    return TASKS[kind].plain(()).metric().score


def test_every_task_has_its_tiny_data_and_its_sections() -> None:
    assert CELLS.keys() == TASKS.keys() == SECTIONS.keys()
    assert all(issubclass(label, task.labels) for label, task in LABELS.items())


def test_a_step_descends_on_the_loss(task: Task, items: list[Item]) -> None:
    torch.manual_seed(0)
    network = task.network("lenet5")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    images = torch.rand(16, 1, 32, 32)
    batch = Batch(images, task.targets(items[:16]), torch.arange(16))
    losses = []
    loss = torch.zeros(0)
    for _ in range(20):
        loss = task.losses(network, batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert loss.shape == ()
    assert losses[-1] < losses[0]


def test_predictions_have_a_row_an_image_and_a_cell_each(task: Task) -> None:
    torch.manual_seed(0)
    predictions = task.predict(task.network("lenet5"), torch.rand(5, 1, 32, 32))
    assert predictions.shape == (5, task.outputs)
    assert predictions.dtype == torch.float32
    assert predictions.isfinite().all()
    assert len(task.cells(predictions)) == 5


def test_a_task_is_read_back_from_what_is_stored_of_it(run: Run) -> None:
    task = run.bundle.task
    stored = json.loads(json.dumps(task.config()))
    assert read_task(task.kind, task.classes, stored) == task


def test_a_training_leaves_a_whole_run(run: Run, kind: str) -> None:
    there = {path.name for path in run.path.iterdir()}
    assert {"bundle", "log.jsonl", "predictions.csv", "report.html", "split.csv"} <= there
    assert (run.path / "bundle" / "README.md").is_file()
    assert run.finished
    assert run.test.task == run.val.task == kind
    assert not run.events("unwritten")


def test_each_epoch_is_watched_by_the_loss_and_the_score(run: Run, kind: str) -> None:
    for row in run.history:
        assert np.isfinite(row["val_loss"])
        assert np.isfinite(row[f"val_{score_of(kind).name}"])


def test_the_best_epoch_is_the_one_of_the_best_score(run: Run, kind: str) -> None:
    score = score_of(kind)
    values = [score.goodness(row[f"val_{score.name}"]) for row in run.history]
    assert run.events("checkpoint")[-1]["epoch"] == 1 + values.index(max(values))


def test_the_number_to_name_first_is_1_for_answers_that_are_right(
    task: Task, items: list[Item]
) -> None:
    targets = task.targets(items)
    exact = torch.eye(task.outputs)[targets] if targets.dim() == 1 else targets
    metric = task.metric()
    rows = metric.rows(exact.float(), targets)
    assert primary_metric(metric, rows).value == pytest.approx(1)
    assert float(rows.losses.max()) == pytest.approx(0, abs=1e-5)
    assert metric.score.name in [quantity.key for quantity in metric.quantities(rows)]


def test_measuring_anew_gives_the_numbers_of_the_run(run: Run, tmp_path: Path) -> None:
    found = api.evaluate(run.path, out=tmp_path / "test")
    assert found.metrics == run.test.metrics
    page = (tmp_path / "test" / "report.html").read_text(encoding="utf-8")
    assert found.primary.name in page
    told = json.loads((tmp_path / "test" / "evaluation.json").read_text(encoding="utf-8"))
    assert told["task"] == run.test.task


def test_a_report_is_made_anew_with_the_sections_of_the_kind(run: Run, kind: str) -> None:
    before = (run.path / "report.html").read_text(encoding="utf-8")
    api.report(run.path)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert page == before
    titles = {
        "classification": "Most confident mistakes",
        "multilabel": "Metrics by label",
        "regression": "Predicted vs. true values",
        "counting": "Predicted vs. true counts",
    }
    assert {other for other in TASKS if f">{titles[other]}<" in page} == {kind}


def test_the_card_says_what_the_answers_are_for(run: Run, kind: str) -> None:
    text = (run.path / "bundle" / "README.md").read_text(encoding="utf-8")
    told = TASKS[kind].card
    assert f"- {told.tag}\n" in text
    assert told.use in text and told.limits in text and told.answers in text


def test_two_runs_are_compared_on_the_images_of_both(run: Run, kind: str, tables: Path) -> None:
    other = TINY | {"optim.lr": 0.001}
    second = api.train(tables / f"{kind}.csv", with_=other, out=tables / f"{kind}-slow")
    found = api.compare(run.path, second.path, html=tables / f"{kind}-compared.html")
    assert found.task == kind
    assert found.n == run.test.n
    assert found.runs[0].metrics[0].name == run.test.primary.name
    assert found.runs[0].metrics[0].value == pytest.approx(run.test.primary.value, abs=1e-4)
    page = (tables / f"{kind}-compared.html").read_text(encoding="utf-8")
    assert ("Changed predictions" in page) == found.right_or_wrong
    assert found.right_or_wrong == bool(run.classes)
    assert found.right_or_wrong or not found.changed
    assert json.loads(json.dumps(found.to_dict()))["verdicts"] == found.verdicts()


def test_a_bundle_answers_as_its_run_did(run: Run, tables: Path) -> None:
    with (run.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    bundle = open_bundle(run.path / "bundle")
    found = bundle.predict(*(tables / row["name"] for row in rows))
    assert [answer.name for answer in found] == [str(tables / row["name"]) for row in rows]
    for answer, row in zip(found, rows):
        first = answer.cells()[0]
        try:
            assert float(first) == pytest.approx(float(row["prediction"]), rel=1e-4)
        except ValueError:
            assert first == row["prediction"]


def test_answers_are_words_plain_values_and_a_table(run: Run, tables: Path) -> None:
    found = api.predict(run.path, tables / "1.png", tables / "2.png")
    for answer in found:
        assert len(answer.columns()) == len(answer.cells())
        assert str(answer) and answer.best
        assert repr(answer).startswith(f"{type(answer).__name__}({answer.name}: ")
    plain = json.loads(json.dumps(found.to_dict()))
    assert [one["name"] for one in plain["predictions"]] == [answer.name for answer in found]
    head, *rows = csv.reader(found.to_csv().splitlines())
    assert head == ["name", *found[0].columns(), "error"]
    assert [len(row) for row in rows] == [len(head)] * 2
    assert found._repr_html_().startswith("<table")


def test_each_head_of_a_task_predicts_images_that_it_has_not_seen(
    task: Task, items: list[Item]
) -> None:
    generator = torch.Generator().manual_seed(0)
    squares = torch.arange(len(items)) % 4
    features = torch.eye(4)[squares] + 0.05 * torch.randn(len(items), 4, generator=generator)
    targets = task.targets(items)
    assert task.heads and set(task.heads) <= HEADS.keys()
    for name in task.heads:
        said = fit_head(name, task, features[:, None], targets).held_out_predictions
        if said is not None:
            metric = task.metric()
            assert primary_metric(metric, metric.rows(said, targets)).value > 0.9


def test_features_only_takes_a_head_of_the_task(run: Run, kind: str, tables: Path) -> None:
    fitted = {"model.name": "lenet5", "data.doctor": "off", "model.weights": str(run.path)}
    found = api.train(
        tables / f"{kind}.csv", recipe="features", with_=fitted, out=tables / f"{kind}-fitted"
    )
    assert found.recipe.model.head in TASKS[kind].heads
    assert found.val.primary.value > -1


def test_a_head_that_does_not_suit_is_refused_with_those_that_do(
    run: Run, kind: str, tables: Path
) -> None:
    own = TASKS[kind].heads
    for name in HEADS.keys() - set(own):
        wrong = TINY | {"model.head": name, "model.weights": str(run.path)}
        with pytest.raises(RecipeError, match=f"cannot be {name} for {kind}") as refused:
            api.train(tables / f"{kind}.csv", with_=wrong, out=tables / "refused")
        assert refused.value.hint == f"it takes {', '.join(('random', *own))}"
        assert not (tables / "refused").exists()


@pytest.mark.parametrize(
    ("capability", "settings"),
    [
        (Capability.LABEL_SMOOTHING, {"train.label_smoothing": 0.1}),
        (Capability.CLASS_WEIGHTS, {"train.class_weights": "auto"}),
        (Capability.MIXING, {"data.augment": ("flip", "mixup:0.2")}),
    ],
)
def test_a_setting_that_the_task_has_no_use_for_is_refused_before_anything_is_done(
    kind: str, tables: Path, capability: Capability, settings: dict[str, object]
) -> None:
    if capability in TASKS[kind].capabilities:
        plan = api.plan(tables / f"{kind}.csv", with_=TINY | settings)
        assert plan.epochs == 2
        return
    with pytest.raises(SaccadeError, match=f"{capability} is for .*; this is {kind}"):
        api.train(tables / f"{kind}.csv", with_=TINY | settings, out=tables / "refused")
    assert not (tables / "refused").exists()


def test_what_a_named_recipe_has_and_the_task_has_not_falls_away(run: Run, kind: str) -> None:
    able = Capability.LABEL_SMOOTHING in TASKS[kind].capabilities
    assert (run.recipe.train.label_smoothing > 0) == able
    origin = run.origins["train.label_smoothing"]
    assert origin == ("recipe small" if able else f"auto: as {kind} allows")


def test_saying_unknown_is_for_those_who_are_sure_of_one_answer(run: Run, tables: Path) -> None:
    capabilities = run.bundle.task.capabilities
    asked: list[tuple[Capability, dict[str, Any]]] = [
        (Capability.CONFIDENCE, {"min_confidence": 0.5}),
        (Capability.NOVELTY, {"max_novelty": 0.5}),
    ]
    for capability, limits in asked:
        if capability in capabilities:
            assert len(api.predict(run.path, tables / "1.png", **limits)) == 1
        else:
            with pytest.raises(UsageError):
                api.predict(run.path, tables / "1.png", **limits)
    assert (run.path / "bundle" / "novelty.safetensors").exists() == (
        Capability.NOVELTY in capabilities
    )


def test_label_issues_are_looked_for_where_there_are_classes(kind: str, tables: Path) -> None:
    if Capability.LABEL_ISSUES in TASKS[kind].capabilities:
        assert api.label_issues(tables / f"{kind}.csv").n == COUNT
        return
    with pytest.raises(DataError, match=f"label issues is for .*; this is {kind}"):
        api.label_issues(tables / f"{kind}.csv")


def test_labels_of_another_kind_are_refused(
    run: Run, kind: str, others: list[str], tables: Path
) -> None:
    assert others
    for other in others:
        with pytest.raises(DataError, match=f"for {other}; this network was trained for {kind}"):
            api.evaluate(run.path, tables / f"{other}.csv")


def test_labels_that_never_vary_teach_nothing(kind: str, tables: Path, tmp_path: Path) -> None:
    column, cell = CELLS[kind]
    rows = [f"{tables / f'{number}.png'},{cell(1)}" for number in range(COUNT)]
    (tmp_path / "alike.csv").write_text("\n".join([f"path,{column}", *rows]))
    with pytest.raises(DataError, match=r"the same|one class only"):
        source = open_source(tmp_path / "alike.csv")
        refuse_one_class(source)
        task_for(list(source.read("all")), source.classes)


def test_a_card_or_report_that_fails_costs_no_run(
    kind: str, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.delattr(TASKS[kind], "card")
    words = ["train", str(tables / f"{kind}.csv"), "--out", str(tmp_path / "run")]
    for name, value in (TINY | {"train.epochs": 1}).items():
        words += ["--with", f"{name}={' '.join(value) if isinstance(value, tuple) else value}"]
    assert main(words) == UnwrittenError.exit_code
    said = capsys.readouterr().err
    assert "the model card could not be written (AttributeError" in said
    assert f"its weights are in {tmp_path / 'run' / 'bundle'}" in said
    run = Run.open(tmp_path / "run")
    assert run.finished
    assert run.test.n == len(run.bundle.predict(*(tables / f"{k}.png" for k in range(run.test.n))))
    assert "Traceback" in run.events("unwritten")[-1]["error"]
    monkeypatch.undo()
    api.report(run.path)  # as the hint says
    assert TASKS[kind].card.use in (run.path / "bundle" / "README.md").read_text("utf-8")


def test_weights_are_saved_before_anything_is_measured_by_them(
    kind: str, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(TASKS[kind], "cells", failing)
    with pytest.raises(ZeroDivisionError):
        api.train(tables / f"{kind}.csv", with_=TINY | {"train.epochs": 1}, out=tmp_path / "run")
    assert open_bundle(tmp_path / "run" / "bundle").task.kind == kind
