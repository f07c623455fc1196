// Workers, shared memory, timers, an HTTP server with its client, a loop for the JIT, and a child process.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
const { spawn } = require('node:child_process');

if (!isMainThread) {
  const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  const cell = new Int32Array(workerData.shared);
  for (let i = 0; i < 10000; i++) Atomics.add(cell, 0, 1);
  parentPort.postMessage({ number: workerData.number, fib: fib(17 + workerData.number) });
} else {
  main();
}

async function main() {
  const shared = new SharedArrayBuffer(4);
  const answers = await Promise.all([0, 1, 2, 3].map((number) => new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { number, shared } });
    worker.on('message', resolve);
    worker.on('error', reject);
  })));
  answers.sort((a, b) => a.number - b.number);
  console.log('workers', answers.map((a) => a.number).join('+'), answers.map((a) => a.fib).join(','));
  console.log('shared', new Int32Array(shared)[0]);

  const order = [];
  await new Promise((done) => {
    setTimeout(() => order.push(3), 1200);
    setTimeout(() => order.push(1), 5);
    setTimeout(() => order.push(2), 400);
    setTimeout(() => setImmediate(() => { order.push('immediate'); done(); }), 1800);
  });
  let left = 3;
  await new Promise((done) => {
    const interval = setInterval(() => { order.push('interval'); if (!--left) { clearInterval(interval); done(); } }, 5);
  });
  console.log('timers', order.join(' '));

  let posted = 0;
  const server = http.createServer((request, response) => {
    request.on('data', (part) => { posted += part.length; });
    request.on('end', () => response.end(request.url.repeat(100)));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const ask = (path, body) => new Promise((resolve, reject) => {
    const options = { port: server.address().port, host: '127.0.0.1', path, method: body ? 'POST' : 'GET' };
    const request = http.request(options, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    request.end(body);
  });
  const texts = await Promise.all(Array.from({ length: 20 }, (_, i) => ask('/' + i, i === 7 ? Buffer.alloc(65536) : null)));
  server.close();
  console.log('http', texts.filter((t, i) => t === `/${i}`.repeat(100)).length, 'answers,', new Set(texts).size, 'different,',
              posted, 'bytes posted');

  let state = 12345, sum = 0;
  const hot = (x) => (Math.imul(x, 1664525) + 1013904223) >>> 0;
  for (let i = 0; i < 20_000_000; i++) { state = hot(state); sum = (sum + (state & 0xffff) * 0.5) % 4294967296; }
  console.log('jit', Math.floor(sum) >>> 0, state);

  const child = spawn('sh', ['-c', 'cat; exit 0']);
  let heard = '';
  child.stdout.on('data', (part) => { heard += part; });
  child.stdin.end('a3f1');
  child.on('close', (status) => console.log('streams', heard, 'closed', status));
}
