"""Calls of verbs in Python that they do not take: answered by what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

import saccade
from saccade import api
from saccade.errors import UsageError

DATA, RUN = "photos", "runs/photos-1"  # nothing is opened


class Blur:
    def __call__(self, images: Any) -> Any:
        return images


@pytest.mark.parametrize("name", [*api.__all__, "create_model"])
def test_no_verb_answers_a_wrong_keyword_with_a_traceback(name: str) -> None:
    verb = getattr(saccade, name)
    with pytest.raises(UsageError, match="'quiet'") as caught:
        verb(quiet=True)
    assert caught.value.hint.endswith('logging.getLogger("saccade").setLevel("WARNING")')
    with pytest.raises(UsageError, match="'zzz'") as caught:
        verb(zzz=1)
    assert caught.value.hint.startswith("it takes ")


@pytest.mark.parametrize(
    ("verb", "given", "hint"),
    [
        (saccade.train, {"lr": 0.1}, "write it as: with_={'optim.lr': 0.1}"),
        (saccade.train, {"features_only": True}, "it is a recipe: recipe='features'"),
        (saccade.train, {"output_dir": "a"}, "write it as: out='a'"),
        (saccade.train, {"optim.lr": 0.1}, "write it as: with_={'optim.lr': 0.1}"),
        (saccade.train, {"overwrite": True}, "no run is overwritten: take another out"),
        (saccade.train, {"save": True}, "a run is always saved: out names its folder"),
        (saccade.cross_validate, {"resume": True}, "goes on with: saccade.resume(RUN)"),
        (saccade.train, {"loss": nn.MSELoss}, "with_={'train.loss': MSELoss}"),
        (saccade.train, {"loss": nn.MSELoss()}, "with_={'train.loss': loss}"),
        (saccade.train, {"loss": "focal"}, "the loss is the task's, which the labels decide"),
        (saccade.train, {"augment": Blur()}, "with_={'data.augment': augment}"),
        (saccade.train, {"augment": ["flip", Blur()]}, "with_={'data.augment': augment}"),
        (saccade.train, {"pretrained": True}, "write it as: weights='auto'"),
        (saccade.train, {"mixup": 0.0}, "mixup is left out, and is off unless it is named"),
        (saccade.train, {"fliplr": 0.0}, "write it as: with_={'data.augment': ''}"),
        (saccade.train, {"img_size": (224, 224)}, "write it as: size=224"),
        (saccade.train, {"compile": True}, "write it as: with_={'train.compile': 'on'}"),
        (saccade.create_model, {"pretrained": True}, "write it as: weights='imagenet'"),
        (saccade.predict, {"images": ["a.jpg"]}, "without a name: saccade.predict(run, *images)"),
        (saccade.predict, {"topk": 3}, "write it as: top=3"),
        (saccade.evaluate, {"batch_size": 8}, "train.batch_size is a setting of a training"),
        (saccade.compare, {"data": DATA}, "on images that all were tested on"),
        (saccade.doctor, {"htm": "a"}, "did you mean html?"),
        (saccade.resume, {"with_": {"train.epochs": 9}}, "write it as: epochs=9"),
        (saccade.resume, {"max_epochs": 9}, "write it as: epochs=9"),
        (saccade.resume, {"with_": {"optim.lr": 1}}, "keeps its settings, but for epochs"),
        (saccade.resume, {"with_": {"train.loss": nn.MSELoss()}}, "saccade.Run.open(RUN, with_="),
    ],
)
def test_a_keyword_of_elsewhere_is_answered_by_the_one_here(
    verb: Any, given: dict[str, Any], hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        verb(**given)
    assert hint in caught.value.hint


def test_runs_in_a_list_are_asked_for_one_by_one() -> None:
    with pytest.raises(UsageError, match="one by one") as caught:
        saccade.compare([RUN, RUN])  # type: ignore[arg-type]
    assert caught.value.hint == "write saccade.compare(*runs)"
    with pytest.raises(UsageError, match="one by one"):
        saccade.report([RUN, RUN])  # type: ignore[arg-type]


def test_places_that_are_too_many_too_few_or_twice_are_answered_by_the_form() -> None:
    with pytest.raises(UsageError, match="takes its data in one") as caught:
        saccade.train(DATA, [0, 1])  # type: ignore[call-arg]
    assert caught.value.hint.endswith("saccade.train((images, labels))")
    with pytest.raises(UsageError, match="missing a required argument: 'run'") as caught:
        saccade.predict()  # type: ignore[call-arg]
    assert caught.value.hint == "write saccade.predict(run, *images)"
    with pytest.raises(UsageError, match="multiple values for argument 'run'"):
        saccade.resume(RUN, run=RUN)  # type: ignore[call-arg]
