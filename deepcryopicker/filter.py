"""Keep some picks of a finished run, or of any program: ``python -m deepcryopicker.filter``.

python -m deepcryopicker.filter filter.picks=RUN filter.threshold=0.8
python -m deepcryopicker.filter filter.picks=RUN filter.corrections=corrections.json
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.result_schemas import FilterConfig
from deepcryopicker.io.console import console, counted
from deepcryopicker.runs.folder import Run


def filter(config: FilterConfig, run: Run) -> None:
    """Write the kept picks into a new run folder, in every configured format."""
    # Imported here, so that a typo is answered before any library is loaded.
    from deepcryopicker.pipeline.filtering.filter_picks import filter_picks
    from deepcryopicker.pipeline.filtering.filtered_files import write_filtered
    from deepcryopicker.pipeline.filtering.picked_micrographs import open_picked

    settings = config.filter
    picked = open_picked(settings.picks, settings.suffix)
    kept, tally = filter_picks(picked, settings)
    write_filtered(run.folder, kept, config.outputs, tally.note, settings.box)
    run.write_metrics({"filtered": tally.as_json()})
    for rule, count in tally.left_out.items():
        console.print(f"{rule}: {counted(count, 'pick')} left out", markup=False)
    by_hand = f", {tally.added} of them added by hand" if tally.added else ""
    console.print(
        f"{counted(tally.kept, 'pick')} of {tally.given} kept in "
        f"{counted(tally.micrographs, 'micrograph')}{by_hand}"
    )
    if "relion" in config.outputs:
        console.print(f"for RELION: {run.folder / 'relion'}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    sys.exit(command(filter, "filter"))
