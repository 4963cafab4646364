import { STATIC_TABLE } from "./static-table.js";

let staticIndex: ReadonlyMap<string, number> | undefined;

/** Index of the first entry of each name, and of each name with a value. */
function staticIndexes(): ReadonlyMap<string, number> {
  if (staticIndex === undefined) {
    const indexes = new Map<string, number>();
    STATIC_TABLE.forEach(([name, value], at) => {
      if (!indexes.has(name)) indexes.set(name, at + 1);
      if (value !== "") indexes.set(`${name}\n${value}`, at + 1);
    });
    staticIndex = indexes;
  }
  return staticIndex;
}

/**
 * Encodes fields as indexes of the static table, else as literals without indexing and without Huffman (RFC 7541 §6.1,
 * §6.2.2). It needs no state, so one encoder serves every connection, whatever table size a peer allows.
 *
 * @param fields - Names in lower case, values of Latin-1 characters.
 */
export function encodeHeaders(fields: Iterable<readonly [name: string, value: string]>): Buffer {
  const indexes = staticIndexes();
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    const whole = indexes.get(`${name}\n${value}`);
    if (whole !== undefined) {
      parts.push(encodeInteger(0x80, 7, whole));
      continue;
    }
    const index = indexes.get(name) ?? 0;
    parts.push(encodeInteger(0x00, 4, index));
    if (index === 0) parts.push(encodeString(name));
    parts.push(encodeString(value));
  }
  return Buffer.concat(parts);
}

function encodeString(text: string): Buffer {
  return Buffer.concat([encodeInteger(0x00, 7, text.length), Buffer.from(text, "latin1")]);
}

/** An integer with a prefix of `bits` bits below `flags` (RFC 7541 §5.1). */
function encodeInteger(flags: number, bits: number, value: number): Buffer {
  const max = (1 << bits) - 1;
  if (value < max) return Buffer.of(flags | value);
  const bytes = [flags | max];
  let rest = value - max;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
