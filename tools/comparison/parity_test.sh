#!/bin/sh
# tools/parity over the recorded cases of the repository. Arguments: calico-operator, read_objects.
set -eu
exec tools/parity --differences docs/DIFFERENCES.md --operator "$1" --reader "$2" testdata/reference
