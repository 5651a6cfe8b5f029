"""Settings compared by several runs of each, which differ in their seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from saccade.comparison.comparison import Pair
from saccade.comparison.tested_run import TestedRun, shared_test_set
from saccade.errors import DataError, UsageError
from saccade.metrics.measure import unit_weights
from saccade.metrics.paired import Difference, holm, paired
from saccade.metrics.seeds import over_seeds, seed_by_seed
from saccade.tasks.catalogue import metric_of

SEED = "train.seed"
MAX_NAMED = 2  # settings that differ, in a name
MOST_COMMON = 0.95  # correlation


@dataclass(frozen=True)
class SettingRuns:
    """The runs of one setting."""

    name: str  # what it differs by
    runs: tuple[TestedRun, ...]

    @property
    def seeds(self) -> list[int]:
        """Of each run."""
        return [tested.run.recipe.train.seed for tested in self.runs]


def settings_of(tested_runs: Sequence[TestedRun]) -> list[SettingRuns]:
    """The runs, those of equal settings and data together, in the order of the first of each."""
    kinds: list[tuple[Mapping[str, object], list[TestedRun]]] = []
    for tested in tested_runs:
        settings = settings_but_seed(tested)
        for known, runs in kinds:
            if known == settings:
                runs.append(tested)
                break
        else:
            kinds.append((settings, [tested]))
    differing = [
        name for name in kinds[0][0] if any(k[name] != kinds[0][0][name] for k, _ in kinds[1:])
    ]
    if 0 < len(differing) <= MAX_NAMED:
        names = [" ".join(f"{name}={kind[name]}" for name in differing) for kind, _ in kinds]
    else:
        paths = [runs[0].run.path for _, runs in kinds]
        folders = [path.resolve().name for path in paths]
        unique = len(set(folders)) == len(folders)
        names = [f"as {name}" for name in (folders if unique else paths)]
    return [SettingRuns(name, tuple(runs)) for name, (_, runs) in zip(names, kinds, strict=True)]


def settings_but_seed(tested: TestedRun) -> dict[str, object]:
    """What the network of a run was learned by, the seed aside."""
    return {"data": tested.data, **tested.run.recipe.learned_by(), SEED: 0}


def have_seeds(settings: Sequence[SettingRuns]) -> bool:
    """Whether there are two settings or more, each with several seeds, none of them twice."""
    return len(settings) > 1 and all(
        len(one.runs) > 1 and len(set(one.seeds)) == len(one.runs) for one in settings
    )


def refuse_mixed(
    lengths: Sequence[int], settings: Sequence[SettingRuns], tested_runs: Sequence[TestedRun]
) -> None:
    """Raise `UsageError` unless each list of runs, of these lengths, is one setting's seeds."""
    together = [tested for one in settings for tested in one.runs]
    alike = all(one is other for one, other in zip(together, tested_runs, strict=True))
    if alike and have_seeds(settings) and list(lengths) == [len(one.runs) for one in settings]:
        return
    for one in settings:
        if len(set(one.seeds)) < len(one.runs):
            twice = max(one.seeds, key=one.seeds.count)
            what = f"two runs of equal settings have the same train.seed={twice}"
            raise UsageError(what, "runs of one list differ in train.seed, and in nothing else")
    raise UsageError(
        "the lists are not the runs of one setting each, two seeds or more",
        "runs of one list differ in train.seed, and in nothing else; of single runs give no list",
    )


def pairs_of_settings(settings: Sequence[SettingRuns]) -> tuple[tuple[Pair, ...], str]:
    """Every two settings with Holm's p-values of the primary metric, and a note on the test.

    Raises `DataError` where the runs of neither all seeds nor each seed share test images.
    """
    indices = list(combinations(range(len(settings)), 2))
    if shared := _one_test_set(settings):
        differences, note = _crossed(shared, indices)
    else:
        differences, note = _seed_by_seed(settings, indices)
    p_values = holm([each[0].p for each in differences])
    pairs = tuple(
        Pair(settings[i].name, settings[j].name, each, p, (), (), seeds=True)
        for (i, j), each, p in zip(indices, differences, p_values, strict=True)
    )
    return pairs, note


