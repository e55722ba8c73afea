# lua, gawk, mawk, sed, grep -P, bc-like arithmetic: text and numbers
# grade=basic time=60
lua5.4 -e 'local t = {} for i = 1, 2e5 do t[i] = (i * 7919) % 100003 end table.sort(t) local s = 0 for i, v in ipairs(t) do s = s ~ (v * i) end print(s, 7 // 2, -7 % 3, 2^53, 1e15 / 3, math.maxinteger + 1 == math.mininteger)
local co = coroutine.wrap(function() for i = 1, 1e5 do coroutine.yield(i) end end) local n = 0 for _ = 1, 1e5 do n = n + co() end print(n) print(pcall(error, {}), select("#", table.unpack({}, 1, 100))) print(("x"):rep(10, ","), string.format("%q %a", "a\n", 0.1), ("hello world"):gsub("o", "0"))'
gawk 'BEGIN { for (i = 0; i < 200000; i++) { a[i % 1000] += i; s = s substr("abc", i % 3 + 1, 1) } n = asort(a); print n, a[1], a[n], length(s), sqrt(2), exp(1), sin(1), strftime("%F", 0, 1), gensub(/(a)(b)/, "\\2\\1", "g", "abab"); printf "%.17g %d %x %c\n", 0.1, 2^53, 255, 65 }'
mawk 'BEGIN { for (i = 0; i < 100000; i++) x[i] = i * i; for (k in x) t += x[k]; print t; print substr("hello", 2, 3), index("abc", "c"), match("foobar", /o+/), RSTART, RLENGTH }'
seq 1 50000 | sed -n 's/^\(.*\)\(.\)$/\2\1/p' | sort -n | tail -n 1; seq 1 50000 | grep -cP '^(?=.*7)(?!.*3)\d+$'; seq 1 100000 | grep -Ec '(12|34).*5'; seq 100 | sed '1~3d;$!N;s/\n/-/' | head -n 2
