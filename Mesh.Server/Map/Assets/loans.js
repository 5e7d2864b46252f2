// The list of loans: the open ones with their current step, and the last few that have ended.

import { node, short } from './stage.js';

const KEPT = 6; // the number of ended loans to show
const STEPS = {
  owner: [['offered', 'offered'], ['lent', 'lent'], ['released', 'coming home'], ['over', 'home']],
  borrower: [['expected', 'promised'], ['arrived', 'here'], ['releasing', 'releasing'], ['returning', 'released'], ['returned', 'on its way'], ['over', 'home']],
};

const clock = time => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export class Loans {
  #open = new Map();
  #list = document.getElementById('loans');
  dashboard = null;

  constructor(hue, tell) {
    this.hue = hue;
    this.tell = tell;
  }

  /** @param now the time of the server's clock */
  show(status, now) {
    const seen = new Set();
    const lost = new Set(status.workers.filter(worker => worker.state === 'gone').map(worker => worker.id));
    for (const loan of status.loans) {
      seen.add(loan.worker);
      const role = loan.owner === status.id ? 'owner' : 'borrower';
      const step = STEPS[role].findIndex(([state]) => state === loan.state);
      let view = this.#open.get(loan.worker);
      if (view && (view.role !== role || (step === 0 && view.step > 0))) {
        this.#end(view, status, now);
        view = null;
      }
      view ??= this.#create(loan, role);
      if (view.step !== step) {
        view.step = step;
        view.times[step] = Date.parse(loan.since);
        this.#say(view, loan.state);
        this.#draw(view, now);
      }
      view.lost = lost.has(loan.worker);
      this.#trace(view, loan);
    }
    for (const [worker, view] of this.#open) {
      if (!seen.has(worker)) this.#end(view, status, now);
    }
    document.getElementById('n-loans').textContent = this.#open.size ? `${this.#open.size} open` : '';
  }

  /** Updates the times. It is called every second. */
  tick(now) {
    for (const view of this.#open.values()) this.#draw(view, now);
  }

  #create(loan, role) {
    const card = node('li', 'loan');
    const chip = node('span', 'chip', short(loan.worker));
    chip.title = loan.worker;
    chip.style.setProperty('--h', this.hue(loan.owner));
    const peer = role === 'owner' ? loan.borrower : loan.owner;
    const head = node('div', 'loan-head');
    const age = node('span', 'loan-age');
    head.append(chip, node('span', 'loan-who', role === 'owner' ? `lent to ${peer}` : `borrowed from ${peer}`), age);
    const steps = node('ol', 'steps');
    const items = STEPS[role].map(([, name]) => {
      const item = node('li', 'step');
      item.append(node('i', 'step-dot'), node('span', 'step-name', name), node('time', 'step-time'));
      steps.append(item);
      return item;
    });
    card.append(head, steps);
    this.#list.prepend(card);
    const view = { card, head, age, items, role, peer, worker: loan.worker, step: -1, times: [], began: Date.parse(loan.since) };
    this.#open.set(loan.worker, view);
    return view;
  }

  #draw(view, now) {
    const last = view.items.length - 1;
    view.items.forEach((item, i) => {
      item.dataset.at = i < view.step ? 'past' : i > view.step ? 'ahead' : i === last ? 'end' : 'now';
      if (i === view.step) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
      const time = view.times[i];
      item.lastChild.textContent = !time ? '' : i === view.step && i !== last ? `for ${span(now - time)}` : clock(time);
    });
    view.age.textContent = span((view.ended ?? now) - view.began);
  }

  #trace(view, loan) {
    if (view.link || !loan.traceId || !this.dashboard) return;
    view.link = node('a', 'loan-trace', 'Trace');
    view.link.href = `${this.dashboard}/traces/detail/${loan.traceId}`;
    view.link.target = '_blank';
    view.link.rel = 'noopener noreferrer';
    view.link.setAttribute('aria-label', `Trace of the loan of ${loan.worker}, in a new tab`);
    view.head.append(view.link);
  }

  #end(view, status, now) {
    this.#open.delete(view.worker);
    const own = status.workers.some(worker => worker.id === view.worker && worker.home === status.id);
    const back = view.role === 'owner' ? own : view.step > 0 && !view.lost; // the last steps can take less time than the interval between two states
    view.step = view.items.length - 1;
    view.ended = view.times[view.step] = now;
    view.card.classList.add('over');
    if (!back) view.items[view.step].querySelector('.step-name').textContent = 'ended';
    this.#draw(view, now);
    this.#say(view, back ? 'home' : 'ended');
    const over = [...this.#list.querySelectorAll('.loan.over')];
    this.#list.append(...over);
    for (const card of over.slice(KEPT)) card.remove();
  }

  #say(view, state) {
    const sentence = {
      lent: `leaves for ${view.peer}`,
      arrived: `has arrived from ${view.peer}`,
      returned: `is on its way home to ${view.peer}`,
      home: 'is home again',
      ended: 'is no longer on loan',
    }[state];
    if (sentence) this.tell(`${view.worker} ${sentence}.`);
  }
}
