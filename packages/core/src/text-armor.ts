/** The lines around the base64 of a text that carries bytes (RFC 7468 §3). @internal */
export interface ArmorLabel {
  readonly begin: string;
  readonly end: string;
}

/** @internal */
export function armorLabel(label: string): ArmorLabel {
  return { begin: `-----BEGIN ${label}-----`, end: `-----END ${label}-----` };
}

/** The bytes in base64 between the lines of the label, `width` characters a line and a newline at the end. @internal */
export function armor(bytes: Uint8Array, { begin, end }: ArmorLabel, width: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  const lines = [];
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width));
  return [begin, ...lines, end, ""].join("\n");
}

/** The bytes of a text that holds exactly one such block, with bytes in it, and white space; else undefined. @internal */
export function dearmor(text: string, { begin, end }: ArmorLabel): Uint8Array | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(begin) || !trimmed.endsWith(end) || trimmed.length <= begin.length + end.length) return;
  const body = trimmed.slice(begin.length, -end.length).replace(/[ \t\r\n]/gu, "");
  const bytes = Buffer.from(body, "base64");
  // Buffer skips what is not base64, so only text that comes back unchanged was base64.
  if (bytes.length === 0 || bytes.toString("base64") !== body) return;
  return Uint8Array.from(bytes);
}
