# OpenMP: contention on locks, atomics, barriers, reductions, tasks, with more threads than processors
# grade=medium group=system time=150 memory=600
cat >o.c <<'C'
#include <omp.h>
#include <stdio.h>
int fib(int n) { int a, b; if (n < 2) return n; if (n < 12) return fib(n - 1) + fib(n - 2);
#pragma omp task shared(a)
a = fib(n - 1);
#pragma omp task shared(b)
b = fib(n - 2);
#pragma omp taskwait
return a + b; }
int main(void) { long s = 0, c = 0, x = 0; double d = 0; int r = 0; omp_lock_t l; omp_init_lock(&l); static int hist[16];
#pragma omp parallel for reduction(+ : s, d) schedule(dynamic, 100)
for (int i = 0; i < 1000000; i++) { s += i % 7; d += i * 0.5; }
#pragma omp parallel num_threads(8)
{ for (int i = 0; i < 3000; i++) {
#pragma omp atomic
c++;
#pragma omp critical
x += i;
omp_set_lock(&l); hist[i % 16]++; omp_unset_lock(&l); }
#pragma omp barrier
for (int i = 0; i < 50; i++) {
#pragma omp barrier
#pragma omp single
r++; } }
int f;
#pragma omp parallel num_threads(4)
#pragma omp single
f = fib(22);
printf("%ld %.1f %ld %ld %d %d %d\n", s, d, c, x, hist[3], r, f); return 0; }
C
gcc -O2 -fopenmp -o o o.c && ./o && OMP_NUM_THREADS=6 OMP_WAIT_POLICY=active ./o && OMP_SCHEDULE=guided OMP_NUM_THREADS=3 OMP_PROC_BIND=true ./o
