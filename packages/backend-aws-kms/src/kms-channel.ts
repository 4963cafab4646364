import { channel } from "node:diagnostics_channel";
import type { BackendLogger } from "@basil/core";
import type { BreakerEvent, DriftEvent, KmsCallEvent, KmsObserver, RotationEvent } from "./observer.js";

/** What is published: one of the observer's events, and the backend it is of. */
export type KmsMessage = { readonly backend: string } & (
  | ({ readonly event: "call" } & KmsCallEvent)
  | ({ readonly event: "breaker" } & BreakerEvent)
  | ({ readonly event: "rotation" } & RotationEvent)
  | ({ readonly event: "drift" } & DriftEvent)
);

/** The channel every backend of this kind publishes on (Node's `diagnostics_channel`). */
export const KMS_CHANNEL = "basil:backend-aws-kms:event";

const messages = channel(KMS_CHANNEL);

/** Tells the channel, and the observer of the options if there is one. A hook that throws is logged and harms no call. */
export function publishing(
  backend: string,
  { observer = {}, logger }: { readonly observer?: KmsObserver; readonly logger?: BackendLogger } = {},
): Required<KmsObserver> {
  const tell = (message: KmsMessage, hook: () => void) => {
    if (messages.hasSubscribers) messages.publish(message);
    try {
      hook();
    } catch (error) {
      logger?.warn({ event: message.event, error: String(error) }, "an observer's hook threw");
    }
  };
  return {
    onCall: (event) => tell({ backend, event: "call", ...event }, () => observer.onCall?.(event)),
    onBreaker: (event) => tell({ backend, event: "breaker", ...event }, () => observer.onBreaker?.(event)),
    onRotation: (event) => tell({ backend, event: "rotation", ...event }, () => observer.onRotation?.(event)),
    onDrift: (event) => tell({ backend, event: "drift", ...event }, () => observer.onDrift?.(event)),
  };
}
