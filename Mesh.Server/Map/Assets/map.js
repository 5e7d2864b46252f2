// The page: shows the status of one server and updates it live.

import { Chart } from './chart.js';
import { follow, read, token } from './feed.js';
import { Loans } from './loans.js';
import { Stage } from './stage.js';
import { showSchedules, showTypes } from './tables.js';

const byId = id => document.getElementById(id);
const TASK_WIDTH = 7; // width of one waiting task in the queue bar, pixels
const RATE_OVER = 3; // the throughput is a mean over this many seconds
const NEWS_AT_ONCE = 4;
const SCHEDULES_EVERY = 5000; // milliseconds

let status = null;
let clockOffset = 0;
let live = false;
const done = [];
const news = [];

const serverTime = () => Date.now() + clockOffset;
const stage = new Stage();
const loans = new Loans(server => stage.hue(server), sentence => news.push(sentence));
const waiting = new Chart('c-queue', 'Tasks that wait', 20);
const rate = new Chart('c-rate', 'Tasks done per second', 10);

function setLink(state, text) {
  live = state === 'live';
  byId('link').dataset.state = state;
  if (byId('link-text').textContent !== text) byId('link-text').textContent = text;
  byId('map').classList.toggle('stale', !live);
}

function setNumber(id, value) {
  const text = value.toLocaleString();
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function showPaused(paused) {
  if (byId('paused').hidden === !paused) return;
  byId('paused').hidden = !paused;
  news.push(paused ? 'The server is paused: it takes no new tasks.' : 'The server takes new tasks again.');
}

function show(next) {
  status = next;
  document.title = `${next.id} · mesh map`;
  byId('server').textContent = next.id;
  byId('address').textContent = next.advertise;
  showPaused(next.paused);
  setNumber('n-queue', next.queue);
  waiting.tell(next.queue);
  setNumber('n-scheduled', next.scheduled);
  setNumber('n-running', next.running);
  setNumber('n-done', next.done);
  setNumber('n-dead', next.dead);
  byId('n-dead').classList.toggle('bad', next.dead > 0);
  byId('belt-tasks').style.width = `${next.queue * TASK_WIDTH}px`;
  byId('map').hidden = false;
  showTypes(next.types);
  stage.show(next, serverTime());
  loans.show(next, serverTime());
}

function tick() {
  if (!status || !live) return;
  done.push(status.done);
  if (done.length > RATE_OVER + 1) done.shift();
  const perSecond = done.length > 1 ? Math.max(0, (done.at(-1) - done[0]) / (done.length - 1)) : 0;
  waiting.add(status.queue);
  rate.add(perSecond);
  setNumber('n-rate', Math.round(perSecond));
  stage.tick(serverTime());
  loans.tick(serverTime());
  if (news.length > 0) {
    const more = news.length - NEWS_AT_ONCE;
    byId('news').textContent = news.splice(0).slice(0, NEWS_AT_ONCE).join(' ') + (more > 0 ? ` And ${more} more.` : '');
  }
}

async function readSchedules() {
  if (!live || document.hidden) return;
  const schedules = await read('/schedules');
  if (schedules) showSchedules(schedules);
}

async function opened(offset) {
  clockOffset = offset;
  const settings = await read('/map/settings');
  loans.dashboard = settings?.dashboard ?? null;
  if (settings) {
    waiting.setMarks([settings.highMark, settings.lowMark]);
    byId('belt-text').textContent = `borrows above ${settings.highMark}, releases at ${settings.lowMark}`;
    byId('belt-mark').style.left = `${settings.highMark * TASK_WIDTH}px`;
  }
  done.length = 0;
  byId('forget').hidden = !token.get();
  setLink('live', 'Live');
  await readSchedules();
}

/** Shows the token form. Resolves when the user has entered a token. */
function ask(refused) {
  setLink('locked', 'Locked');
  byId('map').hidden = true;
  byId('forget').hidden = true;
  byId('gate').hidden = false;
  byId('gate-fault').textContent = refused ? 'That is not this server\'s token.' : '';
  byId('token').value = '';
  byId('token').focus();
  return new Promise(resolve => {
    byId('gate').addEventListener('submit', event => {
      event.preventDefault();
      token.set(byId('token').value.trim());
      byId('gate').hidden = true;
      setLink('connecting', 'Connecting');
      resolve();
    }, { once: true });
  });
}

byId('forget').addEventListener('click', () => {
  token.forget();
  location.reload();
});
setInterval(tick, 1000);
setInterval(readSchedules, SCHEDULES_EVERY);
for (;;) {
  await follow({ opened, status: show, away: reason => setLink('away', `${reason}; trying again`) });
  const refused = token.get() !== null;
  token.forget();
  await ask(refused);
}
