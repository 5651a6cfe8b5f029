"""The verbs.  Each is also a command of the same name, made from its signature and docstring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from torch.nn import Module

    from saccade.audit.sheets import Sheet
    from saccade.audit.suspects import Suspects
    from saccade.compare.comparison import Comparison
    from saccade.compare.write import WrittenReport
    from saccade.data.doctor.doctor import Diagnosis
    from saccade.evaluation.features import WrittenFeatures
    from saccade.explain.anatomy import Anatomy
    from saccade.listings import Models, NamedRecipe, Recipes
    from saccade.runs.results import Evaluation
    from saccade.runs.run import Run
    from saccade.studies.load import Studies
    from saccade.studies.result import StudyResult
    from saccade.tasks.answers import Predictions
    from saccade.training.lr_find import FoundRate
    from saccade.training.plan import Plan


__all__ = [
    "augment",
    "compare",
    "doctor",
    "evaluate",
    "features",
    "find_rate",
    "models",
    "predict",
    "recipe",
    "recipes",
    "report",
    "resume",
    "show",
    "studies",
    "study",
    "suspects",
    "train",
]


@overload
def train(data: str | Path | None = None, *, plan: Literal[True], **named: Any) -> Plan: ...


@overload
def train(data: str | Path | None = None, *, plan: Literal[False] = False, **named: Any) -> Run: ...


def train(  # pyright: ignore[reportInconsistentOverload]  # `named` stands for those below
    data: str | Path | None = None,
    *,
    model: str | None = None,
    recipe: str | Path | None = None,
    weights: str | Path | None = None,
    freeze: str | None = None,
    unfreeze: str | None = None,
    stages: str | Sequence[str] | None = None,
    features_only: bool = False,
    epochs: int | None = None,
    minutes: float | None = None,
    size: int | None = None,
    seed: int | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    track: Sequence[str] = (),
    processes: int = 1,
    nodes: int = 1,
    rendezvous: str | None = None,
    restarts: int = 0,
    out: str | Path | None = None,
    plan: bool = False,
) -> Run | Plan:
    """Train a network on labelled pictures, measure it on some that it never saw, keep it as a run.

    Parameters
    ----------
    data
        A folder with a folder of pictures for each class, or with train, val and test folders of
        that kind. Without it: the handwritten digits that come with scikit-learn.
    model
        A network of `saccade models`.
    recipe
        A named recipe, or a TOML file like the recipe.toml of a run.
    weights
        What to begin from: a tag such as imagenet, a file, a bundle, another run, timm:NAME, auto
        for what lies on this machine, or none.
    freeze
        A row of the network: it and all before it stay as they are. features: all but the last.
    unfreeze
        A row: it and all behind it learn, those before stay as they are.
    stages
        What learns in turn, from the last row down: "head layer4 layer3 all", each the first row
        that learns. A number behind one, as in layer4:3, is its epochs.
    features_only
        Nothing is trained: the last layer is fitted to what the network makes of each picture, in
        seconds. The same as --recipe features.
    epochs
        How many times every training picture is seen.
    minutes
        How long to train; the schedule ends when the time does. With epochs: what comes first.
    size
        Height and width of the network's input, in pixels.
    seed
        What all chance comes from: split, first weights, order, augmentation.
    with_
        Any other setting by its full name: optim.lr=0.05.
    track
        Where to send the numbers, too: tensorboard, mlflow, wandb.
    processes
        How many processes train together on a machine, each on a GPU of its own where there are.
    nodes
        How many machines train together; the same command is to be given on each.
    rendezvous
        Where the machines meet: host:port of one of them.
    restarts
        How often all processes may begin again from the last checkpoint when one has failed.
    out
        The run folder to make; without it the next free one below runs.
    plan
        Only say what it would cost: parameters, memory, seconds an epoch and in all.
    """
    from saccade.engine.distributed.launch import Launch
    from saccade.runs.command import train_command, words_of
    from saccade.trackers.watching import take_part
    from saccade.training.follow import launched_run
    from saccade.training.plan import plan_training
    from saccade.training.train import begin

    together = Launch(processes, nodes, rendezvous, restarts)
    named = {"model.name": model, "train.epochs": epochs, "train.minutes": minutes}
    named |= {"data.size": size, "train.seed": seed}
    named |= {"model.freeze": freeze, "model.unfreeze": unfreeze, "model.stages": stages}
    named["model.weights"] = weights if weights is None else str(weights)
    flags = {k: v for k, v in named.items() if v is not None} | _settings(with_ or ())
    recipe = _features_only(recipe) if features_only else recipe
    command = train_command(data, recipe, flags)
    folder = Path(out) if out is not None else None
    if plan:
        return plan_training(data, recipe, flags, folder)
    if together.several:
        return launched_run(words_of(command, track=track, out=out), together)
    return take_part(
        lambda view, world: begin(data, recipe, flags, folder, command, view, world), track
    )


def find_rate(
    data: str | Path | None = None,
    *,
    model: str | None = None,
    recipe: str | Path | None = None,
    size: int | None = None,
    seed: int | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    out: str | Path = "rates.svg",
) -> FoundRate:
    """Train briefly at rising learning rates and say which one to take; keeps nothing but a plot.

    Parameters
    ----------
    data
        Labelled pictures as for train.
    model
        A network of `saccade models`.
    recipe
        A recipe as for train.
    size
        Height and width of the network's input, in pixels.
    seed
        What all chance comes from.
    with_
        Any other setting by its full name: optim.name=sgd.
    out
        The PNG or SVG file to draw the losses into.
    """
    from saccade.training.lr_find import find_rate as find

    named = {"model.name": model, "data.size": size, "train.seed": seed}
    flags = {k: v for k, v in named.items() if v is not None} | _settings(with_ or ())
    return find(data, recipe, flags, Path(out))


def resume(
    run: str | Path,
    *,
    epochs: int | None = None,
    processes: int = 1,
    nodes: int = 1,
    rendezvous: str | None = None,
    restarts: int = 0,
) -> Run:
    """Go on with a training that was stopped, exactly as if it had not been.

    Parameters
    ----------
    run
        The run folder.
    epochs
        Another number of epochs in all, for a finished training too. The schedule is read anew:
        the rate goes on as at this share of a training of so many epochs.
    processes
        How many processes train together on a machine, each on a GPU of its own where there are.
    nodes
        How many machines train together; the same command is to be given on each.
    rendezvous
        Where the machines meet: host:port of one of them.
    restarts
        How often all processes may begin again from the last checkpoint when one has failed.
    """
    from saccade.engine.distributed.launch import Launch
    from saccade.runs.run import Run
    from saccade.trackers.watching import take_part, tracked
    from saccade.training.follow import launched_run
    from saccade.training.train import go_on

    together = Launch(processes, nodes, rendezvous, restarts)
    if together.several:
        longer = ["--epochs", str(epochs)] if epochs is not None else []
        return launched_run(["resume", str(run), *longer], together)
    begun = Run.open(run)
    return take_part(lambda view, world: go_on(begun, view, world, epochs), tracked(begun))


def evaluate(
    run: str | Path,
    data: str | Path | None = None,
    *,
    split: str = "test",
    views: str = "",
    by: str = "",
    corrupt: str = "",
    precision: float | None = None,
    coverage: float | None = None,
    keep: bool = False,
    out: str | Path | None = None,
) -> Evaluation:
    """Measure a trained network on labelled pictures.

    Parameters
    ----------
    run
        The run folder.
    data
        Labelled pictures as for train, their classes matched by name. Without it: the pictures
        that the run itself held out.
    split
        Which pictures, where they come divided: train, val or test.
    views
        See each picture several ways and take the mean prediction: flip, crops, shifts, or some of
        them as in "crops flip", which is ten views.
    by
        Measure slices of the pictures: by group, folder, a column of the table, another table as in
        weather.csv::sky, or a pattern of names as in "^(night|day)".
    corrupt
        Measure under corruptions in five severities: all, families such as noise, blur, weather,
        digital and shift, or names, as in "fog,noise".
    precision
        Find the confidence from which on this share of the answers is right, 0.98 say, on
        validation pictures, and measure it here.
    coverage
        Find the highest confidence that this share of the pictures reaches, 0.9 say.
    keep
        Write the confidence found into the bundle: predict says unknown below it.
    out
        A folder for predictions.csv, evaluation.json and report.html, or a .csv file for the
        predictions alone.
    """
    from saccade.evaluation.measure import Wanted, measure
    from saccade.evaluation.readable import Wish
    from saccade.runs.run import Run

    wish = Wish.of(precision, coverage, keep)
    wanted = Wanted(views, by, corrupt, wish, None if out is None else Path(out))
    return measure(Run.open(run), data, split, wanted)


def compare(*runs: str | Path, html: str | Path | None = None) -> Comparison:
    """Tell whether runs differ by more than chance on the pictures that all were tested on.

    Parameters
    ----------
    runs
        Two run folders or more.
    html
        A file for the comparison as a page, with the pictures that changed side.
    """
    from saccade.compare.compare import compare_runs

    return compare_runs(runs, None if html is None else Path(html))


def predict(
    run: str | Path,
    *images: str | Path,
    top: int = 5,
    min_confidence: float | None = None,
    max_novelty: float | None = None,
) -> Predictions:
    """Say what is in pictures: the most probable classes of each.

    Parameters
    ----------
    run
        The run folder, or a bundle.
    images
        Picture files, folders of pictures, or - for one picture on standard input.
    top
        How many classes to name.
    min_confidence
        Say unknown where no class is as probable as this, 0.8 say. Without it: what
        evaluate --keep wrote into the bundle, or never.
    max_novelty
        Say unknown where a picture is more novel than this: 0.99, say, where it lies farther from
        the training pictures than 99 % of the validation pictures. Without it: never.
    """
    from saccade.runs.run import open_bundle

    limits = {"min_confidence": min_confidence, "max_novelty": max_novelty}
    return open_bundle(run).predict(*images, top=top, **limits)


def report(*runs: str | Path, out: str | Path | None = None) -> WrittenReport:
    """Write the report of a run anew, or a page of several runs side by side.

    Parameters
    ----------
    runs
        Run folders. The pictures that they were tested on have to lie where they lay.
    out
        The HTML file; without it report.html in the folder of the run, or reports.html.
    """
    from saccade.compare.write import write_reports

    return write_reports(runs, None if out is None else Path(out))


def features(
    model: str | Path,
    data: str | Path,
    *,
    layer: str = "",
    weights: str | Path | None = None,
    out: str | Path = "features",
) -> WrittenFeatures:
    """Write what a layer of a trained network makes of each picture, for use elsewhere.

    Parameters
    ----------
    model
        A run folder, a bundle, or a network of `saccade models`, with public weights.
    data
        Pictures as for train.
    layer
        A row of the network, by its name or its number as in fc7; maps become their means over all
        places. Without it: what goes into the last layer.
    weights
        Those of a network: a tag, a file or a bundle. Without it: the ones on this machine.
    out
        The folder for features.npy, a row a picture, and manifest.csv with name, label and split.
    """
    from saccade.evaluation.features import write_features

    named = None if weights is None else str(weights)
    return write_features(model, data, layer, named, Path(out))


def show(
    model: str | Path | Module,
    *,
    size: int | None = None,
    input_size: Sequence[int] | None = None,
    batch: int = 1,
    all: bool = False,
    without: Sequence[str] = (),
    svg: str | Path | None = None,
    field: str | None = None,
    out: str | Path | None = None,
) -> Anatomy:
    """Show a network as its paper's table: sizes, weights, costs and receptive fields, row by row.

    Parameters
    ----------
    model
        A network of `saccade models`, or a run folder; from Python also any module.
    size
        Height and width of the pictures, in pixels.
    input_size
        Channels, height and width, where they are not those that the network is made for.
    batch
        Pictures at a time, for the memory that they take.
    all
        Unfold the blocks: every layer gets a row.
    without
        Layers to leave out; what that saves is told.
    svg
        A file to draw the network into.
    field
        A layer whose receptive field is to be measured and drawn.
    out
        The PNG or SVG file for the receptive field; without it, one named after network and layer.
    """
    from saccade.evaluation.show import show_network

    given = dict(size=size, input_size=input_size, batch=batch, all=all, without=without)
    return show_network(model, given, drawing=svg, layer=field, out=out)


def models(pattern: str = "*") -> Models:
    """List the networks, in order of year.

    Parameters
    ----------
    pattern
        Only names like this one, as in "resnet*".
    """
    from saccade.listings import list_models

    return list_models(pattern)


def recipes() -> Recipes:
    """List the named recipes, each with what it is for."""
    from saccade.listings import list_recipes

    return list_recipes()


def recipe(name: str) -> NamedRecipe:
    """Print a recipe as a TOML file, to change and to train with.

    Parameters
    ----------
    name
        A recipe of `saccade recipes`.
    """
    from saccade.listings import named_recipe

    return named_recipe(name)


def doctor(
    data: str | Path,
    *,
    html: str | Path | None = None,
    apply: str | Path | None = None,
) -> Diagnosis:
    """Look at every picture and say what is wrong with the data, before anything is trained.

    Parameters
    ----------
    data
        Labelled pictures as for train.
    html
        A file for the findings as a page with pictures.
    apply
        A file for a cleaned table of the pictures, to train on in place of data: without copies and
        unreadable ones, near copies kept in one split. The pictures themselves are never touched.
    """
    from saccade.audit.doctor import examine_data

    return examine_data(data, html=html, apply=apply)


def suspects(
    data: str | Path,
    *,
    model: str | Path | None = None,
    weights: str | Path | None = None,
    html: str | Path | None = None,
    apply: str | Path | None = None,
) -> Suspects:
    """Find pictures whose labels are probably wrong, the surest first.

    Linear probes on features of the pictures say what each shows without having learned from it;
    confident learning counts who is surely of another class than labelled.

    Parameters
    ----------
    data
        Pictures with one class each, as for train.
    model
        What looks at the pictures: a network of `saccade models` with public weights, a run, a
        bundle, or hog. Without it: for photographs the best network at hand, else hog.
    weights
        Those of a network: a tag, a file or a bundle.
    html
        A file for the suspects as a page with pictures.
    apply
        A file for a table of the pictures without the suspects, to train on in place of data. The
        pictures themselves are never touched.
    """
    from saccade.audit.label_issues import find_suspects

    named = None if weights is None else str(weights)
    page, table = (None if file is None else Path(file) for file in (html, apply))
    return find_suspects(data, model, named, html=page, apply=table)


def study(
    name: str | Path,
    data: str | Path | None = None,
    *,
    seeds: int | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    at_once: int | None = None,
    out: str | Path | None = None,
) -> StudyResult:
    """Train variants of a recipe from several seeds and tell which differences are no noise.

    Parameters
    ----------
    name
        A study of `saccade studies`, or a TOML file like the study.toml of a study folder.
    data
        Labelled pictures as for train, in place of those that the study names.
    seeds
        How often every variant is trained.
    with_
        Any setting that all variants have in common, by its full name: train.epochs=5.
    at_once
        How many trainings go at the same time, a thread each; without it one a core, one on a GPU.
    out
        The study folder; without it one below runs with the study's name. One that holds this study
        already is gone on with.
    """
    from saccade.studies.run import Wanted, carry_out

    folder = Path(out) if out is not None else None
    return carry_out(Wanted(name, data, _settings(with_ or ()), seeds, folder, at_once))


def studies() -> Studies:
    """List the studies that come with saccade, each with its question."""
    from saccade.studies.load import list_studies

    return list_studies()


def augment(
    data: str | Path | None = None,
    *,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    recipe: str | Path | None = None,
    size: int | None = None,
    seed: int | None = None,
    out: str | Path = "augmented.png",
) -> Sheet:
    """Draw what a training will see: pictures as they are, and augmented several times.

    Parameters
    ----------
    data
        Labelled pictures as for train.
    with_
        Settings as for train, such as data.augment="flip translate:4".
    recipe
        A recipe as for train.
    size
        Height and width of the network's input, in pixels.
    seed
        What the chance comes from.
    out
        The PNG file to write.
    """
    from saccade.audit.sheets import augmented_sheet

    named = {"data.size": size, "train.seed": seed}
    flags = {k: v for k, v in named.items() if v is not None} | _settings(with_ or ())
    return augmented_sheet(data, recipe, flags, Path(out))


def create_model(
    name: str, num_classes: int | None = None, *, weights: str | Path | None = None
) -> Module:
    """The bare network `name`, a table of rows; its input is what its public weights expect.

    Without `num_classes` it has as many as in its paper.
    `weights` is a file, or a tag of weights.toml such as "imagenet", which is fetched once and
    checked.  What becomes of the file's tensors is said on standard error.
    """
    from saccade.models.create import create_model as create
    from saccade.progress import say

    return create(name, num_classes, weights=weights, tell=say)


def _features_only(recipe: str | Path | None) -> str:
    """The recipe that trains nothing; raises `UsageError` beside another one."""
    from saccade.errors import UsageError

    if recipe not in (None, "features"):
        raise UsageError(
            f"--features-only is the recipe features, not {recipe}", "name one of the two"
        )
    return "features"


def _settings(with_: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    """Settings as a mapping, from one or from texts like `optim.lr=0.05`."""
    from saccade.errors import UsageError

    if isinstance(with_, Mapping):
        return dict(with_)
    pairs = [text.partition("=") for text in with_]
    for name, equals, _ in pairs:
        if not equals:
            raise UsageError(f"'{name}' sets nothing", "write name=value, such as optim.lr=0.05")
    return {name.strip(): value.strip() for name, _, value in pairs}
