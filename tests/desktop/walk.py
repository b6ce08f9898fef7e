"""What a person does with the window and the tray, on a real agent and a real mount. Run it inside session.sh.

walk.py PROGRAM MOORAGE PICTURES: the tray program, the command, and a folder for screenshots.
"""

import asyncio
import os
import signal
import subprocess
import time

from joined import a_volume_of_another_client
from notifications import Notifications
from pending import pending_uploads
from steps import (
    DEMO,
    HOME,
    MOORAGE,
    PROGRAM,
    STORED,
    agent,
    begin,
    differs,
    eventually,
    first_row_is,
    has_row,
    keep,
    run,
    said,
    window_count_is,
    windows,
)
from tray_host import TrayHost


async def through_the_window(host):
    """First run, demo volume, unmount and mount, an agent that is killed."""
    port = 20000 + os.getpid() % 20000
    environment = {**os.environ, "TAURI_WEBVIEW_AUTOMATION": "true"}
    driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment)
    try:
        window = await eventually("a driver", lambda: begin(port))
        waits = window.wait_for
        await waits("Welcome to Moorage")
        await keep("welcome")
        begun = time.monotonic()
        await window.press("Try a demo volume")
        await waits("Mounted", 60)
        said(f"a demo volume is mounted {time.monotonic() - begun:.1f} s after one press")
        await keep("mounted")

        note = HOME / DEMO / "note.txt"
        note.write_text("kept")
        await eventually("the sentence in the tray", lambda: first_row_is(host, STORED))
        await eventually("the row of the volume", lambda: has_row(host, f"{DEMO}: mounted", "Unmount"))
        said("the tray says where the files are and has a row for the volume")

        await host.press(f"{DEMO}: mounted", "Unmount")
        await waits("Stopped")
        await eventually("the row of the volume", lambda: has_row(host, f"{DEMO}: stopped", "Mount"))
        await host.press(f"{DEMO}: stopped", "Mount")
        await waits("Mounted", 60)
        said("what is pressed in the tray is seen in the window")

        idle = await host.picture()
        first = await agent()
        os.kill(first, signal.SIGSTOP)
        await waits("Not connected", 30)
        assert STORED not in await window.text(), "an agent that is not heard is called safe"
        await eventually("the offline icon", lambda: differs(host, idle), 40)
        assert STORED != (await host.labels())[0][0], "the tray calls safe what it has not heard"
        await keep("silent")
        os.kill(first, signal.SIGKILL)
        await waits("Mounted", 60)
        assert await agent() != first, "the same agent"
        assert note.read_text() == "kept", "the file is gone"
        said("an agent that hangs is not believed; one that is killed comes back, and the files were there")

        for page in ("Settings", "Diagnostics", "Activity"):
            await window.press(page)
            await waits(page)
            await keep(page.lower())
        await host.press("Settings")
        await waits("Language")
        said("the tray leads to the pages")
        refused = await window.run(
            "return window.__TAURI_INTERNALS__.invoke('ask', {request: {request: 'agent_stop'}})"
            ".then(() => 'done', (problem) => problem.code)"
        )
        assert refused == "permission_denied", f"a page may end the agent: {refused}"
        others = await window.run(
            "return window.__TAURI_INTERNALS__.invoke('plugin:window|close', {})"
            ".then(() => 'done', (problem) => String(problem))"
        )
        assert "not allowed" in others, f"a page may use what no capability names: {others}"
        said("a page can not end the agent, nor use what its capability does not name")
        await pending_uploads(host, window)
        await a_volume_of_another_client(window)
        await host.quit("Quit (volumes stay mounted)")
    finally:
        driver.terminate()
        await asyncio.to_thread(driver.wait, 20)


async def a_notification(notifications):
    """With no window open a volume fails: it is told once, and a press leads to its page."""
    database = HOME / "gone.db"
    objects = f"--bucket={HOME}/objects"
    made = await run(MOORAGE, "format", f"sqlite3://{database}", "gone", "--storage=file", objects)
    assert made[0] == 0, "no volume"
    await run(MOORAGE, "volume", "add", f"sqlite3://{database}", f"{HOME}/gone")
    database.unlink()
    before = len(notifications.told)
    for _ in range(2):
        await run(MOORAGE, "volume", "mount", "gone")
    await eventually("a notification", lambda: is_told(notifications, "“gone” is not mounted"))
    title, body = notifications.told[-1]
    assert len(notifications.told) == before + 1 and "gone.db" in body, notifications.told[before:]
    assert not await windows(), "a window although nobody asked for one"
    notifications.press(len(notifications.told))
    await eventually("the window", lambda: window_count_is(1))
    await run("wmctrl", "-F", "-c", "Moorage")
    await eventually("no window", lambda: window_count_is(0))
    assert len(notifications.told) == before + 1, "told twice"
    await run(MOORAGE, "volume", "remove", "gone")
    said("a volume that fails while no window is open is told once, and a press leads to it")


async def is_told(notifications, title):
    return any(told == title for told, _ in notifications.told)


async def in_the_tray(host, notifications):
    """Hidden start, the window opens and closes, quitting leaves the mount."""
    host.watcher.items.clear()
    program = subprocess.Popen([PROGRAM, "--hidden"])
    try:
        await eventually("the tray", lambda: first_row_is(host, STORED))
        assert not await windows(), "a window at a hidden start"
        await a_notification(notifications)
        await host.press("Open Moorage")
        await eventually("the window", lambda: window_count_is(1))
        await run("wmctrl", "-F", "-c", "Moorage")
        await eventually("no window", lambda: window_count_is(0))
        assert program.poll() is None, "closing the window ended the program"
        await host.left_click()
        await eventually("the window again", lambda: window_count_is(1))
        said("the program starts hidden, and its window comes and goes")
        code, _ = await run(PROGRAM)
        assert code == 0 and len(await windows()) == 1, "a second start made a second window"
        said("a second start shows the window of the first")
        await host.quit("Quit (volumes stay mounted)")
        await asyncio.to_thread(program.wait, 20)
        assert (HOME / DEMO / "note.txt").read_text() == "kept", "quitting unmounted"
        said("quitting leaves the volume mounted")
    finally:
        program.kill()


async def without_a_host():
    """No tray: the window opens, also when it was to be hidden; a host that comes late is found."""
    program = subprocess.Popen([PROGRAM, "--hidden"])
    try:
        await eventually("the window", lambda: window_count_is(1))
        said("without a host for the tray the window opens")
        host = await TrayHost.start()
        await eventually("the tray", lambda: first_row_is(host, STORED))
        said("a host that comes later is found")
        await host.quit("Quit (volumes stay mounted)")
        await asyncio.to_thread(program.wait, 20)
    finally:
        program.kill()


async def main():
    host = await TrayHost.start()
    notifications = await Notifications.start()
    try:
        await through_the_window(host)
        await in_the_tray(host, notifications)
        await host.stop()
        await without_a_host()
    finally:
        await run(MOORAGE, "volume", "unmount", DEMO)
        await run(MOORAGE, "agent", "stop")


asyncio.run(main())
