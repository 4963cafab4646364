/** A local process, as the kernel told it when the connection was made. What it did not tell is null, never guessed. */
export interface UnixIdentity {
  readonly kind: "unix";
  /** Effective uid of the process that connected. */
  readonly uid: number;
  /** Effective gid. */
  readonly gid: number | null;
  /** Supplementary groups. */
  readonly groups: readonly number[] | null;
  /** In the process numbers of the broker; null when they do not show it. */
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
