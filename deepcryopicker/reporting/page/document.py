"""The page as one self-contained HTML file, which opens from disk without a network."""

import base64
import hashlib
from dataclasses import asdict
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from deepcryopicker.picker.pick_counts import FAR, LOW_SHARE, SPREAD_OF_MAD
from deepcryopicker.plots.overlays import BLUE, GREY, VERMILLION, YELLOW
from deepcryopicker.reporting.page.packing import pack, plain_curve, plain_picked
from deepcryopicker.reporting.page.page_model import Json, Page, Shown, ShownPicker

_SCRIPTS = (
    *("scores.js", "data.js", "charts.js", "canvas.js", "corrections.js", "editor.js"),
    *("classes.js", "box.js", "server.js", "viewer.js", "page.js"),
)
_COLOURS = {"hit": BLUE, "false": VERMILLION, "missed": YELLOW, "ignored": GREY}


def render(page: Page, server: Json | None = None) -> str:
    """Render the page as HTML.

    Parameters
    ----------
    page : Page
    server : dict, optional
        What a page of a local server may ask it for; None for a file.

    Names from files are always escaped. The content security policy lists style and script by
    their hashes, so that the browser runs no other code and loads no other resource.
    """
    environment = Environment(
        loader=PackageLoader("deepcryopicker.reporting.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _asset("page.css")
    packed = [pack([plain_picked(one) for one in picker.picked]) for picker in page.pickers]
    script = "(() => {\n'use strict';\n" + "\n".join(map(_asset, _SCRIPTS)) + "})();\n"
    return environment.get_template("page.html.j2").render(
        page=page,
        style=style,
        script=script,
        policy=_policy(style, script, server is not None),
        content={
            "pickers": [_plain_picker(picker) for picker in page.pickers],
            "micrographs": [_plain_micrograph(one) for one in page.micrographs],
            "total": page.total,
            "far": {"deviations": FAR, "low_share": LOW_SHARE, "spread_of_mad": SPREAD_OF_MAD},
            "colours": {name: f"rgb{colour}" for name, colour in _COLOURS.items()},
            "classes": None if page.classes is None else asdict(page.classes),
            "server": server,
            # Corrections that a browser keeps belong to these picks.
            "id": hashlib.sha256("".join(packed).encode()).hexdigest()[:16],
        },
        packed=packed,
    )


def _plain_picker(picker: ShownPicker) -> Json:
    scores = [one.picks.score for one in picker.picked if len(one.picks)]
    low = min([0.0, *(float(score.min()) for score in scores)])
    high = max([1.0, *(float(score.max()) for score in scores)])
    return {
        "name": picker.name,
        "dataset": picker.dataset,
        "threshold": picker.threshold,
        "best": picker.best_threshold,
        "low": low,
        "high": high,
        "curve": None if picker.curve is None else plain_curve(picker.curve),
        "micrographs": [one.micrograph for one in picker.picked],
        **asdict(picker.correcting),
    }


def _plain_micrograph(shown: Shown) -> Json:
    return {
        "name": shown.name,
        "dataset": shown.dataset,
        "group": shown.group,
        "width": shown.width,
        "height": shown.height,
        "pixel_size": shown.pixel_size,
    }


def _policy(style: str, script: str, served: bool) -> str:
    """Return a content security policy that allows this style and script, and inline pictures.

    A page of a local server may also ask that server.
    """
    own = " 'self'; connect-src 'self'" if served else ""
    return (
        f"default-src 'none'; img-src data:{own}; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _asset(name: str) -> str:
    folder = files("deepcryopicker.reporting.page") / "assets"
    return (folder / name).read_text(encoding="utf-8")
