import { ConnectionFault } from "./protocol-error.js";

/** Frames that cost the sender little and have no other bound. */
export type RatedFrame =
  | "SETTINGS"
  | "PING"
  | "RST_STREAM"
  | "PRIORITY"
  | "DATA"
  | "CONTINUATION"
  | "WINDOW_UPDATE"
  | "unknown";

interface Rate {
  /** Frames at once. */
  readonly burst: number;
  /** Frames a second after that. */
  readonly perSecond: number;
  /** Frames that each frame of an answer adds: what a peer sends in response to traffic is no flood. */
  readonly perAnswer?: number;
}

/**
 * Clients ping while they measure the bandwidth and open windows while they read, both in proportion to what they receive.
 * RST_STREAM follows the burst of nghttp2 (CVE-2023-44487). DATA means empty frames that end no stream.
 */
const RATES: Readonly<Record<RatedFrame, Rate>> = {
  SETTINGS: { burst: 100, perSecond: 10 },
  PING: { burst: 500, perSecond: 50, perAnswer: 1 },
  RST_STREAM: { burst: 1000, perSecond: 200 },
  PRIORITY: { burst: 1000, perSecond: 100 },
  DATA: { burst: 100, perSecond: 10 },
  CONTINUATION: { burst: 200, perSecond: 50 },
  WINDOW_UPDATE: { burst: 1000, perSecond: 100, perAnswer: 4 },
  unknown: { burst: 100, perSecond: 10 },
};

interface Bucket {
  tokens: number;
  at: number;
  answers: number;
}

/** A token bucket for each kind of {@link RatedFrame} of one connection, made when its first frame arrives. */
export class FrameRates {
  readonly #buckets = new Map<RatedFrame, Bucket>();
  #answers = 0;

  /** A frame of an answer was sent to the peer. */
  answered(): void {
    this.#answers += 1;
  }

  /** @throws ConnectionFault `ENHANCE_YOUR_CALM` over the rate. */
  take(frame: RatedFrame, now: number): void {
    const { burst, perSecond, perAnswer = 0 } = RATES[frame];
    let bucket = this.#buckets.get(frame);
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now, answers: this.#answers };
      this.#buckets.set(frame, bucket);
    }
    const earned = ((now - bucket.at) / 1000) * perSecond + (this.#answers - bucket.answers) * perAnswer;
    bucket.tokens = Math.min(burst, bucket.tokens + earned) - 1;
    bucket.at = now;
    bucket.answers = this.#answers;
    if (bucket.tokens < 0) throw new ConnectionFault("ENHANCE_YOUR_CALM", `too many ${frame} frames`);
  }
}
