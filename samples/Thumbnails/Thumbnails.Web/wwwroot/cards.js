// The grid of pictures: one card each, which is updated in place.

const words = { queued: 'Waiting', running: 'Running', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' };

export class Cards {
  #cards = new Map();
  /** The homes of workers, which a result names. A worker that runs its next picture is known already. */
  #homes = new Map();
  #grid = document.querySelector('#grid');
  #template = document.querySelector('#card');
  #settings;

  constructor(settings) {
    this.#settings = settings;
  }

  get pictures() {
    return [...this.#cards.values()].map(card => card.picture);
  }

  /** Shows new and changed pictures. When the changes are complete, all other cards are removed. */
  apply({ isComplete, pictures }) {
    if (isComplete) {
      const ids = new Set(pictures.map(picture => picture.id));
      for (const [id, card] of this.#cards) {
        if (!ids.has(id)) {
          card.element.remove();
          this.#cards.delete(id);
        }
      }
    }
    for (const picture of pictures) {
      this.#show(picture);
    }
  }

  #show(picture) {
    let card = this.#cards.get(picture.id);
    if (!card) {
      const element = this.#template.content.firstElementChild.cloneNode(true);
      element.dataset.id = picture.id;
      element.querySelector('.name').textContent = picture.name;
      element.querySelector('.cancel').setAttribute('aria-label', `Cancel ${picture.name}`);
      element.querySelector('.cancel').addEventListener('click', event => {
        const button = event.target;
        button.disabled = true;
        fetch(`api/pictures/${picture.id}`, { method: 'DELETE' }).then(response => response.ok, () => false).then(accepted => { button.disabled = accepted; });
      });
      this.#grid.append(element);
      card = { element };
      this.#cards.set(picture.id, card);
    }
    card.picture = picture;
    this.#fill(card.element, picture);
  }

  #fill(element, picture) {
    const { state, worker } = picture;
    if (picture.home) {
      this.#homes.set(worker, picture.home);
    }
    const home = this.#homes.get(worker);
    const borrowed = Boolean(home) && home !== this.#settings.server;
    const unfinished = state === 'queued' || state === 'running';
    element.dataset.state = state;
    element.dataset.borrowed = String(borrowed);
    element.querySelector('.state').textContent = words[state];

    const progress = element.querySelector('progress');
    progress.hidden = state !== 'running';
    progress.value = picture.progress ?? 0;
    progress.setAttribute('aria-label', `Progress of ${picture.name}`);

    const link = element.querySelector('.frame-link');
    link.hidden = state !== 'done';
    if (state === 'done' && !link.href) {
      const [smallest, largest] = [this.#settings.sizes.at(0), this.#settings.sizes.at(-1)];
      link.href = `api/pictures/${picture.id}/thumbnails/${largest}`;
      link.querySelector('img').src = `api/pictures/${picture.id}/thumbnails/${smallest}`;
      link.querySelector('img').alt = `Thumbnail of ${picture.name}`;
    }

    element.querySelector('.detail').textContent = picture.error ?? (picture.width ? `${picture.width} × ${picture.height}, ` : '') + size(picture.bytes);
    const maker = element.querySelector('.maker');
    maker.hidden = !worker || state === 'cancelled';
    maker.textContent = worker ?? '';
    const loan = element.querySelector('.loan');
    loan.hidden = !borrowed;
    loan.textContent = `borrowed from ${home}`;
    element.querySelector('.cancel').hidden = !unfinished;
  }
}

function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
