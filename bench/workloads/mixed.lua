-- Lua of several kinds, as often as the argument says: recursion, tables, strings, closures and a little floating point.

local function fibonacci(n) if n < 2 then return n end return fibonacci(n - 1) + fibonacci(n - 2) end

local function sieve(limit)
    local composite, count = {}, 0
    for n = 2, limit do
        if not composite[n] then
            count = count + 1
            for multiple = n * n, limit, n do composite[multiple] = true end
        end
    end
    return count
end

local function words(n)
    local parts, seen = {}, {}
    for i = 1, n do
        local word = string.format("word%d", i * 37 % 911)
        parts[#parts + 1] = word
        seen[word] = (seen[word] or 0) + 1
    end
    local text = table.concat(parts, " ")
    local digits = select(2, text:gsub("%d+", "#"))
    table.sort(parts)
    return #text, digits, parts[n // 2], seen.word37
end

local function counter()
    local count = 0
    return function(step) count = count + step; return count end
end

local function heat(cells, steps)
    local now = {}
    for i = 1, cells do now[i] = i % 10 end
    for _ = 1, steps do
        for i = 2, cells - 1 do now[i] = now[i] + 0.25 * (now[i - 1] - 2 * now[i] + now[i + 1]) end
    end
    return string.format("%.6f", now[cells // 2])
end

for step = 1, tonumber(arg[1]) do
    local add = counter()
    for i = 1, 200000 do add(i) end
    print(step, fibonacci(22), sieve(60000), words(8000), add(0), heat(1000, 100))
end
