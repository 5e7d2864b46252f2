// Connects the controls of the page with the uploads, the feed and the cards.
import { Cards } from './cards.js';
import { follow } from './feed.js';
import { samples } from './samples.js';
import { Uploads } from './uploads.js';

const find = selector => document.querySelector(selector);
const settings = await (await fetch('api/settings')).json();
const cards = new Cards(settings);
const uploads = new Uploads(settings, addFault, showUploading);

find('#limits').textContent = `${settings.known}, up to ${settings.maxFileBytes / 1024 / 1024} MB each`;
find('[data-server]').textContent = settings.server;
if (settings.map) {
  find('#map').href = settings.map;
  find('#map').hidden = false;
}

find('#choose').addEventListener('click', () => find('#files').click());
find('#files').addEventListener('change', event => {
  addFiles(event.target.files);
  event.target.value = '';
});
find('#generate').addEventListener('click', () => uploads.add(samples(60)));
find('#cancel-all').addEventListener('click', () => {
  uploads.stop();
  fetch('api/pictures', { method: 'DELETE' });
});
find('#clear').addEventListener('click', () => {
  clearFaults();
  fetch('api/pictures/finished', { method: 'DELETE' });
});

// Files can be dropped anywhere on the page. The browser would open a file that is dropped beside the area.
addEventListener('dragover', event => {
  event.preventDefault();
  find('#drop').dataset.over = 'true';
});
addEventListener('dragleave', event => {
  if (!event.relatedTarget) {
    delete find('#drop').dataset.over;
  }
});
addEventListener('drop', event => {
  event.preventDefault();
  delete find('#drop').dataset.over;
  addFiles(event.dataTransfer.files);
});

follow(changes => {
  cards.apply(changes);
  showFigures();
}, state => {
  const link = find('#link');
  if (link.dataset.state !== state) {
    link.dataset.state = state;
    link.textContent = state === 'live' ? 'Live' : 'Connection lost';
  }
});

function addFiles(files) {
  clearFaults();
  uploads.add([...files].map(file => ({ name: file.name, open: async () => file })));
}

function addFault(name, reason) {
  const item = document.createElement('li');
  const title = document.createElement('strong');
  title.textContent = name;
  item.append(title, ` ${reason}`);
  find('#faults').append(item);
  find('#faults').hidden = false;
}

function clearFaults() {
  find('#faults').replaceChildren();
  find('#faults').hidden = true;
}

function showUploading(count) {
  find('#uploading').textContent = count > 0 ? `Uploading ${count}` : '';
}

function showFigures() {
  const { pictures } = cards;
  const count = state => pictures.filter(picture => picture.state === state).length;
  for (const state of ['queued', 'running', 'done', 'failed']) {
    find(`#n-${state}`).textContent = count(state);
  }
  const unfinished = count('queued') + count('running');
  find('#cancel-all').disabled = unfinished === 0;
  find('#clear').disabled = unfinished === pictures.length;
  find('#empty').hidden = pictures.length > 0;
  showFarms(pictures.filter(picture => picture.state === 'done'));
}

function showFarms(done) {
  const homes = Map.groupBy(done, picture => picture.home);
  find('#no-farms').hidden = homes.size > 0;
  find('#farms').replaceChildren(...[...homes].sort().map(([home, pictures]) => {
    const item = document.createElement('li');
    item.dataset.borrowed = String(home !== settings.server);
    const share = document.createElement('span');
    share.className = 'share';
    share.style.setProperty('--share', pictures.length / done.length);
    const workers = new Set(pictures.map(picture => picture.worker)).size;
    const text = document.createElement('span');
    text.textContent = `${workers} ${workers === 1 ? 'worker' : 'workers'} of ${home}${home === settings.server ? '' : ', borrowed'}`;
    const number = document.createElement('b');
    number.textContent = pictures.length;
    item.append(text, number, share);
    return item;
  }));
}
