"""The verbs, one function each: a docstring, and one call of the room that does the work.

They stand in one file, long as it is, since nearly all of it is what a person reads.  Those in
`__all__` are also commands, made from their signatures and docstrings; `create_model` is for Python
alone.  `**short` stands for the settings that have a short name: a command has an option for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from saccade.call import verb

if TYPE_CHECKING:
    from torch.nn import Module

    from saccade.audit.label_issue import LabelIssues
    from saccade.audit.sheets import Sheet
    from saccade.comparison.comparison import Comparison
    from saccade.comparison.write import WrittenReport
    from saccade.data.doctor.doctor import Diagnosis
    from saccade.data.sources.objects import Data
    from saccade.evaluation.features import WrittenFeatures
    from saccade.explain.anatomy import Anatomy
    from saccade.explain.backprop import Backpropagation
    from saccade.explain.side_by_side import SideBySide
    from saccade.listings import Models, NamedRecipe, Recipes
    from saccade.recipes.reference import SettingsReference
    from saccade.recipes.short import ShortSettings
    from saccade.runs.bundle import Bundle
    from saccade.runs.listing import ListedRuns
    from saccade.runs.results import Evaluation
    from saccade.runs.run import Run
    from saccade.studies.cross_validation import CrossValidation
    from saccade.studies.curve_result import LearningCurve
    from saccade.studies.load import Studies
    from saccade.studies.result import StudyResult
    from saccade.tasks.answers import Predictions
    from saccade.training.lr_find import LRFindResult
    from saccade.training.plan import Plan


__all__ = [
    "augment",
    "backprop",
    "compare",
    "cross_validate",
    "doctor",
    "evaluate",
    "features",
    "label_issues",
    "learning_curve",
    "lr_find",
    "models",
    "plan",
    "predict",
    "recipe",
    "recipes",
    "report",
    "resume",
    "runs",
    "settings",
    "show",
    "studies",
    "study",
    "train",
    "tune_threshold",
]


def _location(data: object, *, labelled: bool = True) -> str | Path | None:
    """Where `data` lie: objects are written into the cache, to be found again."""
    if data is None or isinstance(data, str | Path):
        return data
    from saccade.data.sources.object_table import written_table

    return written_table(data, labelled=labelled)


def _path(given: str | Path | None) -> Path | None:
    """What was given as a path; None where nothing was."""
    return None if given is None else Path(given)


def _say(line: str) -> None:
    """Tell the person who waits; what prints is loaded when there is something to tell."""
    from saccade.progress import say

    say(line)


def _weights(given: str | Path | Run | Bundle | None) -> str | None:
    """What a command line calls the weights of a trained network, which a recipe can name."""
    if given is None or isinstance(given, str | Path):
        return None if given is None else str(given)
    from saccade.auto.trained import weights_name

    return weights_name(given)


def _settings(
    with_: Mapping[str, Any] | Sequence[str] | None, short: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings by their full names, trained networks among them by theirs."""
    from saccade.recipes.short import by_full_name

    named = by_full_name(with_, short)
    if named.get("model.weights") is not None:
        named["model.weights"] = _weights(named["model.weights"])
    return named


def _study_settings(
    with_: Mapping[str, Any] | Sequence[str] | None, short: Mapping[str, Any], study: str
) -> dict[str, Any]:
    """Settings by their full names; raises `UsageError` for parts of a person's own among them."""
    from saccade.own import own_parts, refuse_own

    settings = _settings(with_, short)
    refuse_own(own_parts(settings), f"the processes of a {study}")
    return settings


