import { ConnectionFault } from "../protocol-error.js";
import { DynamicTable, fieldSize } from "./dynamic-table.js";
import { decodeHuffman } from "./huffman.js";
import { STATIC_TABLE } from "./static-table.js";

export interface HeaderDecoderLimits {
  /** Bytes of the dynamic table, as announced in SETTINGS_HEADER_TABLE_SIZE. */
  readonly tableBytes: number;
  /** Bytes of a decoded list: names, values and 32 for each field (RFC 9113 §6.5.2). */
  readonly listBytes: number;
}

/** Names and values in turn, in the order of the block. */
export type FieldList = readonly string[];

/** Seven bits a byte: five bytes beside the prefix hold every integer below 2^32. */
const MAX_INTEGER_BYTES = 5;
const MAX_INTEGER = 0x0fff_ffff;

/** Decodes the header blocks of one connection (RFC 7541). */
export class HeaderDecoder {
  readonly #limits: HeaderDecoderLimits;
  readonly #table: DynamicTable;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes of the last block, where it used indexes alone and so changed no state, and what it meant. */
  #lastBlock: Buffer | undefined;
  #lastFields: FieldList | undefined;

  constructor(limits: HeaderDecoderLimits) {
    this.#limits = limits;
    this.#table = new DynamicTable(limits.tableBytes);
  }

  /** Bytes of the dynamic table. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Decodes one block completely, since the next one depends on it.
   *
   * @returns The fields, or undefined for a list over `listBytes`.
   * @throws ConnectionFault `COMPRESSION_ERROR`.
   */
  decode(block: Buffer): FieldList | undefined {
    // A client that repeats a request repeats its block byte for byte, once its fields are in the table.
    if (this.#lastBlock?.equals(block)) return this.#lastFields;
    this.#block = block;
    this.#at = 0;
    const fields: string[] = [];
    let size = 0;
    let changed = false;
    while (this.#at < block.length) {
      const byte = block[this.#at] as number;
      if ((byte & 0xe0) === 0x20) {
        if (fields.length > 0 || size > 0) throw fault("a table size update after a field");
        this.#resize();
        changed = true;
        continue;
      }
      let name: string;
      let value: string;
      if (byte & 0x80) {
        const index = this.#integer(7);
        name = this.#name(index);
        value = this.#value(index);
      } else {
        const indexed = (byte & 0x40) !== 0;
        const index = this.#integer(indexed ? 6 : 4);
        name = index === 0 ? this.#string() : this.#name(index);
        value = this.#string();
        if (indexed) {
          this.#table.add(name, value);
          changed = true;
        }
      }
      size += fieldSize(name, value);
      if (size <= this.#limits.listBytes) fields.push(name, value);
    }
    this.#block = Buffer.alloc(0);
    const list = size > this.#limits.listBytes ? undefined : fields;
    if (changed) this.#lastBlock = undefined;
    else if (block.length <= 256) [this.#lastBlock, this.#lastFields] = [Buffer.from(block), list];
    return list;
  }

  #resize(): void {
    const size = this.#integer(5);
    if (size > this.#limits.tableBytes) throw fault(`a table of ${size} bytes, more than was announced`);
    this.#table.resize(size);
  }

  #name(index: number): string {
    const found = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1]?.[0] : this.#table.name(index - 62);
    if (found === undefined) throw fault(`index ${index} is not in the table`);
    return found;
  }

  #value(index: number): string {
    const found = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1]?.[1] : this.#table.value(index - 62);
    if (found === undefined) throw fault(`index ${index} is not in the table`);
    return found;
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw fault("a block that ends inside a field");
    return byte;
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const max = (1 << prefixBits) - 1;
    let value = this.#byte() & max;
    if (value < max) return value;
    for (let n = 0; n < MAX_INTEGER_BYTES; n++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * n);
      if (value > MAX_INTEGER) break;
      if ((byte & 0x80) === 0) return value;
    }
    throw fault("an integer above 2^28");
  }

  /** RFC 7541 §5.2. */
  #string(): string {
    const huffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#block.length) throw fault("a block that ends inside a string");
    if (!huffman) return this.#block.toString("latin1", start, this.#at);
    const text = decodeHuffman(this.#block, start, this.#at);
    if (text === undefined) throw fault("a Huffman code that is not valid");
    return text;
  }
}

function fault(reason: string): ConnectionFault {
  return new ConnectionFault("COMPRESSION_ERROR", reason);
}
