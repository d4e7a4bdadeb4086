// What a person changes in the picks of a picker: kept by the browser, undone, and saved to files.

const STATE = 'deepcryopicker'; // first word of the keys in localStorage

function unchanged() {
  return { added: [], removed: [], excluded: false, seen: null };
}

class Corrections {
  constructor(index) {
    this.index = index;
    this.key = `${STATE} ${content.id} ${index}`;
    this.states = new Map(); // by number of the micrograph
    this.dropped = new Set(); // numbers of 2-D classes
    this.box = null; // {contrast: [low, high], maxscore} of what is kept, in all micrographs
    this.done = [];
    this.undone = [];
    this.onKeep = () => {};
    this.load();
  }

  load() {
    if (this.isServed) return;
    try {
      this.take(JSON.parse(localStorage.getItem(this.key)));
    } catch { /* nothing saved, or the browser keeps nothing */ }
  }

  take(saved) {
    for (const [micrograph, state] of saved?.states ?? []) this.states.set(micrograph, state);
    this.takeRules(saved);
  }

  takeRules(saved) {
    this.dropped = new Set(saved?.dropped ?? []);
    this.box = saved?.box ?? null;
    if (Number.isFinite(saved?.threshold)) pickers[this.index].now = saved.threshold;
  }

  get state() {
    return { states: [...this.states], ...this.general };
  }

  // What holds on all micrographs.
  get general() {
    return { dropped: [...this.dropped], box: this.box, threshold: pickers[this.index].now };
  }

  // Whether anything was changed.
  get isTouched() {
    return this.states.size > 0 || this.dropped.size > 0 || this.box !== null;
  }

  // The state by names and positions, which hold where more micrographs are picked later.
  named(data) {
    const states = [...this.states].map(([micrograph, state]) => {
      const picked = data.byMicrograph.get(micrograph);
      return { ...state, name: micrographs[micrograph].name, removed: state.removed.map((i) => [picked.x[i], picked.y[i]]) };
    });
    return { states, ...this.general };
  }

  takeNamed(saved, data) {
    for (const { name, removed, ...state } of saved?.states ?? []) {
      const picked = data.list.find((one) => micrographs[one.micrograph].name === name);
      if (!picked) continue;
      const at = ([x, y]) => picked.x.findIndex((one, i) => Math.abs(one - x) < 1 && Math.abs(picked.y[i] - y) < 1);
      this.states.set(picked.micrograph, { ...state, removed: removed.map(at).filter((i) => i >= 0) });
    }
    this.takeRules(saved);
  }

  // Whether the server saves these corrections, rather than the browser.
  get isServed() {
    return served !== null && this.index === 0;
  }

  keep() {
    if (this.isServed) {
      this.onKeep();
      return;
    }
    try {
      localStorage.setItem(this.key, JSON.stringify(this.state));
    } catch { /* a private window: kept until the page is closed */ }
  }

  of(micrograph) {
    return this.states.get(micrograph) ?? unchanged();
  }

  // Changes the state of a micrograph by a function of a copy of it.
  change(micrograph, edit) {
    const before = this.of(micrograph);
    const after = structuredClone(before);
    edit(after);
    this.done.push({ micrograph, before, after });
    this.undone.length = 0;
    this.set(micrograph, after);
  }

  set(micrograph, state) {
    if (JSON.stringify(state) === JSON.stringify(unchanged())) this.states.delete(micrograph);
    else this.states.set(micrograph, state);
    this.keep();
  }

  // Changes what holds on all micrographs.
  changeGeneral(edit) {
    const before = this.general;
    edit();
    this.done.push({ micrograph: null, before, after: this.general });
    this.undone.length = 0;
    this.keep();
  }

  // Undoes or repeats a change, and returns it.
  undo() {
    return this.go(this.done, this.undone, 'before');
  }

  redo() {
    return this.go(this.undone, this.done, 'after');
  }

  go(from, to, side) {
    const last = from.pop();
    if (!last) return null;
    to.push(last);
    if (last.micrograph === null) {
      this.takeRules(last[side]);
      this.keep();
    } else this.set(last.micrograph, last[side]);
    return last;
  }

  toggleClass(number) {
    this.changeGeneral(() => { if (!this.dropped.delete(number)) this.dropped.add(number); });
  }

  // The lower edge of the box is the threshold; without a box it is what it was before.
  setBox(box, threshold) {
    this.changeGeneral(() => {
      if (threshold === undefined && !box && this.box) pickers[this.index].now = this.box.before;
      this.box = box && { ...box, before: this.box?.before ?? pickers[this.index].now };
      if (threshold !== undefined) pickers[this.index].now = threshold;
    });
  }

  forget() {
    this.states.clear();
    this.dropped.clear();
    this.box = null;
    this.done.length = 0;
    this.undone.length = 0;
    this.keep();
  }

  get total() {
    const sum = { micrographs: 0, added: 0, removed: 0, excluded: 0 };
    for (const state of this.states.values()) {
      sum.added += state.added.length;
      sum.removed += state.removed.length;
      sum.excluded += state.excluded ? 1 : 0;
      sum.micrographs += state.added.length + state.removed.length ? 1 : 0;
    }
    return sum;
  }

