"""Run folders: status, manifest, lock, shards, sweeps and SLURM."""
