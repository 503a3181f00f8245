"""Runs a function in a process of its own, under circumstances that the tests' own cannot take."""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.store import empty_root

_TIMEOUT_S = 120
_NOBODY = 65534

fork = multiprocessing.get_context("fork")


def as_another_user(function: Callable[[], Any]) -> Any:
    """What it returns for the user nobody. Skips where this is not root, who could become one."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def become() -> None:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)

    return _in_child(become, function)


def without_writing(folder: Path, function: Callable[[], Any]) -> Any:
    """What it returns where `folder` is on a read-only file system. Skips without namespaces."""

    def remount() -> None:
        empty_root.leave()
        empty_root.mount(str(folder), folder, flags=empty_root.BIND)
        flags = empty_root.BIND | empty_root.REMOUNT | empty_root.READ_ONLY
        empty_root.mount("none", folder, flags=flags)

    return _in_child(remount, function)


def _in_child(prepare: Callable[[], None], function: Callable[[], Any]) -> Any:
    receiving, sending = fork.Pipe(duplex=False)
    process = fork.Process(target=_child, args=(prepare, function, sending))
    process.start()
    try:
        assert receiving.poll(_TIMEOUT_S), "the child said nothing"
        kind, value = receiving.recv()
    finally:
        process.kill()
        process.join()
    if kind == "cannot":
        pytest.skip(f"this machine cannot do it: {value}")
    assert kind == "returned", value
    return value


def _child(prepare: Callable[[], None], function: Callable[[], Any], sending: Connection) -> None:
    try:
        prepare()
    except OSError as error:
        sending.send(("cannot", str(error)))
        return
    try:
        sending.send(("returned", function()))
    except BaseException as error:
        sending.send(("raised", f"{type(error).__name__}: {error}"))
