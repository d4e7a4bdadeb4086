// The viewer: choice of micrograph, pickers and thresholds, with marks, counts and charts.

const WORDS = { hit: 'hit', false: 'false pick', missed: 'missed particle', ignored: 'not counted' };
const ALONE = ['rgb(86, 180, 233)', 'rgb(230, 159, 0)']; // for picks without truth
const COUNTED = {
  hit: ['hit', 'hits'], false: ['false pick', 'false picks'], missed: ['missed particle', 'missed particles'],
  ignored: ['not counted', 'not counted'], pick: ['pick', 'picks'],
  added: ['added', 'added'], removed: ['removed', 'removed'],
};

function byId(id) {
  return document.getElementById(id);
}

function number(value, digits = 3) {
  return value.toFixed(digits);
}

class Side {
  constructor(letter) {
    this.letter = letter;
    this.square = letter === 'B';
    this.index = null;
    this.data = null;
    for (const part of ['picker', 'slider', 'number', 'own', 'best']) this[part] = byId(`${part}-${letter}`);
  }

  get info() {
    return this.index === null ? null : pickers[this.index];
  }

  get threshold() {
    return this.info.now;
  }

  picked(micrograph) {
    return this.data ? this.data.byMicrograph.get(micrograph) : undefined;
  }
}

class Viewer {
  constructor(onThreshold) {
    this.onThreshold = onThreshold;
    this.sides = [new Side('A'), new Side('B')];
    this.micrograph = null;
    this.hidden = new Set();
    this.canvas = new MicrographCanvas(byId('canvas'), (place) => this.hover(place));
    for (const picker of pickers) picker.now = picker.threshold;
    this.editor = new Editor(this);
    this.sheet = new ClassSheet(this);
    this.box = new ScoreBox(this);
    this.server = served ? new Server(this) : null;
    this.editor.all[0].onKeep = () => this.server.save();
    this.fillLists();
    this.listen();
  }

  async start() {
    await this.server?.load();
    const first = Math.max(0, pickers.findIndex((picker) => picker.curve));
    await this.choosePicker(this.sides[1], null);
    await this.choosePicker(this.sides[0], first);
    await this.chooseMicrograph(pickers[first].micrographs[0]);
  }

  fillLists() {
    byId('fieldset-B').hidden = pickers.length < 2;
    if (!pickers.some((picker) => picker.curve)) byId('order').querySelector('[value=f1]').remove();
    for (const side of this.sides) {
      pickers.forEach((picker, index) => side.picker.append(new Option(picker.name, String(index))));
    }
    const groups = new Map();
    micrographs.forEach((one, index) => {
      const title = one.group === one.dataset ? one.dataset : `${one.dataset}: ${one.group}`;
      if (!groups.has(title)) {
        const group = document.createElement('optgroup');
        group.label = title;
        groups.set(title, group);
      }
      groups.get(title).append(new Option(one.name, String(index)));
    });
    byId('micrograph').append(...groups.values());
  }

