from __future__ import annotations

from pathlib import Path

from saccade import errors
from saccade.errors import (
    EXIT_CODES,
    RecipeError,
    SaccadeError,
    Stopped,
    UsageError,
    exit_code_table,
    unknown,
)

GUIDE = Path(__file__).parents[1] / "docs" / "guide.md"


def test_an_unknown_name_is_answered_with_the_nearest_known_ones() -> None:
    error = unknown("model", "resnet5", ["lenet5", "resnet50", "resnet152", "vgg16"])
    assert isinstance(error, UsageError)
    assert str(error).splitlines()[0] == "no model is called 'resnet5'"
    assert error.hint.startswith("did you mean resnet50")


def test_the_nearest_name_is_found_in_any_case() -> None:
    assert unknown("column", "price", ["PRICE", "BREED"]).hint == "did you mean PRICE?"
    assert unknown("column", "BRED", ["price", "breed"]).hint == "did you mean breed?"


def test_a_name_like_no_other_is_answered_with_what_there_is() -> None:
    error = unknown("colour", "xyzzy", ["grey", "rgb"], RecipeError)
    assert (type(error), error.hint) == (RecipeError, "known are grey, rgb")


def test_a_stopped_training_ends_with_the_code_of_its_signal() -> None:
    assert Stopped("stopped", signal=2).exit_code == 130
    assert Stopped("stopped", signal=15).exit_code == 143


def test_every_error_ends_with_a_code_of_the_table() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, SaccadeError)}
    assert codes <= EXIT_CODES.keys()
    assert {2, 3, 4, 5, 6, 7, 8} <= codes


def test_data_resources_weights_and_network_have_codes_of_their_own() -> None:
    kinds = (errors.DataError, errors.ResourceError, errors.WeightsError, errors.NetworkError)
    assert [kind.exit_code for kind in kinds] == [3, 5, 7, 8]


def test_the_guide_has_the_table_of_the_code() -> None:
    assert exit_code_table() in GUIDE.read_text(encoding="utf-8")