@verb
def train(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    track: Sequence[str] = (),
    processes: int = 1,
    nodes: int = 1,
    rendezvous: str | None = None,
    max_restarts: int = 0,
    out: str | Path | None = None,
    **short: Unpack[ShortSettings],
) -> Run:
    """Train a network on labelled images, measure it on some that it never saw, keep it as a run.

    Parameters
    ----------
    data
        A folder with a folder of images for each class, or with train, val and test folders of
        that kind. Without it: the handwritten digits that come with scikit-learn.
    recipe
        A named recipe, or a TOML file like the recipe.toml of a run.
    with_
        Any setting of `saccade settings` by its full name: optim.lr=0.05.
    track
        Where to send the numbers, too: tensorboard, mlflow, wandb.
    processes
        How many processes train together on a machine, each on a GPU of its own where there are.
    nodes
        How many machines train together; the same command is to be given on each.
    rendezvous
        Where the machines meet: host:port of one of them.
    max_restarts
        How often all processes may begin again from the last checkpoint when one has failed.
    out
        The run folder to make; without it the next free one below runs.
    short
        Settings by their short names: epochs=4.

    Returns
    -------
    Run
        The finished run: `run.test` has its metrics, `run.history` its epochs, and `run.predict`
        answers.

    Raises
    ------
    DataError
        For data that cannot be read or divided.
    RecipeError
        For a setting that there is not, or a value that it cannot take.
    ResourceError
        Where disk, memory or device do not suffice.
    DivergedError
        Where the loss is no longer a finite number.
    Stopped
        After a signal, with everything saved that `resume` needs.

    Examples
    --------
    >>> import saccade
    >>> run = saccade.train("photos", model="mlp_rgb", epochs=1, out="runs/mine")
    >>> run.history.to_frame()[["epoch", "loss"]].shape
    (1, 2)
    >>> run.predict("photos/red/00.png")[0].name
    'photos/red/00.png'

    Arrays with labels, a DataFrame or a dataset stand where a folder does:

    >>> import numpy as np
    >>> images = np.zeros((20, 32, 32, 3), np.uint8)
    >>> images[10:] = 200
    >>> labels = ["dark"] * 10 + ["light"] * 10
    >>> options = {"data.doctor": "off"}  # or else one of so many copies is kept
    >>> saccade.train((images, labels), model="mlp_rgb", epochs=1, with_=options).classes
    ('dark', 'light')
    """
    from saccade.command import Command, python_call
    from saccade.engine.distributed.launch import Launch
    from saccade.own import own_parts, refuse_own
    from saccade.trackers.watching import run_training
    from saccade.training.follow import launched_run
    from saccade.training.train import start_training

    data = _location(data)
    launch = Launch(processes, nodes, rendezvous, max_restarts)
    overrides = _settings(with_, short)
    own = own_parts(overrides)
    if launch.several:
        refuse_own(own, "several processes")
        command = Command.of("train", data, recipe=recipe, with_=overrides, track=track, out=out)
        return launched_run(command.arguments, launch)
    repeat = str(Command.of("train", data, recipe=recipe, with_=overrides))
    if own:
        repeat = python_call("train", data, recipe=recipe, with_=overrides)
    folder = _path(out)
    return run_training(
        lambda view, world: start_training(data, recipe, overrides, folder, repeat, view, world),
        track,
        own,
    )


@verb
def plan(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    out: str | Path | None = None,
    **short: Unpack[ShortSettings],
) -> Plan:
    """Say what a training would cost: parameters, memory, seconds per epoch and in all.

    Parameters
    ----------
    data
        Labelled images as for train.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings` by its full name: optim.lr=0.05.
    out
        Where the run folder would be, to see how fast that disk is.
    short
        Settings by their short names: epochs=4.

    Returns
    -------
    Plan
        Bytes, seconds and counts; printed, a table of them.

    Raises
    ------
    DataError
        For data that cannot be read or divided.
    RecipeError
        For a setting that there is not, or a value that it cannot take.

    Examples
    --------
    >>> import saccade
    >>> plan = saccade.plan("photos", model="mlp_rgb", epochs=3)
    >>> plan.epochs, plan.images["train"] > 0
    (3, True)
    """
    from saccade.training.plan import plan_training

    return plan_training(_location(data), recipe, _settings(with_, short), _path(out))


@verb
def lr_find(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    out: str | Path = "lr-find.svg",
    **short: Unpack[ShortSettings],
) -> LRFindResult:
    """Suggest a learning rate by a range test, a short training at rising ones; keeps a plot alone.

    Parameters
    ----------
    data
        Labelled images as for train.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings` by its full name: optim.name=sgd.
    out
        The PNG or SVG file to draw the losses into.
    short
        Settings by their short names: model="resnet18".

    Returns
    -------
    LRFindResult
        The suggested rate as `lr`, and every step of the test.

    Raises
    ------
    DataError
        For data that cannot be read or divided.
    UsageError
        Where the file to draw into exists.

    Examples
    --------
    >>> import saccade
    >>> found = saccade.lr_find("photos", model="mlp_rgb", out="rates.svg")
    >>> 0 < found.lr < 10
    True
    """
    from saccade.training.lr_find import lr_find as find

    data = _location(data)
    return find(data, recipe, _settings(with_, short), Path(out))


