"""What computed the results of a run, and what of it changed since."""

import json

import pytest

from deepcryopicker.runs import made_with
from deepcryopicker.runs.made_with import changes_since, provenance


def noted(folder, **changes):
    document = {"provenance": {**provenance(), **changes}}
    (folder / "metrics.json").write_text(json.dumps(document))
    return folder


def test_the_same_program_has_not_changed(tmp_path):
    assert changes_since(noted(tmp_path)) is None


def test_other_code_is_named_by_its_commits(tmp_path):
    found = changes_since(noted(tmp_path, commit="a" * 40, content="0" * 64))
    assert found.startswith(f"code of {'a' * 12} instead of ")


def test_other_libraries_are_named(tmp_path):
    versions = {**provenance()["versions"], "torch": "1.0", "numpy": "1.1"}
    now = provenance()["versions"]
    assert changes_since(noted(tmp_path, versions=versions)) == (
        f"torch 1.0 instead of {now['torch']}, numpy 1.1 instead of {now['numpy']}"
    )


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"provenance": {}}'])
def test_runs_that_do_not_say_are_taken_for_unchanged(tmp_path, content):
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    assert changes_since(tmp_path) is None


def test_a_changed_file_changes_the_content(tmp_path, monkeypatch):
    for name in ("code", "conf"):
        (tmp_path / name).mkdir()
    (tmp_path / "code" / "a.py").write_text("a = 1\n")
    monkeypatch.setattr(made_with, "PACKAGE", tmp_path / "code")
    monkeypatch.setattr(made_with, "CONF_DIR", tmp_path / "conf")
    contents = []
    for path, text in (("code/a.py", "a = 2\n"), ("conf/b.yaml", "b: 1\n"), ("code/c.txt", "c")):
        made_with._content.cache_clear()
        contents.append(provenance()["content"])
        (tmp_path / path).write_text(text)
    made_with._content.cache_clear()
    assert len({*contents}) == 3
    assert provenance()["content"] == contents[-1]  # text files are neither code nor options
    made_with._content.cache_clear()


def test_a_checkout_says_whether_it_was_modified():
    made = provenance()
    assert made["modified"] in (True, False, None)
    assert (made["commit"] is None) == (made["modified"] is None)
    assert made["threads"] >= 1
