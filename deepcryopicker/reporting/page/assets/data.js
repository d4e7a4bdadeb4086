// Data of the page: names at once, candidates and pictures when they are viewed.

const content = JSON.parse(document.getElementById('content').textContent);
const pickers = content.pickers;
const micrographs = content.micrographs;
// A page of many micrographs shows a part of them.
const isPart = micrographs.length < content.total;
const everyOne = isPart ? `${micrographs.length} of ${content.total} micrographs` : 'all micrographs';
const unpacked = new Map();

// Decodes deflated JSON in base64.
async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

// A value that is equal for all candidates is stored once.
function each(value, count) {
  return Array.isArray(value) ? value : new Array(count).fill(value);
}

function complete(places) {
  return { ...places, diameter: each(places.diameter, places.x.length) };
}

// Candidates of a picker as a list of micrographs, and by number of the micrograph.
function loadPicker(index) {
  if (!unpacked.has(index)) {
    unpacked.set(index, unpack(`picks-${index}`).then((list) => {
      for (const picked of list) {
        Object.assign(picked, complete(picked));
        picked.label = each(picked.label, picked.x.length);
        if (picked.outcome === undefined) continue;
        picked.running = runningCounts(picked.outcome);
        picked.truth = complete(picked.truth);
      }
      return { list, byMicrograph: new Map(list.map((one) => [one.micrograph, one])) };
    }));
  }
  return unpacked.get(index);
}

// The picture of a micrograph, or null.
function loadPicture(index) {
  const holder = document.getElementById(`picture-${index}`);
  if (!holder) return Promise.resolve(null);
  const image = new Image();
  image.src = `data:image/webp;base64,${holder.textContent}`;
  return image.decode().then(() => image, () => null);
}