@verb
def backprop(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    **short: Unpack[ShortSettings],
) -> Backpropagation:
    """Show the first step of a training, forward and back: each value with its error signal.

    An error signal is the derivative of the loss with respect to a value. Nothing is kept.

    Parameters
    ----------
    data
        Labelled images as for train.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings` by its full name: model.activation=sigmoid.
    short
        Settings by their short names: model="resnet18".

    Returns
    -------
    Backpropagation
        The nodes from the loss down to the images: what made each value, from which others, and
        its error signal.

    Raises
    ------
    DataError
        For data that cannot be read or divided.
    RecipeError
        For a setting that there is not, or a network that is fitted without gradients.

    Examples
    --------
    >>> import saccade
    >>> trace = saccade.backprop("photos", model="mlp_rgb")
    >>> trace.nodes[-1].name, trace["phi1"].error.shape
    ('images', torch.Size([33, 256]))
    """
    from saccade.training.backprop import backprop as trace

    return trace(_location(data), recipe, _settings(with_, short))


@verb
def resume(
    run: str | Path | Run | Bundle,
    *,
    epochs: int | None = None,
    data: str | Path | Data | None = None,
    processes: int = 1,
    nodes: int = 1,
    rendezvous: str | None = None,
    max_restarts: int = 0,
) -> Run:
    """Resume a training that was stopped, exactly as if it had not been.

    Parameters
    ----------
    run
        The run folder, or what else has its run: a `Bundle` inside of it.
    epochs
        Another number of epochs in all, for a finished training too. The schedule is recomputed
        for the new total: the learning rate is that of this share of so many epochs.
    data
        Where the run's images lie now, where they were moved; names and contents are compared.
    processes
        How many processes train together on a machine, each on a GPU of its own where there are.
    nodes
        How many machines train together; the same command is to be given on each.
    rendezvous
        Where the machines meet: host:port of one of them.
    max_restarts
        How often all processes may begin again from the last checkpoint when one has failed.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    UsageError
        For a folder that is no run, and for a run that is finished already.
    DataError
        Where its images are gone, or are others.

    Examples
    --------
    >>> import saccade
    >>> run = saccade.resume("runs/digits", epochs=5)
    >>> len(run.history)
    5
    """
    from saccade.auto.trained import begun_with, run_of
    from saccade.command import Command
    from saccade.engine.distributed.launch import Launch
    from saccade.own import own_parts, refuse_own
    from saccade.runs.run import Run
    from saccade.trackers.watching import run_training, trackers_of
    from saccade.training.follow import launched_run
    from saccade.training.train import resume_training

    if not isinstance(run, str | PathLike | Run):
        run = run_of(run, "train from its weights", begun_with)
    folder = run.path if isinstance(run, Run) else Path(run)
    data = _location(data)
    launch = Launch(processes, nodes, rendezvous, max_restarts)
    started = run if isinstance(run, Run) else Run.open(folder)
    if launch.several:
        refuse_own(own_parts(started.recipe.settings()), "several processes")
        command = Command.of("resume", folder, epochs=epochs, data=data)
        return launched_run(command.arguments, launch)
    return run_training(
        lambda view, world: resume_training(started, view, world, epochs=epochs, data=data),
        trackers_of(started),
        started.own,
    )


@verb
def evaluate(
    run: str | Path | Run | Bundle,
    data: str | Path | Data | None = None,
    *,
    split: str = "test",
    tta: str = "",
    by: str = "",
    corrupt: str = "",
    out: str | Path | None = None,
    own_data: str | Path | Data | None = None,
) -> Evaluation:
    """Measure a trained network on labelled images.

    Parameters
    ----------
    run
        A run folder, a bundle, or a network of `saccade models` with public weights.
    data
        Labelled images as for train, their classes matched by name. Without it: the images
        that the run itself held out.
    split
        Which images, where they come divided: train, val or test.
    tta
        Test-time augmentation: predict each image under several transforms and take the mean:
        flip, crops, shifts, or some of them as in "crops flip", which is ten transforms.
    by
        Measure slices of the images: by group, folder, a column of the table, another table as in
        weather.csv::sky, or a pattern of names as in "^(night|day)".
    corrupt
        Measure under corruptions in five severities: all, families such as noise, blur, weather,
        digital and shift, or names, as in "fog,noise".
    out
        A folder for predictions.csv, evaluation.json and report.html, or a .csv file for the
        predictions alone.
    own_data
        Where the run's own images lie now, where they were moved; names and contents are compared.

    Returns
    -------
    Evaluation
        All metrics with their intervals; `to_frame()` and `confusion_matrix` for pandas.

    Raises
    ------
    UsageError
        For what is no trained network, and for a split that there is not.
    DataError
        For data that cannot be read, or whose classes the network does not know.
    WeightsError
        For a damaged bundle.

    Examples
    --------
    >>> import saccade
    >>> result = saccade.evaluate("runs/digits")
    >>> result.primary.name
    'accuracy'
    >>> result.confusion_matrix.to_frame().shape
    (10, 10)
    """
    from saccade.evaluation.measure import EvaluationOptions, measure

    data = _location(data)
    options = EvaluationOptions(tta, by, corrupt, out=_path(out), own_data=_location(own_data))
    return measure(run, data, split, options)


