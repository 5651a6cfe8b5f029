"""Runs and bundles.  Called, it is the verb: `saccade.runs()` lists what was trained."""

import sys

from saccade.verb_package import VerbPackage

sys.modules[__name__].__class__ = VerbPackage
