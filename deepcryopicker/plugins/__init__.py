"""Components from outside the package: decorators by which they announce themselves.

A module of the user's own decorates functions and classes; it is loaded if an installed package
names it as an entry point ``deepcryopicker.plugins``, or if it is named on the command line
(``plugins=my_module`` or ``plugins=path/to/file.py``). Configurations cannot name one. Each
component of a configuration group is then an option like those of the program:
``labeler=NAME``, with the keys of its schema.
"""

from deepcryopicker.plugins.announced import dataset, labeler, metric, network, operation, picker

__all__ = ["dataset", "labeler", "metric", "network", "operation", "picker"]
