import { randomBytes, randomUUID } from "node:crypto";

/** Where ids and chances come from. Key material never comes from here. */
export interface RandomSource {
  /** At least 0, below 1. */
  fraction(): number;
  bytes(length: number): Uint8Array;
  /** Lower-case UUID, version 4. */
  uuid(): string;
}

const system: RandomSource = {
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => new Uint8Array(randomBytes(length)),
  uuid: () => randomUUID(),
};

/** The same numbers for the same seed (mulberry32); the system's own without one. */
export function randomSource(seed: number | undefined): RandomSource {
  if (seed === undefined) return system;
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const bytes = (length: number) => Uint8Array.from({ length }, () => next() & 0xff);
  return {
    fraction: () => next() / 2 ** 32,
    bytes,
    uuid: () => {
      const b = bytes(16);
      b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
      b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
      const hex = Buffer.from(b).toString("hex");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An id such as `AKIA…`: the prefix and 16 characters of `A`–`Z`, `2`–`7`. */
export function uniqueId(random: RandomSource, prefix: string): string {
  return prefix + Array.from(random.bytes(16), (byte) => base32[byte & 31]).join("");
}

/** 40 characters, as secret access keys have. */
export function secretText(random: RandomSource, length = 40): string {
  return Buffer.from(random.bytes(length)).toString("base64").replace(/[+/=]/g, "x").slice(0, length);
}
