// Charts as inline SVG, drawn at their width on the page.

const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', 'currentColor'];
const DASHES = ['', '7 3', '2 3', '9 3 2 3'];

function draw(parent, name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// An empty chart with axes, and functions from values to pixels.
function frame(holder, { width, height, x, y, left = 46, bottom = 38, top = 8, right = 10 }) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
    svg.setAttribute(key, value);
  }
  svg.setAttribute('aria-hidden', 'true');
  const toX = (value) => left + ((value - x.low) / (x.high - x.low)) * (width - left - right);
  const toY = (value) => height - bottom - ((value - y.low) / (y.high - y.low)) * (height - top - bottom);
  for (const tick of y.ticks || []) {
    draw(svg, 'line', { class: 'grid', x1: left, x2: width - right, y1: toY(tick.at), y2: toY(tick.at) });
    draw(svg, 'text', { class: 'tick', x: left - 6, y: toY(tick.at) + 4, 'text-anchor': 'end' }, tick.text);
  }
  for (const tick of x.ticks || []) {
    draw(svg, 'text', { class: 'tick', x: toX(tick.at), y: height - bottom + 16, 'text-anchor': 'middle' }, tick.text);
  }
  draw(svg, 'line', { class: 'axis', x1: left, x2: width - right, y1: height - bottom, y2: height - bottom });
  if (x.title) {
    draw(svg, 'text', { class: 'title', x: (left + width - right) / 2, y: height - 4, 'text-anchor': 'middle' }, x.title);
  }
  if (y.title) {
    const middle = (top + height - bottom) / 2;
    draw(svg, 'text', { class: 'title', x: 12, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 12 ${middle})` }, y.title);
  }
  holder.replaceChildren(svg);
  return { svg, toX, toY };
}

// Round ticks between two values, about the given number.
function roundTicks(low, high, count) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) {
    ticks.push({ at, text: String(Number(at.toFixed(10))) });
  }
  return ticks;
}

function drawF1Lines({ svg, toX, toY }) {
  for (const f1 of [0.2, 0.4, 0.6, 0.8]) {
    const points = [];
    for (let i = 0; i <= 60; i += 1) {
      const recall = f1 / (2 - f1) + (i / 60) * (1 - f1 / (2 - f1));
      points.push(`${toX(recall)},${toY((f1 * recall) / (2 * recall - f1))}`);
    }
    draw(svg, 'polyline', { class: 'grid', points: points.join(' ') });
    draw(svg, 'text', { class: 'faint', x: toX(f1) - 2, y: toY(f1) + 12, 'text-anchor': 'end' }, `F1 ${f1}`);
  }
}

// Precision over recall of several pickers; marks are positions on the curves.
function drawCurves(holder, shown, marks) {
  const width = Math.max(260, Math.min(520, holder.clientWidth));
  const ticks = roundTicks(0, 1, 5);
  const chart = frame(holder, {
    width,
    height: width * 0.86,
    x: { low: 0, high: 1.01, ticks, title: 'Recall' },
    y: { low: 0, high: 1.01, ticks, title: 'Precision' },
  });
  drawF1Lines(chart);
  shown.forEach((one, index) => {
    const { recall, precision } = one.curve;
    const points = recall.map((value, i) => `${chart.toX(value)},${chart.toY(precision[i])}`);
    draw(chart.svg, 'polyline', {
      class: 'curve', points: points.join(' '), stroke: one.colour, 'stroke-dasharray': one.dash, 'data-curve': index,
    });
  });
  marks.forEach((mark, index) => {
    if (mark) {
      draw(chart.svg, 'circle', {
        class: 'mark', cx: chart.toX(mark.recall), cy: chart.toY(mark.precision), r: 5.5, fill: shown[index].colour,
      });
    }
  });
  return chart;
}

// Histograms of scores on a logarithmic axis, with the threshold.
function drawHistogram(holder, lines, { low, high, threshold }) {
  const bins = 40;
  const counted = lines.map(({ scores }) => {
    const counts = new Array(bins).fill(0);
    for (const score of scores) {
      counts[Math.min(bins - 1, Math.floor(((score - low) / (high - low || 1)) * bins))] += 1;
    }
    return counts;
  });
  const most = Math.max(1, ...counted.flat());
  const height = (count) => (count ? Math.log10(count) + 0.3 : 0); // offset, so that a count of 1 is visible
  const yTicks = [];
  for (let power = 0; 10 ** power <= most; power += 1) yTicks.push({ at: power + 0.3, text: String(10 ** power) });
  const chart = frame(holder, {
    width: Math.max(260, Math.min(640, holder.clientWidth)),
    height: 220,
    x: { low, high, ticks: roundTicks(low, high, 5), title: 'Score' },
    y: { low: 0, high: height(most) + 0.1, ticks: yTicks, title: 'Candidates' },
  });
  counted.forEach((counts, index) => {
    const points = [`${chart.toX(low)},${chart.toY(0)}`];
    counts.forEach((count, bin) => {
      const level = chart.toY(height(count));
      points.push(`${chart.toX(low + (bin / bins) * (high - low))},${level}`);
      points.push(`${chart.toX(low + ((bin + 1) / bins) * (high - low))},${level}`);
    });
    points.push(`${chart.toX(high)},${chart.toY(0)}`);
    draw(chart.svg, 'polygon', { class: 'steps', points: points.join(' '), stroke: lines[index].colour, fill: lines[index].colour, 'stroke-dasharray': lines[index].dash });
  });
  const at = Math.min(high, Math.max(low, threshold));
  draw(chart.svg, 'line', { class: 'threshold-line', x1: chart.toX(at), x2: chart.toX(at), y1: chart.toY(0), y2: 8 });
}

// A stacked bar for each micrograph; a click calls back with its number.
function drawBars(holder, bars, selected, choose) {
  const available = holder.clientWidth - 12;
  const step = Math.max(8, Math.min(90, (available - 56) / bars.length));
  const width = Math.max(available, 56 + step * bars.length);
  const most = Math.max(1, ...bars.map((bar) => bar.parts.reduce((sum, part) => sum + part.count, 0)));
  const chart = frame(holder, {
    width,
    height: 190,
    bottom: 14,
    x: { low: 0, high: (width - 56) / step },
    y: { low: 0, high: most * 1.04, ticks: roundTicks(0, most, 4), title: bars.some((bar) => bar.parts.length > 1) ? 'Particles' : 'Picks' },
  });
  const gap = Math.min(4, step / 5);
  bars.forEach((bar, index) => {
    const group = draw(chart.svg, 'g', { class: bar.micrograph === selected ? 'bar chosen' : 'bar', 'data-micrograph': bar.micrograph });
    draw(group, 'title', {}, bar.text);
    draw(group, 'rect', { class: 'slot', x: chart.toX(index), y: 8, width: step, height: 168 });
    let level = 0;
    for (const part of bar.parts) {
      if (part.count) {
        draw(group, 'rect', {
          class: 'part', x: chart.toX(index) + gap / 2, width: Math.max(1, step - gap),
          y: chart.toY(level + part.count), height: chart.toY(level) - chart.toY(level + part.count),
          fill: part.colour,
        });
      }
      level += part.count;
    }
    group.addEventListener('click', () => choose(bar.micrograph));
  });
}