@verb
def tune_threshold(
    run: str | Path | Run | Bundle,
    data: str | Path | Data | None = None,
    *,
    split: str = "test",
    precision: float | None = None,
    coverage: float | None = None,
    recall: float | None = None,
    cost: float | None = None,
    sets: float | None = None,
    by_class: bool = False,
    save: bool = False,
    out: str | Path | None = None,
) -> Evaluation:
    """Find the confidence below which a network should not answer, and measure the network with it.

    The threshold is found on the run's own validation images, that of a bundle without its run on
    the split val of the data.  What it promises it keeps on fresh images like them in at least 95
    of 100 such choices.  With `sets` each image gets the set of classes that may be its own.

    Parameters
    ----------
    run
        A run folder, a bundle, or a network of `saccade models` with public weights.
    data
        Labelled images to measure on, as for evaluate.
    split
        Which images, where they come divided: train, val or test.
    precision
        Find the confidence from which on this share of the answers is right, 0.98 say.
    coverage
        Find the highest confidence that this share of the images reaches, 0.9 say.
    recall
        Find the highest confidence with which this share of all images gets a right answer.
    cost
        Find the confidence for a price: an unknown costs this much of a wrong answer, 0.1 say.
    sets
        Find the sets of classes that hold the true one for this share of the images, 0.9 say.
    by_class
        Let the sets hold it for that share of the images of each class.
    save
        Write it into the bundle: predict says unknown below the threshold, and tells the set.
    out
        A folder or a .csv file, as for evaluate.

    Returns
    -------
    Evaluation
        As of evaluate; `selected` is the threshold, with what it does on validation and on these
        images, `sets` the prediction sets with what they do on these.

    Raises
    ------
    UsageError
        Where the validation images are too few for the target, or no threshold reaches it, and for
        answers without a confidence.
    DataError
        For data that cannot be read, or whose classes the network does not know.

    Examples
    --------
    >>> import saccade
    >>> result = saccade.tune_threshold("runs/digits", coverage=0.8)
    >>> 0 <= result.selected.on_validation.value <= 1
    True
    """
    from saccade.evaluation.measure import EvaluationOptions, measure
    from saccade.evaluation.threshold import SetsTarget, ThresholdTarget, refuse_nothing_asked

    data = _location(data)
    threshold = ThresholdTarget.of(
        save, precision=precision, coverage=coverage, recall=recall, cost=cost
    )
    targets = SetsTarget.of(sets, by_class, save)
    refuse_nothing_asked(threshold, targets)
    options = EvaluationOptions(threshold=threshold, sets=targets, out=_path(out))
    return measure(run, data, split, options)


@verb
def compare(
    *runs: str | Path | Run | Bundle | Sequence[str | Path | Run | Bundle],
    html: str | Path | None = None,
) -> Comparison:
    """Compare runs by paired tests on the images that all were tested on.

    Parameters
    ----------
    runs
        Two run folders or more, or their bundles inside them.  Several of each setting that differ
        in train.seed alone compare the settings, by the chance of seeds and images together; from
        Python each setting may be a list.
    html
        A file for the comparison as a page, with the changed predictions: right in one run, wrong
        in the other.

    Returns
    -------
    Comparison
        Metrics of each run, and for every pair the difference with its p-value.

    Raises
    ------
    UsageError
        For fewer than two runs, for unfinished ones, and for a bundle without its run.
    DataError
        Where no image was held out by all of them.

    Examples
    --------
    >>> import saccade
    >>> comparison = saccade.compare("runs/digits", "runs/other")
    >>> comparison.to_frame().columns[:4].tolist()
    ['first', 'second', 'metric', 'difference']
    """
    from saccade.comparison.compare import compare_runs

    return compare_runs(runs, _path(html))


