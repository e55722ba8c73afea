# Chromium, headless: a page with scripts, workers, WebAssembly, canvas; its DOM and a screenshot
# grade=brutal group=browser time=400 memory=4000 engines="qemu auto" guests="arm64"
cat >p.html <<'H'
<!doctype html><title>t</title><body><div id=o></div><canvas id=c width=20 height=20></canvas><script>
const o = document.getElementById('o'); let s = 0; for (let i = 0; i < 1e6; i++) s = (s * 31 + i) | 0; const x = document.getElementById('c').getContext('2d'); x.fillStyle = '#f00'; x.fillRect(0, 0, 10, 10); const p = x.getImageData(5, 5, 1, 1).data;
const w = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]))); o.textContent = ['sum', s, p[0], w.exports.add(40, 2), [3, 1, 2].toSorted().join(''), getComputedStyle(o).display].join(' ');
</script></body>
H
b=$(command -v chromium-headless-shell || ls /usr/lib/chromium/headless_shell /usr/lib/chromium-headless-shell/* 2>/dev/null | head -n 1); $b --headless --no-sandbox --disable-gpu --virtual-time-budget=5000 --dump-dom file:///tmp/p.html 2>err | grep -o 'sum [^<]*'; $b --headless --no-sandbox --disable-gpu --window-size=300,200 --screenshot=/tmp/s.png file:///tmp/p.html >/dev/null 2>&1; file s.png 2>/dev/null | cut -d, -f1-2 || ls s.png; $b --headless --no-sandbox --disable-gpu --print-to-pdf=/tmp/p.pdf file:///tmp/p.html >/dev/null 2>&1; head -c 4 p.pdf; echo
