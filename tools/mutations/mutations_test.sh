#!/bin/sh
# Mutated Installations, offline. Arguments: render_lines, read_objects.
set -eu
exec python3 tools/mutations/offline.py "$1" "$2" --count 150
