"""Runs side by side: on the same images, by the same tests, in words that the numbers bear."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from saccade import api, cli
from saccade.comparison.comparison import Comparison
from saccade.errors import DataError, UsageError
from saccade.recipes.recipe import Recipe
from saccade.runs.run import Run

Row = tuple[str, str, str, float, Sequence[float]]  # name, label, answer, loss, probabilities


def write_run(
    folder: Path,
    rows: Sequence[Row],
    *,
    task: str = "classification",
    classes: Sequence[str] = ("cat", "dog"),
    data: str | None = None,
    trained: Sequence[str] = ("train/0",),
    groups: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Path:
    """The files of a finished run that said these things of its test images."""
    folder.mkdir(parents=True)
    Recipe().with_({"model.name": "lenet5", **(settings or {})}).save(folder / "recipe.toml")
    (folder / "classes.txt").write_text("\n".join(classes))
    parts = [(name, "", "train", "") for name in trained]
    parts += [(row[0], row[1], "test", (groups or {}).get(row[0], "")) for row in rows]
    write_table(folder / "split.csv", ["name", "label", "split", "group"], parts)
    titles = [f"p({name})" for name in classes]
    cells = [
        (name, label, predicted, loss, *shares) for name, label, predicted, loss, shares in rows
    ]
    write_table(folder / "predictions.csv", ["name", "label", "prediction", "loss", *titles], cells)
    facts = [
        {"event": "started", "data": data},
        {"event": "evaluation", "split": "test", "task": task},
        {"event": "finished", "seconds": 41.0},
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts))
    return folder


def write_table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def animals(right: Sequence[bool], names: Sequence[str] | None = None) -> list[Row]:
    """As many cats as dogs, in turn; wrong ones are taken for the other."""
    rows: list[Row] = []
    for k, good in enumerate(right):
        label = ("cat", "dog")[k % 2]
        predicted = label if good else ("dog", "cat")[k % 2]
        shares = (0.8, 0.2) if predicted == "cat" else (0.2, 0.8)
        rows.append(
            (names[k] if names else f"test/{k}", label, predicted, 0.2 if good else 1.6, shares)
        )
    return rows


def two(tmp_path: Path, first: Sequence[bool], second: Sequence[bool]) -> Comparison:
    one = write_run(tmp_path / "A", animals(first))
    return api.compare(one, write_run(tmp_path / "B", animals(second)))


def test_mcnemar_of_a_comparison_is_the_binomial_test_of_those_who_changed_side(
    tmp_path: Path,
) -> None:
    """7 images only the first has right, 1 only the second: Fagerland's 2013 counts."""
    first = [True] * 7 + [False] + [True] * 12
    second = [False] * 7 + [True] + [True] * 12
    result = two(tmp_path, first, second).pairs[0]
    exact = scipy.stats.binomtest(1, 8).pvalue
    expected = exact - scipy.stats.binom.pmf(1, 8, 0.5)  # mid-p: half of both sides' seen counts
    assert result.primary.name == "accuracy"
    assert result.primary.method == "McNemar"
    assert result.primary.p == pytest.approx(expected)
    assert result.primary.value == pytest.approx(-6 / 20)
    # Bonett & Price: 2/22 less 8/22, +- 1.96 sqrt((10/22 - (6/22)^2) / 22)
    assert result.primary.interval == pytest.approx((-0.53037, -0.01508), abs=2e-5)
    assert result.only_first == tuple(f"test/{k}" for k in range(7))
    assert result.only_second == ("test/7",)
    assert not result.insignificant
    assert result.same_settings and result.summary() == (
        "A has 30.0 points (1.5 to 53.0) more on these images; "
        "their settings are the same, the seed aside: neither is a better recipe"
    )
    assert replace(result, same_settings=False).summary() == (
        "the run A is better by 30.0 points (1.5 to 53.0), more than the noise of these images"
    )


def test_a_difference_that_a_coin_would_make_is_said_to_be_inside_the_noise(tmp_path: Path) -> None:
    first = [True] * 3 + [False] * 2 + [True] * 95
    second = [False] * 3 + [True] * 2 + [True] * 95
    comparison = two(tmp_path, first, second)
    assert comparison.n == 100
    (verdict,) = comparison.verdicts()
    assert verdict.startswith("A 98.0 %, B 97.0 %: the difference of 1.0 points (−")
    assert verdict.endswith("is inside the noise")
    assert comparison.pairs[0].insignificant
    assert "inside the noise" in str(comparison)
    assert [one.name for one in comparison.changed] == [f"test/{k}" for k in range(5)]
    assert comparison.changed[3].correct == (False, True)


