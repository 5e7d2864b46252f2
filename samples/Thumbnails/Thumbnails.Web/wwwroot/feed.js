// The pictures and their states, as server-sent events.

/** Calls onChanges with each event, and onLink with "live" or "away". The browser connects again by itself. */
export function follow(onChanges, onLink) {
  const source = new EventSource('events');
  source.addEventListener('pictures', event => {
    onLink('live');
    onChanges(JSON.parse(event.data));
  });
  source.addEventListener('error', () => onLink('away'));
}
