# python: asyncio servers and subprocesses, selectors, signals, sockets, ssl with its own certificate, threads
# grade=medium time=90
openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >t.py <<'P'
import asyncio, ssl, signal, os, threading, queue, socket, ctypes, decimal, json, zlib, hashlib
async def main():
    async def serve(r, w):
        while (l := await r.readline()): w.write(l.upper()); await w.drain()
        w.close()
    srv = await asyncio.start_server(serve, '127.0.0.1', 0); port = srv.sockets[0].getsockname()[1]
    async def client(i):
        r, w = await asyncio.open_connection('127.0.0.1', port); out = 0
        for j in range(20): w.write(f'hello {i} {j}\n'.encode()); out += len(await r.readline())
        w.close(); return out
    print(sum(await asyncio.gather(*(client(i) for i in range(30)))))
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); ctx.load_cert_chain('c', 'k')
    tls = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=ctx); c = ssl.create_default_context(cafile='c')
    r, w = await asyncio.open_connection('127.0.0.1', tls.sockets[0].getsockname()[1], ssl=c, server_hostname='localhost')
    w.write(b'secret\n'); print(await r.readline(), w.get_extra_info('cipher')[1]); w.close()
    p = await asyncio.create_subprocess_exec('cat', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print(len((await p.communicate(b'z' * 300000))[0]), p.returncode)
    e = asyncio.Event(); asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, e.set); os.kill(os.getpid(), signal.SIGUSR1); await asyncio.wait_for(e.wait(), 5); print('signal')
    print(await asyncio.get_running_loop().run_in_executor(None, lambda: sum(range(10 ** 5))))
asyncio.run(main())
q = queue.Queue(); ts = [threading.Thread(target=lambda: [q.put(i) for i in range(500)]) for _ in range(8)]; [t.start() for t in ts]; [t.join() for t in ts]; print(q.qsize())
libc = ctypes.CDLL(None); cb = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)); a = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
libc.qsort(a, 5, 4, cb(lambda x, y: x[0] - y[0])); print(list(a)); decimal.getcontext().prec = 50; print(decimal.Decimal(2).sqrt()); print(hashlib.blake2b(b'abc').hexdigest()[:16], zlib.crc32(b'abc'))
P
python3 t.py
