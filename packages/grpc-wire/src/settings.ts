import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW,
  encodeFrame,
  FrameType,
  LARGEST_MAX_FRAME_BYTES,
  LARGEST_WINDOW,
} from "./frame.js";
import type { WireLimits } from "./limits.js";
import { ConnectionFault } from "./protocol-error.js";

/** Identifiers (RFC 9113 §6.5.2). */
const HEADER_TABLE_SIZE = 0x1;
const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;
const MAX_HEADER_LIST_SIZE = 0x6;

const SETTING_BYTES = 6;

/**
 * What a peer announced and this side obeys. Its table size does not matter, since the encoder uses no table. Its frame
 * size does not either: every peer accepts 16,384 bytes, and larger frames would exceed the bound on unsent bytes.
 */
export interface PeerSettings {
  initialWindow: number;
}

export function defaultPeerSettings(): PeerSettings {
  return { initialWindow: DEFAULT_WINDOW };
}

/** The SETTINGS frame a server begins with. */
export function encodeSettings({ headerTableBytes, maxStreams, maxHeaderListBytes }: WireLimits): Buffer {
  const settings = [
    [HEADER_TABLE_SIZE, headerTableBytes],
    [MAX_CONCURRENT_STREAMS, maxStreams],
    [MAX_HEADER_LIST_SIZE, maxHeaderListBytes],
  ] as const;
  const payload = Buffer.allocUnsafe(settings.length * SETTING_BYTES);
  settings.forEach(([id, value], n) => {
    payload.writeUInt16BE(id, n * SETTING_BYTES);
    payload.writeUInt32BE(value, n * SETTING_BYTES + 2);
  });
  return encodeFrame(FrameType.SETTINGS, 0, 0, payload);
}

/** Applies the payload of a SETTINGS frame in order; later values win (RFC 9113 §6.5.3). @throws ConnectionFault */
export function applySettings(peer: PeerSettings, bytes: Buffer, start: number, end: number): void {
  if ((end - start) % SETTING_BYTES !== 0) {
    throw new ConnectionFault("FRAME_SIZE_ERROR", `SETTINGS of ${end - start} bytes`);
  }
  for (let at = start; at < end; at += SETTING_BYTES) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case ENABLE_PUSH:
        if (value > 1) throw new ConnectionFault("PROTOCOL_ERROR", `ENABLE_PUSH of ${value}`);
        break;
      case INITIAL_WINDOW_SIZE:
        if (value > LARGEST_WINDOW) throw new ConnectionFault("FLOW_CONTROL_ERROR", `INITIAL_WINDOW_SIZE of ${value}`);
        peer.initialWindow = value;
        break;
      case MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) {
          throw new ConnectionFault("PROTOCOL_ERROR", `MAX_FRAME_SIZE of ${value}`);
        }
        break;
      // Others, and those that are not known, ask nothing of a server that sends no pushes and indexes no fields.
    }
  }
}