  listen() {
    for (const side of this.sides) {
      side.picker.addEventListener('change', () => {
        this.choosePicker(side, side.picker.value === '' ? null : Number(side.picker.value));
      });
      for (const name of ['slider', 'number']) {
        side[name].addEventListener('input', () => {
          if (side[name].value !== '') this.setThreshold(side, Number(side[name].value));
        });
      }
      side.number.addEventListener('change', () => { // the value that is used
        if (side.info) side.number.value = String(Number(side.threshold.toPrecision(6)));
      });
      side.own.addEventListener('click', () => this.setThreshold(side, side.info.threshold));
      side.best.addEventListener('click', () => this.setThreshold(side, side.info.best));
    }
    byId('controls').addEventListener('submit', (event) => event.preventDefault());
    byId('micrograph').addEventListener('change', (event) => this.chooseMicrograph(Number(event.target.value)));
    byId('previous').addEventListener('click', () => this.step(-1));
    byId('next').addEventListener('click', () => this.step(1));
    byId('order').addEventListener('change', () => this.drawBars());
    byId('bars').addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.stepAmong(this.barOrder, step);
    });
    byId('zoom-in').addEventListener('click', () => this.canvas.zoomBy(1.5));
    byId('zoom-out').addEventListener('click', () => this.canvas.zoomBy(1 / 1.5));
    byId('zoom-reset').addEventListener('click', () => this.canvas.reset());
    byId('local').addEventListener('change', (event) => this.canvas.setLook({ local: event.target.checked }));
    byId('low-pass').addEventListener('input', (event) => this.canvas.setLook({ blur: Number(event.target.value) }));
    let width = 0;
    new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - width) < 2) return;
      width = entry.contentRect.width;
      this.drawCharts();
    }).observe(byId('viewer'));
  }

  async choosePicker(side, index) {
    this.canvas.canvas.setAttribute('aria-busy', 'true');
    side.index = index;
    side.data = null;
    side.picker.value = index === null ? '' : String(index);
    for (const part of ['slider', 'number', 'own', 'best']) side[part].disabled = index === null;
    side.own.hidden = index === null;
    side.best.hidden = index === null || side.info.best === null;
    if (index !== null) {
      const { info } = side;
      const data = await loadPicker(index);
      if (side.index !== index) return; // another picker was chosen in the meantime
      side.data = data;
      for (const name of ['slider', 'number']) {
        side[name].min = String(info.low);
        side[name].max = String(info.high);
      }
      side.slider.step = String((info.high - info.low) / 1000);
      side.number.step = 'any';
      side.own.textContent = `threshold of the run: ${Number(info.threshold.toPrecision(3))}`;
      if (info.best !== null) side.best.textContent = `best F1: ${Number(info.best.toPrecision(3))}`;
      this.showThreshold(side);
      if (this.micrograph !== null && !side.picked(this.micrograph) && !side.square) {
        await this.chooseMicrograph(info.micrographs[0]);
        return;
      }
    } else {
      side.number.value = '';
    }
    this.update();
  }

  async chooseMicrograph(index) {
    if (index === undefined) return;
    const whole = this.micrograph !== index;
    this.micrograph = index;
    byId('micrograph').value = String(index);
    this.canvas.show(micrographs[index], null, whole);
    this.update();
    if (served) this.canvas.load = (part, width) => loadPart(index, part, width);
    const { width, height } = micrographs[index];
    const picture = await (served ? loadPart(index, [0, 0, width, height], 1600) : loadPicture(index));
    if (this.micrograph === index) this.canvas.show(micrographs[index], picture, false);
  }

  step(by) {
    this.stepAmong(this.sides[0].info.micrographs, by);
  }

  stepAmong(list, by) {
    const at = list.indexOf(this.micrograph) + by;
    if (at >= 0 && at < list.length) this.chooseMicrograph(list[at]);
  }

  setThreshold(side, value) {
    if (!Number.isFinite(value) || !side.info) return;
    side.info.now = Math.min(side.info.high, Math.max(side.info.low, value));
    this.renew();
    if (side === this.sides[0]) this.editor.corrections.keep();
  }

  // Shows thresholds and all that depends on them.
  renew() {
    for (const side of this.sides) if (side.info) this.showThreshold(side);
    this.update();
    this.onThreshold();
  }

  showThreshold(side) {
    const value = String(side.threshold);
    if (side.slider.value !== value) side.slider.value = value;
    if (document.activeElement !== side.number) side.number.value = String(Number(side.threshold.toPrecision(6)));
  }

  update() {
    if (this.micrograph === null) return;
    this.canvas.canvas.setAttribute('aria-busy', 'false');
    this.showMarks();
    this.showCounts();
    this.drawCharts();
    this.editor.show();
    this.sheet.show();
  }

  drawCharts() {
    if (this.micrograph === null) return;
    this.drawBars();
    for (const side of this.sides) this.drawHistogram(side);
    this.box.draw();
  }

  // All marks on the micrograph, missed particles first so that picks are drawn above them.
  marksOf(side) {
    const picked = side.picked(this.micrograph);
    if (!picked) return [];
    const colours = content.colours;
    const count = countFrom(picked.score, side.threshold);
    const marks = [];
    const found = new Set();
    let hits = 0;
    for (let i = 0; i < count; i += 1) {
      const kind = picked.outcome ? { h: 'hit', f: 'false', i: 'ignored' }[picked.outcome[i]] : 'pick';
      if (kind === 'hit') {
        found.add(picked.found[hits]);
        hits += 1;
      }
      marks.push({
        x: picked.x[i], y: picked.y[i], diameter: picked.diameter[i], kind, square: side.square,
        colour: kind === 'pick' ? ALONE[side.square ? 1 : 0] : colours[kind],
        text: `${picked.score[i]} ${picked.label[i]}${measuresOf(picked, i)}${kind === 'pick' ? '' : `, ${WORDS[kind]}`}`,
        side: side.letter, pick: side.square ? undefined : i,
      });
    }
    if (picked.outcome) {
      picked.truth.x.forEach((x, i) => {
        if (found.has(i)) return;
        marks.unshift({
          x, y: picked.truth.y[i], diameter: picked.truth.diameter[i], kind: 'missed', square: side.square,
          colour: colours.missed, text: 'missed particle', side: side.letter,
        });
      });
    }
    const known = picked.diameter.find((size) => size > 0) || micrographs[this.micrograph].width / 40;
    for (const mark of marks) mark.diameter = mark.diameter || known;
    return side.square ? marks : this.editor.marks(marks, picked);
  }

  showMarks() {
    const every = this.sides.filter((side) => side.info).flatMap((side) => this.marksOf(side)).reverse();
    const shown = every.filter((mark) => !this.hidden.has(`${mark.side} ${mark.kind}`)).reverse();
    this.canvas.setMarks(shown);
    const { dataset } = this.canvas.canvas;
    dataset.marks = String(shown.length);
    this.showKey(every);
    const names = this.sides.filter((side) => side.info).map((side) => side.info.name).join(' and ');
    this.canvas.canvas.setAttribute('aria-label', `Micrograph ${micrographs[this.micrograph].name} with the picks of ${names}`);
  }

  // The legend counts the marks of each kind; a click hides or shows them.
  showKey(marks) {
    const kinds = ['hit', 'false', 'missed', 'ignored', 'pick', 'added', 'removed'];
    const entries = [];
    for (const side of this.sides) {
      for (const kind of kinds) {
        const members = marks.filter((mark) => mark.side === side.letter && mark.kind === kind);
        this.canvas.canvas.dataset[`${kind}${side.letter}`] = String(members.length);
        if (members.length) entries.push({ side, kind, count: members.length, colour: members[0].colour });
      }
    }
    byId('key').replaceChildren(...entries.map((entry) => this.keyEntry(entry)));
  }

  keyEntry({ side, kind, count, colour }) {
    const name = `${side.letter} ${kind}`;
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
    const sample = draw(button, 'svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true', class: 'sample' });
    const style = { fill: 'none', stroke: colour, 'stroke-width': 2, 'stroke-dasharray': kind === 'missed' ? '3 2.5' : '' };
    if (side.square) draw(sample, 'rect', { x: 2, y: 2, width: 12, height: 12, ...style });
    else draw(sample, 'circle', { cx: 8, cy: 8, r: 6, ...style });
    if (kind === 'false' || kind === 'removed') draw(sample, 'path', { d: 'M4 4 L12 12 M12 4 L4 12', ...style });
    button.append(`${side.letter}: ${count} ${COUNTED[kind][count === 1 ? 0 : 1]}`);
    button.addEventListener('click', () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      this.showMarks();
      byId('key').querySelectorAll('button')[[...byId('key').children].findIndex((one) => one.dataset.name === name)]?.focus();
    });
    item.dataset.name = name;
    item.append(button);
    return item;
  }

  showCounts() {
    const rows = [];
    for (const side of this.sides) {
      if (!side.data) continue;
      const here = side.picked(this.micrograph);
      const left = side.data.list.filter((picked) => !this.isExcluded(side, picked));
      if (here) rows.push(this.countsRow(`${side.letter}, this micrograph`, this.counted(side, here)));
      rows.push(this.countsRow(`${side.letter}, ${isPart ? 'shown' : 'all'} ${left.length}`, sumOfCounts(left.map((picked) => this.counted(side, picked)))));
    }
    byId('counts').tBodies[0].replaceChildren(...rows);
    byId('counts').classList.toggle('without-truth', !rows.some((row) => row.dataset.scores));
    byId('agreement').textContent = this.agreement();
  }

  isExcluded(side, picked) {
    return !side.square && this.editor.corrections.of(picked.micrograph).excluded;
  }

  // Counts of a micrograph: of A after all corrections, except beside the truth.
  counted(side, picked) {
    const counts = countsAt(picked, side.threshold);
    if (side.square || counts.known) return counts;
    return { picks: this.editor.corrections.countOf(picked, side.threshold), known: false };
  }

  countsRow(title, counts) {
    const row = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = title;
    row.append(head);
    const cells = [counts.picks];
    if (counts.known) {
      const { precision, recall, f1 } = scoresOf(counts);
      cells.push(counts.hits, counts.wrong, counts.missed, ...[precision, recall, f1]);
      row.dataset.scores = JSON.stringify({ precision, recall, f1 });
    } else {
      cells.push(...new Array(6).fill('–'));
    }
    cells.forEach((value, index) => {
      const cell = document.createElement('td');
      cell.textContent = index > 3 && value !== '–' ? number(value) : String(value);
      row.append(cell);
    });
    return row;
  }

  // Number of true particles of this micrograph found by both pickers, if they have the same truth.
  agreement() {
    const [a, b] = this.sides.map((side) => side.picked(this.micrograph));
    if (!a || !b || !a.outcome || !b.outcome || String(a.truth.x) !== String(b.truth.x)) return '';
    const [inA, inB] = [[a, this.sides[0]], [b, this.sides[1]]].map(([picked, side]) => (
      new Set(picked.found.slice(0, countsAt(picked, side.threshold).hits))
    ));
    const both = [...inA].filter((one) => inB.has(one)).length;
    const neither = a.truth.x.length - inA.size - inB.size + both;
    return `True particles of this micrograph: ${both} found by both, ${inA.size - both} by A alone, ${inB.size - both} by B alone, ${neither} by neither.`;
  }

  drawBars() {
    const side = this.sides[0];
    if (!side.data) return;
    const rows = side.data.list
      .filter((picked) => !this.isExcluded(side, picked))
      .map((picked) => ({ picked, counts: this.counted(side, picked) }));
    const by = byId('order').value;
    if (by === 'picks') rows.sort((one, other) => other.counts.picks - one.counts.picks);
    if (by === 'f1') rows.sort((one, other) => scoresOf(one.counts).f1 - scoresOf(other.counts).f1 || 0);
    this.barOrder = rows.map((row) => row.picked.micrograph);
    const { colours } = content;
    const bars = rows.map(({ picked, counts }) => ({
      micrograph: picked.micrograph,
      text: `${micrographs[picked.micrograph].name}: ${counts.picks} ${COUNTED.pick[counts.picks === 1 ? 0 : 1]}${counts.known ? `, ${counts.hits} ${COUNTED.hit[counts.hits === 1 ? 0 : 1]}, ${counts.wrong} false, ${counts.missed} missed` : ''}`,
      parts: counts.known
        ? [{ count: counts.hits, colour: colours.hit }, { count: counts.wrong, colour: colours.false }, { count: counts.missed, colour: colours.missed }]
        : [{ count: counts.picks, colour: ALONE[0] }],
    }));
    byId('bars-of').textContent = `of A at ${Number(side.threshold.toPrecision(3))}`;
    drawBars(byId('bars'), bars, this.micrograph, (index) => this.chooseMicrograph(index));
    this.showOutliers(rows);
  }

  // Outliers: micrographs whose number of picks is far from the others', at the slider's threshold.
  showOutliers(rows) {
    const counts = rows.map((row) => row.counts.picks);
    const middle = median(counts);
    const odd = farFromOthers(counts, content.far);
    const far = rows.filter((row, index) => odd[index]);
    const names = far.slice(0, 8).map((row) => `${micrographs[row.picked.micrograph].name} (${row.counts.picks})`);
    byId('outliers').textContent = far.length
      ? `Median ${middle} picks. Outliers: ${names.join(', ')}${far.length > 8 ? ` and ${far.length - 8} more` : ''}.`
      : `Median ${middle} picks; no outliers.`;
  }

  drawHistogram(side) {
    const holder = byId(`histogram-${side.letter}`);
    if (side.square) byId('histogram-B-figure').hidden = !side.data;
    if (!side.data) return;
    const { info, data } = side;
    const scores = { h: [], f: [], p: [] };
    for (const picked of data.list) {
      picked.score.forEach((score, i) => scores[picked.outcome ? picked.outcome[i] : 'p']?.push(score));
    }
    const lines = [
      { scores: scores.h, colour: content.colours.hit, dash: '' },
      { scores: scores.f, colour: content.colours.false, dash: '5 3' },
      { scores: scores.p, colour: ALONE[side.square ? 1 : 0], dash: '' },
    ].filter((line) => line.scores.length);
    byId(`histogram-${side.letter}-title`).textContent = `Scores of ${info.name}, ${everyOne}${scores.h.length ? ': hits (solid) and false picks (dashed)' : ''}`;
    drawHistogram(holder, lines, { low: info.low, high: info.high, threshold: side.threshold });
  }

  hover(place) {
    const tip = byId('tip');
    const mark = place && this.canvas.markAt(place);
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = `${mark.side}: ${mark.text}`;
    tip.style.left = `${Math.min(place.x + 14, this.canvas.canvas.clientWidth - 150)}px`;
    tip.style.top = `${place.y + 14}px`;
  }
}

// Size and contrast of a pick in words, where they were measured.
function measuresOf(picked, i) {
  if (!picked.contrast || picked.contrast[i] === null) return '';
  return `, size ${picked.size[i]}, contrast ${picked.contrast[i]}`;
}

// The same rule as `far_from_others` in evaluation/pick_counts.py, which also holds its constants.
function farFromOthers(counts, rule) {
  const middle = median(counts);
  const poisson = Math.max(Math.sqrt(middle), 1);
  const scatter = median(counts.map((count) => Math.abs(count - middle)));
  const spread = Math.max(rule.spread_of_mad * scatter, poisson);
  return counts.map((count) => Math.abs(count - middle) > rule.deviations * spread
    || (count < rule.low_share * middle && middle - count > rule.deviations * poisson));
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2 || 0;
}
