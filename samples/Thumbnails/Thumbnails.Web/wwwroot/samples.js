// Draws sample pictures: landscapes in random colours, large enough to be work for a worker.

const width = 2400, height = 1600;

/** Returns a number of sample pictures for an upload. Each is drawn when it is its turn. */
export function samples(count) {
  return Array.from({ length: count }, (_, index) => ({
    name: `sample-${String(index + 1).padStart(2, '0')}.jpg`,
    open: () => draw(),
  }));
}

function draw() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d');
  const hue = Math.random() * 360;
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 65% ${35 + Math.random() * 25}%)`);
  sky.addColorStop(0.75, `hsl(${hue + 35} 80% 80%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);

  context.fillStyle = `hsl(${hue + 60} 95% 88%)`;
  context.beginPath();
  context.arc(width * (0.15 + Math.random() * 0.7), height * (0.2 + Math.random() * 0.25), 90 + Math.random() * 110, 0, Math.PI * 2);
  context.fill();

  const layers = 5;
  for (let layer = 0; layer < layers; layer++) {
    context.fillStyle = `hsl(${hue + 170 + layer * 9} ${30 + layer * 6}% ${62 - layer * 11}%)`;
    drawHills(context, height * (0.45 + layer * 0.11), 260 - layer * 35);
  }
  return new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.9));
}

function drawHills(context, base, size) {
  const waves = Array.from({ length: 4 }, (_, index) => ({ phase: Math.random() * 6.3, length: width / (1.2 + index * 1.7), size: size / (1 + index * 1.3) }));
  context.beginPath();
  context.moveTo(0, height);
  for (let x = 0; x <= width; x += 12) {
    context.lineTo(x, base + waves.reduce((sum, wave) => sum + Math.sin(x / wave.length * 6.3 + wave.phase) * wave.size / 2, 0));
  }
  context.lineTo(width, height);
  context.fill();
}
