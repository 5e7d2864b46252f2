// A small chart of the last two minutes, with one value per second.

const LENGTH = 120;
const NAMESPACE = 'http://www.w3.org/2000/svg';

function part(svg, name, className) {
  const element = document.createElementNS(NAMESPACE, name);
  element.setAttribute('class', className);
  svg.append(element);
  return element;
}

/** The upper end of a scale: the next round number. */
function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map(step => step * unit).find(end => end >= value);
}

const round = value => (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10);

export class Chart {
  #values = [];

  /** @param least the minimum upper end of the scale */
  constructor(id, name, least) {
    this.svg = document.getElementById(id);
    this.now = document.getElementById(`${id}-now`);
    this.end = document.getElementById(`${id}-top`);
    this.name = name;
    this.least = least;
    this.marks = [];
    this.area = part(this.svg, 'path', 'chart-area');
    this.line = part(this.svg, 'path', 'chart-line');
  }

  /** Draws horizontal lines at the given levels: the high and low mark. */
  setMarks(levels) {
    this.marks.forEach(mark => mark.line.remove());
    this.least = Math.max(this.least, ...levels.map(level => level * 1.2));
    this.marks = levels.map(level => ({ level, line: part(this.svg, 'path', 'chart-mark') }));
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > LENGTH + 1) this.#values.shift();
    const most = Math.max(...this.#values);
    const top = ceiling(Math.max(this.least, most * 1.05));
    const y = level => 100 - (100 * level) / top;
    const start = LENGTH - this.#values.length + 1;
    const points = this.#values.map((level, i) => `${start + i} ${y(level).toFixed(2)}`).join('L');
    this.line.setAttribute('d', `M${points}`);
    this.area.setAttribute('d', `M${start} 100L${points}L${LENGTH} 100Z`);
    for (const mark of this.marks) {
      mark.line.setAttribute('d', mark.level < top ? `M0 ${y(mark.level)}H${LENGTH}` : '');
    }
    this.end.textContent = `up to ${top.toLocaleString()}`;
    this.svg.setAttribute('aria-label', `${this.name}: now ${round(value)}, at most ${Math.round(most)} in the last two minutes`);
    this.tell(value);
  }

  /** Shows the current value. It is also called between the seconds at which values are added. */
  tell(value) {
    this.now.textContent = round(value).toLocaleString();
  }
}
