"""What every probe needs: how to register it, how to cut, how to say what a call did."""

import asyncio
import functools
import subprocess
import threading
import time
import warnings

warnings.simplefilter("ignore")

PROBES = {}
HERE = {}


def probe(function):
    PROBES[function.__name__] = function
    return function


class NothingCut(BaseException):
    """The probe proves nothing: there was no connection to cut."""


def cut(must=True):
    """Cuts every connection of the probe, from the server's side. Nothing may be left to cut unless `must`."""
    number = 0
    for command in HERE["cut"]:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        number += sum(1 if word == "t" else int(word) for word in done.stdout.split())
    if must and not number:
        raise NothingCut
    time.sleep(0.15)


async def cut_async():
    await asyncio.to_thread(cut)


def cut_soon(seconds=0.4):
    timer = threading.Timer(seconds, cut)
    timer.start()
    return timer


def release():
    return tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in HERE["version"].split(".")[:3])


def classes(error):
    return [f"{c.__module__}.{c.__qualname__}".removeprefix("builtins.") for c in type(error).__mro__]


def did(call):
    """What a call did: [] if it worked."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return classes(error)
    return []


async def did_async(call):
    try:
        await asyncio.wait_for(call(), 20)
    except Exception as error:  # noqa: BLE001
        return classes(error)
    return []


def asynchronous(function):
    @functools.wraps(function)
    def run():
        return asyncio.run(function())

    PROBES[function.__name__] = run
    return run