@verb
def predict(
    run: str | Path | Run | Bundle,
    *images: str | Path | Data,
    top: int = 5,
    min_confidence: float | None = None,
    max_novelty: float | None = None,
    copy_to: str | Path | None = None,
    html: str | Path | None = None,
) -> Predictions:
    """Say what is in images: the classes or labels of each, or its number or count.

    Parameters
    ----------
    run
        A run folder, a bundle, or a network of `saccade models` with public weights.
    images
        Image files, folders of images, or - for one image on standard input.
    top
        How many classes to name, the most probable ones, where the answers are classes.
    min_confidence
        Say unknown where no class is as probable as this, 0.8 say. Without it: what
        tune-threshold --save wrote into the bundle, or never.
    max_novelty
        Say unknown where an image is more novel than this: 0.99, say, where it lies farther from
        the training images than 99 % of the validation images. Without it: never.
    copy_to
        Copy each image into a folder of this one that is called as its answer, unknown for what is
        rejected; with several labels into that of each. Nothing is moved or overwritten.
    html
        A file for a page of the images with their answers and how probable these are, which can be
        sorted, the least certain first.

    Returns
    -------
    Predictions
        An answer per image, in their order; `to_frame()` for pandas. A JPEG file is decoded no
        larger than is needed: its pixels as an array may give slightly other probabilities.

    Raises
    ------
    UsageError
        For what is no trained network, for an object that is no image, and for copies by numbers.
    DataError
        Where no image can be read, or an array could be read in two ways.
    WeightsError
        For a damaged bundle.

    Examples
    --------
    >>> import saccade
    >>> import numpy as np
    >>> predictions = saccade.predict("runs/digits", np.zeros((2, 8, 8), np.uint8), top=1)
    >>> [prediction.name for prediction in predictions]
    ['image 0', 'image 1']
    >>> predictions.to_frame().columns.tolist()
    ['name', 'prediction', 'class_1', 'probability_1', 'novelty', 'error']
    >>> saccade.predict("runs/digits", "photos", copy_to="sorted", html="sorted.html").notes[-1]
    'the page is sorted.html'
    """
    from saccade.evaluation.outputs import predict_images

    limits = {"min_confidence": min_confidence, "max_novelty": max_novelty}
    return predict_images(run, *images, copy_to=copy_to, html=html, top=top, **limits)


@verb
def report(
    *runs: str | Path | Run | Bundle,
    out: str | Path | None = None,
    data: str | Path | Data | None = None,
) -> WrittenReport:
    """Write the report of a run anew, or a page of several runs side by side.

    Parameters
    ----------
    runs
        Run folders, or their bundles inside them. The images that they were tested on have to lie
        where they lay. For a bundle without its run: saccade evaluate BUNDLE DATA --out FOLDER.
    out
        The HTML file; without it report.html in the folder of the run, or reports.html.
    data
        Where the images of one run lie now, where they were moved; names and contents are compared.

    Returns
    -------
    WrittenReport
        The file, and the runs that are in it.

    Raises
    ------
    UsageError
        For unfinished runs, and for a bundle without its run.
    DataError
        Where the images that a run was tested on are gone.

    Examples
    --------
    >>> import saccade
    >>> saccade.report("runs/digits", out="digits.html")
    WrittenReport(digits.html)
    """
    from saccade.comparison.write import write_reports

    return write_reports(runs, _path(out), _location(data))


@verb
def features(
    model: str | Path | Run | Bundle,
    data: str | Path | Data,
    *,
    layer: str = "",
    weights: str | Path | Run | Bundle | None = None,
    out: str | Path = "features",
) -> WrittenFeatures:
    """Write what a layer of a trained network makes of each image, for use elsewhere.

    Parameters
    ----------
    model
        A run folder, a bundle, or a network of `saccade models`, with public weights.
    data
        Images as for train.
    layer
        A layer of the network, by its name or its number as in fc7; maps become their means over
        all places. Without it: what goes into the last layer.
    weights
        Those of a network: a tag, a file or a bundle. Without it: the ones on this machine.
    out
        The folder for features.npy, a row per image, and manifest.csv with name, label and split.

    Returns
    -------
    WrittenFeatures
        The files, and how many rows and numbers are in them.

    Raises
    ------
    UsageError
        For a layer that the network does not have.
    DataError
        Where no image can be read.
    WeightsError
        For weights of another network.

    Examples
    --------
    >>> import saccade
    >>> import numpy as np
    >>> written = saccade.features("runs/digits", "photos", out="features")
    >>> np.load(written.features).shape == written.shape
    True
    """
    from saccade.evaluation.features import write_features

    return write_features(
        model, _location(data, labelled=False), layer, _weights(weights), Path(out)
    )


