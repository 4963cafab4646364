/** Frame types (RFC 9113 §6). */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const FrameFlag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

/** Bytes of a frame's header (RFC 9113 §4.1). */
export const FRAME_HEADER_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE where a peer announces nothing else, and what this package accepts. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
export const LARGEST_MAX_FRAME_BYTES = 16_777_215;
export const DEFAULT_WINDOW = 65_535;
export const LARGEST_WINDOW = 2_147_483_647;

/** Writes a frame header at `at`. @returns The offset of the payload. */
export function writeFrameHeader(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  into[at] = length >>> 16;
  into[at + 1] = (length >>> 8) & 0xff;
  into[at + 2] = length & 0xff;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = stream >>> 24;
  into[at + 6] = (stream >>> 16) & 0xff;
  into[at + 7] = (stream >>> 8) & 0xff;
  into[at + 8] = stream & 0xff;
  return at + FRAME_HEADER_BYTES;
}

/** A complete frame. */
export function encodeFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(frame, 0, payload.length, type, flags, stream);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** RST_STREAM and WINDOW_UPDATE carry one 32-bit integer. */
export function encodeIntegerFrame(type: number, stream: number, value: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + 4);
  frame.writeUInt32BE(value, writeFrameHeader(frame, 0, 4, type, 0, stream));
  return frame;
}

export function encodeGoaway(lastStream: number, code: number, debug: string): Buffer {
  const payload = Buffer.allocUnsafe(8 + debug.length);
  payload.writeUInt32BE(lastStream, 0);
  payload.writeUInt32BE(code, 4);
  payload.write(debug, 8, "latin1");
  return encodeFrame(FrameType.GOAWAY, 0, 0, payload);
}
