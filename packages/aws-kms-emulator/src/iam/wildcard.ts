/** Characters of the private use area stand in a pattern for a `*` and a `?` that are no wildcards. */
const LITERALS: Readonly<Record<string, string>> = { "*": "\ue02a", "?": "\ue03f" };

/** A character as a pattern has it where it means itself alone. */
export function literal(character: string): string {
  return LITERALS[character] ?? character;
}

/**
 * Matches `*` (any run, `/` and `:` included) and `?` (one character) over the whole text. It goes back to the last
 * star only, so the time is at most the product of the two lengths, whatever the pattern.
 */
export function matchesWildcard(pattern: string, text: string, ignoreCase = false): boolean {
  if (pattern === "*" || pattern === text) return true;
  if (ignoreCase) return matchesWildcard(pattern.toLowerCase(), text.toLowerCase());
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (
      p < pattern.length &&
      (pattern[p] === "?" || pattern[p] === text[t] || pattern[p] === literal(text[t] ?? ""))
    ) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** Six segments, each matched on its own; the last one keeps its colons. A lone `*` matches every ARN. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === "*" || pattern === arn) return true;
  const wanted = segments(pattern);
  const found = segments(arn);
  if (wanted.length !== 6 || found.length !== 6) return false;
  return wanted.every((part, i) => matchesWildcard(part, found[i] ?? ""));
}

function segments(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}
