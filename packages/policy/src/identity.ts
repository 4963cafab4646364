/** A local process, as the kernel told it when the connection was made. What it did not tell is null, never guessed. */
export interface UnixIdentity {
  readonly kind: "unix";
  readonly uid: number;
  readonly gid: number | null;
  /** Supplementary groups. */
  readonly groups: readonly number[] | null;
  readonly pid: number | null;
  /** Start of the process in clock ticks since boot, which tells a recycled pid. */
  readonly startTime?: number | null;
  /** Path of the executable, for logs. */
  readonly exe?: string | null;
}

/** A connection without peer credentials. */
export interface UnauthenticatedIdentity {
  readonly kind: "unauthenticated";
}

export type Identity = UnixIdentity | UnauthenticatedIdentity;
