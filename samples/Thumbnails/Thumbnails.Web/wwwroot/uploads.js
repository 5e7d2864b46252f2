// Uploads pictures, a few at a time, and reports those that are not accepted.

const atATime = 4;

export class Uploads {
  #waiting = [];
  #active = 0;
  #settings;
  #onFault;
  #onCount;

  /** onFault(name, reason) reports a picture that was not accepted, onCount(n) the number of pictures that are not uploaded yet. */
  constructor(settings, onFault, onCount) {
    [this.#settings, this.#onFault, this.#onCount] = [settings, onFault, onCount];
  }

  /** Adds pictures: objects with a name and a function that returns a blob. */
  add(pictures) {
    this.#waiting.push(...pictures);
    this.#next();
  }

  /** Drops what is not uploaded yet. */
  stop() {
    this.#waiting = [];
    this.#next();
  }

  #next() {
    while (this.#active < atATime && this.#waiting.length > 0) {
      this.#active++;
      this.#upload(this.#waiting.shift()).finally(() => {
        this.#active--;
        this.#next();
      });
    }
    this.#onCount(this.#active + this.#waiting.length);
  }

  async #upload({ name, open }) {
    try {
      const blob = await open();
      if (blob.size > this.#settings.maxFileBytes) {
        this.#onFault(name, `The file is larger than ${this.#settings.maxFileBytes / 1024 / 1024} MB.`);
        return;
      }
      const response = await fetch(`api/pictures?name=${encodeURIComponent(name)}`, { method: 'POST', body: blob });
      if (!response.ok) {
        const problem = await response.json().catch(() => ({}));
        this.#onFault(name, problem.detail ?? `The web app answered ${response.status}.`);
      }
    } catch {
      this.#onFault(name, 'The web app cannot be reached.');
    }
  }
}
