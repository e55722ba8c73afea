# php: arrays, strings, closures, generators, exceptions, hashing, json, processes
cat > t.php <<'P'
<?php
function fib($n) { return $n < 2 ? $n : fib($n - 1) + fib($n - 2); }
echo fib(20), ' ', PHP_INT_MAX + 1, ' ', intdiv(-7, 2), ' ', 7 <=> 3, ' ', 0.1 + 0.2, ' ', 1e100, "\n";
$a = []; for ($i = 0; $i < 50000; $i++) $a['k' . $i * 7919 % 101] = ($a['k' . $i * 7919 % 101] ?? 0) + $i; ksort($a); echo count($a), ' ', key($a), ' ', current($a), "\n";
function gen($n) { for ($i = 0; $i < $n; $i++) { $x = yield $i * $i; if ($x) return $x; } } echo array_sum(iterator_to_array(gen(1000))), "\n";
$n = 0; for ($i = 0; $i < 3000; $i++) try { if ($i % 3 == 0) throw new DomainException('d'); if ($i % 7 == 0) intdiv(1, 0); } catch (DomainException $e) { $n++; } catch (DivisionByZeroError $e) { $n += 1000; } finally { $n += 2; } echo $n, "\n";
echo json_encode(['a' => [1, 2.5, null, true], 'b' => "\u{e9}"]), ' ', md5('abc'), ' ', hash('sha256', 'abc'), ' ', crc32('abc'), "\n";
echo preg_replace_callback('/(\w+) (\w+)/', fn($m) => strtoupper($m[2]) . ' ' . $m[1], 'hello world again now'), ' ', sprintf('%08.3f|%x|%-5s|', 3.14159, 255, 'ab'), "\n";
$s = ''; for ($i = 0; $i < 20000; $i++) $s .= chr(97 + $i % 26); echo strlen($s), ' ', substr_count($s, 'xyz'), ' ', strrev(substr($s, 0, 5)), ' ', similar_text('World', 'Word'), "\n";
$b = range(1, 10); usort($b, fn($x, $y) => $y <=> $x); $b = array_map(null, [3, 1, 2], ['a', 'b', 'c']); sort($b); echo serialize($b), "\n";
$h = proc_open(['echo', 'child'], [1 => ['pipe', 'w']], $p); mt_srand(42); echo mt_rand(), ' ', mt_rand(1, 100), ' ', trim(stream_get_contents($p[1])), "\n"; exit(3);
P
php8.4 -d display_errors=0 -d error_reporting=0 t.php
