// Counts and scores of candidates at a threshold: the paper's equations 1, 2 and 4.
// Candidates are sorted by descending score, so that those above a threshold come first.

// Number of candidates with at least the threshold as score.
function countFrom(scores, threshold) {
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Cumulative numbers of hits and of false picks: entry n counts the first n candidates.
function runningCounts(outcome) {
  const hits = new Uint32Array(outcome.length + 1);
  const wrong = new Uint32Array(outcome.length + 1);
  for (let i = 0; i < outcome.length; i += 1) {
    hits[i + 1] = hits[i] + (outcome[i] === 'h' ? 1 : 0);
    wrong[i + 1] = wrong[i] + (outcome[i] === 'f' ? 1 : 0);
  }
  return { hits, wrong };
}

function countsAt(picked, threshold) {
  const picks = countFrom(picked.score, threshold);
  if (!picked.running) return { picks, known: false };
  const hits = picked.running.hits[picks];
  const wrong = picked.running.wrong[picks];
  return { picks, hits, wrong, missed: picked.truth.x.length - hits, known: true };
}

// Sums over micrographs; those without truth contribute picks only.
function sumOfCounts(list) {
  const sum = { picks: 0, hits: 0, wrong: 0, missed: 0, known: false };
  for (const one of list) {
    sum.picks += one.picks;
    if (!one.known) continue;
    sum.known = true;
    sum.hits += one.hits;
    sum.wrong += one.wrong;
    sum.missed += one.missed;
  }
  return sum;
}

function ratio(part, whole) {
  return whole ? part / whole : 0;
}

function scoresOf({ hits, wrong, missed }) {
  return {
    precision: ratio(hits, hits + wrong),
    recall: ratio(hits, hits + missed),
    f1: ratio(2 * hits, 2 * hits + wrong + missed),
  };
}
