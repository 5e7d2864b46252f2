// The tables of task types and of schedules.

const byId = id => document.getElementById(id);

/** Replaces the rows of a table when they have changed. An empty table shows one row with its text. */
function fill(id, rows) {
  const body = byId(id);
  const text = JSON.stringify(rows);
  if (body.dataset.rows === text) return;
  body.dataset.rows = text;
  body.replaceChildren(...(rows.length > 0 ? rows : [[body.dataset.empty]]).map(cells => {
    const row = document.createElement('tr');
    row.append(...cells.map(cell => {
      const element = document.createElement('td');
      element.textContent = cell;
      return element;
    }));
    if (rows.length === 0) row.firstChild.colSpan = 4;
    return row;
  }));
}

export function showTypes(types) {
  fill('types', types.map(type => [type.type, type.queue.toLocaleString(), type.running.toLocaleString()]));
}

export function showSchedules(schedules) {
  byId('n-schedules').textContent = schedules.length > 0 ? schedules.length : '';
  fill('schedules', schedules.map(schedule => [schedule.name, schedule.cron, schedule.task.type, schedule.next ? new Date(schedule.next).toLocaleString() : 'never']));
}