@verb
def show(
    *models: str | Path | Run | Bundle | Module,
    size: int | str | Sequence[int] | None = None,
    batch_size: int = 1,
    expand: bool = False,
    without: Sequence[str] = (),
    svg: str | Path | None = None,
    receptive_field: str | None = None,
    out: str | Path | None = None,
) -> Anatomy | SideBySide:
    """Show a network as its paper's table: size, weights, cost and receptive field of each layer.

    Two networks stand side by side, their layers matched by name, with what differs.

    Parameters
    ----------
    models
        A network or two: of `saccade models`, a run folder, a bundle or a TOML table; from Python
        also any module.
    size
        Height and width of the images, in pixels; or channels, height and width, as in 3x64x48.
    batch_size
        Images at a time, for the memory that they take.
    expand
        Unfold the blocks: every layer gets a row.
    without
        Layers to leave out, of each network, by name, by number among those with weights (conv3,
        fc7) or all of a kind (ReLU), with blanks or commas between them; what that saves is told.
    svg
        A file to draw the network into, or two, one below the other.
    receptive_field
        A layer of one network whose receptive field is to be measured and drawn.
    out
        The PNG or SVG file for the receptive field; without it, one named after network and layer.

    Returns
    -------
    Anatomy or SideBySide
        The rows of the table and their totals; of two networks both, with the ratios of the second
        to the first.

    Raises
    ------
    UsageError
        For a network or a layer that there is not, and for a size that it cannot take.

    Examples
    --------
    >>> import saccade
    >>> saccade.show("lenet5")
    Anatomy(lenet5, input 1x32x32, ...)
    >>> saccade.show("resnet18", "resnet50").ratios["weights"]
    2.186...
    """
    from saccade.evaluation.show import show_networks

    return show_networks(
        *models,
        drawing=svg,
        layer=receptive_field,
        out=out,
        size=size,
        batch_size=batch_size,
        expand=expand,
        without=without,
    )


@verb
def runs(folder: str | Path = "runs") -> ListedRuns:
    """List the runs below a folder, the newest first, each with its result.

    Parameters
    ----------
    folder
        Where to look for runs. Those of a study, a learning curve or a cross-validation have a
        line together; that folder lists them one by one.

    Returns
    -------
    ListedRuns
        Each with its network, data, epochs, primary metric on the test images, and note.

    Raises
    ------
    UsageError
        Where there is no such folder.

    Examples
    --------
    >>> import saccade
    >>> saccade.runs("runs").entries[0].finished
    True
    """
    from saccade.runs.listing import list_runs

    return list_runs(Path(folder))


@verb
def models(pattern: str = "*") -> Models:
    """List the networks, in order of year.

    Parameters
    ----------
    pattern
        Only names like this one, as in "resnet*".

    Returns
    -------
    Models
        The networks, each with its paper and the size of its input.

    Raises
    ------
    UsageError
        Where no name is like the pattern.

    Examples
    --------
    >>> import saccade
    >>> [entry.name for entry in saccade.models("vgg11*").entries]
    ['vgg11', 'vgg11_bn']
    """
    from saccade.listings import list_models

    return list_models(pattern)


@verb
def recipes() -> Recipes:
    """List the named recipes, each with what it is for.

    Returns
    -------
    Recipes
        The recipes, each with its description.

    Examples
    --------
    >>> import saccade
    >>> "small" in [entry.name for entry in saccade.recipes().entries]
    True
    """
    from saccade.listings import list_recipes

    return list_recipes()


@verb
def recipe(name: str) -> NamedRecipe:
    """Print a recipe as a TOML file, to change and to train with.

    Parameters
    ----------
    name
        A recipe of `saccade recipes`, or a TOML file like the recipe.toml of a run.

    Returns
    -------
    NamedRecipe
        The recipe with its description; printed, the TOML file.

    Raises
    ------
    UsageError
        For a recipe that there is not.
    RecipeError
        For a file with settings that there are not.

    Examples
    --------
    >>> import saccade
    >>> saccade.recipe("small").recipe.optim.name
    'adamw'
    """
    from saccade.listings import named_recipe

    return named_recipe(name)


@verb
def settings(name: str = "*") -> SettingsReference:
    """List the settings of a recipe: what each does, what it takes, and its default.

    Parameters
    ----------
    name
        Only this setting, or those like it, as in optim.lr, lr, optim or "*patience".

    Returns
    -------
    SettingsReference
        The settings, as text, CSV, Markdown or plain data.

    Raises
    ------
    RecipeError
        Where no setting is like the name.

    Examples
    --------
    >>> import saccade
    >>> [entry.name for entry in saccade.settings("optim.lr").entries]
    ['optim.lr']
    """
    from saccade.recipes.reference import list_settings

    return list_settings(name)


