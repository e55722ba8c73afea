#!/bin/sh
# Makes ./configure from a checkout. Needs the Debian packages autoconf, automake and pkg-config.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: $tool is missing: install the Debian packages autoconf, automake and pkg-config" >&2
        exit 1
    fi
done
exec autoreconf -fi
