// Shows each worker as a chip: at home, as a borrowed worker, or at the peer that it is lent to. A worker keeps its chip element while it is
// known, so that its moves can be animated.

const MOST = 400; // maximum number of chips
const DENSE = 40; // lists with more chips show no names
const HUES = [185, 295, 45, 140, 350, 245, 90, 20];
const FLIGHT = { duration: 900, easing: 'cubic-bezier(.3,.1,.2,1)' };

const still = matchMedia('(prefers-reduced-motion: reduce)');
const byId = id => document.getElementById(id);
const SAYS = {
  idle: 'idle',
  busy: 'busy',
  leaving: 'about to leave',
  gone: 'connection lost',
  setAside: 'set aside: it fails at tasks that other workers complete',
  lent: 'lent',
  homeward: 'on its way home',
  coming: 'on its way here',
};

export const short = id => id.replace(/^worker[_-]/i, '');

export function node(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export class Stage {
  #chips = new Map();
  #peers = new Map();
  #hues = new Map();
  #began = false;

  /** Returns the hue of a server. Servers that know the same set of servers show the same hues. */
  hue(server) {
    return this.#hues.get(server) ?? 230;
  }

  show(status, now) {
    const servers = [status.id, ...status.peers.map(peer => peer.id)].sort();
    this.#hues = new Map(servers.map((id, i) => [id, HUES[i % HUES.length]]));
    document.documentElement.style.setProperty('--self', this.hue(status.id));
    this.#showPeers(status);

    const places = this.#places(status, now);
    const animate = this.#began && !still.matches && !document.hidden && places.size <= DENSE * 3;
    const before = animate ? this.#measure() : new Map();
    this.#place(places, animate);
    if (animate) this.#fly(before);
    this.#began = true;
    this.#count(status, places);
  }

  /** Returns the list and state of each worker: the connected workers, and the workers with loans. */
  #places(status, now) {
    const places = new Map();
    for (const loan of status.loans) {
      const [peer, ours] = loan.owner === status.id ? [loan.borrower, true] : [loan.owner, false];
      const list = this.#peers.get(peer)?.dock;
      if (list) places.set(loan.worker, { list, home: loan.owner, state: ours ? (loan.state === 'released' ? 'homeward' : 'lent') : loan.state === 'expected' ? 'coming' : 'homeward' });
    }
    for (const worker of status.workers) {
      if (worker.state !== 'lent') {
        const notLent = Date.parse(worker.notLentUntil) > now;
        places.set(worker.id, { list: byId(worker.home === status.id ? 'home' : 'guests'), home: worker.home, state: worker.state, notLent });
      }
    }
    return places;
  }

  #measure() {
    const before = new Map();
    for (const [id, chip] of this.#chips) before.set(id, { rect: chip.getBoundingClientRect(), list: chip.parentElement });
    return before;
  }

  #place(places, animate) {
    for (const [id, chip] of this.#chips) {
      if (places.has(id)) continue;
      this.#chips.delete(id);
      if (animate) this.#leave(chip);
      else chip.remove();
    }
    const drawn = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST);
    for (const [id, { list, home, state, notLent }] of drawn) {
      const chip = this.#chips.get(id) ?? this.#create(id);
      const says = `${SAYS[state] ?? state}${notLent ? ', not lent for a while because it did not follow a redirect' : ''}`;
      if (chip.dataset.says !== says) {
        chip.dataset.says = says;
        chip.dataset.state = state;
        chip.lastChild.textContent = `, ${says}`;
        chip.title = `${id} of ${home}: ${says}`;
      }
      chip.dataset.home = home;
      chip.style.setProperty('--h', this.hue(home));
      if (chip.parentElement !== list) {
        const next = [...list.children].find(other => other.dataset.id > id);
        list.insertBefore(chip, next ?? null);
      }
    }
    for (const list of document.querySelectorAll('ul.chips')) list.classList.toggle('dense', list.children.length > DENSE);
  }

  /** Removes a chip with an animation. A borrowed worker's chip moves to its home; other chips fade out. */
  #leave(chip) {
    chip.dataset.state = 'ended';
    delete chip.dataset.id; // if the worker returns during the animation, it gets a new chip
    chip.ariaHidden = 'true';
    const gone = () => chip.remove();
    const door = chip.parentElement.id === 'guests' && this.#door(chip.dataset.home);
    if (!door) {
      chip.animate({ opacity: [1, 0], transform: ['none', 'scale(.7)'] }, 300).finished.then(gone, gone);
      return;
    }
    const here = chip.getBoundingClientRect();
    const [x, y] = [door.left - here.left, door.top - here.top];
    chip.classList.add('flying');
    chip.animate(
      { opacity: [1, 1, 0], transform: ['none', `translate(${x * 0.8}px,${y * 0.8}px) scale(1.1)`, `translate(${x}px,${y}px) scale(.8)`] },
      FLIGHT,
    ).finished.then(gone, gone);
  }

  /** Returns the point at which chips that move from or to a server start or end. */
  #door(server) {
    const dock = this.#peers.get(server)?.dock.getBoundingClientRect();
    return dock && { left: dock.left + 14, top: dock.top + 12 };
  }

  #create(id) {
    const chip = node('li', 'chip');
    chip.dataset.id = id;
    chip.append(node('i', 'chip-dot'), node('span', 'chip-name', short(id)), node('span', 'unseen'));
    this.#chips.set(id, chip);
    return chip;
  }

  // FLIP animation (first, last, invert, play): each chip is already in its new place, and the animation starts at its old place.
  #fly(before) {
    for (const [id, chip] of this.#chips) {
      const now = chip.getBoundingClientRect();
      const known = before.get(id);
      const then = known ?? { rect: chip.parentElement.id === 'guests' ? this.#door(chip.dataset.home) : null };
      if (!then.rect) {
        chip.animate({ opacity: [0, 1], transform: ['scale(.6)', 'none'] }, { duration: 350, easing: 'ease-out' });
        continue;
      }
      const [x, y] = [then.rect.left - now.left, then.rect.top - now.top];
      if (then.list === chip.parentElement) {
        if (Math.abs(x) + Math.abs(y) > 1) chip.animate({ transform: [`translate(${x}px,${y}px)`, 'none'] }, { duration: 350, easing: 'ease-out' });
        continue;
      }
      const lift = Math.min(46, Math.hypot(x, y) / 6);
      chip.classList.add('flying');
      const flight = chip.animate(
        { transform: [`translate(${x}px,${y}px) scale(1)`, `translate(${x / 2}px,${y / 2 - lift}px) scale(1.18)`, 'translate(0,0) scale(1)'] },
        FLIGHT,
      );
      const landed = () => chip.classList.remove('flying');
      flight.finished.then(landed, landed);
    }
  }

  #showPeers(status) {
    const holder = byId('peers');
    const known = new Set(status.peers.map(peer => peer.id));
    for (const [id, peer] of this.#peers) {
      if (!known.has(id)) {
        peer.card.remove();
        this.#peers.delete(id);
      }
    }
    if (known.size === 0 && !holder.firstChild) holder.append(node('p', 'card note', 'This server has no peers; it neither lends nor borrows.'));
    for (const peer of status.peers) {
      const view = this.#peers.get(peer.id) ?? this.#createPeer(peer, holder);
      view.card.style.setProperty('--h', this.hue(peer.id));
      view.card.dataset.alive = peer.alive;
      view.state.textContent = peer.alive ? 'alive' : 'away';
      view.seen = peer.lastSeen && Date.parse(peer.lastSeen);
      view.load.textContent = peer.load ? `${peer.load.queue} waiting · ${peer.load.idle} idle` : 'load not known';
      view.bar.value = peer.load ? Math.min(1, Math.log10(1 + peer.load.queue) / 3) : 0;
    }
  }

  #createPeer(peer, holder) {
    const card = node('article', 'card peer');
    const title = node('h3');
    const link = node('a', '', peer.id);
    link.href = `${location.protocol}//${peer.endpoint}/`;
    link.title = `The map of ${peer.id}`;
    title.append(link);
    const state = node('span', 'peer-state');
    const ago = node('span', 'peer-seen');
    const load = node('span');
    const bar = node('meter', 'peer-load');
    bar.setAttribute('aria-hidden', 'true');
    const dock = node('ul', 'chips');
    dock.dataset.empty = 'No worker of this server is there.';
    dock.setAttribute('aria-label', `Away at ${peer.id}`);
    const head = node('div', 'peer-head');
    head.append(title, state, ago);
    const facts = node('p', 'peer-facts');
    facts.append(node('span', 'peer-address', peer.endpoint), load);
    card.append(head, facts, bar, node('h4', '', `Away at ${peer.id}`), dock);
    holder.append(card);
    const view = { card, state, ago, load, bar, dock, seen: null };
    this.#peers.set(peer.id, view);
    return view;
  }

  /** Updates the times. It is called every second. */
  tick(now) {
    for (const peer of this.#peers.values()) {
      const seconds = peer.seen ? Math.max(0, Math.round((now - peer.seen) / 1000)) : null;
      peer.ago.textContent = seconds === null ? 'no message yet' : seconds < 2 ? 'last message just now' : `last message ${seconds} s ago`;
    }
  }

  #count(status, places) {
    const at = id => [...places.values()].filter(place => place.list === byId(id));
    const busy = workers => workers.filter(worker => worker.state === 'busy').length;
    for (const id of ['home', 'guests']) {
      const workers = at(id);
      byId(`n-${id}`).textContent = workers.length ? `${workers.length}, ${busy(workers)} busy${workers.length > MOST ? `; ${MOST} are drawn` : ''}` : '';
    }
  }
}
