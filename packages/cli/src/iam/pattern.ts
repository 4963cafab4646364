/**
 * `*` is any text and `?` any one character, over the whole text. It goes back to the last star only, so the time is at
 * most the product of the two lengths, whatever the pattern.
 */
export function matchesText(pattern: string, text: string): boolean {
  return matches(pattern, text, (wanted, found) => wanted === found || wanted === "?");
}

/** IAM compares actions without regard to case. */
export function matchesAction(pattern: string, action: string): boolean {
  return matchesText(pattern.toLowerCase(), action.toLowerCase());
}

/** An ARN or `*`, as a statement's `Resource` has it: six segments, each matched on its own; the last keeps its colons. */
export function matchesArn(pattern: string, arn: string): boolean {
  return bySegments(pattern, arn, matchesText);
}

/** Whether every ARN that `inner` matches is certainly one that `outer` matches. */
export function coversArn(outer: string, inner: string): boolean {
  return bySegments(outer, inner, (wide, narrow) =>
    // A `?` of the narrow one may be any character, a `*` any text: only the same or a wider wildcard covers it.
    matches(wide, narrow, (wanted, found) => (wanted === "?" ? found !== "*" : wanted === found)),
  );
}

/** Whether some ARN may be matched by both. */
export function meetsArn(one: string, other: string): boolean {
  if (one === "*" || other === "*") return true;
  return bySegments(one, other, meets);
}

function bySegments(pattern: string, other: string, compare: (pattern: string, other: string) => boolean): boolean {
  if (pattern === "*" || pattern === other) return true;
  const [wanted, found] = [segments(pattern), segments(other)];
  return wanted.length === 6 && found.length === 6 && wanted.every((part, at) => compare(part, found[at] ?? ""));
}

/** The six parts of an ARN. */
export function segments(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

function matches(pattern: string, text: string, same: (wanted: string, found: string) => boolean): boolean {
  let [p, t, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === "*") {
      star = p++;
      resume = t;
    } else if (wanted !== undefined && same(wanted, text[t] ?? "")) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** Both with wildcards: the states that one pass over `one` can be in, as positions of `other`. */
function meets(one: string, other: string): boolean {
  const skipStars = (at: Set<number>): Set<number> => {
    for (const position of at) if (other[position] === "*") at.add(position + 1);
    return at;
  };
  let at = skipStars(new Set([0]));
  for (const letter of one) {
    const next = new Set<number>();
    for (const position of at) {
      const found = other[position];
      if (letter === "*") for (let end = position; end <= other.length; end += 1) next.add(end);
      else if (found === "*") next.add(position);
      else if (found !== undefined && (found === letter || found === "?" || letter === "?")) next.add(position + 1);
    }
    at = skipStars(next);
  }
  return at.has(other.length);
}
