"""The server answers its own page on this machine, and nobody else."""

import http.client
import io
import json
import threading
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from PIL import Image

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.viewing.crops import Crops
from deepcryopicker.viewing.jobs import Jobs
from deepcryopicker.viewing.saved_corrections import SavedCorrections
from deepcryopicker.viewing.server import PageServer

HEIGHT, WIDTH = 120, 200
CORRECTIONS = {"deepcryopicker_corrections": 1, "micrographs": []}


@pytest.fixture
def served(tmp_path):
    """Serve one micrograph: a bright spot at row 30, column 150."""
    image = np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    image[28:33, 148:153] += 40
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(image)
    entries = {"a": Entry("a", tmp_path / "a.mrc", "g")}
    jobs = Jobs({"train": ["timeit", "-n", "1", "-r", "1", "print('done')"]}, tmp_path)
    server = PageServer(
        0, lambda: "<p>page", lambda: 7, Crops(entries), SavedCorrections(tmp_path), jobs
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(server, method, name, body=None, *, token=None, **headers):
    """Ask as the page does, unless other headers are given."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    usual = {"Origin": f"http://127.0.0.1:{server.server_port}"} if method != "GET" else {}
    changed = {key.replace("_", "-"): value for key, value in headers.items()}
    sent = {key: value for key, value in (usual | changed).items() if value is not None}
    text = None if body is None else json.dumps(body)
    connection.request(method, f"/{token or server.token}/{name}", text, sent)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers


def test_the_page_is_served_and_not_kept(served):
    status, content, headers = ask(served, "GET", "")
    assert (status, content) == (200, b"<p>page")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("token", ["", "x", "a" * 32, "..", "%00"])
def test_a_wrong_secret_finds_nothing(served, token):
    for method, name in (("GET", ""), ("GET", "corrections"), ("PUT", "corrections")):
        body = {"saved": 0, "corrections": CORRECTIONS} if method == "PUT" else None
        status, content, _ = ask(served, method, name, body, token=token or "-")
        assert (status, content) == (404, b"Not Found")
    assert not served.corrections.path.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_foreign_origin_changes_nothing(served, headers):
    body = {"saved": 0, "corrections": CORRECTIONS, "page": None}
    assert ask(served, "PUT", "corrections", body, **headers)[0] == 403
    assert ask(served, "POST", "job", {"name": "train"}, **headers)[0] == 403
    assert not served.corrections.path.exists()
    assert served.jobs.state()["code"] is None


def test_a_foreign_page_reads_nothing(served):
    for headers in ({"Host": "evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert ask(served, "GET", "", **headers)[0] == 403
    assert ask(served, "GET", "", Origin="http://evil.example")[0] == 403


def test_a_tunnel_may_have_another_port(served):
    host = "localhost:9999"
    body = {"saved": 0, "corrections": CORRECTIONS, "page": 1}
    sent = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
    assert ask(served, "PUT", "corrections", body, **sent)[0] == 200


def test_it_listens_on_loopback_alone(served):
    listening, loopback = "0A", "0100007F"  # as Linux writes them
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == listening and local.endswith(f":{served.server_port:04X}"):
                found.append(local.split(":")[0])
    assert found == [loopback]


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "..%2f..%2fetc%2fpasswd", "a.mrc", "picture/../../a", "corrections/x"]
)
def test_files_are_not_served(served, name):
    assert ask(served, "GET", name)[0] == 404


def test_two_windows_do_not_overwrite_each_other(served):
    body = {"saved": 0, "corrections": CORRECTIONS, "page": "mine"}
    assert json.loads(ask(served, "PUT", "corrections", body)[1]) == {"saved": 1}
    status, content, _ = ask(served, "PUT", "corrections", body | {"page": "late"})
    assert (status, json.loads(content)) == (409, {"saved": 1, "page": "mine"})
    assert json.loads(ask(served, "GET", "corrections")[1]) == {"saved": 1, "page": "mine"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"saved": 0, "corrections": {"a": 1}}, 422),
        ({"saved": "x", "corrections": CORRECTIONS}, 409),
        ({}, 422),
        ([], 400),
        (None, 413),
    ],
)
def test_nonsense_is_refused(served, body, status):
    assert ask(served, "PUT", "corrections", body)[0] == status
    assert not served.corrections.path.exists()


def picture(served, **changed):
    part = {"name": "a", "left": 0, "top": 0, "right": WIDTH, "bottom": HEIGHT, "width": 2000}
    query = "&".join(f"{key}={value}" for key, value in (part | changed).items())
    status, content, _ = ask(served, "GET", f"picture?{query}")
    return np.asarray(Image.open(io.BytesIO(content)).convert("L")) if status == 200 else status


def test_parts_are_drawn_at_the_resolution_of_the_screen(served):
    whole = picture(served)
    assert whole.shape == (HEIGHT, WIDTH)  # never enlarged
    assert whole[28:33, 148:153].mean() > 250 > whole.mean() + 50
    part = picture(served, left=140, top=20, right=160, bottom=40)
    assert part.shape == (20, 20)
    assert part[10, 10] > 200
    assert picture(served, width=50).shape == (30, 50)
    assert picture(served, left=-50, right=5000).shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"name": "b"}, 404),
        ({"name": "../a"}, 404),
        ({"left": 300}, 404),
        ({"left": "x"}, 400),
        ({"width": -5, "right": 0}, 404),
    ],
)
def test_parts_that_are_not_there(served, changed, status):
    assert picture(served, **changed) == status


def test_a_micrograph_that_is_gone_is_a_line(served, tmp_path):
    (tmp_path / "a.mrc").unlink()
    assert picture(served) == 422


def test_one_job_at_a_time_with_its_last_line(served):
    assert ask(served, "POST", "job", {"name": "rm"})[0] == 409
    assert ask(served, "POST", "job", {"name": "train"})[0] == 202
    assert ask(served, "POST", "job", {"name": "train"})[0] == 409
    for _ in range(600):
        state = json.loads(ask(served, "GET", "state")[1])
        if not state["job"]["running"] and len(state["job"]["lines"]) > 1:
            break
        threading.Event().wait(0.05)
    assert state["version"] == 7
    assert (state["job"]["name"], state["job"]["code"]) == ("train", 0)
    assert "done" in state["job"]["lines"]
