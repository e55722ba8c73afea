# clang: assembly of C and C++ for this guest is the amd64 clang's, byte for byte; lld links; llvm tools agree
# grade=medium group=build time=300 memory=2500 expect=native engines="qemu auto bt"
case $MATRIX_GUEST in riscv64) t=riscv64-linux-gnu; a='-march=rv64gc -mabi=lp64d' ;; arm64) t=aarch64-linux-gnu a= ;; esac
cat >a.c <<'C'
typedef unsigned long u; struct s { u a, b; float f[8]; }; 
u f(u n) { u x = 1; for (u i = 0; i < n; i++) x = x * 6364136223846793005u + i; return x; }
float dot(const float *a, const float *b, int n) { float s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; return s; }
int sw(int x) { switch (x & 15) { case 0: return 3; case 1: return 9; case 2: return x * 7; case 5: return -x; default: return x / 3; } }
struct s g(struct s v, int k) { v.f[k & 7] *= 2.5f; v.a ^= v.b >> 3; return v; }
double h(double x) { return x > 0 ? x * x : __builtin_fma(x, 2, 1); }
C
cat >b.cc <<'C'
struct B { virtual int f(int) = 0; virtual ~B() {} }; template <int N> struct D : B { int v[N]; int f(int x) override { int s = 0; for (int i : v) s += i * x; return s; } };
int run(B *b) { try { return b->f(3); } catch (int e) { return e; } } B *make(int k) { if (k) return new D<4>{}; return new D<9>{}; } auto lam = [](auto a, auto b) { return a < b ? a : b; }; long use(long x) { return lam(x, 5L) + lam(2, 3); }
C
for o in -O0 -O2 '-O3 -ffast-math' -Oz; do for f in a.c b.cc; do clang --target=$t $a $o -fno-ident -ffreestanding -nostdinc -S -o s $f || exit 1; grep -v '\.ident\|\.file' s | sha256sum | cut -c1-24; done; done
clang --target=$t $a -O2 -S -emit-llvm -ffreestanding -nostdinc -o a.ll a.c && llc -O3 a.ll -o s && grep -v ident s | sha256sum | cut -c1-24; opt -O2 -S a.ll -o s && sha256sum <s | cut -c1-24
clang --target=$t $a -O1 -ffreestanding -nostdinc -c -o a.o a.c; printf 'long f(long); void _start(void) { f(3); for (;;); }\n' >m.c; clang --target=$t $a -O1 -ffreestanding -c -o m.o m.c; ld.lld -o x a.o m.o --build-id=none && sha256sum <x | cut -c1-24; llvm-objdump -d x >s && tail -n +4 s | sha256sum | cut -c1-24; llvm-nm x | wc -l