def test_runs_of_equal_answers_differ_by_nothing(tmp_path: Path) -> None:
    comparison = two(tmp_path, [True] * 9 + [False], [True] * 9 + [False])
    assert comparison.changed == ()
    assert comparison.settings == ()
    assert all(result.value == 0 for result in comparison.pairs[0].differences)
    assert comparison.pairs[0].insignificant


def test_of_three_runs_the_p_values_are_holms(tmp_path: Path) -> None:
    """Against 8 more right of 8 apart, twice, and 0 apart: 2^-8 three and two times, 1.

    Mid-p of 0 to 8: 2 * 2^-8 less 2^-8.
    """
    low, high = [False] * 8 + [True] * 12, [True] * 20
    folders = [
        write_run(tmp_path / name, animals(right))
        for name, right in (("a", low), ("b", high), ("c", high))
    ]
    pairs = api.compare(*folders).pairs
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.primary.p for pair in pairs] == pytest.approx([2**-8, 2**-8, 1])
    assert [pair.p for pair in pairs] == pytest.approx([3 * 2**-8, 3 * 2**-8, 1])


def test_two_equal_runs_are_identical_with_p_of_one(tmp_path: Path) -> None:
    right = [True] * 8 + [False] * 12
    folders = [write_run(tmp_path / name, animals(right)) for name in "ab"]
    (pair,) = api.compare(*folders).pairs
    assert pair.p == 1 and pair.identical
    assert all(difference.p == 1 for difference in pair.differences)
    assert pair.summary() == "identical here: no metric differs, and no image is right in one alone"


def test_a_difference_that_several_comparisons_make_noise_is_called_so(tmp_path: Path) -> None:
    """6 to 0 is 2^-6 = 0.0156 alone and 0.047 of three; 7 to 1 is 0.039 alone and 0.117 of three"""
    base = [True] * 8 + [False] * 2 + [True] * 10
    other = [False] * 7 + [True] * 2 + [False] + [True] * 10
    folders = [
        write_run(tmp_path / name, animals(right))
        for name, right in (("a", base), ("b", other), ("c", base))
    ]
    pair = api.compare(*folders).pairs[0]
    assert pair.primary.p == pytest.approx(10 / 256)  # (2 * 1 + 8) / 2^8
    assert pair.p == pytest.approx(30 / 256)
    assert pair.summary().endswith("is inside the noise of so many comparisons")


def test_balanced_accuracy_leads_and_is_permuted_where_classes_are_unequal(
    tmp_path: Path,
) -> None:
    def rows(wrong: int) -> list[Row]:
        cats: list[Row] = [(f"c{k}", "cat", "cat", 0.1, (0.9, 0.1)) for k in range(40)]
        dogs = [("dog", 0.1) if k >= wrong else ("cat", 2.0) for k in range(10)]
        return cats + [(f"d{k}", "dog", a, loss, (0.5, 0.5)) for k, (a, loss) in enumerate(dogs)]

    one = write_run(tmp_path / "one", rows(0))
    pair = api.compare(one, write_run(tmp_path / "two", rows(4))).pairs[0]
    assert pair.primary.name == "balanced accuracy"
    assert pair.primary.method == "permutation"
    assert pair.primary.value == pytest.approx(-0.2)  # recall of dogs 1 and 0.6, halved
    assert pair.primary.p == 2 / 2**4  # of the ways to swap four dogs two are as extreme
    assert pair.primary.interval and pair.primary.interval.high == 0
    six = api.compare(one, write_run(tmp_path / "six", rows(6))).pairs[0]
    assert six.primary.p == 2 / 2**6
    # -0.3 +- 2.26 standard errors of sqrt(0.6 * 0.4 / 9) / 2
    assert six.primary.interval == pytest.approx((-0.485, -0.115), abs=0.01)


