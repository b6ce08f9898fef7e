"""What the desktop costs at rest, and how soon it is there. Run it inside session.sh, with release builds, alone on the machine.

figures.py PROGRAM MOORAGE [SECONDS]: the tray program, the command, and how long to look at what rests (60).
"""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import time

from tray_host import TrayHost

PROGRAM, MOORAGE = sys.argv[1:3]
REST = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
DEMO = "Moorage Demo"
ROUNDS = 5
TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of_cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid):
    """MiB: resident, and the part that no other process shares."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.strip().endswith("kB"):
            found[name] = int(rest.split()[0]) / 1024
    return found["Rss"], found["Private_Clean"] + found["Private_Dirty"]


def children(pid):
    """A process and all that it started."""
    own = pathlib.Path(f"/proc/{pid}/task").iterdir()
    started = [int(child) for task in own for child in (task / "children").read_text().split()]
    return [pid] + [below for child in started for below in children(child)]


def mounts():
    """Processes that serve a volume, and those that look after them."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"mount" in words[:2] and os.path.samefile(entry / "exe", MOORAGE):
            found.append(int(entry.name))
    return found


def run(*command):
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def until(what, found, limit=60.0):
    begun = time.monotonic()
    while not found():
        if time.monotonic() - begun > limit:
            raise RuntimeError(f"{what}: not within {limit} s")
        time.sleep(0.002)
    return time.monotonic() - begun


def answers():
    status = subprocess.run([MOORAGE, "agent", "status"], capture_output=True, check=False)
    return status.returncode == 0


def median(values):
    return sorted(values)[len(values) // 2]


def socket():
    return pathlib.Path(os.environ["XDG_RUNTIME_DIR"], "moorage", "agent.sock")


def start_agent():
    begun = time.monotonic()
    agent = subprocess.Popen([MOORAGE, "agent", "run", "--log"])
    until("the socket of the agent", lambda: socket().exists())
    ready = time.monotonic() - begun
    until("the agent", answers)
    return agent, ready


def told(name, pids, before):
    cpu = sum(seconds_of_cpu(pid) for pid in pids) - before
    resident, private = (sum(part) for part in zip(*map(memory, pids)))
    print(f"{name}: {100 * cpu / REST:.2f} % of a processor, {resident:.0f} MiB resident, {private:.0f} MiB of its own")


async def rest(groups):
    before = {name: sum(seconds_of_cpu(pid) for pid in pids) for name, pids in groups.items()}
    await asyncio.sleep(REST)
    for name, pids in groups.items():
        told(name, pids, before[name])


async def main():
    ready = []
    for _ in range(ROUNDS):
        agent, took = start_agent()
        ready.append(took)
        await asyncio.to_thread(run, MOORAGE, "agent", "stop")
        await asyncio.to_thread(agent.wait, 20)
    print(f"agent: listens {1000 * median(ready):.0f} ms after its start (median of {ROUNDS})")

    agent, _ = start_agent()
    run(MOORAGE, "volume", "demo")
    run(MOORAGE, "volume", "unmount", DEMO)
    mounted = []
    for _ in range(ROUNDS):
        until("an unmount", lambda: not os.path.ismount(pathlib.Path(os.environ["HOME"], DEMO)))
        begun = time.monotonic()
        run(MOORAGE, "volume", "mount", DEMO)
        until("a mount", lambda: os.path.ismount(pathlib.Path(os.environ["HOME"], DEMO)))
        mounted.append(time.monotonic() - begun)
        if len(mounted) < ROUNDS:
            run(MOORAGE, "volume", "unmount", DEMO)
    print(f"mount: there {1000 * median(mounted):.0f} ms after it is asked for (median of {ROUNDS})")

    await rest({"agent alone": [agent.pid], "mount": mounts()})

    host = await TrayHost.start()
    begun = time.monotonic()
    program = subprocess.Popen([PROGRAM, "--hidden"])
    while not host.watcher.items:
        await asyncio.sleep(0.005)
    print(f"tray: its icon is there {1000 * (time.monotonic() - begun):.0f} ms after its start")
    await asyncio.sleep(10)
    tray = children(program.pid)
    await rest({"agent with a tray": [agent.pid], "tray, no window": tray})
    await host.press("Open Moorage")
    await asyncio.sleep(10)
    await rest({"tray and window": children(program.pid)})
    program.kill()
    print(json.dumps({"processes of tray and window": len(tray)}))
    run(MOORAGE, "volume", "unmount", DEMO)
    run(MOORAGE, "agent", "stop")


asyncio.run(main())
