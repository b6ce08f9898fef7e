"""The few words of WebDriver that a walk through the window needs.

Nothing here blocks: the program may wait for the tray's host, which lives in the same process.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Window:
    """The window of a program that WebKitWebDriver started."""

    def __init__(self, base):
        self.base = base

    @staticmethod
    async def open(port, program, arguments=()):
        driver = Window(f"http://127.0.0.1:{port}")
        options = {"binary": program, "args": list(arguments)}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = await driver.send("POST", "/session", {"capabilities": capabilities})
        return Window(f"{driver.base}/session/{session['sessionId']}")

    async def send(self, method, path, body=None):
        return await asyncio.to_thread(self.send_and_wait, method, path, body)

    def send_and_wait(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from error

    async def text(self):
        return await self.run("return document.body.innerText")

    async def run(self, script):
        return await self.send("POST", "/execute/sync", {"script": script, "args": []})

    async def wait_for(self, text, seconds=20):
        """Until the window says `text`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen = await self.text()
            if text in seen:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{text!r} is not seen within {seconds} s, but:\n{seen}")

    async def press(self, label):
        """Presses the button or link with this label."""
        path = f"//*[self::button or self::a][normalize-space()={json.dumps(label)}]"
        found = await self.send("POST", "/element", {"using": "xpath", "value": path})
        await self.send("POST", f"/element/{found[ELEMENT]}/click", {})

    async def type(self, label, text):
        """Types into the field with this label; into one for a file its path."""
        path = f"//label[starts-with(normalize-space(), {json.dumps(label)})]/following-sibling::input"
        found = await self.send("POST", "/element", {"using": "xpath", "value": path})
        await self.send("POST", f"/element/{found[ELEMENT]}/value", {"text": text})