def test_images_of_one_group_are_drawn_together(tmp_path: Path) -> None:
    """All that changed is of one plant in four: swapped or not, it is as far from nothing."""
    first = [True] * 16
    second = [False] * 4 + [True] * 12
    groups = {f"test/{k}": f"plant {k // 4}" for k in range(16)}
    folders = [
        write_run(tmp_path / name, animals(right), groups=groups)
        for name, right in (("a", first), ("b", second))
    ]
    comparison = api.compare(*folders)
    assert comparison.grouped
    primary = comparison.pairs[0].primary
    assert (primary.method, primary.p, primary.interval) == ("permutation", 1, None)
    assert primary.reason == "4 groups are too few to tell of others"
    assert comparison.pairs[0].insignificant


def test_label_sets_are_compared_by_mean_average_precision(tmp_path: Path) -> None:
    """By hand: AP of "sun" is 1 and (1 + 2/3) / 2 = 5/6, of "sea" 1 in both; means 1 and 11/12."""
    truth = ["sun", "sun|sea", "sea", "sea"]
    good = [(0.9, 0.1), (0.8, 0.9), (0.3, 0.8), (0.2, 0.7)]
    less = [(0.9, 0.1), (0.3, 0.9), (0.8, 0.8), (0.2, 0.7)]
    folders = []
    for name, shares, predicted in (
        ("good", good, truth),
        ("less", less, ["sun", "sea", "sun|sea", "sea"]),
    ):
        rows: list[Row] = [
            (f"{k}", truth[k], predicted[k], 0.1, share) for k, share in enumerate(shares)
        ]
        folder = tmp_path / name
        folders.append(write_run(folder, rows, task="multilabel", classes=("sun", "sea")))
    comparison = api.compare(*folders)
    result = {one.name: one for one in comparison.pairs[0].differences}
    assert result["mean average precision"].value == pytest.approx(-1 / 12)
    assert result["subset accuracy"].value == pytest.approx(-0.5)
    assert comparison.pairs[0].only_first == ("1", "2")


def test_regressions_are_compared_by_r_squared_and_absolute_error(tmp_path: Path) -> None:
    """Truth 1..5 spreads by 10; misses of 1 give R2 0.5 and MAE 1, of 0 give 1 and 0."""
    folders = []
    for name, miss in (("near", 0), ("far", 1)):
        predicted = [f"{k + miss * (1 if k % 2 else -1)}" for k in range(1, 6)]
        rows: list[Row] = [(f"{k}", f"{k}", predicted[k - 1], 0.0, ()) for k in range(1, 6)]
        folders.append(write_run(tmp_path / name, rows, task="regression", classes=()))
    comparison = api.compare(*folders)
    result = {one.name: one.value for one in comparison.pairs[0].differences}
    assert result == pytest.approx({"R2": -0.5, "mean absolute error": 1.0})
    assert comparison.changed == ()
    assert "R2 −0.500" in str(comparison)


def test_only_the_images_in_both_tests_are_compared_and_the_rest_is_told(tmp_path: Path) -> None:
    one = write_run(tmp_path / "a", animals([True] * 6), trained=["test/6"])
    more = animals([True] * 4 + [False] * 4)[2:]
    comparison = api.compare(one, write_run(tmp_path / "b", more, trained=["test/0"]))
    assert comparison.n == 4  # test/2 to test/5
    assert comparison.pairs[0].only_first == ("test/4", "test/5")
    (note,) = comparison.notes
    assert "the 4 images" in note
    assert f"'{tmp_path / 'b'}' was trained on 1 of the 6 test images of" in note


def test_runs_without_a_common_test_image_are_refused_with_what_they_trained_on(
    tmp_path: Path,
) -> None:
    names = [f"x/{k}" for k in range(4)]
    one = write_run(tmp_path / "a", animals([True] * 4), trained=names[:1])
    other = write_run(tmp_path / "b", animals([True] * 4, names), trained=["test/0", "test/1"])
    with pytest.raises(DataError, match="trained on 1 of the 4") as caught:
        api.compare(one, other)
    assert f"'{other}' was trained on 2 of the 4 test images of '{one}'" in caught.value.what
    assert "train.seed" in caught.value.hint


def write_photos(folder: Path, prefix: str, count: int, first: int = 0) -> list[str]:
    """Images that differ by their grey level, the same ones for any prefix."""
    names = []
    for k in range(first, first + count):
        name = f"{('cat', 'dog')[k % 2]}/{prefix}{k}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6), 10 * k, np.uint8)).save(folder / name)
        names.append(name)
    return names


