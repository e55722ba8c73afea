# gdb in the guest: breakpoints, backtrace, single steps, variables, a crash
# grade=brutal group=system time=120 memory=800
printf '#include <stdio.h>\nstatic int g = 5;\nint f(int x) { int y = x * 2; return y + g; }\nint main(int c, char **v) { int s = 0; for (int i = 0; i < 3; i++) s += f(i); printf("%%d\\n", s); if (c > 1) *(volatile int *)0 = 1; return 0; }\n' >p.c; gcc -g -O0 -o p p.c
gdb -q -batch -nx -ex 'set confirm off' -ex 'break f' -ex run -ex bt -ex 'print x' -ex finish -ex 'set var g = 7' -ex delete -ex next -ex continue ./p 2>&1 | grep -E '^#0|^\$|^[0-9]+$|Run till|exited|trace' | sed 's/0x[0-9a-f]*/ADDR/g; s/process [0-9]*/process/'; gdb -q -batch -nx -ex 'run x' -ex bt ./p 2>&1 | grep -c 'SIGSEGV\|main ('
