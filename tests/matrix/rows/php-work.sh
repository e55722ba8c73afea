# php: classes, generators, regexps, JSON, the built-in web server, opcache, processes
# grade=medium group=runtimes time=120 memory=1000
. /matrix/lib.sh
cat >t.php <<'P'
<?php
function gen($n) { for ($i = 0; $i < $n; $i++) yield $i => $i * $i; } $s = 0; foreach (gen(200000) as $k => $v) $s += $v % 7; echo $s, "\n"; abstract class A { abstract function f(int $x): int; } class B extends A { function __construct(private int $k) {} function f(int $x): int { return $x * $this->k; } } echo (new B(6))->f(7), "\n";
$a = range(1, 50000); usort($a, fn($x, $y) => ($x * 7919 % 50021) <=> ($y * 7919 % 50021)); echo $a[0], ' ', $a[49999], "\n"; echo json_encode(['a' => 1.5, 'b' => [true, null, "é"]]), preg_replace('/(\w+) (\w+)/', '$2 $1', 'hello world'), ' ', md5('abc'), ' ', hash('sha256', 'abc') === 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' ? 'ok' : 'bad', "\n";
try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo get_class($e), "\n"; } echo match(true) { PHP_INT_SIZE === 8 => '64', default => '32' }, ' ', 0.1 + 0.2, ' ', PHP_INT_MAX + 1, ' ', 7 <=> 3, "\n"; $p = proc_open(['sh', '-c', 'cat; exit 4'], [['pipe', 'r'], ['pipe', 'w']], $pipes); fwrite($pipes[0], 'data'); fclose($pipes[0]); echo stream_get_contents($pipes[1]), proc_close($p), "\n"; $f = new Fiber(function () { $x = Fiber::suspend(1); echo $x, "\n"; }); echo $f->start(); $f->resume(' fiber'); echo number_format(1234567.891, 2), ' ', date('Y-m-d', 0), ' ', strrev('abc'), ' ', levenshtein('kitten', 'sitting'), "\n";
P
php=$(ls /usr/bin/php8* | head -n 1); $php t.php; $php -d opcache.enable_cli=1 -d opcache.jit=off t.php | md5sum; echo '<?php echo "served ", $_GET["x"], " ", strlen(file_get_contents("php://input"));' >index.php; $php -S 127.0.0.1:8000 >/dev/null 2>&1 & p=$!
ready python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8000))'; python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8000/?x=5", data=b"y" * 5000).read().decode())'; kill $p
