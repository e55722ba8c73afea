# ruby: numbers, strings, blocks, exceptions, fibers, threads, processes, the collector
cat > t.rb <<'R'
require 'json'; require 'digest'; require 'set'
def fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
puts fib(20), 2**200, (1..50).reduce(:*), 7.fdiv(3), 0.1 + 0.2, 10.divmod(-3).inspect, Rational(1, 3) + 1, Complex(1, 2)**3
h = Hash.new(0); 20000.times { |i| h["k#{i * 7919 % 101}"] += i }; puts h.sort.first.inspect, h.size
puts JSON.generate({a: [1, 2.5, nil, true], 'b' => "\u00e9"}), JSON.parse('{"x":[1,{"y":2}]}').dig('x', 1, 'y'), Digest::SHA256.hexdigest('abc')
n = 0; 2000.times { |i| begin; raise ArgumentError, 'x' if i % 3 == 0; Integer('z') if i % 5 == 0; rescue ArgumentError => e; n += e.message.size; ensure n += 1; end }; puts n
f = Fiber.new { x = 0; loop { x += Fiber.yield(x) } }; f.resume; 5000.times { |i| $r = f.resume(i) }; puts $r
q = Queue.new; 4.times.map { |t| Thread.new { s = 0; 5000.times { |i| s += i ^ t }; q << s } }.each(&:join); puts 4.times.map { q.pop }.sort.inspect
puts "hello world".gsub(/o(.)?/) { "<#{$1}>" }, "%08.3f|%x|%-5s|" % [3.14159, 255, 'ab'], [3, 1, 2].sort_by { -_1 }.inspect, Set[1, 2, 2].size
def deep(n) = deep(n + 1)
begin; deep(0); rescue SystemStackError => e; puts e.class; end
20000.times { |i| $x = [i, i.to_s, {i => i}] }; GC.start; puts GC.count > 0
puts `echo child`, $?.exitstatus; pid = fork { exit 7 }; Process.wait(pid); puts $?.exitstatus
trap('USR1') { puts 'usr1' }; Process.kill('USR1', Process.pid); sleep 0.05
case {name: 'x', v: [1, 2, 3]}
in {name: String => s, v: [_, *r]} then p s, r
end
R
ruby t.rb
