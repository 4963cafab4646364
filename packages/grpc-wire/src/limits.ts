/** What one connection may send, hold and wait for. All are whole numbers above zero. */
export interface WireLimits {
  /** Bytes of one gRPC message. A longer one is RESOURCE_EXHAUSTED as soon as its prefix is read. Default: 4,194,304. */
  readonly maxMessageBytes: number;
  /** Open streams (SETTINGS_MAX_CONCURRENT_STREAMS). One more is reset with REFUSED_STREAM. Default: 256. */
  readonly maxStreams: number;
  /** Bytes of an encoded header block, all its frames together. More end the connection with ENHANCE_YOUR_CALM. Default: 32,768. */
  readonly maxHeaderBlockBytes: number;
  /** Bytes of a decoded header list (SETTINGS_MAX_HEADER_LIST_SIZE). A longer one is RESOURCE_EXHAUSTED. Default: 16,384. */
  readonly maxHeaderListBytes: number;
  /** Bytes of the HPACK decoder's dynamic table (SETTINGS_HEADER_TABLE_SIZE), at least 4,096: a client uses that many before it reads the setting. Default: 4,096. */
  readonly headerTableBytes: number;
  /** Bytes that wait for the socket. Over it the connection reads no frames and writes no messages until the peer reads. Default: 65,536. */
  readonly maxUnsentBytes: number;
  /** Milliseconds a request may take to arrive completely; after it RESOURCE_EXHAUSTED. Default: 30,000. */
  readonly receiveTimeoutMs: number;
  /** Milliseconds an answer may wait for the peer to read; after it the stream is reset with CANCEL, a blocked connection closed. Default: 30,000. */
  readonly sendTimeoutMs: number;
  /** Milliseconds without a stream after which the connection is closed with GOAWAY. Default: 600,000. */
  readonly idleTimeoutMs: number;
}

export const DEFAULT_WIRE_LIMITS: WireLimits = {
  maxMessageBytes: 4_194_304,
  maxStreams: 256,
  maxHeaderBlockBytes: 32_768,
  maxHeaderListBytes: 16_384,
  headerTableBytes: 4096,
  maxUnsentBytes: 65_536,
  receiveTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
};
