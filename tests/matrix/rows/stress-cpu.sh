# stress-ng: processor methods, each verified by itself
# grade=hard group=system time=300 memory=1500 engines="qemu auto bt"
for m in ackermann bitops callfunc cdouble clongdouble collatz correlate crc16 double euler explog fft fibonacci float gamma gcd gray hanoi hyperbolic idct int32 int64 int128 jmp longdouble loop matrixprod omega parity phi pi prime psi queens rand rgb sieve sqrt trig union zeta; do stress-ng --verify --cpu 1 --cpu-method $m --cpu-ops 2 -t 20 >log 2>&1; echo "$m $? $(grep -o 'passed: 1: cpu' log)"; done
