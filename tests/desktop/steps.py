"""What the parts of a walk have in common: the programs, the home, waiting, and looking at the display and the tray."""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import time

from web_driver import Window

PROGRAM, MOORAGE, PICTURES = sys.argv[1:]
DEMO = "Moorage Demo"
STORED = "All files are safely stored"
HOME = pathlib.Path(os.environ["HOME"])


async def eventually(what, found, seconds=20):
    """The first result of `found` that is true."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            last = await found()
            if last:
                return last
        except (RuntimeError, IndexError, ValueError) as error:
            last = error
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{what}: not within {seconds} s, but {last}")


def said(line):
    print(f"ok: {line}", flush=True)


async def run(*command):
    """A command's exit code and output; the tray's host goes on meanwhile."""
    ended = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, check=False, timeout=60
    )
    return ended.returncode, ended.stdout


async def agent():
    """The number of the agent's process."""
    return json.loads((await run(MOORAGE, "agent", "status", "--json"))[1])["pid"]


async def windows():
    """Windows of the program that are on the display."""
    _, found = await run("xdotool", "search", "--onlyvisible", "--name", "^Moorage$")
    return found.split()


async def keep(name):
    """A picture of the whole display."""
    code, _ = await run("import", "-window", "root", f"{PICTURES}/{name}.png")
    assert code == 0, f"no picture of {name}"


async def begin(port):
    try:
        return await Window.open(port, PROGRAM)
    except OSError:
        return None


async def first_row_is(host, text):
    return (await host.labels())[0][0] == text


async def has_row(host, *path):
    return path in await host.labels()


async def differs(host, picture):
    return await host.picture() != picture


async def window_count_is(count):
    return len(await windows()) == count