@verb
def doctor(
    data: str | Path | Data,
    *,
    html: str | Path | None = None,
    cleaned: str | Path | None = None,
) -> Diagnosis:
    """Look at every image and say what is wrong with the data, before anything is trained.

    Parameters
    ----------
    data
        Labelled images as for train.
    html
        A file for the findings as a page with images.
    cleaned
        A file for a cleaned table of the images, to train on in place of data: without copies and
        unreadable ones, near copies kept in one split. The images themselves are never touched.

    Returns
    -------
    Diagnosis
        The findings, the worst first.

    Raises
    ------
    DataError
        For data that cannot be read at all.
    UsageError
        Where a file to write exists.

    Examples
    --------
    >>> import saccade
    >>> saccade.doctor("photos").count
    48
    """
    from saccade.audit.doctor import examine_data

    return examine_data(_location(data, labelled=False), html=html, cleaned=cleaned)


@verb
def label_issues(
    data: str | Path | Data,
    *,
    model: str | Path | Run | Bundle | Sequence[str | Path | Run | Bundle] | None = None,
    weights: str | Path | Run | Bundle | Sequence[str | Path | Run | Bundle] | None = None,
    html: str | Path | None = None,
    cleaned: str | Path | None = None,
) -> LabelIssues:
    """Find images whose labels are probably wrong, the most certain first.

    Linear probes on features of the images say what each shows without having learned from it;
    of those that they are surest of, the ones labelled otherwise tell how many labels are wrong.

    Parameters
    ----------
    data
        Images with one class each, as for train.
    model
        What looks at the images: a network of `saccade models` with public weights, a run, a
        bundle, or hog; several look together. Without it: for photographs the best network at
        hand, else hog.
    weights
        Those of a network: a tag, a file or a bundle; of several networks in their order.
    html
        A file for the label issues as a page with images.
    cleaned
        A file for a table of the images without the label issues, to train on in place of data.
        The images themselves are never touched.

    Returns
    -------
    LabelIssues
        The images with their given and their suggested labels, and the estimated share of wrong
        ones.

    Raises
    ------
    DataError
        For labels that are not one class per image, and for too few images.
    UsageError
        For what is no trained network.

    Examples
    --------
    >>> import saccade
    >>> issues = saccade.label_issues("photos", model="hog")
    >>> issues.n
    48
    """
    from saccade.audit.label_issues import find_label_issues
    from saccade.auto.trained import one_or_several, weights_name

    models, tags = one_or_several(model), [weights_name(one) for one in one_or_several(weights)]
    return find_label_issues(
        _location(data), models, tags, html=_path(html), cleaned=_path(cleaned)
    )


@verb
def study(
    study: str | Path,
    data: str | Path | Data | None = None,
    *,
    seeds: int | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    jobs: int | None = None,
    out: str | Path | None = None,
    **short: Unpack[ShortSettings],
) -> StudyResult:
    """Train variants of a recipe from several seeds and tell which differences are no noise.

    Parameters
    ----------
    study
        A study of `saccade studies`, or a TOML file like the study.toml of a study folder.
    data
        Labelled images as for train, in place of those that the study names.
    seeds
        How often every variant is trained.
    with_
        Any setting that all variants have in common, by its full name: optim.name=sgd.
    jobs
        How many trainings run at the same time, each with one thread; without it one per core, or
        one on a GPU.
    out
        The study folder; without it one below runs with the study's name. One that holds this study
        already is resumed.
    short
        Settings that all variants have in common, by their short names: epochs=5.

    Returns
    -------
    StudyResult
        The metric of each variant over the seeds, with the differences.

    Raises
    ------
    UsageError
        For a study that there is not.
    RecipeError
        For a setting that there is not, or a variant that cannot be trained.

    Examples
    --------
    >>> import saccade
    >>> result = saccade.study("two.toml", jobs=1, out="runs/two")
    >>> len(result.runs)
    4
    """
    from saccade.studies.run import StudyOptions, run_study

    data, settings = _location(data), _study_settings(with_, short, "study")
    return run_study(StudyOptions(study, data, settings, seeds, _path(out), jobs))


@verb
def cross_validate(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    **short: Unpack[ShortSettings],
) -> CrossValidation:
    """Train once for each fold and measure on it: every image is tested once, by one of the runs.

    Parameters
    ----------
    data
        Labelled images as for train. Where they come in folds, these are taken.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings` by its full name: optim.lr=0.05.
    jobs
        How many trainings go at the same time.
    out
        The folder for the runs, cross-validation.json and predictions.csv; without it one below
        runs. One that holds this cross-validation already is gone on with.
    short
        Settings by their short names: folds=10, where 5 is usual.

    Returns
    -------
    CrossValidation
        The metrics of every fold, and their means with intervals.

    Raises
    ------
    DataError
        For data that cannot be divided so.
    RecipeError
        For a setting that there is not, or a value that it cannot take.

    Examples
    --------
    >>> import saccade
    >>> result = saccade.cross_validate("photos", model="mlp_rgb", epochs=1, folds=3)
    >>> len(result.folds)
    3
    """
    from saccade.studies.cross_validation import cross_validation

    data, settings = _location(data), _study_settings(with_, short, "cross-validation")
    return cross_validation(data, recipe, settings, jobs, _path(out))


