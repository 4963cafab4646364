import { Refusal } from "../refusal.js";

export interface Page<T> {
  readonly items: readonly T[];
  readonly tail: { readonly Truncated: boolean; readonly NextMarker?: string };
}

/** Cuts a list into pages; a marker is the position after the last item, and only one that was given out is taken. */
export function page<T>(items: readonly T[], limit: number, marker: string | undefined, kind: string): Page<T> {
  let start = 0;
  if (marker !== undefined) {
    const match = new RegExp(`^${kind}:(\\d{1,9})$`).exec(Buffer.from(marker, "base64url").toString("latin1"));
    if (match?.[1] === undefined) throw new Refusal("InvalidMarkerException", "Could not deserialize marker");
    start = Number(match[1]);
  }
  const end = start + limit;
  if (end >= items.length) return { items: items.slice(start), tail: { Truncated: false } };
  return {
    items: items.slice(start, end),
    tail: { Truncated: true, NextMarker: Buffer.from(`${kind}:${end}`, "latin1").toString("base64url") },
  };
}
