-- Tables, closures, strings and numbers.  usage: tables.lua ROUNDS
local sum = 0
for turn = 1, tonumber(arg[1]) do
    local queue, seen = {}, {}
    for i = 1, 20000 do
        queue[#queue + 1] = (i * 7919 + turn) % 10007
    end
    table.sort(queue)
    for _, v in ipairs(queue) do
        seen[v] = (seen[v] or 0) + 1
    end
    local text = {}
    for i = 1, 2000 do
        text[i] = string.format("%d:%s", i, seen[i] or "-")
    end
    local joined = table.concat(text, ",")
    for a, b in joined:gmatch("(%d+):(%d)") do
        sum = (sum * 3 + a * b) % 1000003
    end
end
print(sum)
