"""Studies.  Called, it is the verb: `saccade.studies()` lists those that come along."""

import sys

from saccade.verb_package import VerbPackage

sys.modules[__name__].__class__ = VerbPackage
