# gcc and g++: assembly and objects at several levels are the cross compiler's, byte for byte
# grade=medium group=build time=240 memory=1500 expect=native factor=8
case $MATRIX_GUEST in riscv64) t=riscv64-linux-gnu ;; arm64) t=aarch64-linux-gnu ;; esac
[ "$(uname -m)" != x86_64 ] || p=$t-
cat >a.c <<'C'
#include <stddef.h>
#include <stdint.h>
struct node { struct node *next; double v; int key; };
double sum(struct node *n) { double s = 0; for (; n; n = n->next) s += n->v * n->key; return s; }
void fir(float *restrict o, const float *restrict i, const float *restrict c, int n) { for (int k = 0; k < n; k++) { float a = 0; for (int j = 0; j < 16; j++) a += i[k + j] * c[j]; o[k] = a; } }
uint64_t mix(uint64_t a, uint64_t b) { a ^= b << 13; a *= 0x9e3779b97f4a7c15; return a >> 29 | a << 35; }
int sw(int x) { switch (x) { case 1: return 5; case 2: return 9; case 3: return 77; case 7: return 1; case 8: return 4; case 9: return 3; default: return -1; } }
__int128 big(__int128 a, __int128 b) { return a / b + a % b; }
static const double table[] = { 1.1, 2.2e-308, 3.3e300, 0.1f, 1e-45 }; double get(int i) { return table[i] * 3.7; }
_Complex double cm(_Complex double a, _Complex double b) { return a * b; }
size_t str(const char *s) { size_t n = 0; while (*s++) n++; return n; }
C
cat >b.cc <<'C'
#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
struct base { virtual ~base() = default; virtual int f(int) const = 0; };
struct one : base { int f(int x) const override { return x + 1; } }; struct two : base { std::string s; int f(int x) const override { return x * (int)s.size(); } };
template <class T> T run(std::vector<T> v) { std::sort(v.begin(), v.end(), [](auto &a, auto &b) { return b < a; }); return v.at(v.size() / 2); }
std::map<std::string, std::unique_ptr<base>> m; int call(const std::string &k) { try { return m.at(k)->f(3); } catch (const std::out_of_range &) { m[k] = std::make_unique<one>(); return run<int>({3, 1, 2}); } }
double d() { return run<double>({1.5, 2.5}) + run<float>({1.f}); }
C
for o in -O0 -O2 '-O3 -ffast-math' -Os '-O2 -g' '-O2 -flto -ffat-lto-objects'; do
    for f in a.c b.cc; do
        case $f in *.c) c=gcc ;; *) c=g++ ;; esac
        ${p}$c $o -fno-ident -frandom-seed=1 -ffile-prefix-map=/usr/$t/include=/usr/include -S -o s $f || exit 1
        grep -v '^	\.file\|libstdc++\|\.section.*gnu.lto\|\.ascii\|\.string' s >t; echo "$o $f $(sha256sum <t | cut -c1-32) $(wc -l <t)"
    done
done
${p}gcc -O2 -c a.c && ${p}objdump -d a.o | sha256sum | cut -c1-32; ${p}g++ -O2 -c b.cc && ${p}objdump -dr b.o | sha256sum | cut -c1-32
printf '%s\n' '#include <stdio.h>' 'int main(int c, char **v) { return printf("hello %s\n", v[1]) != 8; }' >h.c
[ -n "$p" ] && echo hello gcc && echo hello static && exit 0
gcc -O2 -o h h.c && ./h gcc; gcc -static -o hs h.c && ./hs static
true
