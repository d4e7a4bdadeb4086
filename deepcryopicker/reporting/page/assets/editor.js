// Corrects picks by hand: the tools below the micrograph, its keys, and clicks on it.

const EDIT_COLOURS = { added: 'rgb(0, 200, 140)', removed: 'rgb(200, 200, 200)' };
const TYPING = new Set(['INPUT', 'SELECT', 'TEXTAREA']);

class Editor {
  constructor(viewer) {
    this.viewer = viewer;
    this.all = pickers.map((_, index) => new Corrections(index));
    this.on = false;
    this.listen();
  }

  get corrections() {
    return this.all[this.viewer.sides[0].index];
  }

  // The file of corrections for commands.
  get file() {
    return this.corrections.isServed ? served.file : 'corrections.json';
  }

  listen() {
    const press = (id, act) => byId(id).addEventListener('click', act);
    press('edit', () => this.toggle());
    press('undo', () => this.step('undo'));
    press('redo', () => this.step('redo'));
    press('exclude', () => this.change((state) => { state.excluded = !state.excluded; }));
    press('only-view', () => this.limit());
    press('forget', () => this.forget());
    press('save-json', () => this.save('json'));
    press('save-star', () => this.save('star'));
    press('save-csv', () => this.save('csv'));
    press('save-box', () => this.save('box'));
    document.addEventListener('keydown', (event) => this.press(event));
    this.viewer.canvas.editor = this;
  }

  press(event) {
    const key = event.key.toLowerCase();
    const control = event.ctrlKey || event.metaKey;
    if (TYPING.has(event.target.tagName) || event.altKey) return;
    const keys = control
      ? { z: () => this.step(event.shiftKey ? 'redo' : 'undo'), y: () => this.step('redo') }
      : {
        e: () => this.toggle(), z: () => this.step('undo'), y: () => this.step('redo'),
        x: () => byId('exclude').click(), n: () => this.viewer.step(1), p: () => this.viewer.step(-1),
      };
    if (!keys[key]) return;
    event.preventDefault();
    keys[key]();
  }

  toggle() {
    this.on = !this.on;
    byId('edit').setAttribute('aria-pressed', String(this.on));
    this.viewer.canvas.canvas.classList.toggle('editing', this.on);
    this.show();
  }

  change(edit) {
    this.corrections.change(this.viewer.micrograph, edit);
    this.redraw();
  }

  // Charts stay until the next threshold or micrograph: a click is drawn at once.
  redraw() {
    this.viewer.showMarks();
    this.viewer.showCounts();
    this.show();
  }

  step(which) {
    const last = this.corrections[which]();
    if (!last) return;
    if (last.micrograph === null) this.viewer.renew();
    else if (last.micrograph !== this.viewer.micrograph) this.viewer.chooseMicrograph(last.micrograph);
    else this.redraw();
  }

  forget() {
    const { added, removed, excluded } = this.corrections.total;
    if (!this.corrections.isTouched) return;
    if (byId('forget').dataset.sure) {
      this.corrections.forget();
      this.viewer.renew();
      return;
    }
    byId('forget').dataset.sure = 'true';
    byId('forget').textContent = `Discard ${added} added, ${removed} removed, ${excluded} excluded?`;
    setTimeout(() => this.unsure(), 5000);
  }

  // Takes the question back, after a while or any other change.
  unsure() {
    delete byId('forget').dataset.sure;
    byId('forget').textContent = 'Discard corrections';
  }

  // Only what lies in this view was looked at; again: the whole micrograph.
  limit() {
    const { view, scale, canvas, size } = this.viewer.canvas;
    const part = [view.x, view.y, Math.min(size.width, view.x + canvas.clientWidth / scale), Math.min(size.height, view.y + canvas.clientHeight / scale)];
    this.change((state) => { state.seen = state.seen ? null : [part.map(Math.round)]; });
  }

  // A click adds a pick, or removes the one that is there; one that was removed comes back.
  click(mark, place) {
    this.change((state) => {
      if (mark?.added !== undefined) state.added.splice(mark.added, 1);
      else if (mark?.kind === 'removed') state.removed = state.removed.filter((one) => one !== mark.pick);
      else if (mark?.pick !== undefined) state.removed.push(mark.pick);
      else state.added.push(place);
    });
  }

  move(mark, place) {
    this.change((state) => {
      if (mark.added !== undefined) state.added[mark.added] = place;
      else {
        state.removed.push(mark.pick);
        state.added.push(place);
      }
    });
  }