def test_images_of_two_folders_are_the_same_when_their_contents_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed copies match; names that are alike do not; what one trained on is left out."""
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    here, there = tmp_path / "here", tmp_path / "there"
    names, renamed = write_photos(here, "x", 6), write_photos(there, "y", 6)
    leaked = write_photos(there, "z", 1, first=2)  # a copy of test image 2
    one = write_run(tmp_path / "a", animals([True] * 6, names), data=str(here), trained=[])
    rows = animals([True] * 5 + [False], renamed)
    other = write_run(tmp_path / "b", rows, data=str(there), trained=leaked)
    comparison = api.compare(one, other)
    assert comparison.n == 5
    assert comparison.pairs[0].only_first == (names[5],)
    assert "was trained on 1 of the 6" in comparison.notes[0]
    assert comparison.settings[0].name == "data"


def test_names_alone_count_where_the_images_are_gone_and_that_is_said(tmp_path: Path) -> None:
    one = write_run(tmp_path / "a", animals([True] * 4), data=str(tmp_path / "gone"))
    comparison = api.compare(one, write_run(tmp_path / "b", animals([True] * 4), data="away"))
    assert comparison.n == 4
    assert "by their names alone" in comparison.notes[0]


def test_changed_labels_are_refused(tmp_path: Path) -> None:
    rows = animals([True] * 4)
    one, first = write_run(tmp_path / "a", rows), rows[0]
    changed: Row = (first[0], "dog", *first[2:])
    with pytest.raises(DataError, match=r"1 of 4 images have other labels.*'test/0' is 'dog'"):
        api.compare(one, write_run(tmp_path / "b", [changed, *rows[1:]]))


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    rows = animals([True] * 4)
    one = write_run(tmp_path / "a", rows)
    with pytest.raises(UsageError, match="nothing to compare"):
        api.compare(one)
    with pytest.raises(UsageError, match="named twice"):
        api.compare(one, one)
    numbers: list[Row] = [("test/0", "1", "1", 0.0, ())]
    other = write_run(tmp_path / "n", numbers, task="regression", classes=())
    with pytest.raises(UsageError, match="is a classification"):
        api.compare(one, other)
    third = [(*row[:4], (*row[4], 0.0)) for row in rows]
    with pytest.raises(UsageError, match="knows the class 'emu'"):
        api.compare(one, write_run(tmp_path / "c", third, classes=("cat", "dog", "emu")))
    unfinished = write_run(tmp_path / "u", rows)
    (unfinished / "predictions.csv").unlink()
    with pytest.raises(UsageError, match="unfinished"):
        api.compare(one, unfinished)
    damaged = write_run(tmp_path / "d", rows)
    text = (damaged / "predictions.csv").read_text()
    (damaged / "predictions.csv").write_text(text.replace("0.2", "?"))
    with pytest.raises(DataError, match="damaged"):
        api.compare(one, damaged)


def test_classes_in_another_order_are_matched_by_name(tmp_path: Path) -> None:
    rows = animals([True, False] * 3)
    one = write_run(tmp_path / "a", rows)
    turned = [(*row[:4], row[4][::-1]) for row in rows]
    other = write_run(tmp_path / "b", turned, classes=("dog", "cat"))
    assert all(result.value == 0 for result in api.compare(one, other).pairs[0].differences)


def test_the_command_prints_words_one_json_object_or_a_row_an_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = [True] * 8 + [False] * 2, [True] * 7 + [False] + [True, False]
    one = write_run(tmp_path / "a", animals(first), settings={"optim.lr": 0.1})
    other = write_run(tmp_path / "b", animals(second), settings={"optim.lr": 0.2})
    argv = ["compare", str(one), str(other)]
    assert cli.main(argv) == 0
    shown = capsys.readouterr().out
    assert re.search(r"optim.lr +a: 0.1, b: 0.2", shown)
    assert re.search(r"only a right +1: test/7", shown)
    assert "41 s in all" in shown
    assert cli.main([*argv, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["n"] == 10
    assert output["pairs"][0]["insignificant"] is True
    assert output["settings"] == [{"name": "optim.lr", "values": ["0.1", "0.2"]}]
    assert cli.main([*argv, "--csv"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["name", "label", "a", "a right", "b", "b right"]
    assert rows[1:] == [
        ["test/7", "dog", "dog", "yes", "cat", "no"],
        ["test/8", "cat", "dog", "no", "cat", "yes"],
    ]


def test_a_run_has_the_numbers_and_intervals_that_it_was_evaluated_with(
    trained: Run, digits_run: Run
) -> None:
    for number in api.compare(trained.path, digits_run.path).runs[0].metrics:
        output = trained.test[number.name]
        assert number.interval and output.interval and number.method == output.method
        assert number.value == pytest.approx(output.value, abs=1e-5)
        assert number.interval == pytest.approx(output.interval, abs=1e-5)


def test_an_interval_keeps_its_width_where_all_of_two_unequal_classes_is_right(
    tmp_path: Path,
) -> None:
    """Wilson's end of all of n, n / (n + 1.96^2), with n = 2^2 / (1/20 + 1/10)."""
    rows = animals([True] * 40)[::2] + animals([True] * 20)[1::2]
    rows = [(f"{k}", *row[1:]) for k, row in enumerate(rows)]
    one, other = (write_run(tmp_path / name, rows) for name in "ab")
    number = api.compare(one, other).runs[0].metrics[0]
    n = 80 / 3
    assert number.name == "balanced accuracy"
    assert number.interval == pytest.approx((n / (n + 3.841459), 1), abs=1e-6)


