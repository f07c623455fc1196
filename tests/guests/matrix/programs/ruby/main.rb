# Threads, queues, condition variables, fork, fibers, ractors' absence, timeouts by threads, a socket.
require "socket"
require "timeout"
count, lock = 0, Mutex.new
threads = 6.times.map { |n| Thread.new { 1000.times { lock.synchronize { count += 1 } }; n * n } }
puts "threads #{threads.map(&:value).sum} counted #{count}"
queue = Queue.new
reader = Thread.new { sum = 0; while (n = queue.pop) do sum += n end; sum }
(1..500).each { |n| queue << n }
queue << nil
puts "queue #{reader.value}"
reading, writing = IO.pipe
pid = fork { reading.close; writing.puts "from the child"; exit! 4 }
writing.close
puts reading.read
Process.wait(pid)
puts "status #{$?.exitstatus}"
begin
  Timeout.timeout(0.2) { loop {} }
rescue Timeout::Error
  puts "timed out"
end
server = TCPServer.new("127.0.0.1", 0)
echo = Thread.new { s = server.accept; s.write(s.read.reverse); s.close }
client = TCPSocket.new("127.0.0.1", server.addr[1])
client.write("kcabpool")
client.close_write
puts client.read
echo.join
fiber = Fiber.new { a, b = 0, 1; loop { Fiber.yield a; a, b = b, a + b } }
puts Array.new(15) { fiber.resume }.join(",")
trap("USR1") { puts "signal" }
Process.kill("USR1", Process.pid)
sleep 0.05
puts (1..2000).reduce(:*).digits.sum
