from __future__ import annotations

from saccade.errors import RecipeError, Stopped, UsageError, unknown


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
