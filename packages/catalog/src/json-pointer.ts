/** A JSON pointer (RFC 6901) to the member or element `token` under `parent`; the document itself is `""`. */
export function jsonPointer(parent: string, ...tokens: readonly (string | number)[]): string {
  let pointer = parent;
  for (const token of tokens) pointer += `/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer;
}
