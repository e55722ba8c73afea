# make -j2 of a small C project with a library, tests and an install step; a rebuild does nothing
# grade=basic time=120 factor=6
mkdir src; for i in $(seq 1 12); do printf '#include "lib.h"\nint f%d(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * %d %% 7; return s; }\n' $i $i >src/f$i.c; done
for i in $(seq 1 12); do echo "int f$i(int);"; done >src/lib.h; { printf '#include <stdio.h>\n#include "lib.h"\nint main(void) { int s = 0;'; for i in $(seq 1 12); do printf ' s += f%d(100);' $i; done; printf ' printf("%%d\\n", s); return 0; }\n'; } >src/main.c
cat >Makefile <<'M'
objs := $(patsubst src/%.c,o/%.o,$(wildcard src/f*.c))
all: prog libx.so
o:; mkdir -p $@
o/%.o: src/%.c src/lib.h | o; $(CC) -O2 -fPIC -Wall -Werror -MMD -c -o $@ $<
libx.a: $(objs); $(AR) rcs $@ $^
libx.so: $(objs); $(CC) -shared -o $@ $^
prog: src/main.c libx.a; $(CC) -O1 -o $@ $^
check: prog; test "$$(./prog)" -gt 0
install: all; install -D prog $(DESTDIR)/bin/prog && install -D libx.so $(DESTDIR)/lib/libx.so
M
make -s -j2 CC=gcc && ./prog; make -q CC=gcc && echo 'up to date'; make -s check install DESTDIR=$PWD/out CC=gcc; find out -type f | sort; touch src/f3.c; make -n CC=gcc | grep -c gcc
gcc -O1 -o p2 src/main.c -Lout/lib -lx -Wl,-rpath,$PWD/out/lib && ./p2; LD_PRELOAD=$PWD/out/lib/libx.so ./prog; nm -D out/lib/libx.so | grep -c ' T f'; strip prog; ./prog; ldd p2 | grep -c libx; size prog | wc -l
