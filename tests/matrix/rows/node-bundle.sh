# node runs a server, workers, streams, crypto; rollup and esbuild bundle modules and the bundles run
# grade=medium group=runtimes time=200 memory=3000
mkdir m; for i in $(seq 1 40); do echo "import { f$((i + 1)) } from './m$((i + 1)).mjs'; export const f$i = x => f$((i + 1))(x + $i);" >m/m$i.mjs; done; echo 'export const f41 = x => x * 2; export const unused = () => 1;' >m/m41.mjs; printf "import { f1 } from './m1.mjs';\nconsole.log(f1(1));\n" >m/main.mjs
node m/main.mjs; rollup -i m/main.mjs -f cjs -o r.cjs --silent && node r.cjs && grep -c unused r.cjs; esbuild --bundle --minify --platform=node --outfile=e.cjs m/main.mjs --log-level=error && node e.cjs && wc -c <e.cjs
cat >s.js <<'J'
const http = require('http'), { Worker, isMainThread, parentPort, workerData } = require('worker_threads'), zlib = require('zlib'), crypto = require('crypto'), { pipeline } = require('stream/promises'), fs = require('fs'), cp = require('child_process');
if (!isMainThread) { let s = 0; for (let i = 0; i < 1e6; i++) s = (s + i * workerData) | 0; parentPort.postMessage(s); return }
(async () => {
    console.log((await Promise.all([1, 2, 3].map(n => new Promise(r => new Worker(__filename, { workerData: n }).on('message', r))))).join());
    const srv = http.createServer((q, r) => { let n = 0; q.on('data', d => n += d.length).on('end', () => r.end(q.method + q.url + n)) }).listen(0, '127.0.0.1'); await new Promise(r => srv.on('listening', r));
    const u = 'http://127.0.0.1:' + srv.address().port; const a = await Promise.all([...Array(20).keys()].map(i => fetch(u + '/' + i, { method: 'POST', body: 'x'.repeat(i * 1000) }).then(r => r.text()))); console.log(a[0], a[19]); srv.closeAllConnections(); srv.close();
    fs.writeFileSync('big', 'line\n'.repeat(200000)); await pipeline(fs.createReadStream('big'), zlib.createGzip(), fs.createWriteStream('big.gz')); console.log(zlib.gunzipSync(fs.readFileSync('big.gz')).length);
    console.log(crypto.scryptSync('p', 's', 16).toString('hex'), crypto.createHash('sha512').update('abc').digest('hex').slice(0, 16)); const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519'); console.log(crypto.verify(null, 'm', publicKey, crypto.sign(null, 'm', privateKey)));
    console.log(cp.execSync('echo child; exit 0').toString().trim(), cp.spawnSync('sh', ['-c', 'kill -9 $$']).signal); try { cp.execFileSync('/nonexistent') } catch (e) { console.log(e.code) }
    let o = {}; for (let i = 0; i < 2e5; i++) o['k' + i % 5000] = (o['k' + i % 5000] || 0) + i; console.log(Object.keys(o).length, JSON.stringify(o).length); let f = n => n < 2 ? n : f(n - 1) + f(n - 2); console.log(f(27));
})();
J
node s.js; node -e 'setTimeout(() => process.kill(process.pid, "SIGTERM"), 50); process.on("SIGTERM", () => { console.log("term"); process.exit(3) }); setInterval(() => {}, 1000)'; echo $?
