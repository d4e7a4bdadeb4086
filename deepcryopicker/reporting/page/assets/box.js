// Contrast against score of picker A: a box dragged in the plot keeps the picks inside.

const LEAST_DRAG = 4; // pixels
const MOST_POINTS = 30_000; // drawn, of all micrographs
const FEW_POINTS = 5000;
const UNLIMITED = 1e6; // a contrast beyond all
const SHARE_SHOWN = 0.995; // of the contrasts; a few contaminants would flatten the others

class ScoreBox {
  constructor(viewer) {
    this.viewer = viewer;
    this.holder = byId('scatter');
    this.canvas = document.createElement('canvas');
    this.canvas.addEventListener('pointerdown', (event) => this.start(event));
    this.canvas.addEventListener('pointermove', (event) => this.drag(event));
    this.canvas.addEventListener('pointerup', (event) => this.end(event));
    byId('box-all').addEventListener('click', () => this.set(null));
    for (const name of ['box-low', 'box-high']) byId(name).addEventListener('change', () => this.type());
  }

  get side() {
    return this.viewer.sides[0];
  }

  get corrections() {
    return this.viewer.editor.corrections;
  }

  set(box, threshold) {
    this.corrections.setBox(box, threshold);
    this.viewer.renew();
  }

  // Typed contrasts, for those who do not drag.
  type() {
    const [low, high] = ['box-low', 'box-high'].map((name) => byId(name).value).map((text, i) => (text === '' ? [-UNLIMITED, UNLIMITED][i] : Number(text)));
    if (low <= high) this.set({ contrast: [low, high], maxscore: this.corrections.box?.maxscore ?? null });
  }

  draw() {
    const { side } = this;
    const measured = side.data && side.data.list.some((picked) => picked.contrast);
    byId('scatter-figure').hidden = !measured;
    if (!measured) return;
    const { low, high } = side.info;
    side.data.contrasts ??= contrastRange(side.data.list);
    this.range = side.data.contrasts;
    const size = { width: Math.max(260, Math.min(640, this.holder.clientWidth)), height: 260 };
    this.chart = frame(this.holder, {
      ...size,
      x: { low, high, ticks: roundTicks(low, high, 5), title: 'Score' },
      y: { ...this.range, ticks: roundTicks(this.range.low, this.range.high, 5), title: 'Contrast' },
    });
    const dense = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: size.width * dense, height: size.height * dense });
    this.canvas.style.width = `${size.width}px`;
    this.canvas.style.height = `${size.height}px`;
    this.holder.append(this.canvas);
    this.context = this.canvas.getContext('2d');
    this.context.scale(dense, dense);
    this.drawPoints();
    this.rectangle = draw(this.chart.svg, 'rect', { class: 'box' });
    this.drawBox(this.corners());
    this.say();
  }

  drawPoints() {
    const { data, threshold } = this.side;
    const total = data.list.reduce((sum, picked) => sum + picked.x.length, 0);
    const step = Math.ceil(total / MOST_POINTS);
    const dot = total < FEW_POINTS ? 3 : 2; // pixels
    for (const picked of data.list) {
      if (!picked.contrast) continue;
      const shown = countFrom(picked.score, threshold);
      for (let i = 0; i < picked.score.length; i += step) {
        const contrast = picked.contrast[i];
        if (contrast === null || contrast < this.range.low || contrast > this.range.high) continue;
        const kept = i < shown && !this.corrections.isLeftOut(picked, i);
        const kind = picked.outcome ? { h: 'hit', f: 'false', i: 'ignored' }[picked.outcome[i]] : null;
        this.context.fillStyle = kept ? content.colours[kind] ?? ALONE[0] : 'rgba(140, 140, 140, 0.35)';
        this.context.fillRect(this.chart.toX(picked.score[i]) - dot / 2, this.chart.toY(contrast) - dot / 2, dot, dot);
      }
    }
  }

  // Corners of what is kept, pixels of the chart.
  corners() {
    const { box } = this.corrections;
    if (!box) return undefined;
    const { info, threshold } = this.side;
    const inside = (value) => Math.min(this.range.high, Math.max(this.range.low, value));
    return [
      [this.chart.toX(threshold), this.chart.toY(inside(box.contrast[0]))],
      [this.chart.toX(box.maxscore ?? info.high), this.chart.toY(inside(box.contrast[1]))],
    ];
  }

  // From the lower left to the upper right corner; none if there is no box.
  drawBox([[left, bottom], [right, top]] = [[0, 0], [0, 0]]) {
    const shape = { x: left, y: top, width: right - left, height: bottom - top };
    for (const [key, value] of Object.entries(shape)) this.rectangle.setAttribute(key, value);
  }

  say() {
    const { box } = this.corrections;
    byId('box-all').disabled = !box;
    const [low, high] = box ? box.contrast : ['', ''];
    byId('box-low').value = low > -UNLIMITED ? String(low) : '';
    byId('box-high').value = high < UNLIMITED ? String(high) : '';
    const most = box?.maxscore == null ? '' : `, score at most ${box.maxscore}: the best scores are left out`;
    byId('box-readout').textContent = box ? `Kept: contrast ${byId('box-low').value || 'any'} to ${byId('box-high').value || 'any'}${most}.` : 'All contrasts are kept.';
  }

  place(event) {
    const area = this.canvas.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  }

  start(event) {
    this.from = this.place(event);
    this.canvas.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (!this.from) return;
    const [x, y] = this.place(event);
    this.drawBox([[Math.min(x, this.from[0]), Math.max(y, this.from[1])], [Math.max(x, this.from[0]), Math.min(y, this.from[1])]]);
  }

  end(event) {
    const [from, to] = [this.from, this.place(event)];
    this.from = null;
    if (!from || Math.abs(from[0] - to[0]) < LEAST_DRAG || Math.abs(from[1] - to[1]) < LEAST_DRAG) {
      this.drawBox(this.corners());
      return;
    }
    const { info } = this.side;
    const scores = [from[0], to[0]].map((x) => this.valueAt(x, this.chart.toX, info.low, info.high)).sort((one, other) => one - other);
    const contrasts = [from[1], to[1]].map((y) => this.valueAt(y, this.chart.toY, this.range.low, this.range.high)).sort((one, other) => one - other);
    const rounded = (value, digits) => Number(value.toFixed(digits));
    const box = {
      contrast: contrasts.map((value) => rounded(value, 2)),
      maxscore: scores[1] < info.high ? rounded(scores[1], 3) : null, // beyond the axis: no limit
    };
    this.set(box, rounded(Math.max(scores[0], info.low), 3));
  }

  valueAt(pixel, toPixel, low, high) {
    return low + ((pixel - toPixel(low)) / (toPixel(high) - toPixel(low))) * (high - low);
  }
}

// The contrasts of nearly all candidates.
function contrastRange(list) {
  const values = list.flatMap((picked) => picked.contrast ?? []).filter((value) => value !== null).sort((one, other) => one - other);
  const at = (share) => values[Math.round(share * (values.length - 1))];
  const [low, high] = [at(1 - SHARE_SHOWN), at(SHARE_SHOWN)];
  const margin = (high - low || 1) * 0.05;
  return { low: low - margin, high: high + margin };
}
