# numpy: linear algebra, FFT, random streams, broadcasting, files; bits known where exact
# grade=medium group=runtimes time=150 memory=1500
l=/usr/lib/$(case $(uname -m) in riscv64) echo riscv64 ;; aarch64) echo aarch64 ;; *) echo x86_64 ;; esac)-linux-gnu; [ -e $l/libblas.so.3 ] || ln -s blas/libblas.so.3 $l/libblas.so.3; [ -e $l/liblapack.so.3 ] || ln -s lapack/liblapack.so.3 $l/liblapack.so.3
cat >t.py <<'P'
import numpy as np, io, threading
r = np.random.Generator(np.random.PCG64(7)); a = r.integers(0, 100, (60, 60)); print(a.sum(), (a @ a).sum(), np.linalg.matrix_rank(a.astype(float))); x = r.standard_normal(1000); print(r.random(3).tolist())
m = r.random((80, 80)) + np.eye(80) * 10; b = m @ np.arange(80); print(np.allclose(np.linalg.solve(m, b), np.arange(80)), np.allclose(np.linalg.inv(m) @ m, np.eye(80))); u, s, v = np.linalg.svd(m); print(np.allclose(u * s @ v, m), round(float(np.linalg.det(np.array([[2., 1], [7, 4]]))), 9)); w = np.linalg.eigvalsh((m + m.T) / 2); print(w.shape)
f = np.fft.fft(x); print(np.allclose(np.fft.ifft(f).real, x), np.fft.rfft(np.arange(8.)).round(6).tolist()[1]); print(np.sort(a.ravel())[::400].tolist(), np.unique(a).size, np.argsort([3, 1, 2], kind='stable').tolist()); print(np.nanmean([1, np.nan, 3]), np.float32(0.1) + np.float32(0.2), np.float64(1e-320), (np.array([1, 2, 200], np.uint8) * 2).tolist(), np.array([1.5, 2.5, -0.5]).round().tolist())
with np.errstate(all='raise'):
    for e in ('np.float64(1) / np.float64(0)', 'np.float64(1e308) * 10', 'np.float64(-1) ** 0.5'):
        try: eval(e)
        except FloatingPointError as x: print(str(x).split(' encountered')[0])
o = io.BytesIO(); np.save(o, a); o.seek(0); print((np.load(o) == a).all()); ts = [threading.Thread(target=lambda: np.dot(m, m)) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(np.einsum('ij,jk->', a, a), np.cumsum(np.arange(1e5)).max(), np.where(a > 95)[0].size, np.convolve([1, 2, 3], [0, 1, .5]).tolist()); print(np.frombuffer(b'\x00\x01\x02\x03', '>u2').tolist(), np.float16(65504) , np.longdouble(1) / 4)
P
python3 t.py 2>&1
