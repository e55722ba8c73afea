# lua: tables, closures, coroutines, string library, floats, collector
cat > t.lua <<'X'
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(22), 7 // 2, 7 / 2, 2^53, 1e15, math.pi, math.maxinteger)
local t = {} for i = 1, 1000 do t[#t + 1] = (i * 7919) % 1009 end table.sort(t) print(t[1], t[500], t[1000])
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end) print(co(), co(), co())
print(("hello world"):gsub("o", "0"), string.format("%5.2f|%q|%x", 3.14159, "a\nb", 255), #string.rep("ab", 100, ","))
print(pcall(error, {code = 42}), select("#", 1, nil, 3), string.pack(">I4", 258):byte(1, -1))
for i = 1, 20000 do local x = {i} end collectgarbage() print(collectgarbage("count") < 10000)
print(0/0 ~= 0/0, 1/0, -1/0, math.tointeger(3.0), 3 | 4, ~0, 1 << 62)
X
lua5.4 t.lua
