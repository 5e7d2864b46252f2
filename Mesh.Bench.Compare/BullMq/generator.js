// Submits jobs to BullMQ and runs its workers. GeneratorProcess.cs describes the lines that it reads and writes.
'use strict';

const readline = require('node:readline');
const { Queue, Worker } = require('bullmq');

const [port, connections, slots, warmup, warmupLimit, tasks, batch, submitters] = process.argv.slice(2).map(Number);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const queue = new Queue('tasks', { connection });
let completed = 0;
let target = 0;
let onTarget = () => {};

function createWorker() {
  const worker = new Worker('tasks', async () => 0, { connection, concurrency: slots });
  worker.on('completed', () => {
    completed++;
    if (completed === target) {
      onTarget();
    }
  });
  worker.on('error', fail);
  return worker;
}

async function run(first, end) {
  const all = new Promise(resolve => {
    target = end;
    onTarget = resolve;
  });
  let next = first;
  const submit = async () => {
    while (next < end) {
      const start = next;
      next += batch;
      const jobs = [];
      for (let task = start; task < Math.min(start + batch, end); task++) {
        jobs.push({ name: 'task', data: { user: `${task}` } });
      }

      await queue.addBulk(jobs);
    }
  };
  await Promise.all(Array.from({ length: submitters }, submit));
  if (completed < end) {
    await all;
  }
}

async function warmUp() {
  const limit = Date.now() + warmupLimit * 1000;
  let done = 0;
  while (done < warmup && Date.now() < limit) {
    const end = Math.min(done + batch * submitters, warmup);
    await run(done, end);
    done = end;
  }

  return done;
}

async function main() {
  const workers = Array.from({ length: connections }, createWorker);
  await Promise.all(workers.map(worker => worker.waitUntilReady()));
  const first = await warmUp();
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log('ready');
  if ((await lines.next()).done) {
    process.exit(1);
  }

  const began = process.hrtime.bigint();
  await run(first, first + tasks);
  console.log(Number(process.hrtime.bigint() - began) / 1e9);
  await lines.next();
  process.exit(0);
}

function fail(error) {
  console.error(error.message);
  process.exit(1);
}

main().catch(fail);
