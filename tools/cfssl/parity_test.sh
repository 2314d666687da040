#!/bin/sh
# tools/cfssl-parity over its whole table. Argument: calicert.
set -eu
exec tools/cfssl-parity --differences docs/CFSSL.md --calicert "$1"
