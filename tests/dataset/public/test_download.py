"""Public datasets are fetched whole, once, and only when asked for; from a server of our own."""

import hashlib
import io
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.public.download import download
from deepcryopicker.dataset.public.schema import (
    FilesConfig,
    MapsConfig,
    PaintedConfig,
    SourceConfig,
)
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig, PublicConfig, VariedConfig
from deepcryopicker.dataset.structures.known_structures import known_structures
from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue

SHAPE = (128, 160)
CENTRES = ((40, 40), (100, 70))


class Server(ThreadingHTTPServer):
    """Serves `files`, by their paths; breaks off half-way through those in `broken`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.broken = set()
        self.asked = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if self.path in self.server.broken else len(content)
        self.wfile.write(content[:half])

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def micrograph(seed):
    return png(np.random.default_rng(seed).integers(0, 256, SHAPE).astype(np.uint8))


def painted():
    picture = np.full((*SHAPE, 3), 120, np.uint8)
    for centre in CENTRES:
        cv2.circle(picture, centre, 20, (255, 255, 0), -1)
    return png(picture)


@pytest.fixture
def config(server, tmp_path):
    """Two micrographs, of which the first has truth; a name with a space, and one renamed."""
    server.files = {
        "/images/a%20b.png": micrograph(1),
        "/images/Other.png": micrograph(2),
        "/truth/a%20b_GT.png": painted(),
    }
    sums = [hashlib.sha256(data).hexdigest() for data in server.files.values()]
    return PublicConfig(
        name="set",
        root=str(tmp_path / "set"),
        micrographs=str(tmp_path / "set" / "micrographs"),
        coordinates=str(tmp_path / "set" / "coordinates"),
        diameter=40.0,
        download=True,
        source=SourceConfig(
            page="http://page",
            licence="CC0",
            micrographs=FilesConfig(
                f"{server.address}/images/{{name}}.png",
                {"a b": sums[0], "c": sums[1]},
                {"c": "Other"},
            ),
            truth=PaintedConfig(f"{server.address}/truth/{{name}}_GT.png", {"a b": None}),
        ),
    )


def files(config):
    """What lies in the dataset's folder, hidden files included."""
    root = Path(config.root)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


WHOLE = ["coordinates/a b.csv", "micrographs/a b.png", "micrographs/c.png", "painted/a b.png"]


def test_micrographs_and_decoded_truth_arrive(config, capsys):
    catalogue = open_catalogue(config)
    said = capsys.readouterr().out
    assert said.count("licence: CC0") == 1
    assert "http://page" in said
    assert "downloading 3 files: done" in said
    assert files(config) == WHOLE
    first, second = catalogue.entries
    truth, _ = first.load_truth()
    np.testing.assert_allclose(truth.positions, CENTRES, atol=0.5)
    np.testing.assert_allclose(truth.diameter, 40, atol=3)
    assert second.load_truth() is None
    assert second.load().image.shape == SHAPE


def test_what_is_there_is_not_fetched_again(config, server, capsys):
    download(config)
    server.asked.clear()
    capsys.readouterr()
    download(config)
    assert server.asked == []
    assert capsys.readouterr().out == ""
    root = Path(config.root)
    (root / "micrographs" / "c.png").write_bytes(b"damaged")
    (root / "coordinates" / "a b.csv").write_text("x,y\n1,2\n")  # somebody's own: it stays
    (root / "painted" / "a b.png").unlink()
    download(config)
    assert server.asked == ["/images/Other.png"]
    assert (root / "micrographs" / "c.png").read_bytes() == server.files["/images/Other.png"]
    assert (root / "coordinates" / "a b.csv").read_text() == "x,y\n1,2\n"


def test_a_file_with_another_sum_is_refused(config, server):
    right = server.files["/images/Other.png"]
    server.files["/images/Other.png"] = wrong = micrograph(3)
    with pytest.raises(NothingUsableError) as refusal:
        download(config)
    said = str(refusal.value)
    assert len(said.splitlines()) == 1
    assert "/images/Other.png" in said
    assert all(hashlib.sha256(each).hexdigest() in said for each in (right, wrong))
    assert files(config) == ["micrographs/a b.png"]


def test_an_interrupted_download_leaves_no_half_file_and_is_resumed(config, server):
    server.broken.add("/images/Other.png")
    with pytest.raises(NothingUsableError, match=r"Other\.png: the connection was interrupted"):
        download(config)
    assert files(config) == ["micrographs/a b.png"]
    server.broken.clear()
    server.asked.clear()
    download(config)
    assert server.asked == ["/images/Other.png", "/truth/a%20b_GT.png"]
    assert files(config) == WHOLE


