import type { Backend, CallContext, KeyRef } from "@basil/core";

/** Gives a backend to a case. Called once a case; a fresh, empty one each time, or one that is shared. */
export type CreateBackend = () => Promise<Backend>;

export interface ConformanceOptions {
  /** The backend's own locator for a name of `a`-`z`, `0`-`9` and `-`; the name itself by default. Names do not repeat within a run. */
  readonly path?: (name: string) => string;
  /**
   * Makes the key be there: by `createKey` by default, which then must be claimed for every key type.
   * Where keys cost something it may always answer with the same two, one a `slot`: no case changes them.
   */
  readonly provision?: (
    backend: Backend,
    key: KeyRef,
    slot: "first" | "second",
    context: CallContext,
  ) => Promise<KeyRef>;
  /** `create` gives the same backend each time, so the suite never disposes of it. */
  readonly shared?: boolean;
  /** Milliseconds a call may take to end once it is aborted, 5,000 by default. */
  readonly abortMs?: number;
}
