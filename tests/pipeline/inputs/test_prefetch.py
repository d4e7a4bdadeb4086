"""Reading ahead: in order, one ahead and no more, errors where they belong, an early end."""

import subprocess
import sys
import threading
import weakref
from contextlib import closing

import pytest
import torch

from deepcryopicker.pipeline.inputs import prefetch
from deepcryopicker.pipeline.inputs.prefetch import in_parallel, read_ahead


class Result:
    """Something that weak references can follow."""

    def __init__(self, number):
        self.number = number


def test_results_come_in_order():
    assert [take() for take in read_ahead(range(50), lambda n: n * n)] == [n * n for n in range(50)]


def test_nothing_to_read():
    assert list(read_ahead([], lambda _: pytest.fail("nothing is there to read"))) == []


def test_reading_is_done_in_another_thread():
    threads = [take() for take in read_ahead(range(3), lambda _: threading.get_ident())]
    assert threading.get_ident() not in threads


def test_the_next_is_read_while_the_current_one_is_worked_on():
    reached = [threading.Event() for _ in range(4)]
    for number, take in enumerate(read_ahead(range(4), lambda n: reached[n].set())):
        take()
        if number < 3:
            assert reached[number + 1].wait(10)


def test_no_more_than_one_is_read_ahead():
    begun, ended = [], [threading.Event() for _ in range(6)]

    def read(number):
        begun.append(number)
        ended[number].set()

    for number, take in enumerate(read_ahead(range(6), read)):
        take()
        following = min(number + 1, 5)
        assert ended[following].wait(10)
        assert begun == list(range(following + 1))


def test_at_most_two_results_are_alive():
    alive = weakref.WeakSet()

    def read(number):
        result = Result(number)
        alive.add(result)
        return result

    for number, take in enumerate(read_ahead(range(10), read)):
        result = take()
        assert result.number == number
        assert {each.number for each in alive} <= {number, number + 1}


def test_an_error_is_raised_where_its_item_is_taken_and_the_others_are_read():
    def read(number):
        if number == 1:
            raise OSError("damaged")
        return number

    taken = []
    for take in read_ahead(range(3), read):
        try:
            taken.append(take())
        except OSError as error:
            taken.append(str(error))
    assert taken == [0, "damaged", 2]


def test_what_is_not_taken_is_dropped():
    alive = weakref.WeakSet()

    def read(number):
        result = Result(number)
        alive.add(result)
        return result

    for number, _ in enumerate(read_ahead(range(10), read)):
        assert {each.number for each in alive} <= {number, number + 1}


def test_an_early_end_waits_for_the_read_under_way_and_begins_no_other():
    begun, ended = [], []
    released = threading.Event()

    def read(number):
        begun.append(number)
        if number == 1:
            released.wait(10)
        ended.append(number)

    with closing(read_ahead(range(9), read)) as readings:
        next(readings)()
        threading.Timer(0.05, released.set).start()
    assert begun == ended == [0, 1]


def test_an_error_of_the_caller_is_not_held_up_by_a_read_that_hangs(monkeypatch):
    monkeypatch.setattr("deepcryopicker.pipeline.inputs.prefetch._PATIENCE", 0.01)
    hang = threading.Event()

    def read(number):
        if number == 1:
            hang.wait(60)

    def interrupted():
        with closing(read_ahead(range(3), read)) as readings:
            next(readings)()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    hang.set()


def test_the_caller_is_not_asked_for_items_long_before_they_are_read():
    asked = []

    def items():
        for number in range(5):
            asked.append(number)
            yield number

    readings = read_ahead(items(), lambda n: n)
    next(readings)()
    assert asked == [0, 1]
    readings.close()


def test_as_many_are_read_at_the_same_time_as_asked_for():
    together = threading.Barrier(3)
    begun, running = [], []

    def read(number):
        begun.append(number)
        running.append(number)
        if number < 3:
            together.wait(10)  # none of the first three ends before all have begun
        assert len(running) <= 3
        running.remove(number)
        return number

    taken = []
    for take in read_ahead(range(9), read, ahead=3):
        taken.append(take())
        assert len(begun) <= len(taken) + 3
    assert taken == list(range(9))


def test_results_of_threads_come_in_order_and_an_error_is_raised():
    second = threading.Event()

    def work(number):
        if number == 0:
            assert second.wait(10)
        second.set()
        return 10 // (5 - number)

    assert in_parallel(range(3), work, threads=2) == [2, 2, 3]
    with pytest.raises(ZeroDivisionError):
        in_parallel(range(3, 7), work, threads=2)


def test_torch_uses_one_thread_in_each_of_several(monkeypatch):
    monkeypatch.setattr(prefetch, "count_threads", lambda: 2)
    before = torch.get_num_threads()
    found = [take() for take in prefetch.work_ahead(range(4), lambda _: torch.get_num_threads())]
    assert found == [1, 1, 1, 1]
    assert torch.get_num_threads() == before


def test_a_single_core_works_on_one_at_a_time(monkeypatch):
    monkeypatch.setattr(prefetch, "count_threads", lambda: 1)
    running = []

    def work(number):
        running.append(number)
        assert len(running) == 1
        running.remove(number)
        return number

    assert [take() for take in prefetch.work_ahead(range(5), work)] == list(range(5))


COUNT = "import torch; print(torch.get_num_threads())"
UNUSED = f"""
from deepcryopicker.pipeline.inputs import prefetch
import torch
prefetch.count_threads = lambda: 2
work = lambda _: float(torch.ones(64, 64).sum())
assert [take() for take in prefetch.work_ahead(range(4), work)] == [4096.0] * 4
{COUNT}
"""


def test_work_ahead_leaves_all_threads_to_what_follows():
    # In a process whose first use of torch is by the threads.
    without, after = (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for code in (COUNT, UNUSED)
    )
    assert after == without
