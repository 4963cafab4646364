/**
 * Bits of the code of each byte, and of EOS as the 257th (RFC 7541, Appendix B). The code is canonical: codes of one
 * length are assigned in the order of the symbols, so the lengths are all there is to know.
 */
// biome-ignore format: a table of 16 columns
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;
/** The shortest code has 5 bits, so 4 bits complete one symbol at the most. */
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const FAIL = -1;

/** Transitions by state and 4 bits: the next state, and the byte that was completed or -1. */
interface Machine {
  readonly next: Int16Array;
  readonly byte: Int16Array;
  /** Whether a text may end in this state: after fewer than 8 bits, all ones (RFC 7541 §5.2). */
  readonly final: Uint8Array;
}

let machine: Machine | undefined;

/**
 * Decodes a Huffman-coded string.
 *
 * @returns The decoded bytes as Latin-1, or undefined for a code that contains EOS or padding that is not valid.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  machine ??= makeMachine();
  const { next, byte, final } = machine;
  // A symbol has at least 5 bits.
  const decoded = Buffer.allocUnsafe(Math.floor(((end - start) * 8) / 5) + 1);
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    for (let shift = STEP_BITS; shift >= 0; shift -= STEP_BITS) {
      const step = state * STEPS + ((octet >> shift) & (STEPS - 1));
      state = next[step] as number;
      if (state === FAIL) return undefined;
      const completed = byte[step] as number;
      if (completed >= 0) decoded[length++] = completed;
    }
  }
  return final[state] === 1 ? decoded.toString("latin1", 0, length) : undefined;
}

/** The code's tree, whose inner nodes are the states. Symbols are -1 - symbol, so that they differ from nodes. */
function makeTree(): Int16Array {
  const symbols = CODE_LENGTHS.map((_, symbol) => symbol);
  symbols.sort((a, b) => (CODE_LENGTHS[a] as number) - (CODE_LENGTHS[b] as number) || a - b);
  const children = new Int16Array(2 * CODE_LENGTHS.length);
  let nodes = 1;
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    const bits = CODE_LENGTHS[symbol] as number;
    code <<= bits - length;
    length = bits;
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const child = 2 * node + ((code >> bit) & 1);
      if (children[child] === 0) children[child] = nodes++;
      node = children[child] as number;
    }
    children[2 * node + (code & 1)] = -1 - symbol;
    code += 1;
  }
  return children;
}

function makeMachine(): Machine {
  const children = makeTree();
  const states = children.length / 2;
  const next = new Int16Array(states * STEPS);
  const byte = new Int16Array(states * STEPS).fill(-1);
  const final = new Uint8Array(states);
  for (let state = 0; state < states; state++) {
    for (let bits = 0; bits < STEPS; bits++) {
      let node = state;
      for (let bit = STEP_BITS - 1; bit >= 0 && node !== FAIL; bit--) {
        const child = children[2 * node + ((bits >> bit) & 1)] as number;
        const symbol = -1 - child;
        if (child >= 0) node = child;
        else if (symbol === EOS) node = FAIL;
        else {
          byte[state * STEPS + bits] = symbol;
          node = 0;
        }
      }
      next[state * STEPS + bits] = node;
    }
  }
  for (let node = 0, bits = 0; bits < 8; bits++) {
    final[node] = 1;
    node = children[2 * node + 1] as number;
  }
  return { next, byte, final };
}
