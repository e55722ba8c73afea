# ruby: threads, fibers, fork, exceptions, bignums, regexps, sockets, JSON, ERB, the collector at every allocation
# grade=medium group=runtimes time=120 memory=1500
cat >t.rb <<'R'
require 'json'; require 'socket'; require 'digest'; require 'erb'; require 'open3'; require 'zlib'; require 'set'
puts (1..200).inject(:*).to_s.size, 2**200 % 1000007, (0.1 + 0.2).to_s, 1e300 / 7, Rational(3, 7) + 2
q = Queue.new; ts = 4.times.map { |i| Thread.new { 200.times { |j| q << i * j } } }; ts.each(&:join); s = 0; s += q.pop until q.empty?; puts s
f = Fiber.new { 3.times { |i| Fiber.yield i }; :done }; puts 4.times.map { f.resume }.inspect
r, w = IO.pipe; pid = fork { r.close; w.write 'c' * 100000; exit! 7 }; w.close; puts r.read.size; Process.wait pid; puts $?.exitstatus
o, e, st = Open3.capture3('sh', '-c', 'cat; echo e >&2; exit 3', stdin_data: 'in'); puts o, e, st.exitstatus; begin; Process.spawn('/nonexistent'); rescue => x; puts x.class; end
srv = TCPServer.new('127.0.0.1', 0); t = Thread.new { c = srv.accept; c.puts c.gets.upcase; c.close }; c = TCPSocket.new('127.0.0.1', srv.addr[1]); c.puts 'hello'; puts c.gets; t.join
puts JSON.generate(JSON.parse('{"a":[1,2.5,null,"x"]}')), Digest::SHA256.hexdigest('abc')[0, 16], ERB.new('<% 3.times do |i| %><%= i * i %> <% end %>').result, 'foo bar'.gsub(/(\w)(\w+)/) { $1.upcase + $2 }, Zlib.inflate(Zlib.deflate('z' * 10000)).size
def deep(n) = deep(n + 1); begin; deep(0); rescue SystemStackError; puts 'deep'; end
h = Hash.new(0); 200000.times { |i| h[i % 977] += i }; puts h.values.max, h.size; puts (1..30000).select { |n| (2..Math.sqrt(n)).none? { |d| n % d == 0 } }.size; trap('USR1') { puts 'usr1' }; Process.kill('USR1', $$); sleep 0.1; puts ObjectSpace.count_objects[:TOTAL] > 0, GC.start.inspect
R
ruby t.rb; ruby -e 'GC.stress = true; h = Hash.new { |a, k| a[k] = k.to_s * 3 }; puts 60.times.map { |i| h[i % 7] + [i].inspect }.join.sum, GC.count > 100'
