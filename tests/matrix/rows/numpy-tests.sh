# numpy's own tests of linear algebra, FFT and random streams
# grade=hard group=suites time=400 memory=1500 engines="qemu auto bt"
l=$(ls -d /usr/lib/*/blas | sed 's/.blas$//'); [ -e $l/libblas.so.3 ] || ln -s blas/libblas.so.3 $l/libblas.so.3; [ -e $l/liblapack.so.3 ] || ln -s lapack/liblapack.so.3 $l/liblapack.so.3
for m in linalg fft random; do
    python3 -m pytest -q -p no:cacheprovider -m 'not slow' -W ignore --pyargs numpy.$m >log 2>&1; s=$?
    echo "$m $s $(tail -n 1 log | grep -o '[0-9]* \(failed\|error\)' | tr '\n' ' ')"; [ $s = 0 ] || tail -n 30 log >&2
done
