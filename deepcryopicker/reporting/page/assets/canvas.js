// A micrograph with marks that can be zoomed and moved. Positions are original pixels, 0 at the
// centre of the first pixel.

const LARGEST_ZOOM = 40;
const CLICK = 4; // screen pixels by which a pointer may move in a click

class MicrographCanvas {
  constructor(canvas, onHover) {
    this.canvas = canvas;
    this.onHover = onHover;
    this.picture = null;
    this.size = { width: 1, height: 1 };
    this.marks = [];
    this.view = { zoom: 1, x: 0, y: 0 }; // zoom relative to the whole; x, y: original pixel at the top left
    this.pointers = new Map();
    this.editor = null; // takes clicks and moved marks, see editor.js
    this.held = null; // where a pointer went down, and the mark there
    this.excluded = false; // the micrograph is left out
    this.seen = null; // rectangles outside which nobody looked
    this.look = { local: false, blur: 0 };
    this.load = null; // draws a part of the micrograph at the resolution of the screen
    this.part = null; // that part: { picture, left, top, right, bottom }
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  show(size, picture, whole) {
    this.size = size;
    this.picture = picture;
    this.part = null;
    this.canvas.parentElement.style.setProperty('--ratio', String(size.width / size.height));
    if (whole) this.view = { zoom: 1, x: 0, y: 0 };
    this.redraw();
  }

  setMarks(marks) {
    this.marks = marks;
    this.redraw();
  }

  // Screen pixels per original pixel.
  get scale() {
    return (this.canvas.clientWidth / this.size.width) * this.view.zoom;
  }

  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint();
    });
  }

  paint() {
    const { canvas, size, view, scale } = this;
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * dense);
    canvas.height = Math.round(canvas.clientHeight * dense);
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#6b6b6b';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    if (this.picture) {
      pen.imageSmoothingQuality = 'high';
      pen.filter = this.filter(dense);
      pen.drawImage(this.picture, -view.x * scale, -view.y * scale, size.width * scale, size.height * scale);
      if (this.part) {
        const { picture, left, top, right, bottom } = this.part;
        pen.drawImage(picture, (left - view.x) * scale, (top - view.y) * scale, (right - left) * scale, (bottom - top) * scale);
      }
      pen.filter = 'none';
    }
    for (const mark of this.marks) this.paintMark(pen, mark);
    for (const [left, top, right, bottom] of this.seen ?? []) {
      pen.strokeStyle = '#fff';
      pen.setLineDash([8, 6]);
      pen.strokeRect((left - view.x) * scale, (top - view.y) * scale, (right - left) * scale, (bottom - top) * scale);
      pen.setLineDash([]);
    }
    if (this.excluded) {
      pen.fillStyle = 'rgba(0, 0, 0, 0.55)';
      pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
      pen.fillStyle = '#fff';
      pen.font = '600 22px sans-serif';
      pen.fillText('excluded', 16, 36);
    }
    this.paintScale(pen);
    canvas.dataset.zoom = view.zoom.toFixed(3);
  }

  setLook(look) {
    Object.assign(this.look, look);
    this.redraw();
  }

  // Low-pass, and contrast of the whole or of the part in view: grey values between its percentiles
  // fill the range.
  filter(dense) {
    const words = this.look.blur ? [`blur(${this.blurred * dense}px)`] : [];
    if (this.look.local || this.look.blur) { // blurred noise varies less
      const { view, canvas, scale, size } = this;
      const part = this.look.local
        ? [view.x, view.y, canvas.clientWidth / scale, canvas.clientHeight / scale]
        : [0, 0, size.width, size.height];
      const [low, high] = this.range(part);
      const gain = 1 / Math.max(high - low, 0.02);
      const contrast = 1 + 2 * low * gain;
      words.push(`brightness(${gain / contrast})`, `contrast(${contrast})`);
    }
    return words.join(' ') || 'none';
  }

  // Radius of the low-pass, screen pixels: thousandths of the micrograph's width.
  get blurred() {
    return (this.look.blur * this.scale * this.size.width) / 1000;
  }

  // The first and last hundredth of the grey values of a part, 0 to 1, as they are drawn.
  range([left, top, width, height]) {
    const { look, canvas, picture } = this;
    const key = [left, top, width, height, look.blur, canvas.clientWidth].join(' ');
    if (this.known?.key === key && this.known.picture === picture) return this.known.range;
    const side = 400;
    const small = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true });
    const zoom = picture.naturalWidth / this.size.width;
    if (look.blur) small.filter = `blur(${(look.blur * this.size.width * side) / (1000 * width)}px)`;
    small.drawImage(picture, left * zoom, top * zoom, width * zoom, height * zoom, 0, 0, side, side);
    const grey = [];
    const { data } = small.getImageData(0, 0, side, side);
    for (let i = 0; i < data.length; i += 4 * 13) if (data[i + 3] === 255) grey.push(data[i]);
    grey.sort((one, other) => one - other);
    const at = (share) => (grey[Math.floor(grey.length * share)] ?? 0) / 255;
    this.known = { key, picture, range: [at(0.01), at(0.99)] };
    return this.known.range;
  }

  // A bar of a round length in nanometres, or in pixels where their size is unknown.
  paintScale(pen) {
    const unit = this.size.pixel_size ? 10 / this.size.pixel_size : 1; // pixels
    const most = (0.22 * this.canvas.clientWidth) / this.scale / unit;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = power * [5, 2, 1].find((one) => one * power <= most);
    const long = length * unit * this.scale;
    const y = this.canvas.clientHeight - 12;
    pen.fillStyle = 'rgba(0, 0, 0, 0.6)';
    pen.fillRect(6, y - 22, Math.max(long, 60) + 12, 30);
    pen.fillStyle = '#fff';
    pen.fillRect(12, y, long, 3);
    pen.font = '12px sans-serif';
    pen.fillText(`${length} ${this.size.pixel_size ? 'nm' : 'px'}`, 12, y - 6);
  }

  // A circle or a square: solid for hits, crossed for false picks, dashed for missed particles.
  paintMark(pen, mark) {
    const x = (mark.x + 0.5 - this.view.x) * this.scale;
    const y = (mark.y + 0.5 - this.view.y) * this.scale;
    const radius = Math.max(3, (mark.diameter / 2) * this.scale);
    if (x < -radius || y < -radius || x > this.canvas.clientWidth + radius || y > this.canvas.clientHeight + radius) return;
    const thick = Math.min(3, Math.max(1.4, radius / 9));
    const path = new Path2D();
    if (mark.square) path.rect(x - radius * 1.1, y - radius * 1.1, radius * 2.2, radius * 2.2); // around the circle
    else path.arc(x, y, radius, 0, 2 * Math.PI);
    if (mark.kind === 'false' || mark.kind === 'removed') {
      const arm = radius * (mark.square ? 1.1 : 0.707);
      path.moveTo(x - arm, y - arm);
      path.lineTo(x + arm, y + arm);
      path.moveTo(x + arm, y - arm);
      path.lineTo(x - arm, y + arm);
    }
    pen.strokeStyle = 'rgba(0, 0, 0, 0.55)'; // dark outline, as colours are invisible on some greys
    pen.lineWidth = thick + 1.6;
    pen.stroke(path);
    pen.setLineDash(mark.kind === 'missed' ? [Math.max(3, radius / 3), Math.max(2, radius / 4)] : []);
    pen.strokeStyle = mark.colour;
    pen.lineWidth = thick;
    pen.stroke(path);
    pen.setLineDash([]);
  }

  zoomBy(factor, at) {
    const { canvas, view } = this;
    const centre = at || { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
    const before = this.scale;
    view.zoom = Math.min(LARGEST_ZOOM, Math.max(1, view.zoom * factor));
    view.x += centre.x / before - centre.x / this.scale;
    view.y += centre.y / before - centre.y / this.scale;
    this.keepInside();
  }

  moveBy(x, y) {
    this.view.x += x / this.scale;
    this.view.y += y / this.scale;
    this.keepInside();
  }

  reset() {
    this.view.zoom = 1;
    this.keepInside();
  }

  keepInside() {
    const { canvas, view, size, scale } = this;
    view.x = Math.min(Math.max(0, view.x), Math.max(0, size.width - canvas.clientWidth / scale));
    view.y = Math.min(Math.max(0, view.y), Math.max(0, size.height - canvas.clientHeight / scale));
    // At zoom 1 a finger scrolls the page.
    canvas.style.touchAction = view.zoom > 1 ? 'none' : 'pan-y';
    this.redraw();
    clearTimeout(this.sharpening);
    if (this.load && this.picture) this.sharpening = setTimeout(() => this.sharpen(), 150);
  }

  // Loads the part in view where the picture of the whole has fewer pixels than the screen.
  async sharpen() {
    const { canvas, view, size, scale, picture, load } = this;
    const dense = window.devicePixelRatio || 1;
    if (scale * dense <= picture.naturalWidth / size.width) {
      this.part = null;
      this.redraw();
      return;
    }
    const part = [
      Math.floor(view.x), Math.floor(view.y),
      Math.min(size.width, Math.ceil(view.x + canvas.clientWidth / scale)), Math.min(size.height, Math.ceil(view.y + canvas.clientHeight / scale)),
    ];
    const drawn = await load(part, Math.round(canvas.clientWidth * dense));
    if (!drawn || load !== this.load || picture !== this.picture) return;
    const [left, top, right, bottom] = part;
    this.part = { picture: drawn, left, top, right, bottom };
    canvas.dataset.part = part.join(' ');
    this.redraw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  listen() {
    const { canvas, pointers } = this;
    canvas.addEventListener('wheel', (event) => {
      if (event.deltaY > 0 && this.view.zoom === 1) return; // smallest zoom: scroll the page
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 400), this.place(event));
    }, { passive: false });
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      const place = this.place(event);
      pointers.set(event.pointerId, place);
      this.held = pointers.size === 1 && event.button === 0 ? { place, mark: this.markAt(place), moved: false } : null;
    });
    canvas.addEventListener('pointerup', (event) => {
      pointers.delete(event.pointerId);
      this.release(this.place(event));
    });
    canvas.addEventListener('pointercancel', (event) => {
      pointers.delete(event.pointerId);
      this.held = null;
    });
    canvas.addEventListener('pointermove', (event) => this.drag(event));
    canvas.addEventListener('pointerleave', () => this.onHover(null));
    canvas.addEventListener('keydown', (event) => this.press(event));
  }

  drag(event) {
    const { pointers } = this;
    const now = this.place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      this.onHover(now);
      return;
    }
    if (this.held && !this.held.moved && Math.hypot(now.x - this.held.place.x, now.y - this.held.place.y) < CLICK) return;
    if (this.held) this.held.moved = true;
    pointers.set(event.pointerId, now);
    if (this.held && this.editor?.holds(this.held.mark)) {
      Object.assign(this.held.mark, this.toPixels(now));
      this.redraw();
      return;
    }
    if (pointers.size === 1) {
      this.moveBy(before.x - now.x, before.y - now.y);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const distance = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    this.zoomBy(distance(now) / distance(before), other);
  }

  // Ends a click or a move of a mark.
  release(place) {
    const { held } = this;
    this.held = null;
    if (!held || !this.editor?.on) return;
    const { x, y } = this.toPixels(place);
    const inside = x >= 0 && y >= 0 && x <= this.size.width - 1 && y <= this.size.height - 1;
    const rounded = [Number(x.toFixed(1)), Number(y.toFixed(1))];
    if (held.moved && this.editor.holds(held.mark) && inside) this.editor.move(held.mark, rounded);
    else if (!held.moved && (inside || held.mark)) this.editor.click(held.mark, rounded);
  }

  // Original pixels at a place on the screen.
  toPixels(place) {
    return { x: place.x / this.scale + this.view.x - 0.5, y: place.y / this.scale + this.view.y - 0.5 };
  }

  press(event) {
    const far = this.canvas.clientWidth / 8;
    const keys = {
      '+': () => this.zoomBy(1.5),
      '=': () => this.zoomBy(1.5),
      '-': () => this.zoomBy(1 / 1.5),
      0: () => this.reset(),
      ArrowLeft: () => this.moveBy(-far, 0),
      ArrowRight: () => this.moveBy(far, 0),
      ArrowUp: () => this.moveBy(0, -far),
      ArrowDown: () => this.moveBy(0, far),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  // The mark with the nearest centre, if the screen position is within it.
  markAt(place) {
    let best = null;
    let nearest = Infinity;
    for (const mark of this.marks) {
      const x = (mark.x + 0.5 - this.view.x) * this.scale - place.x;
      const y = (mark.y + 0.5 - this.view.y) * this.scale - place.y;
      const distance = Math.hypot(x, y);
      if (distance < nearest && distance <= Math.max(6, (mark.diameter / 2) * this.scale)) {
        nearest = distance;
        best = mark;
      }
    }
    return best;
  }
}
