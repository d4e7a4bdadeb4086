"""The command layer: Hydra, jobs, exit codes, error messages, checks of foreign configurations."""