def test_the_page_shows_the_images_that_changed_side(trained: Run, digits_run: Run) -> None:
    """The digits of a real run, one right answer of its copy made wrong."""
    path = digits_run.path / "predictions.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    place = next(k for k, row in enumerate(rows) if k and row[1] == row[2] == "8")
    rows[place][2] = "3"
    write_table(path, rows[0], rows[1:])
    page = digits_run.path / "compared.html"
    comparison = api.compare(trained.path, digits_run.path, html=page)
    assert comparison.pairs[0].only_first == (rows[place][0],)
    text = page.read_text(encoding="utf-8")
    assert text.count("<img ") == 1
    assert f"{rows[place][0]}</span>" in text
    assert "8, taken for 3" in text
    assert "inside the noise" in text
    assert "<script" not in text
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", text)


def of_seeds(
    folder: Path, rate: float, share: float, seeds: Sequence[int], *, own_images: bool = False
) -> list[Path]:
    """Runs of one setting, `share` of whose answers are right; each with test images of its own?"""
    runs = []
    for seed in seeds:
        right = np.random.default_rng([seed, int(1000 * rate)]).random(400) < share
        names = [f"test/{seed if own_images else 0}-{k}" for k in range(400)]
        settings = {"optim.lr": rate, "train.seed": seed}
        trained = [f"train/{k}" for k in range(1600)]
        place = folder / f"lr{rate}-{seed}"
        rows = animals(right.tolist(), names)
        runs.append(write_run(place, rows, settings=settings, trained=trained))
    return runs


def test_runs_of_two_settings_compare_the_settings(tmp_path: Path) -> None:
    low, high = (of_seeds(tmp_path, *each, range(4)) for each in ((0.1, 0.8), (0.2, 0.9)))
    comparison = api.compare(*low, *high)
    (pair,) = comparison.pairs
    assert (pair.first, pair.second) == ("optim.lr=0.1", "optim.lr=0.2")
    means = [
        np.mean([r.metrics[0].value for r in rs])
        for rs in (comparison.runs[:4], comparison.runs[4:])
    ]
    assert pair.primary.value == pytest.approx(means[1] - means[0])
    assert pair.primary.p < 0.001 and not pair.insignificant
    (verdict,) = comparison.verdicts()
    assert verdict.startswith(f"optim.lr=0.1 {100 * means[0]:.1f} % (4 seeds), optim.lr=0.2 ")
    assert verdict.endswith("), for other seeds and images too")
    assert "only" not in str(comparison)
    assert [one.to_dict()["pairs"] for one in [api.compare(low, high)]] == [
        comparison.to_dict()["pairs"]
    ]


