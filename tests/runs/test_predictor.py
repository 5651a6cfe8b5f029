"""A predictor answers the same to many threads as to one, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.decode import Preprocessing, decode
from saccade.data.item import EncodedImage, ImageArray, ImageFile, Item
from saccade.engine.ood import Novelty
from saccade.errors import DataError, WeightsError
from saccade.evaluation.evaluation_set import EvaluationSet
from saccade.models.backbone import HeadInputRecorder
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.runs.bundle import Bundle
from saccade.runs.predictor import BATCH, Predictor
from saccade.tasks.classification import Classification, Prediction

GREY = Preprocessing(32, colour="grey", mean=(0.4,), std=(0.3,))


def bundle() -> Bundle:
    """LeNet-5 with its first weights, and what it remembers of noise."""
    torch.manual_seed(0)
    model = normalized(create_model("lenet5", 3), GREY.mean, GREY.std)
    noise = torch.randint(0, 256, (60, 1, 32, 32)).float()
    network = HeadInputRecorder(model.eval())
    with torch.inference_mode():
        network(noise)
    train, held_out = network.features[0].split(40)
    novelty = Novelty.fit(train, held_out)
    return Bundle("lenet5", Classification(("a", "b", "c")), GREY, model.train(), novelty=novelty)


def noise(seed: int, count: int) -> list[Item]:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 9, 11), np.uint8)
    return [Item(f"{seed}-{k}", None, ImageArray(image)) for k, image in enumerate(pixels)]


def files(folder: Path, seed: int, count: int) -> list[Item]:
    generator = np.random.default_rng(seed)
    for k in range(count):
        image = Image.fromarray(generator.integers(0, 256, (40, 50, 3), np.uint8))
        image.save(folder / f"{seed}-{k}.png")
    return [Item(f"{k}", None, ImageFile(folder / f"{seed}-{k}.png")) for k in range(count)]


@pytest.fixture
def predictor() -> Iterator[Predictor]:
    with bundle().predictor as predictor:
        yield predictor


def test_many_threads_are_answered_as_one_is(predictor: Predictor, tmp_path: Path) -> None:
    """Images and files, other ones in each thread, in groups of several sizes."""
    groups = [noise(seed, 20 + 30 * seed) for seed in range(4)]
    groups += [files(tmp_path, 4 + seed, 1 + 2 * seed) for seed in range(4)]
    alone = [predictor.predict_items(group, max_novelty=0.5) for group in groups]
    with ThreadPoolExecutor(8) as threads:
        work = [k for _ in range(10) for k in range(len(groups))]
        answers = list(threads.map(lambda k: predictor.predict_items(groups[k]), work))
        limited = list(
            threads.map(lambda k: predictor.predict_items(groups[k], max_novelty=0.5), work)
        )
    for k, answer in zip(work, limited, strict=True):
        assert answer.items == alone[k].items
    for k, answer in zip(work, answers, strict=True):
        assert [one.name for one in answer] == [one.name for one in alone[k]]
        assert all(isinstance(one, Prediction) and one.accepted for one in answer)


def test_what_it_says_is_what_the_network_and_the_novelty_say(predictor: Predictor) -> None:
    """Two batches and a half, calculated row by row."""
    items = noise(0, 2 * BATCH + BATCH // 2)
    answers = predictor.predict_items(items, top=3)
    images = torch.stack([decode(item.image.read(), GREY) for item in items])
    *rows, head = predictor.model.children()
    with torch.inference_mode():
        features = images
        for row in rows:
            features = row(features)
        probabilities = head(features).softmax(1)
    assert predictor.novelty is not None
    for answer, p, share in zip(
        answers, probabilities, predictor.novelty.score(features), strict=True
    ):
        assert isinstance(answer, Prediction)
        places = ["abc".index(name) for name in answer.classes]
        np.testing.assert_allclose(answer.probabilities, p[places], atol=1e-6)
        assert list(answer.probabilities) == sorted(answer.probabilities, reverse=True)
        assert answer.novelty == pytest.approx(float(share), abs=1 / len(predictor.novelty.known))


def test_the_network_is_in_eval_mode_and_has_no_hook(predictor: Predictor) -> None:
    predictor.predict_items(noise(0, 3))
    for module in predictor.model.modules():
        assert not module.training
        assert not module._forward_hooks and not module._forward_pre_hooks


def test_a_bundle_keeps_its_predictor_and_the_predictor_its_process(tmp_path: Path) -> None:
    whole = bundle()
    items = files(tmp_path, 0, 1)
    with whole.predictor as predictor:
        pids = set()
        for _ in range(3):
            whole.predict_items(items)
            pids |= {process.handle.pid for process in predictor.workers.sandbox._running}
    assert whole.predictor is predictor
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)


def test_a_broken_file_among_others_costs_itself_alone(
    predictor: Predictor, tmp_path: Path
) -> None:
    whole = files(tmp_path, 0, 2)
    broken = Item("broken", None, EncodedImage(b"\x89PNG nothing"))
    result = predictor.predict_items([whole[0], broken, whole[1]])
    assert [answer.name for answer in result] == ["0", "1"]
    assert [skipped.name for skipped in result.unreadable] == ["broken"]
    with pytest.raises(DataError, match="no image could be read: broken"):
        predictor.predict_items([broken])


def test_a_closed_predictor_says_so(tmp_path: Path) -> None:
    items = files(tmp_path, 0, 1)
    predictor = bundle().predictor
    predictor.close()
    with pytest.raises(RuntimeError, match="closed"):
        predictor.predict_items(items)


def test_a_script_that_forgets_to_close_ends_and_leaves_no_process(tmp_path: Path) -> None:
    bundle().save(tmp_path / "bundle")
    files(tmp_path, 0, 1)
    code = (
        "import saccade\n"
        f"bundle = saccade.open_bundle({str(tmp_path / 'bundle')!r})\n"
        f"bundle.predict({str(tmp_path / '0-0.png')!r})\n"
        "(process,) = bundle.predictor.workers.sandbox._running\n"
        "print(process.handle.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_the_command_leaves_no_process(tmp_path: Path) -> None:
    bundle().save(tmp_path / "bundle")
    (tmp_path / "new").mkdir()
    files(tmp_path / "new", 0, 3)
    argv = ["-m", "saccade.cli", "predict", str(tmp_path / "bundle"), str(tmp_path / "new")]
    with subprocess.Popen(
        [sys.executable, *argv], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as command:
        printed, _ = command.communicate(timeout=250)
    assert command.returncode == 0
    assert printed.count("novelty") == 3
    with pytest.raises(ProcessLookupError):
        os.killpg(command.pid, 0)


def test_images_without_an_agreed_white_are_told_where_no_window_says_it(
    predictor: Predictor, tmp_path: Path
) -> None:
    Image.fromarray(np.linspace(-3, 900, 64, dtype=np.float32).reshape(8, 8)).save(
        tmp_path / "depth.tif"
    )
    Image.new("L", (8, 8), 9).save(tmp_path / "photo.tif")
    predictions = predictor.predict(tmp_path)
    (note,) = predictions.notes
    assert note.startswith("1 images hold measurements") and "depth.tif'" in note
    assert predictions.to_dict()["notes"] == [note]
    predictor.preprocessing = replace(GREY, window="-3 900")
    assert predictor.predict(tmp_path).notes == ()


def test_a_network_that_gives_no_numbers_is_refused() -> None:
    """With a weight that is NaN it gives none for any image, neither to predict nor to measure."""
    broken = bundle()
    with torch.no_grad():
        next(broken.model.parameters()).fill_(torch.nan)
    with pytest.raises(WeightsError, match=r"no number \(NaN\) for 3 of 3 images, such as '5-0'"):
        broken.predict_items(noise(5, 3))
    labelled = [replace(item, label="a") for item in noise(5, 4)]
    with pytest.raises(WeightsError, match="for 4 of 4 images"):
        EvaluationSet.of(labelled, broken).evaluate(broken)