  // Whether a mark can be moved.
  holds(mark) {
    return this.on && mark && mark.kind !== 'removed' && (mark.added !== undefined || mark.pick !== undefined);
  }

  // The marks of picker A after the corrections.
  marks(marks, picked) {
    const state = this.corrections.of(picked.micrograph);
    const removed = new Set(state.removed);
    const shown = [];
    for (const mark of marks) {
      if (mark.pick === undefined) shown.push(mark);
      else if (removed.has(mark.pick)) shown.push({ ...mark, kind: 'removed', colour: EDIT_COLOURS.removed });
      else if (!this.corrections.isLeftOut(picked, mark.pick)) shown.push(mark);
    }
    state.added.forEach(([x, y], index) => shown.push({
      x, y, diameter: usualDiameter(picked), kind: 'added', colour: EDIT_COLOURS.added, text: 'added', side: 'A', square: false, added: index,
    }));
    return state.excluded ? [] : shown;
  }

  save(kind) {
    const [side] = this.viewer.sides;
    const { info, data, threshold } = side;
    const name = `${info.file}.${kind}`;
    const writers = {
      json: () => download('corrections.json', this.corrections.asJson(data, threshold, info.weights)),
      star: () => download(name, asStar(data.list, this.corrections, threshold, info.star)),
      csv: () => download(name, asCsv(data.list, this.corrections, threshold)),
      box: () => download(`${micrographs[this.viewer.micrograph].name.split('/').at(-1)}.box`, asBox(side.picked(this.viewer.micrograph), this.corrections, threshold)),
    };
    writers[kind]();
  }

  // Buttons, numbers and commands that depend on the corrections.
  show() {
    const [side] = this.viewer.sides;
    if (!side.data) return;
    const { corrections } = this;
    const state = corrections.of(this.viewer.micrograph);
    const { micrographs: count, added, removed, excluded } = corrections.total;
    byId('undo').disabled = !corrections.done.length;
    byId('redo').disabled = !corrections.undone.length;
    byId('exclude').setAttribute('aria-pressed', String(state.excluded));
    byId('exclude').textContent = state.excluded ? 'Excluded: take it back' : 'Exclude micrograph';
    byId('only-view').setAttribute('aria-pressed', String(state.seen !== null));
    byId('save-star').disabled = isPart || !side.info.star; // these would lack the picks of the others
    byId('save-csv').disabled = isPart;
    byId('save-box').disabled = !side.picked(this.viewer.micrograph);
    const seen = state.seen ? ' Only a part was checked.' : '';
    const here = state.excluded ? 'This micrograph is excluded.' : `Here: ${state.added.length} added, ${state.removed.length} removed.${seen}`;
    const left = side.data.list.filter((picked) => !corrections.of(picked.micrograph).excluded).length;
    const picks = side.data.list.reduce((sum, picked) => sum + corrections.countOf(picked, side.threshold), 0);
    byId('edits').textContent = `${here} All: ${added} added, ${removed} removed in ${count} ${count === 1 ? 'micrograph' : 'micrographs'}${excluded ? `, ${excluded} excluded` : ''}; now ${picks} picks in ${left}.`;
    this.unsure();
    const { canvas } = this.viewer.canvas;
    canvas.dataset.added = String(state.added.length);
    canvas.dataset.removed = String(state.removed.length);
    this.viewer.canvas.seen = state.seen;
    this.viewer.canvas.excluded = state.excluded;
    byId('command-filter').textContent = this.filterCommand(side);
    byId('command-train').textContent = side.info.train.replace('=corrections.json', `=${this.file}`);
    byId('learning').hidden = !side.info.train;
    byId('commands').hidden = !side.info.filter;
  }

  filterCommand({ info, threshold }) {
    const { corrections } = this;
    const words = [info.filter];
    if (corrections.states.size) return [...words, `filter.corrections=${this.file}`].join(' ');
    const { classes, drop, contrast, maxscore } = corrections.rules;
    words.push(`filter.threshold=${Number(threshold.toPrecision(6))}`);
    if (classes) words.push(`filter.classes=${classes}`, `'filter.drop=[${drop}]'`);
    if (contrast) words.push(`'filter.contrast=[${contrast}]'`);
    if (maxscore !== null) words.push(`filter.maxscore=${maxscore}`);
    return words.join(' ');
  }
}
