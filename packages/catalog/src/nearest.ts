const LONGEST = 64;

/**
 * The word of `vocabulary` that `word` is most likely a slip for: equal but for case, `-`, `_` and `.`, or within an edit
 * distance (insertions, deletions, substitutions, neighbour swaps) of a third of its length, three at most.
 * Only the first `limit` words are looked at.
 */
export function nearest(word: string, vocabulary: Iterable<string>, limit = 5000): string | undefined {
  if (word.length === 0 || word.length > LONGEST) return undefined;
  const folded = fold(word);
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 3)) + 1;
  let looked = 0;
  for (const candidate of vocabulary) {
    if (looked++ >= limit) break;
    if (candidate === word || Math.abs(candidate.length - word.length) > 3) continue;
    const distance = fold(candidate) === folded ? 0 : editDistance(word, candidate, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_.\s]/g, "");
}

/** Optimal string alignment distance; any value at or over `limit` may be returned as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
      if (cost < smallest) smallest = cost;
    }
    if (smallest >= limit) return limit;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
