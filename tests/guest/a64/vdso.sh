#!/bin/sh
# The vdso image in the tree is what its source makes (by checksum alone without a cross compiler).
exec "${top_srcdir:?}/tools/vdso.sh" a64 --check
