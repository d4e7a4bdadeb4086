// Sets up the page: sortable tables, curves, viewer.

function sortBy(table, column, button) {
  const head = button.closest('th');
  const ascending = head.getAttribute('aria-sort') === 'descending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const families = []; // a row and the parts below it stay together
  for (const row of table.tBodies[0].rows) {
    if (row.classList.contains('part') && families.length) families.at(-1).push(row);
    else families.push([row]);
  }
  const value = ([row]) => {
    const cell = row.cells[column];
    return 'number' in cell.dataset ? Number(cell.dataset.number) : cell.textContent.trim();
  };
  families.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1; // unknown values come last
    const order = typeof a === 'number' ? a - b : a.localeCompare(b);
    return ascending ? order : -order;
  });
  table.tBodies[0].append(...families.flat());
}

for (const table of document.querySelectorAll('table.sortable')) {
  table.querySelectorAll('thead button').forEach((button, column) => {
    button.addEventListener('click', () => sortBy(table, column, button));
  });
}

const MANY_ROWS = 12;
for (const box of document.querySelectorAll('.parts input')) {
  const table = box.closest('section').querySelector('table');
  box.addEventListener('change', () => table.classList.toggle('whole', !box.checked));
  box.checked = table.tBodies[0].rows.length <= MANY_ROWS;
  table.classList.toggle('whole', !box.checked);
}

// A chart of precision over recall for the pickers of one dataset, with a legend.
class CurveChart {
  constructor(parent, dataset, members) {
    this.shown = members.map((picker, index) => ({
      ...picker, picker, colour: COLOURS[index % COLOURS.length], dash: DASHES[index % DASHES.length],
    }));
    const figure = document.createElement('figure');
    const title = document.createElement('figcaption');
    title.textContent = dataset;
    this.holder = document.createElement('div');
    this.holder.className = 'chart';
    this.holder.tabIndex = 0;
    this.holder.setAttribute('role', 'group');
    this.holder.setAttribute('aria-label', `Precision over recall on ${dataset}; choose a picker with the up and down keys, a point with the left and right keys`);
    this.readout = document.createElement('p');
    this.readout.className = 'readout';
    this.readout.setAttribute('aria-live', 'polite');
    figure.append(title, this.holder, this.readout, this.legend());
    parent.append(figure);
    this.at = { curve: 0, point: 0 };
    this.holder.addEventListener('pointermove', (event) => this.point(event));
    this.holder.addEventListener('keydown', (event) => this.press(event));
    new ResizeObserver(() => this.redraw()).observe(this.holder);
  }

  legend() {
    const list = document.createElement('ul');
    list.className = 'legend';
    for (const one of this.shown) {
      const item = document.createElement('li');
      const sample = draw(item, 'svg', { viewBox: '0 0 28 8', 'aria-hidden': 'true', class: 'line' });
      draw(sample, 'line', { x1: 0, x2: 28, y1: 4, y2: 4, stroke: one.colour, 'stroke-dasharray': one.dash, 'stroke-width': 2.5 });
      item.append(one.name);
      list.append(item);
    }
    return list;
  }

  redraw() {
    const marks = this.shown.map(({ curve, picker }) => {
      const reached = countFrom(curve.threshold, picker.now);
      return reached ? { recall: curve.recall[reached - 1], precision: curve.precision[reached - 1] } : null;
    });
    this.chart = drawCurves(this.holder, this.shown, marks);
  }

  point(event) {
    const box = this.chart.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let nearest = Infinity;
    this.shown.forEach(({ curve }, index) => {
      curve.recall.forEach((recall, i) => {
        const distance = Math.hypot(this.chart.toX(recall) - x, this.chart.toY(curve.precision[i]) - y);
        if (distance < nearest) {
          nearest = distance;
          this.at = { curve: index, point: i };
        }
      });
    });
    this.read();
  }

  press(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const curve = Math.min(Math.max(0, this.at.curve + step[0]), this.shown.length - 1);
    const points = this.shown[curve].curve.recall.length;
    const stride = Math.max(1, Math.round(points / 60));
    const point = Math.min(Math.max(0, this.at.point + step[1] * stride), points - 1);
    this.at = { curve, point };
    this.read();
  }

  read() {
    const { curve, name } = this.shown[this.at.curve];
    const [threshold, precision, recall] = ['threshold', 'precision', 'recall'].map((key) => curve[key][this.at.point]);
    if (threshold === undefined) return;
    const f1 = ratio(2 * precision * recall, precision + recall);
    this.readout.textContent = `${name}: score ≥ ${threshold}, precision ${number(precision)}, recall ${number(recall)}, F1 ${number(f1)}`;
    this.chart.svg.querySelector('.here')?.remove();
    draw(this.chart.svg, 'circle', { class: 'here', cx: this.chart.toX(recall), cy: this.chart.toY(precision), r: 4 });
  }
}

const charts = [];
if (pickers.length) {
  const viewer = new Viewer(() => charts.forEach((chart) => chart.redraw()));
  const curveCharts = byId('curve-charts');
  const datasets = new Map();
  for (const picker of pickers.filter((one) => one.curve && one.curve.recall.length)) {
    if (!datasets.has(picker.dataset)) datasets.set(picker.dataset, []);
    datasets.get(picker.dataset).push(picker);
  }
  for (const [dataset, members] of datasets) charts.push(new CurveChart(curveCharts, dataset, members));
  viewer.start().then(() => {
    document.documentElement.dataset.ready = 'true';
    performance.mark('ready');
  });
} else {
  document.documentElement.dataset.ready = 'true';
}