@verb
def learning_curve(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    target: float | None = None,
    seeds: int = 3,
    shares: Sequence[float] = (),
    jobs: int = 1,
    out: str | Path | None = None,
    **short: Unpack[ShortSettings],
) -> LearningCurve:
    """Train on shares of the images and tell how many more would help, with an interval.

    Parameters
    ----------
    data
        Labelled images as for train.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings` by its full name: optim.lr=0.05.
    target
        A score to reach, such as 0.95: how many training images would it need?
    seeds
        How often each size is trained.
    shares
        Shares of the training images, to which all of them come; without them 1/8, 1/4, 1/2 and 1,
        where there are images enough.
    jobs
        How many trainings go at the same time.
    out
        The folder for the runs, learning-curve.json, .csv and .html; without it one below runs. One
        that holds this learning curve already is gone on with.
    short
        Settings by their short names: epochs=5.

    Returns
    -------
    LearningCurve
        The score at each size and at two and four times the images, or why that cannot be said.

    Raises
    ------
    DataError
        For images that are too few to be divided so.
    RecipeError
        For a setting that there is not, or a value that it cannot take.

    Examples
    --------
    >>> import saccade
    >>> curve = saccade.learning_curve("photos", model="mlp_rgb", epochs=1, seeds=2, shares=[0.5])
    >>> len(curve.points)
    4
    """
    from saccade.studies.learning_curve import CurveOptions, learn_curve

    data, settings = _location(data), _study_settings(with_, short, "learning curve")
    options = CurveOptions(seeds, shares, target, jobs, _path(out))
    return learn_curve(data, recipe, settings, options)


@verb
def studies() -> Studies:
    """List the studies that come with saccade, each with its question.

    Returns
    -------
    Studies
        The studies, each with its question.

    Examples
    --------
    >>> import saccade
    >>> "depth" in [study.name for study in saccade.studies().entries]
    True
    """
    from saccade.studies.load import list_studies

    return list_studies()


@verb
def augment(
    data: str | Path | Data | None = None,
    *,
    recipe: str | Path | None = None,
    with_: Mapping[str, Any] | Sequence[str] | None = None,
    out: str | Path = "augmented.png",
    **short: Unpack[ShortSettings],
) -> Sheet:
    """Draw what a training will see: images as they are, and augmented several times.

    Parameters
    ----------
    data
        Labelled images as for train.
    recipe
        A recipe as for train.
    with_
        Any setting of `saccade settings`, such as data.augment="flip translate:4".
    out
        The PNG file to write.
    short
        Settings by their short names: size=64.

    Returns
    -------
    Sheet
        The file; a notebook shows it.

    Raises
    ------
    DataError
        For data that cannot be read.
    UsageError
        For an augmentation that there is not.

    Examples
    --------
    >>> import saccade
    >>> saccade.augment("photos", with_={"data.augment": "flip"}, out="flipped.png")
    Sheet(flipped.png)
    """
    from saccade.audit.sheets import augmented_sheet

    data = _location(data)
    return augmented_sheet(data, recipe, _settings(with_, short), Path(out))


@verb
def create_model(
    name: str, num_classes: int | None = None, *, weights: str | Path | None = None
) -> Module:
    """The bare network `name`, a chain of layers; its input is what its public weights expect.

    Parameters
    ----------
    name
        A network of `saccade models`.
    num_classes
        How many outputs the last layer has. Without it: as many as in its paper.
    weights
        A file, or a tag of weights.toml such as "imagenet", which is fetched once and checked. What
        becomes of the file's tensors is said on standard error.

    Returns
    -------
    torch.nn.Sequential
        The rows under the paper's names; images [N,C,H,W] -> [N,num_classes].

    Raises
    ------
    UsageError
        For a network, or a tag of weights, that there is not.
    WeightsError
        For weights that do not fit the network.

    Examples
    --------
    >>> import saccade
    >>> saccade.create_model("lenet5", 3)[-1]
    Linear(in_features=84, out_features=3, bias=True)
    """
    from saccade.models.create import create_model as create

    return create(name, num_classes, weights=weights, notify=_say)
