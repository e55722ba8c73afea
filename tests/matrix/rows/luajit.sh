# luajit: its compiler on loops, tables, strings; FFI calls of libc with callbacks
# grade=hard group=runtimes time=120 memory=800
command -v luajit >/dev/null || { echo 'no luajit for this machine' >&2; exit 77; }
cat >t.lua <<'L'
local ffi, bit = require 'ffi', require 'bit'; ffi.cdef[[ int getpid(void); size_t strlen(const char *); void qsort(void *, size_t, size_t, int (*)(const int *, const int *)); typedef struct { double x, y; int n; } p; ]]
local s = 0; for i = 1, 5e6 do s = bit.bxor(s, i * 31 % 65521) end print(s); local a = ffi.new('p[1000]'); for k = 1, 200 do for i = 0, 999 do a[i].x = a[i].x + i * 0.5; a[i].n = a[i].n + 1 end end print(a[999].x, a[5].n)
print(tonumber(ffi.C.strlen('hello')), ffi.C.getpid() > 0); local v = ffi.new('int[6]', 5, 2, 9, 1, 7, 3); ffi.C.qsort(v, 6, 4, function(x, y) return x[0] - y[0] end); print(v[0], v[5]); local t = {} for i = 1, 3e5 do t[#t + 1] = tostring(i):reverse() end table.sort(t); print(t[1], t[#t], #table.concat(t)); print(pcall(function() local x = nil; return x.y end)); local co = coroutine.wrap(function() for i = 1, 1e6 do coroutine.yield(i) end end); local c = 0; for i = 1, 1e6 do c = c + co() end; print(c); local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end print(fib(30), 2^53, 1e15 / 3, 0.1 + 0.2)
L
luajit t.lua; luajit -joff t.lua | md5sum
