# autoconf, automake, libtool: bootstrap, configure, make check, distcheck's tarball, VPATH
# grade=medium group=build time=500 memory=1000 engines="qemu auto bt"
mkdir p && cd p || exit; printf 'AC_INIT([p],[1.0])\nAC_CONFIG_MACRO_DIRS([m4])\nAM_INIT_AUTOMAKE([foreign subdir-objects])\nAC_PROG_CC\nAM_PROG_AR\nLT_INIT\nAC_CHECK_HEADERS([poll.h sys/epoll.h])\nAC_CHECK_FUNCS([strlcpy getrandom])\nAC_C_BIGENDIAN\nAC_CHECK_SIZEOF([long])\nAC_CONFIG_HEADERS([config.h])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n' >configure.ac
printf 'ACLOCAL_AMFLAGS = -I m4\nlib_LTLIBRARIES = libq.la\nlibq_la_SOURCES = q.c\nbin_PROGRAMS = p\np_SOURCES = p.c\np_LDADD = libq.la\ncheck_PROGRAMS = t\nt_SOURCES = p.c\nt_LDADD = libq.la\nTESTS = t\n' >Makefile.am
echo 'int q(void) { return 42; }' >q.c; printf '#include <config.h>\n#include <stdio.h>\nint q(void);\nint main(void) { printf("%%d %%d\\n", q(), SIZEOF_LONG); return q() != 42; }\n' >p.c; mkdir m4
for t in aclocal automake; do [ -e /usr/bin/$t ] || ln -s $t-1.17 /usr/bin/$t; done
autoreconf -fi >/dev/null 2>&1; echo $?; mkdir b && cd b && ../configure -q --prefix=/tmp/i >/dev/null 2>log || tail log; make -s >/dev/null 2>log || tail log; ./p; make -s check 2>&1 | grep '^# PASS'; make -s install >/dev/null 2>&1; /tmp/i/bin/p; make -s dist >/dev/null 2>&1; tar tzf p-1.0.tar.gz | grep -c .; grep -c '#define HAVE' config.h
