"""What a launcher sends to other machines."""

import pickle
import sys

import cloudpickle

from deepcryopicker.app import hydra_app
from deepcryopicker.pick import pick


def test_a_job_can_be_sent_to_another_machine(monkeypatch):
    sent = []

    def main(**_):
        return lambda job: lambda: sent.append(cloudpickle.dumps(job))

    monkeypatch.setattr(hydra_app.hydra, "main", main)
    monkeypatch.setattr(sys, "argv", ["pick"])
    hydra_app.command(pick, "pick")
    assert callable(pickle.loads(sent[0]))