  // Number of picks of a micrograph after all changes.
  countOf(picked, threshold) {
    const state = this.of(picked.micrograph);
    if (state.excluded) return 0;
    const shown = countFrom(picked.score, threshold);
    let count = shown + state.added.length - state.removed.filter((i) => i < shown).length;
    if (this.box || (this.dropped.size && picked.group)) {
      const removed = new Set(state.removed);
      for (let i = 0; i < shown; i += 1) if (this.isLeftOut(picked, i) && !removed.has(i)) count -= 1;
    }
    return count;
  }

  // Whether its 2-D class, its contrast or its score leaves a pick out.
  isLeftOut(picked, i) {
    if (picked.group !== undefined && this.dropped.has(picked.group[i])) return true;
    if (!this.box) return false;
    const contrast = picked.contrast ? picked.contrast[i] : null;
    const { contrast: [low, high], maxscore } = this.box;
    return contrast === null || contrast < low || contrast > high || (maxscore !== null && picked.score[i] > maxscore);
  }

  // The picks of a micrograph after all changes, as {x, y, score, label, diameter}.
  picksOf(picked, threshold) {
    const state = this.of(picked.micrograph);
    if (state.excluded) return [];
    const removed = new Set(state.removed);
    const picks = [];
    for (let i = 0; i < countFrom(picked.score, threshold); i += 1) {
      if (removed.has(i) || this.isLeftOut(picked, i)) continue;
      picks.push({ x: picked.x[i], y: picked.y[i], score: picked.score[i], label: picked.label[i], diameter: picked.diameter[i] });
    }
    const diameter = usualDiameter(picked);
    for (const [x, y] of state.added) picks.push({ x, y, score: 1, label: 'irregular', diameter });
    return picks;
  }

  // What is left out on all micrographs, as keys of `filter`.
  get rules() {
    const drop = [...this.dropped].sort((one, other) => one - other);
    const { contrast = null, maxscore = null } = this.box ?? {};
    return { classes: drop.length ? content.classes.run : null, drop, contrast, maxscore };
  }

  // The file that `filter` and training read.
  asJson(data, threshold, weights) {
    const changed = [...this.states].sort(([one], [other]) => one - other).map(([micrograph, state]) => {
      const picked = data.byMicrograph.get(micrograph);
      const removed = new Set(state.removed);
      const row = (i) => [picked.x[i], picked.y[i], picked.score[i]];
      const shown = [...new Array(countFrom(picked.score, threshold)).keys()];
      return {
        name: micrographs[micrograph].name,
        diameter: usualDiameter(picked) || null,
        excluded: state.excluded,
        kept: shown.filter((i) => !removed.has(i) && !this.isLeftOut(picked, i)).map(row),
        added: state.added,
        removed: state.removed.map(row),
        seen: state.seen,
      };
    });
    const head = JSON.stringify({ deepcryopicker_corrections: 1, threshold, weights, rules: this.rules }).slice(0, -1);
    return `${head}, "micrographs": [\n${changed.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`;
  }
}

function usualDiameter(picked) {
  return picked.diameter.find((size) => size > 0) || 0;
}

// Files of all picks of a picker, in the words of the program's own.

function asCsv(list, corrections, threshold) {
  const lines = ['micrograph,x,y,score,class,diameter'];
  for (const picked of list) {
    for (const one of corrections.picksOf(picked, threshold)) {
      lines.push([quoted(micrographs[picked.micrograph].name), one.x.toFixed(3), one.y.toFixed(3), one.score.toFixed(6), one.label, one.diameter ? one.diameter.toFixed(2) : ''].join(','));
    }
  }
  return `${lines.join('\n')}\n`;
}

function quoted(name) {
  return /[",\n\r]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

function asBox(picked, corrections, threshold) {
  const short = (value) => value.toFixed(3).replace('.000', '');
  return corrections.picksOf(picked, threshold).map((one) => {
    const side = Math.round(one.diameter);
    return `${short(one.x - side / 2)}\t${short(one.y - side / 2)}\t${side}\t${side}\t${one.score.toFixed(6)}\n`;
  }).join('');
}

const NUMBERED = { top: 1, side: 2, irregular: 3 };

function asStar(list, corrections, threshold, star) {
  const lines = [star.head];
  for (const picked of list) {
    const named = star.micrographs[picked.micrograph];
    if (!named) continue;
    for (const one of corrections.picksOf(picked, threshold)) {
      const x = named.scale === null ? one.x : (one.x + 0.5) * named.scale[0] - 0.5;
      let y = named.scale === null ? one.y : (one.y + 0.5) * named.scale[1] - 0.5;
      if (named.height !== null) y = named.height - 1 - y; // RELION turns TIFF files over
      lines.push([x.toFixed(6), y.toFixed(6), one.score.toFixed(6), NUMBERED[one.label] ?? 3, '0.000000', named.group, named.name].join('\t'));
    }
  }
  return `${lines.join('\n')}\n\n\n`;
}

function download(name, text) {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
