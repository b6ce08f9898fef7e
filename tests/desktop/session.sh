#!/usr/bin/env bash
# session.sh FOLDER COMMAND...: runs a command on a display and a session bus of its own, with HOME and its like below FOLDER.
set -u
folder=$1; shift
for part in home config data cache state run; do mkdir -p "$folder/$part"; done
chmod 700 "$folder/run"
export HOME=$folder/home XDG_CONFIG_HOME=$folder/config XDG_DATA_HOME=$folder/data XDG_CACHE_HOME=$folder/cache \
    XDG_STATE_HOME=$folder/state XDG_RUNTIME_DIR=$folder/run
export XDG_SESSION_TYPE=x11 GDK_BACKEND=x11 NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory LIBGL_ALWAYS_SOFTWARE=1 \
    WEBKIT_DISABLE_DMABUF_RENDERER=1 LANG=C.UTF-8 LANGUAGE=en
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
# The server chooses a display that is free.
exec 7>"$folder/display"
Xvfb -displayfd 7 -screen 0 1280x900x24 -nolisten tcp -noreset >"$folder/xvfb.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 100); do [ -s "$folder/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$folder/display")
export DISPLAY
# Windows are framed and closed by a manager; it ends with the display.
dbus-run-session -- bash -c 'openbox >"$HOME/openbox.log" 2>&1 & exec "$@"' session "$@"
