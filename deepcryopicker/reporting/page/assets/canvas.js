// A micrograph with marks that can be zoomed and moved. Positions are original pixels, 0 at the
// centre of the first pixel.

const LARGEST_ZOOM = 40;

class MicrographCanvas {
  constructor(canvas, onHover) {
    this.canvas = canvas;
    this.onHover = onHover;
    this.picture = null;
    this.size = { width: 1, height: 1 };
    this.marks = [];
    this.view = { zoom: 1, x: 0, y: 0 }; // zoom relative to the whole; x, y: original pixel at the top left
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  show(size, picture, whole) {
    this.size = size;
    this.picture = picture;
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
      pen.drawImage(this.picture, -view.x * scale, -view.y * scale, size.width * scale, size.height * scale);
    }
    for (const mark of this.marks) this.paintMark(pen, mark);
    canvas.dataset.zoom = view.zoom.toFixed(3);
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
    if (mark.kind === 'false') {
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
      pointers.set(event.pointerId, this.place(event));
    });
    for (const end of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
    }
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
    pointers.set(event.pointerId, now);
    if (pointers.size === 1) {
      this.moveBy(before.x - now.x, before.y - now.y);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const distance = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    this.zoomBy(distance(now) / distance(before), other);
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
