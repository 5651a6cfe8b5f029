"""Recipes and their settings.  Called, it is the verb: `saccade.recipes()` lists the named ones."""

import sys

from saccade.verb_package import VerbPackage

sys.modules[__name__].__class__ = VerbPackage
