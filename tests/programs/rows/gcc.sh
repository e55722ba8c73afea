# gcc and g++: compile, assemble, link, and run what came out; warnings; make -j4
cat > a.c <<'X'
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
struct n { struct n *l, *r; int v; };
static struct n *ins(struct n *t, int v) { if (!t) { t = calloc(1, sizeof *t); t->v = v; } else if (v < t->v) t->l = ins(t->l, v); else t->r = ins(t->r, v); return t; }
static long sum(struct n *t, int d) { return t ? t->v * d + sum(t->l, d + 1) + sum(t->r, d + 1) : 0; }
int main(void) { struct n *t = 0; unsigned x = 1; for (int i = 0; i < 1000; i++) { x = x * 1103515245u + 12345u; t = ins(t, x >> 16 & 0x7fff); } printf("%ld %.12f\n", sum(t, 1), pow(2.0, 0.3) + sin(1)); return 42; }
X
gcc -O2 -Wall a.c -o a -lm && ./a; echo "status $?"
gcc -O0 -g -static a.c -o b -lm && ./b; echo "status $?"
cat > c.cc <<'X'
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>
#include <stdexcept>
#include <atomic>
int main() { std::map<std::string, int> m; for (auto s : {"x", "y", "x"}) m[s]++; for (auto &[k, v] : m) std::cout << k << v << ' ';
 std::atomic<int> n{0}; std::vector<std::thread> t; for (int i = 0; i < 4; i++) t.emplace_back([&] { for (int j = 0; j < 1000; j++) n++; }); for (auto &x : t) x.join();
 try { throw std::runtime_error("thrown"); } catch (std::exception &e) { std::cout << e.what() << ' ' << n << '\n'; } }
X
g++ -O1 c.cc -o c && ./c
mkdir m; cd m; for i in 1 2 3 4 5 6; do echo "int f$i(void) { return $i; }" > f$i.c; done
{ for i in 1 2 3 4 5 6; do echo "int f$i(void);"; done; echo '#include <stdio.h>'; echo 'int main(void) { printf("%d\n", f1()+f2()+f3()+f4()+f5()+f6()); }'; } > main.c
printf 'prog: f1.o f2.o f3.o f4.o f5.o f6.o main.o\n\tgcc -o $@ $^\n' > Makefile
make -s -j4 && ./prog; make -n -s prog | wc -l; ar rcs l.a f1.o f2.o; nm l.a | grep -c ' T '; strip prog; ./prog; echo 'int main(void){return x;}' | gcc -xc - 2>&1 | grep -c error
