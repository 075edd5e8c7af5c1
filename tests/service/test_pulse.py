"""A question that may hang: who asks is answered in time, and no more threads hang than one."""

import os
import threading
from threading import Event

import pytest

from roost.service.pulse import Pulse, Silence

SOON = 0.05
"""Seconds after which there is nothing more to wait for."""


def test_an_answer_and_an_error() -> None:
    """Are passed on, each time anew."""
    answers = iter([1, 2])
    pulse = Pulse(lambda: next(answers), 10)
    assert (pulse(), pulse()) == (1, 2)
    with pytest.raises(ZeroDivisionError):
        Pulse(lambda: 1 // 0, 10)()


def test_silence() -> None:
    """No answer in time; those who ask meanwhile wait for the same one, and get it when it comes."""
    asked: list[int] = []
    leave = Event()

    def question() -> int:
        asked.append(threading.get_ident())
        leave.wait(10)
        return 7

    pulse = Pulse(question, SOON)
    for _ in range(3):
        with pytest.raises(Silence, match=r"no answer within 0\.05 s"):
            pulse()
    assert len(asked) == 1
    leave.set()
    patient = pulse._asked
    assert patient is not None
    patient.done.wait(10)
    assert pulse() == 7
    assert len(asked) == 2


def test_a_forked_process_asks_anew() -> None:
    """The thread that would have answered is the parent's."""
    leave = Event()
    pulse = Pulse(lambda: leave.wait(10), SOON)
    with pytest.raises(Silence):
        pulse()
    child = os.fork()
    if child == 0:
        leave.set()
        os._exit(0 if pulse() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    leave.set()
