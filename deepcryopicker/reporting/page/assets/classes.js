// The sheet of 2-D classes: a click on an average leaves its picks out.

class ClassSheet {
  constructor(viewer) {
    this.viewer = viewer;
    this.holder = document.getElementById('class-tiles');
    if (!this.holder) return;
    this.buttons = content.classes.count.map((count, index) => this.tile(index, count));
    this.holder.append(...this.buttons);
  }

  tile(index, count) {
    const button = document.createElement('button');
    button.type = 'button';
    const picture = new Image();
    picture.src = `data:image/webp;base64,${content.classes.pictures[index]}`;
    picture.alt = '';
    const note = content.classes.like_random[index] ? ', like random places' : '';
    button.append(picture, `${index + 1}: ${count}`);
    button.title = `class ${index + 1}, ${count} picks${note}`;
    button.classList.toggle('random', content.classes.like_random[index]);
    button.addEventListener('click', () => {
      this.viewer.editor.corrections.toggleClass(index + 1);
      this.viewer.update();
    });
    return button;
  }

  show() {
    if (!this.holder) return;
    const { dropped } = this.viewer.editor.corrections;
    this.buttons.forEach((button, index) => button.setAttribute('aria-pressed', String(!dropped.has(index + 1))));
    const lost = [...dropped].reduce((sum, number) => sum + content.classes.count[number - 1], 0);
    byId('class-lost').textContent = dropped.size ? `Left out: ${lost} picks of ${dropped.size === 1 ? 'one class' : `${dropped.size} classes`}.` : 'All classes are kept.';
  }
}
