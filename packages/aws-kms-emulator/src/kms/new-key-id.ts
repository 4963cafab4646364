import type { RandomSource } from "../random.js";

/** A UUID, or `mrk-` and 32 hex digits. */
export function newKeyId(random: RandomSource, multiRegion: boolean): string {
  const uuid = random.uuid();
  return multiRegion ? `mrk-${uuid.replaceAll("-", "")}` : uuid;
}

/** 64 lower-case hex digits. */
export function newMaterialId(random: RandomSource): string {
  return Buffer.from(random.bytes(32)).toString("hex");
}
