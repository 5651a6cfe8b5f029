"""Verb package: a package of the name of a verb, which is that verb when it is called.

`saccade.models("resnet*")` lists networks, and `from saccade.models.create import create_model`
imports: Python puts a package, once it is imported, in the place of a function of the same name.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType
from typing import Any


class VerbPackage(ModuleType):
    """A package that can be called as the verb of `saccade.api` of its name."""

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._verb())

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._verb()(*arguments, **named)

    def _verb(self) -> Any:
        return getattr(import_module("saccade.api"), self.__name__.rpartition(".")[2])
