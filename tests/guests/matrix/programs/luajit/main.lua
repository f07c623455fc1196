-- Loops that a trace compiler takes: integers, floats, tables, strings, and a sieve.
local bit = require("bit")
local x = 1
for i = 1, 3e6 do x = bit.bxor(bit.tobit(x * 33 + i), bit.rol(x, 5)) end
print("bits", x)
local s = 0
for i = 1, 3e6 do s = s + math.sin(i) * 1e-3 end
print("floats", string.format("%.9f", s))
local sieve, primes = {}, 0
for n = 2, 3e5 do
  if not sieve[n] then primes = primes + 1; for m = n * n, 3e5, n do sieve[m] = true end end
end
print("primes", primes)
local words = {}
for i = 1, 1e5 do words[#words + 1] = tostring(i % 97) end
local text = table.concat(words)
print("text", #text, select(2, text:gsub("13", "")))
local co = coroutine.wrap(function() for i = 1, 1e5 do coroutine.yield(i) end return -1 end)
local sum = 0
for v in co do if v < 0 then break end sum = sum + v end
print("coroutine", sum)
