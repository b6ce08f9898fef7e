"""A server of notifications on the session bus, which remembers what it was given, and a hand that presses one."""

from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method, signal

SERVER = "org.freedesktop.Notifications"


class Notifications(ServiceInterface):
    """Takes what programs tell; `told` has the title and body of each, the oldest first."""

    def __init__(self):
        super().__init__(SERVER)
        self.told = []

    @staticmethod
    async def start():
        bus = await MessageBus().connect()
        server = Notifications()
        bus.export("/org/freedesktop/Notifications", server)
        await bus.request_name(SERVER)
        return server

    def press(self, number):
        """Presses notification `number`, counted from 1."""
        self.ActionInvoked(number, "default")

    @method()
    def GetCapabilities(self) -> "as":
        return ["body", "actions"]

    @method()
    def GetServerInformation(self) -> "ssss":
        return ["moorage-test", "moorage", "1", "1.2"]

    @method()
    def Notify(
        self,
        program: "s",
        replaces: "u",
        icon: "s",
        title: "s",
        body: "s",
        actions: "as",
        hints: "a{sv}",
        timeout: "i",
    ) -> "u":
        self.told.append((title, body))
        return len(self.told)

    @method()
    def CloseNotification(self, number: "u"):
        pass

    @signal()
    def ActionInvoked(self, number, action) -> "us":
        return [number, action]

    @signal()
    def NotificationClosed(self, number, reason) -> "uu":
        return [number, reason]
