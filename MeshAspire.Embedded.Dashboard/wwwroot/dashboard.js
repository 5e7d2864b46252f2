// The little that the server can't do: the browser's time zone, scrolling, copying, and the value under the pointer in a chart.
window.dashboard = {
  timeZone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,

  toEnd: id => {
    const element = document.getElementById(id);
    if (element) element.scrollTop = element.scrollHeight;
  },

  copy: text => navigator.clipboard.writeText(text),
};

// Arrow keys walk through the rows of a list.
document.addEventListener('keydown', event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = step && event.target.closest('[data-rows] [data-row]');
  if (!row) return;
  const rows = [...row.closest('[data-rows]').querySelectorAll('[data-row]')];
  const next = rows[rows.indexOf(row) + step];
  if (next) {
    next.focus();
    event.preventDefault();
  }
});

// Escape closes the panel; the row that it was about has the focus again.
document.addEventListener('keydown', event => {
  const close = event.key === 'Escape' && !event.defaultPrevented && document.querySelector('.panel [aria-label="Close"]');
  if (!close) return;
  document.querySelector('.chosen .cover')?.focus();
  close.click();
});

// A chart carries its points; a line follows the pointer and tells the values there.
document.addEventListener('pointermove', event => {
  const chart = event.target.closest?.('.chart');
  for (const other of document.querySelectorAll('.chart.read')) if (other !== chart) other.classList.remove('read');
  if (!chart) return;
  const { times, lines } = JSON.parse(chart.dataset.points);
  const plot = chart.querySelector('.plot').getBoundingClientRect();
  const part = Math.min(1, Math.max(0, (event.clientX - plot.left) / plot.width));
  const from = +chart.dataset.from, to = +chart.dataset.to;
  const wanted = from + part * (to - from);
  let index = 0;
  times.forEach((time, i) => { if (Math.abs(time - wanted) < Math.abs(times[index] - wanted)) index = i; });
  const box = chart.querySelector('.reading');
  const when = new Date(times[index]).toLocaleTimeString([], { hour12: false });
  box.replaceChildren(...[['', when], ...lines.map(line => [line.hue, `${line.name || 'value'}  ${line.texts[index] ?? '–'}`])].map(([hue, text]) => {
    const row = document.createElement('div');
    if (hue) row.style.setProperty('--own', `var(--hue-${hue - 1})`);
    row.className = hue ? 'source' : 'dim';
    if (hue) row.append(document.createElement('i'));
    row.append(text);
    return row;
  }));
  const x = (times[index] - from) / (to - from);
  chart.style.setProperty('--at', x);
  chart.classList.toggle('right', x > 0.6);
  chart.classList.add('read');
});
