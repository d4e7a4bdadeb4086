// The page of the local server: pictures at the resolution of the screen, corrections saved in the
// run folder, jobs, and new picks. A page that is opened as a file has no server.

const served = content.server;

async function ask(name, method = 'GET', body = null) {
  const answer = await fetch(name, { method, body: body && JSON.stringify(body) });
  return { status: answer.status, value: await answer.json().catch(() => ({})) };
}

// A part of a micrograph as the server draws it, or null.
function loadPart(index, [left, top, right, bottom], width) {
  const query = new URLSearchParams({ name: micrographs[index].name, left, top, right, bottom, width });
  const image = new Image();
  image.src = `picture?${query}`;
  return image.decode().then(() => image, () => null);
}

class Server {
  constructor(viewer) {
    this.viewer = viewer;
    this.saved = 0;
    this.said = byId('server');
    byId('jobs').hidden = false;
    byId('low-pass').value = '2'; // pixels of the file are noisier than a picture in the page
    viewer.canvas.setLook({ blur: 2 });
    byId('renew').addEventListener('click', () => window.location.reload());
    for (const name of served.jobs) {
      const button = byId(`job-${name}`);
      button.hidden = false;
      button.addEventListener('click', () => this.start(name));
    }
  }

  // Corrections of the first picker, as saved in the run folder.
  async load() {
    const { status, value } = await ask('corrections');
    if (status !== 200) {
      this.say(value.error ?? 'Corrections cannot be read.');
      return;
    }
    this.saved = value.saved;
    this.viewer.editor.all[0].takeNamed(value.page, await loadPicker(0));
    this.watch();
  }

  // Saves after every change; the next save waits for the one before.
  save() {
    this.wanted = true;
    this.saving ??= this.saveNow().finally(() => { this.saving = null; });
    return this.saving;
  }

  async saveNow() {
    while (this.wanted) {
      this.wanted = false;
      const { editor } = this.viewer;
      const [info, data] = [pickers[0], await loadPicker(0)];
      const corrections = JSON.parse(editor.all[0].asJson(data, info.now, info.weights));
      const { status, value } = await ask('corrections', 'PUT', { saved: this.saved, corrections, page: editor.all[0].named(data) }).catch(() => ({ status: 0 }));
      if (status === 200) {
        this.saved = value.saved;
        this.say('All corrections are saved.');
      } else if (status === 409) {
        this.say('Somebody else has saved corrections in the meantime: reload the page. Yours are not saved.');
      } else {
        this.say('Not saved: the server does not answer.');
      }
    }
  }

  // What a job does, or where its results are.
  sayJob({ name, running, code, lines }) {
    if (running) return `Running: ${lines.at(-1) ?? name}`;
    const ended = code === 0 || code === 3 ? 'Done' : `Ended with code ${code}`;
    const said = code === 0 ? '' : ` ${lines.slice(-3).join(' | ')}`;
    return `${ended}: ${served.folders[name]} (for RELION: ${served.folders[name]}/relion).${said}`;
  }

  say(text) {
    this.said.textContent = text;
    this.said.dataset.saved = String(this.saved);
  }

  async start(name) {
    await this.save();
    const { status } = await ask('job', 'POST', { name });
    if (status !== 202) this.say('Another job is running.');
    this.watch();
  }

  // Follows the running job, and looks for new picks.
  async watch() {
    clearTimeout(this.timer);
    const { status, value } = await ask('state').catch(() => ({ status: 0 }));
    if (status === 200) {
      const { job, version } = value;
      byId('job').textContent = job.name ? this.sayJob(job) : '';
      byId('job').dataset.code = job.code === null ? '' : String(job.code);
      for (const each of served.jobs) byId(`job-${each}`).disabled = job.running;
      byId('renew').hidden = version === served.version;
    }
    this.timer = setTimeout(() => this.watch(), 2000);
  }
}