def _one_test_set(settings: Sequence[SettingRuns]) -> list[list[TestedRun]] | None:
    """The runs of each setting in one order of images, if all were tested on the same ones."""
    runs = [tested for one in settings for tested in one.runs]
    try:
        shared, _ = shared_test_set(runs)
    except DataError:
        return None
    if len(shared[0].names) < max(len(tested.names) for tested in runs):
        return None
    in_order = iter(shared)
    return [[next(in_order) for _ in one.runs] for one in settings]


def _crossed(
    settings: Sequence[Sequence[TestedRun]], indices: Sequence[tuple[int, int]]
) -> tuple[list[tuple[Difference, ...]], str]:
    runs = [tested for one in settings for tested in one]
    metric, groups = metric_of(runs[0].task, runs[0].classes), runs[0].group_of_each()
    metrics = paired(metric, [tested.rows(metric) for tested in runs], groups)
    places = iter(range(len(runs)))
    of_setting = [[next(places) for _ in one] for one in settings]
    differences = [
        tuple(over_seeds(one, of_setting[i], of_setting[j]) for one in metrics) for i, j in indices
    ]
    return differences, "settings: by chance of other seeds and of other test images together"


def _seed_by_seed(
    settings: Sequence[SettingRuns], indices: Sequence[tuple[int, int]]
) -> tuple[list[tuple[Difference, ...]], str]:
    seeds = sorted(settings[0].seeds)
    if any(sorted(one.seeds) != seeds for one in settings[1:]):
        raise DataError(
            "the runs were tested on different images and have different seeds",
            "train each setting with the same seeds, or hold out one test set for all",
        )
    values: list[dict[str, tuple[str, list[float]]]] = [{} for _ in settings]
    tests: list[TestedRun] = []
    for seed in seeds:
        of_seed = [one.runs[one.seeds.index(seed)] for one in settings]
        shared, _ = shared_test_set(of_seed)
        metric = metric_of(shared[0].task, shared[0].classes)
        metrics = paired(metric, [tested.rows(metric) for tested in shared])
        for k in range(len(settings)):
            for one in metrics:
                quantity = one.quantities[k]
                value = float(quantity.statistic(unit_weights(one.sample.n))[0])
                values[k].setdefault(quantity.name, (quantity.unit, []))[1].append(value)
        tests.append(shared[0])
    common = in_common(tests)
    names = [n for n, (_, seen) in values[0].items() if len(seen) == len(seeds)]
    differences = []
    for i, j in indices:
        each = (
            seed_by_seed(n, values[i][n][0], values[i][n][1], values[j][n][1], common)
            for n in names
        )
        differences.append(tuple(one for one in each if one is not None))
    note = (
        "settings: seed by seed, each on test images of its own, with the correction for images "
        "that seeds have in common (Nadeau & Bengio 2003)"
    )
    return differences, note


def in_common(seeds: Sequence[TestedRun]) -> float:
    """How far the differences of two seeds are correlated by images that they have in common.

    The share of test images; or that of training images, times test per training image, whichever
    is more.  Where each seed divides all images anew both are that of Nadeau & Bengio (2003,
    Inference for the generalization error, section 4): test images of all.
    """
    trained = [{n for n, split in one.splits.items() if split == "train"} for one in seeds]
    tested = [set(one.names) for one in seeds]
    pairs = list(combinations(range(len(seeds)), 2))
    of_tests = fmean(len(tested[i] & tested[j]) / len(tested[i]) for i, j in pairs)
    of_trained = fmean(
        len(trained[i] & trained[j]) / max(1, len(trained[i])) for i, j in pairs
    ) * fmean(len(test) / max(1, len(train)) for test, train in zip(tested, trained, strict=True))
    return min(MOST_COMMON, max(of_tests, of_trained))
