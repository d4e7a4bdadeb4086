"""What ``import deepcryopicker`` offers: functions on arrays and files, without a run folder.

The commands call the same functions below these. Nothing here asks Hydra or tracks a run.
"""