def test_without_a_network_it_says_what_to_do_by_hand(config):
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/{{name}}.png"
        config.source.micrographs.url = url
        with pytest.raises(NothingUsableError, match="no connection") as refusal:
            download(config)
    said = str(refusal.value)
    assert len(said.splitlines()) == 2
    assert f"save it as {config.micrographs}/a b.png" in said
    assert files(config) == []


def test_a_wrong_address_is_named(config, server):
    del server.files["/images/Other.png"]
    with pytest.raises(NothingUsableError, match=r"images/Other\.png: 404 Not Found"):
        download(config)


def test_truth_other_than_a_picture_is_not_kept(config, server):
    server.files["/truth/a%20b_GT.png"] = b"<html>log in first</html>"
    with pytest.raises(NothingUsableError, match=r"truth/a%20b_GT\.png is not a picture"):
        download(config)
    assert files(config) == ["micrographs/a b.png", "micrographs/c.png"]


def test_nothing_is_fetched_unless_asked_for(config, server):
    config = replace(config, download=False)
    with pytest.raises(UsageError, match=r"does not exist\nadd dataset\.download=true"):
        open_catalogue(config)
    assert server.asked == []
    assert not Path(config.root).exists()


def test_members_of_a_combined_dataset_are_fetched_together(config, server, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.png").write_bytes(micrograph(4))
    members = {"set": replace(config, download=False), "own": FolderConfig("own", str(own))}
    with pytest.raises(UsageError, match="dataset=set"):
        open_catalogue(CombinedConfig("all", members))
    assert server.asked == []
    catalogue = open_catalogue(CombinedConfig("all", members, download=True))
    assert [entry.name for entry in catalogue.entries] == ["set/a b", "set/c", "own/mine"]


def test_without_published_truth_there_is_none(config):
    config.source.truth = None
    assert all(entry.truth is None for entry in open_catalogue(config).entries)


def test_movies_are_refused(config):
    source = SourceConfig(page="http://entry", licence="CC0", movies=True)
    with pytest.raises(UsageError, match=r"movies: .*http://entry\n.*MotionCor.*dataset=folder"):
        open_catalogue(replace(config, source=source))
    with pytest.raises(UsageError, match=r"does not exist\n.*movies"):
        open_catalogue(replace(config, source=source, download=False))


def test_what_is_not_fetched_file_by_file_is_refused(config):
    source = SourceConfig(page="http://entry", licence="CC0")
    with pytest.raises(UsageError, match=r"dataset\.download: get set from http://entry"):
        open_catalogue(replace(config, source=source))


@pytest.mark.parametrize("settings", [{"paint": "red"}, {"radius": 0.0}])
def test_absurd_paints_are_refused(settings):
    with pytest.raises(UsageError, match="dataset"):
        PaintedConfig("http://x/{name}.png", **settings)


def test_published_maps_arrive_once_and_without_them_it_is_said_how(server, tmp_path, capsys):
    data = [bytes(range(n)) for n in (40, 50)]
    server.files = {f"/maps/{name}.mrc": one for name, one in zip("ab", data, strict=True)}
    sums = [hashlib.sha256(one).hexdigest() for one in data]
    maps = MapsConfig(
        f"{server.address}/maps/{{name}}.mrc",
        {"a": sums[0], "b": sums[1]},
        root=str(tmp_path),
        page="http://page",
        licence="CC0",
    )
    config = VariedConfig(maps=maps)
    with pytest.raises(UsageError, match=r"2 density maps are missing, .*a\.mrc\nadd data"):
        known_structures(config)
    paths = [tmp_path / "a.mrc", tmp_path / "b.mrc"]
    for _ in range(2):
        assert known_structures(replace(config, download=True)) == paths
    assert [path.read_bytes() for path in paths] == data
    assert len(server.asked) == 2
    assert capsys.readouterr().out.count("licence: CC0") == 1
    assert known_structures(config) == paths
    (tmp_path / "own.pdb").write_text("x")
    own = replace(config, structures=[str(tmp_path / "own.pdb")])
    assert known_structures(own) == [tmp_path / "own.pdb", *paths]


@pytest.mark.real
def test_the_maps_of_the_general_weights_are_those_that_are_published(real_data):
    recipe = OmegaConf.load(CONF_DIR / "dataset" / "varied_structures.yaml").maps
    assert len(recipe.sha256) == 11
    assert recipe.licence.startswith("Apache-2.0")
    for name, checksum in recipe.sha256.items():
        content = (real_data / "structures" / f"{name}.mrc").read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum
