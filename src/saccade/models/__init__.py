"""Networks.  Called, it is the verb: `saccade.models("resnet*")` lists those of such names."""

import sys

from saccade.verb_package import VerbPackage

sys.modules[__name__].__class__ = VerbPackage
