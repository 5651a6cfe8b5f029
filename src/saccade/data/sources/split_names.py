"""Split names: what a name, of a folder or in a column, says of train, val, test and folds."""

from __future__ import annotations

import re

SPELLINGS = {
    "train": "train(?:ing)?|trn|train[-_ ]?val",
    "val": "val|valid|validation|dev|development|eval|evaluation",
    "test": "test|testing|tst|hold[-_ ]?out|held[-_ ]?out",
}
OF_WHAT = "[-_ ]?(?:set|data|images|imgs|split)"  # that may follow
SPLITS = {split: re.compile(f"(?:{words})(?:{OF_WHAT})?") for split, words in SPELLINGS.items()}
WITHIN = {  # a word of a longer name, whatever digits stand beside it
    split: re.compile(f"(?<![a-z])(?:{words})(?:{OF_WHAT})?(?![a-z])")
    for split, words in SPELLINGS.items()
}
HUMP = re.compile("(?<=[a-z])(?=[A-Z])")
FOLD = re.compile(
    r"(?!.*folds$)"  # several of them, and not the fold s
    r"(?:cv|k|x)?[-_ ]?folds?[-_ ]?(?:no|nr)?[-_. ]?([0-9]+|[a-z])|cv[-_ ]?([0-9]+)"
)


def split_of(name: str) -> str | None:
    """The split that the whole of a name stands for, if any: train, VALID, test_set."""
    folded = name.casefold()
    return next((split for split, pattern in SPLITS.items() if pattern.fullmatch(folded)), None)


def split_within(name: str) -> str | None:
    """The one split that a word of a name stands for, if any: seg_train, train1, TestImages."""
    folded = HUMP.sub(" ", name).casefold()
    found = [split for split, pattern in WITHIN.items() if pattern.search(folded)]
    return found[0] if len(found) == 1 else None


def split_named(name: str) -> str:
    """The split, or the fold, that a person's own word for one names; nothing for another word."""
    return split_of(name) or fold_of(name) or split_within(name) or ""


def fold_of(name: str) -> str | None:
    """The fold that a name stands for, if any: fold 1 of fold1, Fold_1 and cv-1."""
    match = FOLD.fullmatch(name.casefold())
    return f"fold {match[1] or match[2]}" if match else None
