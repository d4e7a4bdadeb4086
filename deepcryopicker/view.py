"""Look at picks and correct them, by a local server: ``python -m deepcryopicker.view``.

python -m deepcryopicker.view view.run=outputs/pick/RUN
"""

import signal
import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.result_schemas import ViewConfig
from deepcryopicker.io.console import console
from deepcryopicker.runs.folder import Run


def view(config: ViewConfig, run: Run) -> None:
    """Serve the page until the command is interrupted."""
    # Imported here, so that a typo is answered before any library is loaded.
    from deepcryopicker.viewing.served_run import open_server

    settings = config.view
    server = open_server(settings.run, settings.also, settings.port, run)
    console.print(f"open {server.address}", soft_wrap=True, markup=False)
    console.print(
        f"from another machine: ssh -L {server.server_port}:localhost:{server.server_port} "
        "THIS_MACHINE, and open the same address there",
        soft_wrap=True,
        markup=False,
    )
    console.print(f"corrections are saved to {server.corrections.path}; Ctrl-C ends", markup=False)
    # A shell that starts it in the background has it ignore Ctrl-C, and kill -INT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        console.print("ended")
    finally:
        server.jobs.stop()
        server.server_close()


if __name__ == "__main__":
    sys.exit(command(view, "view"))
