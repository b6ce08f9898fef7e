"""A host for trays on the session bus, and a hand that presses rows of their menus.

Stands in for a panel: it owns org.kde.StatusNotifierWatcher, and reads icon, tooltip and menu as a panel does.
"""

import asyncio

from dbus_fast import Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_property, method, signal

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"


class Watcher(ServiceInterface):
    """Takes the items that programs register."""

    def __init__(self):
        super().__init__(WATCHER)
        self.items = []

    @method()
    def RegisterStatusNotifierItem(self, service: "s"):
        if service not in self.items:
            self.items.append(service)
        self.StatusNotifierItemRegistered(service)

    @method()
    def RegisterStatusNotifierHost(self, service: "s"):
        pass

    @dbus_property(access=PropertyAccess.READ)
    def RegisteredStatusNotifierItems(self) -> "as":
        return self.items

    @dbus_property(access=PropertyAccess.READ)
    def IsStatusNotifierHostRegistered(self) -> "b":
        return True

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> "i":
        return 0

    @signal()
    def StatusNotifierItemRegistered(self, service) -> "s":
        return service


class TrayHost:
    """A host with one item: the one that registered last."""

    def __init__(self, bus, watcher):
        self.bus = bus
        self.watcher = watcher

    @staticmethod
    async def start():
        bus = await MessageBus().connect()
        watcher = Watcher()
        bus.export("/StatusNotifierWatcher", watcher)
        await bus.request_name(WATCHER)
        return TrayHost(bus, watcher)

    async def stop(self):
        await self.bus.release_name(WATCHER)
        self.bus.disconnect()

    async def call(self, path, interface, member, signature="", body=()):
        item = self.watcher.items[-1]
        destination = item.split("/")[0]
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        reply = await asyncio.wait_for(self.bus.call(message), 10)
        if reply.message_type is MessageType.ERROR:
            raise RuntimeError(f"{member}: {reply.error_name}: {reply.body}")
        return reply.body

    async def property(self, name):
        body = await self.call(
            "/StatusNotifierItem",
            "org.freedesktop.DBus.Properties",
            "Get",
            "ss",
            (ITEM, name),
        )
        return body[0].value

    async def picture(self):
        """The bytes of the icon."""
        return bytes((await self.property("IconPixmap"))[0][2])

    async def tooltip(self):
        return (await self.property("ToolTip"))[2]

    async def rows(self):
        """Every row as (path of labels, number, whether it can be pressed)."""
        menu = await self.property("Menu")
        layout = await self.call(menu, MENU, "GetLayout", "iias", (0, -1, []))
        found = []
        walk(layout[1], (), found)
        return menu, found

    async def labels(self):
        return [path for path, _, _ in (await self.rows())[1]]

    async def press(self, *path):
        menu, rows = await self.rows()
        for labels, number, enabled in rows:
            if labels == path:
                if not enabled:
                    raise RuntimeError(f"{path} can not be pressed")
                event = (number, "clicked", Variant("s", ""), 0)
                await self.call(menu, MENU, "Event", "isvu", event)
                return
        raise RuntimeError(f"no row {path} among {[labels for labels, _, _ in rows]}")

    async def quit(self, label):
        """Presses the row that ends the program, which may be gone before it answers."""
        try:
            await self.press(label)
        except RuntimeError as error:
            if "NoReply" not in str(error):
                raise

    async def left_click(self):
        await self.call("/StatusNotifierItem", ITEM, "Activate", "ii", (0, 0))


def walk(node, above, found):
    number, properties, children = node
    label = properties["label"].value.replace("__", "_") if "label" in properties else None
    path = above if label is None else (*above, label)
    if label is not None:
        enabled = properties["enabled"].value if "enabled" in properties else True
        found.append((path, number, enabled))
    for child in children:
        walk(child.value, path, found)
