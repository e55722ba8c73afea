# luajit: the trace compiler on tables, strings, FFI, coroutines, side exits, error unwinding
cat > t.lua <<'L'
jit.opt.start(3, "hotloop=4", "hotexit=2")
local bit, ffi = require "bit", require "ffi"
local a = {} for i = 1, 20000 do a[i] = (i * 7919) % 10007 end table.sort(a) print(a[1], a[10000], a[20000])
local s, n = {}, 0 for i = 1, 5000 do s[#s + 1] = string.format("%x", i); n = n + #s[#s] end print(n, #table.concat(s), (table.concat(s):gsub("ff", "")):sub(-10))
ffi.cdef [[ typedef struct { int32_t x; double y; uint8_t b[16]; } point; int abs(int); size_t strlen(const char *);
void qsort(void *, size_t, size_t, int (*)(const int *, const int *)); ]]
local p, sum = ffi.new("point[100]"), 0 for r = 1, 200 do for i = 0, 99 do p[i].x = p[i].x + i; p[i].y = p[i].y + i * 0.5; p[i].b[i % 16] = r end end
for i = 0, 99 do sum = sum + p[i].x + p[i].y + p[i].b[i % 16] end print(sum, ffi.sizeof "point", ffi.C.abs(-5), tonumber(ffi.C.strlen("dragoman")))
local q = ffi.new("int[6]", 5, 3, 9, 1, 7, 2) ffi.C.qsort(q, 6, 4, function(x, y) return x[0] - y[0] end) print(q[0], q[1], q[2], q[3], q[4], q[5])
local co = coroutine.wrap(function() local x = 0 while true do x = x + (coroutine.yield(x) or 0) end end) co() local last for i = 1, 20000 do last = co(i) end print(last)
local h = 0 for i = 1, 300000 do h = bit.bxor(bit.rol(h, 5), i) end print(h, bit.tohex(h))
local u = 0ULL for i = 1, 100000 do u = u * 6364136223846793005ULL + 1442695040888963407ULL end print(u)
local f = 0 for i = 1, 200000 do f = f + (i % 3 == 0 and math.sqrt(i) or i % 7 == 0 and -i or 1) end print(string.format("%.6f", f))
local ok = 0 for i = 1, 2000 do local good, e = pcall(function() if i % 3 == 0 then error({i}) end return i end) ok = ok + (good and 1 or e[1]) end print(ok)
local mt = setmetatable({}, {__index = function(_, k) return k * 2 end, __add = function(x, y) return 42 end}) local m = 0 for i = 1, 10000 do m = m + mt[i] + (mt + mt) end print(m)
local t = {} for i = 1, 50000 do t[i % 100 .. ""] = {i, tostring(i)} end collectgarbage() local c = 0 for k, v in pairs(t) do c = c + v[1] end print(c)
L
luajit t.lua; luajit -joff t.lua | sha256sum; luajit t.lua | sha256sum
