"""Show runs on one page, to compare pickers and thresholds: ``python -m deepcryopicker.report``.

python -m deepcryopicker.report report.runs=[outputs/pick/RUN,outputs/class_ablation]
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.result_schemas import ReportConfig
from deepcryopicker.io.console import console, counted
from deepcryopicker.runs.folder import Run

PAGE = "report.html"


def report(config: ReportConfig, run: Run) -> None:
    """Read the given runs and write ``report.html``."""
    # Imported first, as it loads no torch: a wrong path is then answered within a second or two.
    from deepcryopicker.reporting.reading.run_folders import find_runs

    runs = find_runs(config.report.runs)
    from deepcryopicker.io.files.atomic import write_text
    from deepcryopicker.paper.figures.gallery import FOLDER, draw_figures
    from deepcryopicker.reporting.assemble import assemble
    from deepcryopicker.reporting.page.document import render

    for outdated in (run.folder / FOLDER).glob("*.png"):  # of an earlier report in this folder
        outdated.unlink()
    page = assemble(config.report, runs, run, draw_figures if config.report.figures else None)
    write_text(run.folder / PAGE, render(page))
    for source in page.problems:
        console.print(f"{source.name}: {source.problem}", soft_wrap=True, markup=False)
    for name, note in page.notes:
        console.print(f"{name}: {note}", soft_wrap=True, markup=False)
    megabytes = (run.folder / PAGE).stat().st_size / 1e6
    contents = f"{counted(len(runs), 'run')}, {counted(page.total, 'micrograph')}"
    if page.is_part:
        contents += f" ({len(page.micrographs)} of them in the viewer)"
    console.print(f"{contents}, {megabytes:.1f} MB")
    console.print(f"page: {run.folder / PAGE}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    sys.exit(command(report, "report"))
