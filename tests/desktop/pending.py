"""Uploads that are held from the tray, over the death of the agent and a wish to quit, until all is stored."""

import os
import signal

from steps import HOME, MOORAGE, STORED, agent, eventually, first_row_is, has_row, keep, run, said
from store import Store

ONLY_HERE = "1 file, 4 bytes, exists only on this computer"


async def pending_uploads(host, window):
    """Pause in the tray, a file that waits, an agent that is killed, a question before the end, and resuming."""
    store = Store()
    url = f"sqlite3://{HOME}/far.db"
    keys = ["--access-key=key", "--secret-key=secret"]
    made = await run(MOORAGE, "format", url, "far", "--storage=s3", f"--bucket={store.bucket}", *keys)
    assert made[0] == 0, "no volume"
    await run(MOORAGE, "volume", "add", url, f"{HOME}/far", "--mount")
    try:
        await eventually("the row of the volume", lambda: has_row(host, "far: mounted", "Unmount"))
        await host.press("Pause", "Until resumed")
        await eventually("the pause", lambda: has_row(host, "Paused", "Resume"))
        (HOME / "far/note.txt").write_text("kept")
        await eventually("the sentence in the tray", lambda: first_row_is(host, ONLY_HERE))
        await window.wait_for(ONLY_HERE)
        first = await agent()
        os.kill(first, signal.SIGKILL)
        await eventually("another agent", lambda: is_another(first))
        assert not await first_row_is(host, STORED), "what nobody stored is called safe"
        await eventually("the sentence again", lambda: first_row_is(host, ONLY_HERE))
        await eventually("the pause again", lambda: has_row(host, "Paused", "Resume"))
        said("what a pause holds is told, also after the agent was killed")

        await host.press("Quit (volumes stay mounted)")
        await eventually("a question", lambda: on_the_display("^Moorage$", 2))
        await keep("question")
        await run("xdotool", "key", "Escape")
        await eventually("no question", lambda: on_the_display("^Moorage$", 1))
        assert await first_row_is(host, ONLY_HERE), "it quit without a yes"
        said("quitting asks while a file exists only on this computer")

        assert store.blocks() == 0, "the pause held nothing"
        await host.press("Paused", "Resume")
        await eventually("all to be stored", lambda: first_row_is(host, STORED), 40)
        await window.wait_for(STORED)
        assert store.blocks() == 1 and (HOME / "far/note.txt").read_text() == "kept"
        said("what was held is stored once it is resumed")
    finally:
        await run(MOORAGE, "volume", "unmount", "far")
        await run(MOORAGE, "volume", "remove", "far")


async def is_another(first):
    return await agent() != first


async def on_the_display(name, count):
    _, found = await run("xdotool", "search", "--onlyvisible", "--name", name)
    return len(found.split()) == count
