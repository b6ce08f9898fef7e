#!/bin/sh
# Runs after a removal by dpkg ("remove") and by rpm (0: no version is left). It deletes nothing.
case "$1" in
remove | 0)
    cat <<'END'
Moorage is removed. What it keeps for users stays, and so do your files:
  ~/.config/moorage        the list of volumes and settings
  ~/.local/share/moorage   volumes on this computer, passwords in files
  ~/.local/state/moorage   logs
  ~/.cache/moorage         caches, and files that still wait for their upload
Volumes that are mounted stay mounted until "fusermount3 -u FOLDER" or the end of the session.
END
    ;;
esac
