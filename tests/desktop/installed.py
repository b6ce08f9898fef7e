"""What a person does after installing the packages: the entry of the menu, and one press. Run it inside session.sh.

installed.py PICTURES: a folder for screenshots.
"""

import asyncio
import os
import pathlib
import subprocess
import sys
import time

from web_driver import Window

PICTURES = sys.argv[1]
ENTRY = "/usr/share/applications/io.moorage.desktop.desktop"
PROGRAM = "/usr/bin/moorage-desktop"
MOORAGE = "/usr/bin/moorage"
DEMO = "Moorage Demo"


def windows():
    """Windows of the program that are on the display."""
    search = ["xdotool", "search", "--onlyvisible", "--name", "^Moorage$"]
    return subprocess.run(search, capture_output=True, check=False).stdout.split()


def colours(window):
    """How many there are in a window; one before its page is drawn."""
    picture = f"{PICTURES}/from-the-menu.png"
    subprocess.run(["import", "-window", window, picture], check=True, timeout=20)
    count = ["identify", "-format", "%k", picture]
    return int(subprocess.run(count, check=True, capture_output=True, timeout=20).stdout)


def until(what, seconds, holds):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def from_the_menu():
    """The entry opens the window with a page in it, and without a tray closing it ends the program."""
    subprocess.run(["gio", "launch", ENTRY], check=True, timeout=20)
    until("a window with a page", 20, lambda: any(colours(window) > 10 for window in windows()))
    subprocess.run(["wmctrl", "-F", "-c", "Moorage"], check=True, timeout=20)
    until("no window", 20, lambda: not windows())
    print("ok: the entry of the menu opens the window", flush=True)


async def with_one_press():
    """The demo volume of a first run."""
    port = 20000 + os.getpid() % 20000
    environment = {**os.environ, "TAURI_WEBVIEW_AUTOMATION": "true"}
    driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment)
    try:
        window = await begin(port)
        await window.wait_for("Welcome to Moorage")
        await window.press("Try a demo volume")
        await window.wait_for("Mounted", 60)
        note = pathlib.Path(os.environ["HOME"]) / DEMO / "note.txt"
        note.write_text("kept")
        assert note.read_text() == "kept"
        print("ok: one press mounts the demo volume", flush=True)
    finally:
        driver.terminate()
        driver.wait(20)


async def begin(port):
    """The window, once the driver listens and the program of the menu is gone."""
    end = time.monotonic() + 20
    while True:
        try:
            return await Window.open(port, PROGRAM)
        except (OSError, RuntimeError):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


try:
    from_the_menu()
    asyncio.run(with_one_press())
finally:
    subprocess.run([MOORAGE, "volume", "unmount", DEMO], check=False, timeout=60)
    subprocess.run([MOORAGE, "agent", "stop"], check=False, timeout=60)
