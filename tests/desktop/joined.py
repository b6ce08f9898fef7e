"""A volume that JuiceFS made is joined in the window, used, saved as a file, and joined again by that file."""

import hashlib
import json
import os
import pathlib
import shutil

from steps import HOME, MOORAGE, eventually, keep, run, said

# A folder with a volume of JuiceFS; it is copied, and never changed.
FIXTURE = os.environ.get("MOORAGE_FIXTURE")
NAME = "Joined"


async def a_volume_of_another_client(window):
    if FIXTURE is None:
        print("SKIPPED: no volume of JuiceFS: MOORAGE_FIXTURE names none", flush=True)
        return
    home, fixture = HOME / "juicefs", pathlib.Path(FIXTURE)
    shutil.copytree(fixture / "objects", home / "objects")
    shutil.copy(fixture / "meta.db", home / "meta.db")
    url, point = f"sqlite3://{home}/meta.db", HOME / NAME
    moved = await run(MOORAGE, "config", url, f"--bucket={home}/objects/")
    assert moved[0] == 0, "the objects are not found in the copy"
    path, digest = a_file(fixture)
    await window.press("Volumes")
    await window.press("Add a volume")
    await window.wait_for("Fill in from a volume file")
    await window.type("Name", NAME)
    await window.type("Metadata address", url)
    await window.press("Add and mount")
    await window.wait_for("Mounted", 60)
    try:
        content = (point / path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, f"{path} is another"
        (point / "by moorage.txt").write_text("kept")
        await keep("joined")
        said("a volume that JuiceFS made is joined in the window, and read and written")

        await window.press("Options")
        await window.wait_for("For another computer")
        await window.press("Save as a volume file")
        await eventually("the dialog", is_dialog_there)
        await run("xdotool", "key", "Return")
        file = HOME / f"{NAME}.moorage.json"
        await eventually("the file", lambda: exists(file))
        said("the volume is saved as a file where a dialog of the system says")
        await window.wait_for("Written.")

        await run(MOORAGE, "volume", "unmount", NAME)
        await run(MOORAGE, "volume", "remove", NAME)
        await window.press("Volumes")
        await window.press("Add a volume")
        await window.wait_for("Fill in from a volume file")
        await window.type("Fill in from a volume file", str(file))
        await window.wait_for("The file was read")
        await window.press("Add and mount")
        await window.wait_for("Mounted", 60)
        assert (point / "by moorage.txt").read_text() == "kept"
        said("the volume is joined by the file")
    finally:
        await run(MOORAGE, "volume", "unmount", NAME)
        await run(MOORAGE, "volume", "remove", NAME)


def a_file(fixture):
    """The path of a file with content, and the digest of it."""
    tree = json.loads((fixture / "expect.json").read_text())["tree"]
    for node in tree:
        if node["type"] == "regular" and isinstance(node["path"], str) and 0 < node["size"] < 1 << 20:
            return node["path"], node["sha256"]
    raise RuntimeError("a fixture without files")


async def is_dialog_there():
    _, found = await run("xdotool", "search", "--onlyvisible", "--name", "^Save the volume as a file$")
    return bool(found.split())


async def exists(file):
    return file.exists()