def test_settings_that_are_equally_good_are_inside_the_noise(tmp_path: Path) -> None:
    low, high = (of_seeds(tmp_path, rate, 0.85, range(3)) for rate in (0.1, 0.2))
    comparison = api.compare(*low, *high)
    assert comparison.pairs[0].insignificant
    assert "is inside the noise of seeds and images" in comparison.verdicts()[0]
    page = tmp_path / "page.html"
    api.compare(low, high, html=page)
    assert "other seeds and other test images at once" in page.read_text()


def test_seeds_with_test_images_of_their_own_are_compared_seed_by_seed(tmp_path: Path) -> None:
    """By hand: Student's t of the differences, the variance (1/5 + r / (1 - r)) of theirs.

    All seeds have trained on the same 1,600 images: r = 400 / 1600.
    """
    low, high = (
        of_seeds(tmp_path, *each, range(5), own_images=True) for each in ((0.1, 0.8), (0.2, 0.9))
    )
    comparison = api.compare(*low, *high)
    values = [[run.metrics[0].value for run in runs] for runs in (comparison.runs[:5],)]
    values.append([run.metrics[0].value for run in comparison.runs[5:]])
    apart = np.subtract(values[1], values[0])
    error = np.sqrt(apart.var(ddof=1) * (1 / 5 + 0.25 / 0.75))
    primary = comparison.pairs[0].primary
    assert primary.value == pytest.approx(apart.mean())
    assert primary.p == pytest.approx(2 * scipy.stats.t.sf(apart.mean() / error, 4))
    assert comparison.n == 2000
    assert "Nadeau & Bengio" in comparison.notes[0]
    assert "overlap" not in str(comparison)
    with pytest.raises(DataError, match="different seeds"):
        api.compare(*low[:3], *high[2:])


def test_lists_that_are_not_seeds_of_one_setting_are_refused(tmp_path: Path) -> None:
    low, high = (of_seeds(tmp_path, rate, 0.85, range(2)) for rate in (0.1, 0.2))
    again = of_seeds(tmp_path / "again", 0.1, 0.85, [0])
    for lists, message in (
        ([[*low, *again], high], "the same train.seed=0"),
        ([[low[0], high[0]], [low[1], high[1]]], "one setting each"),
        ([low, high[0]], "one setting each"),
    ):
        with pytest.raises(UsageError, match=message):
            api.compare(*lists)


def test_settings_in_folders_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    """As those of two variants of a study, low/seed-0 and high/seed-0."""
    rates = {"low": 0.1, "high": 0.2}
    for variant, rate in rates.items():
        more = {"optim.lr": rate, "optim.momentum": 2 * rate, "optim.weight_decay": rate}
        for seed in range(2):
            right = np.random.default_rng([seed, int(10 * rate)]).random(60) < 0.8
            place = tmp_path / variant / f"seed-{seed}"
            write_run(place, animals(right.tolist()), settings={**more, "train.seed": seed})
    comparison = api.compare(*(tmp_path / v / f"seed-{k}" for v in rates for k in range(2)))
    names = [f"as {tmp_path / variant / 'seed-0'}" for variant in rates]
    assert [comparison.pairs[0].first, comparison.pairs[0].second] == names
    assert [*comparison.means] == names


def test_the_means_of_settings_are_of_the_metric_that_is_compared(tmp_path: Path) -> None:
    """Of one seed classes are equal, of the other they are not, which leads with another number."""
    for rate in (0.1, 0.2):
        for seed, unequal in enumerate((0, 60)):
            rows = animals(
                [k % 5 > 0 for k in range(200)], [f"test/{seed}-{k}" for k in range(200)]
            )
            rows = [row for k, row in enumerate(rows) if k % 2 == 0 or k // 2 >= unequal]
            settings = {"optim.lr": rate, "train.seed": seed}
            write_run(tmp_path / f"{rate}-{seed}", rows, settings=settings)
    runs = [tmp_path / f"{rate}-{seed}" for rate in (0.1, 0.2) for seed in range(2)]
    comparison = api.compare(*runs)
    assert [run.metrics[0].name for run in comparison.runs[:2]] == ["accuracy", "balanced accuracy"]
    assert comparison.pairs[0].primary.name == "accuracy"
    accuracies = [m.value for r in comparison.runs[:2] for m in r.metrics if m.name == "accuracy"]
    assert comparison.means["optim.lr=0.1"] == f"{100 * np.mean(accuracies):.1f} % (2 seeds)"
